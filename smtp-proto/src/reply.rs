//! What a server says: [`Reply`] as it arrives, [`ReplyBuf`] as it is written.

use crate::error::Invalid;
use crate::types::{Code, EnhancedCode, ReplyText};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use mail_wire::{Owned, Span, View, Viewed};

/// A reply of one or more lines (RFC 5321 §4.2). The code decides; text is for people.
#[derive(Clone, Copy)]
pub struct Reply<'i> {
    code: Code,
    enhanced: Option<EnhancedCode>,
    view: View<'i>,
}

impl<'i> Reply<'i> {
    pub(crate) const fn parsed(code: Code, enhanced: Option<EnhancedCode>, view: View<'i>) -> Self {
        Self { code, enhanced, view }
    }

    /// The code, equal on all lines.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The enhanced code of the first line, if it is of the class of the code. A 3yz has none (RFC 2034 §3).
    #[must_use]
    pub const fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// The number of lines, at least one.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.view.tape().len()
    }

    /// Never: a reply has at least one line.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// The text of each line as octets, without code, separator and line end. It may hold anything but line ends.
    pub fn raw_lines(&self) -> impl Iterator<Item = &'i [u8]> + use<'i> {
        let view = self.view;
        view.tape().iter().map(move |span| view.get(*span))
    }

    /// The same without the enhanced code, where the reply has one and the line repeats one of its class.
    pub fn lines(&self) -> impl Iterator<Item = &'i [u8]> + use<'i> {
        let class = self.enhanced.map(EnhancedCode::class);
        self.raw_lines().map(move |text| match EnhancedCode::at_front(text) {
            Some((code, used)) if Some(code.class()) == class => {
                let rest = text.get(used..).unwrap_or_default();
                rest.strip_prefix(b" ").unwrap_or(rest)
            }
            _ => text,
        })
    }

    /// All octets of the reply.
    #[must_use]
    pub const fn octets(&self) -> &'i [u8] {
        self.view.octets()
    }

    /// A copy that owns its octets.
    #[must_use]
    pub fn into_owned(self) -> Owned<Reply<'static>> {
        Owned::new(self)
    }

    /// The same as a reply to be written, for a server that passes it on. Octets that may not be written become `?`, and a line that is longer
    /// than any may be (RFC 5321 §4.5.3.1.5) becomes several.
    #[must_use]
    pub fn to_buf(&self) -> ReplyBuf {
        let mut text = Vec::new();
        for (index, line) in self.lines().enumerate() {
            if index > 0 {
                text.push(b'\n');
            }
            let mut rest = line;
            loop {
                let (part, behind) = ReplyText::split(rest);
                match ReplyText::new(part) {
                    Ok(part) => text.extend_from_slice(part.as_bytes()),
                    Err(_) => text.extend(part.iter().map(|octet| match octet {
                        32..=126 => *octet,
                        _ => b'?',
                    })),
                }
                if behind.is_empty() {
                    break;
                }
                text.push(b'\n');
                rest = behind;
            }
        }
        ReplyBuf { code: self.code, enhanced: self.enhanced, text: Cow::Owned(text) }
    }
}

impl Viewed for Reply<'static> {
    type Of<'i> = Reply<'i>;
    type Head = (Code, Option<EnhancedCode>);

    fn split<'i>(value: Self::Of<'i>) -> (View<'i>, Self::Head) {
        (value.view, (value.code, value.enhanced))
    }

    fn join<'i>(view: View<'i>, (code, enhanced): Self::Head) -> Reply<'i> {
        Reply { code, enhanced, view }
    }
}

impl fmt::Display for Reply<'_> {
    /// The code and the text of the first line, control octets and octets beyond ASCII escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.view.span(0).unwrap_or(Span::new(0, 0));
        write!(f, "{} {}", self.code, self.view.get(first).escape_ascii())
    }
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({self}, {} lines)", self.len())
    }
}

/// A reply to be written. Its enhanced code goes out where the server offers ENHANCEDSTATUSCODES, on every line.
///
/// ```
/// use mail_smtp_proto::ReplyBuf;
/// use mail_smtp_proto::types::{Code, EnhancedCode, ReplyText};
/// let reply = ReplyBuf::new(Code::new(550)?, ReplyText::try_from("no such user")?)
///     .with_enhanced(EnhancedCode::new(5, 1, 1)?)
///     .with_line(ReplyText::try_from("see the help page")?);
/// assert_eq!(reply.code().get(), 550);
/// # Ok::<(), mail_smtp_proto::error::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ReplyBuf {
    code: Code,
    enhanced: Option<EnhancedCode>,
    /// Lines with LF between them, each of which a [`ReplyText`] has checked.
    text: Cow<'static, [u8]>,
}

impl ReplyBuf {
    /// A reply of one line.
    #[must_use]
    pub fn new(code: Code, text: ReplyText<'_>) -> Self {
        Self { code, enhanced: None, text: Cow::Owned(text.as_bytes().to_vec()) }
    }

    /// A reply of this crate: the text is known to be good.
    pub(crate) const fn fixed(code: u16, enhanced: Option<(u8, u16, u16)>, text: &'static str) -> Self {
        let enhanced = match enhanced {
            Some((class, subject, detail)) => Some(EnhancedCode::known(class, subject, detail)),
            None => None,
        };
        Self { code: Code::known(code), enhanced, text: Cow::Borrowed(text.as_bytes()) }
    }

    /// From plain numbers and text, for applications.
    ///
    /// # Errors
    /// The rule that the code or the text breaks.
    pub fn line(code: u16, text: &str) -> Result<Self, Invalid> {
        Ok(Self::new(Code::new(code)?, ReplyText::new(text.as_bytes())?))
    }

    /// The reply with an enhanced code. One of another class than the reply's is not written (RFC 2034 §4).
    #[must_use]
    pub fn with_enhanced(mut self, code: EnhancedCode) -> Self {
        self.enhanced = Some(code);
        self
    }

    /// The reply with one more line.
    #[must_use]
    pub fn with_line(mut self, text: ReplyText<'_>) -> Self {
        let lines = self.text.to_mut();
        lines.push(b'\n');
        lines.extend_from_slice(text.as_bytes());
        self
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The enhanced code.
    #[must_use]
    pub const fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// The text of each line.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.split(|octet| *octet == b'\n')
    }
}

impl fmt::Debug for ReplyBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplyBuf({} \"{}\")", self.code, self.text.escape_ascii())
    }
}
