//! What a server offers in its EHLO reply.

use crate::error::Invalid;
use crate::ext::{EhloLine, Extension, Extensions};
use crate::types::{EhloName, Mechanism};
use alloc::vec::Vec;

/// The name of the server and the extensions that its application is ready for.
///
/// The machine names only what holds at the moment: STARTTLS before TLS, AUTH where it may be used, SIZE with
/// [`Limits::message`](crate::Limits::message). It refuses parameters and verbs of what it does not offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    name: Vec<u8>,
    extensions: Extensions,
    mechanisms: Vec<Vec<u8>>,
    lines: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Offer {
    /// What every server can do with the machine alone: PIPELINING, SIZE, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS, CHUNKING.
    #[must_use]
    pub fn new(name: EhloName<'_>) -> Self {
        use Extension as E;
        let extensions =
            [E::Pipelining, E::Size, E::EightBitMime, E::EnhancedStatusCodes, E::StartTls, E::Chunking];
        Self { extensions: extensions.into_iter().collect(), ..Self::bare(name) }
    }

    /// Nothing but the name.
    #[must_use]
    pub fn bare(name: EhloName<'_>) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            extensions: Extensions::NONE,
            mechanisms: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// With one more extension. AUTH comes with its first mechanism, by [`Offer::with_mechanism`], and never without one: its keyword has a
    /// list behind it (RFC 4954 §3).
    #[must_use]
    pub fn with(mut self, extension: Extension) -> Self {
        if extension == Extension::Auth && self.mechanisms.is_empty() {
            return self;
        }
        self.extensions = self.extensions.with(extension);
        self
    }

    /// Without an extension.
    #[must_use]
    pub fn without(mut self, extension: Extension) -> Self {
        self.extensions = self.extensions.without(extension);
        self
    }

    /// With one more SASL mechanism, and AUTH.
    #[must_use]
    pub fn with_mechanism(mut self, mechanism: Mechanism<'_>) -> Self {
        self.mechanisms.push(mechanism.as_bytes().to_vec());
        self.with(Extension::Auth)
    }

    /// With a line as it stands: an extension that this crate does not know, or one with parameters, such as `LIMITS RCPTMAX=100`.
    /// The lines of AUTH and SIZE are the machine's.
    #[must_use]
    pub fn with_line(mut self, line: EhloLine<'_>) -> Self {
        if let Some(extension) = line.extension() {
            self.extensions = self.extensions.with(extension);
        }
        self.lines.push((line.keyword().as_bytes().to_vec(), line.text().as_bytes().to_vec()));
        self
    }

    /// With a line from text: [`Offer::with_mechanism`] for each word of `AUTH`, [`Offer::with_line`] for others.
    ///
    /// # Errors
    /// [`Rule::EhloLine`](crate::Rule::EhloLine), [`Rule::Mechanism`](crate::Rule::Mechanism).
    pub fn with_text(mut self, line: &str) -> Result<Self, Invalid> {
        let line = EhloLine::parse(line.as_bytes())?;
        match line.extension() {
            Some(Extension::Auth) => {
                for word in line.words() {
                    self = self.with_mechanism(Mechanism::new(word)?);
                }
                Ok(self)
            }
            Some(extension) if line.text().as_bytes().is_empty() || extension == Extension::Size => {
                Ok(self.with(extension))
            }
            _ => Ok(self.with_line(line)),
        }
    }

    /// The name of the server.
    #[must_use]
    pub fn name(&self) -> EhloName<'_> {
        EhloName::parsed(&self.name)
    }

    /// The extensions, whether or not they are named at the moment. BINARYMIME is not among them without CHUNKING, which alone can carry it
    /// (RFC 3030 §3); 8BITMIME always is with SMTPUTF8 (RFC 6531 §3.1, item 8).
    #[must_use]
    pub const fn extensions(&self) -> Extensions {
        let mut all = self.extensions;
        if !all.has(Extension::Chunking) {
            all = all.without(Extension::BinaryMime);
        }
        if all.has(Extension::SmtpUtf8) {
            all = all.with(Extension::EightBitMime);
        }
        all
    }

    /// Whether a SASL mechanism is among those offered.
    #[must_use]
    pub fn has_mechanism(&self, mechanism: Mechanism<'_>) -> bool {
        self.mechanisms.iter().any(|offered| offered.eq_ignore_ascii_case(mechanism.as_bytes()))
    }

    pub(super) fn mechanisms(&self) -> Vec<u8> {
        self.mechanisms.join(&b' ')
    }

    /// The keyword and the text of each line for the extensions in `now`; `size` and `auth` are texts of the machine's.
    pub(super) fn lines<'a>(
        &'a self,
        now: Extensions,
        size: &'a [u8],
        auth: &'a [u8],
    ) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> {
        let own = |extension: Extension| {
            self.lines.iter().any(|(keyword, _)| {
                keyword.eq_ignore_ascii_case(extension.keyword().as_bytes())
                    && !matches!(extension, Extension::Size | Extension::Auth)
            })
        };
        let known = now.iter().filter(move |extension| !own(*extension)).map(move |extension| {
            let text = match extension {
                Extension::Size => Some(size),
                Extension::Auth => Some(auth),
                _ => None,
            };
            (extension.keyword().as_bytes(), text)
        });
        let others = self.lines.iter().filter(move |(keyword, _)| match Extension::of(keyword) {
            Some(Extension::Size | Extension::Auth) => false,
            Some(extension) => now.has(extension),
            None => true,
        });
        known.chain(
            others.map(|(keyword, text)| (keyword.as_slice(), (!text.is_empty()).then_some(text.as_slice()))),
        )
    }
}
