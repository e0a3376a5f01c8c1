//! What a server says about itself (RFC 2971 §3.2).

use super::text::Text;
use crate::parse::leaf::{Cursor, form};
use crate::types::chars::is_astring;
use core::fmt;
use mail_wire::Span;

/// The fields of the answer to ID. They tell nothing that may be relied upon.
#[derive(Clone, Copy)]
pub struct ServerId<'i>(&'i [u8]);

impl<'i> ServerId<'i> {
    /// What stands between the parentheses, checked.
    pub(crate) const fn wire(octets: &'i [u8]) -> Self {
        Self(octets)
    }

    /// Names and values in order. A value is `None` where the server wrote NIL.
    pub fn fields(self) -> impl Iterator<Item = (Text<'i>, Option<Text<'i>>)> + Clone + 'i {
        let mut cur = Cursor::new(self.0);
        core::iter::from_fn(move || {
            let name = Text::of(cur.octets(), string(&mut cur)?)?;
            let value = Text::of(cur.octets(), string(&mut cur)?);
            Some((name, value))
        })
    }

    /// The value of a field, by its name without regard to case.
    #[must_use]
    /// A name that comes twice has its first value, though none may (RFC 2971 §3.3).
    pub fn get(self, name: &str) -> Option<Text<'i>> {
        let mut named = self.fields().filter(|(key, _)| key.bytes().eq_ignore_ascii_case(name.as_bytes()));
        named.next().and_then(|(_, value)| value)
    }
}

/// A string, or an atom as some servers write it; the reader has counted that.
fn string(cur: &mut Cursor<'_>) -> Option<Span> {
    cur.while_in(|octet| octet == b' ');
    match cur.peek()? {
        b'"' => cur.loose_quoted().ok().map(|(span, _)| span),
        b'{' => cur.literal().ok(),
        _ if cur.nil() => Some(Span::default()),
        _ => Some(cur.while_in(is_astring).tagged(form::ATOM)).filter(|span| span.len() > 0),
    }
}

impl fmt::Debug for ServerId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.fields()).finish()
    }
}
