//! What ID says about a program (RFC 2971).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::astring::AString;
use super::invalid::Invalid;
use crate::error::Rule;
use crate::parse::cursor::Cursor;
use crate::parse::leaf::Parse;
use core::fmt;

/// The most pairs (RFC 2971 §3.3).
const PAIRS_MAX: usize = 30;
/// The most octets of a name (RFC 2971 §3.3).
const NAME_MAX: usize = 30;
/// The most octets of a value (RFC 2971 §3.3).
const VALUE_MAX: usize = 1024;

/// A name and its value, or NIL.
pub type IdField<'a> = (AString<'a>, Option<AString<'a>>);

/// The fields of an ID, at most 30; none is written NIL.
///
/// They tell nothing that may be relied upon, and are for people who look for faults (RFC 2971 §2).
#[derive(Clone, Copy)]
pub struct IdFields<'a>(Fields<'a>);

#[derive(Clone, Copy)]
enum Fields<'a> {
    /// Checked strings, without parentheses.
    Wire(&'a [u8]),
    Slice(&'a [IdField<'a>]),
}

impl<'a> IdFields<'a> {
    /// No fields: NIL.
    pub const NIL: IdFields<'static> = IdFields(Fields::Slice(&[]));

    /// The fields of a slice.
    ///
    /// # Errors
    /// [`Invalid::TooMany`] above 30 fields, 30 octets of a name or 1,024 octets of a value.
    pub fn of(fields: &'a [IdField<'a>]) -> Result<Self, Invalid> {
        if fields.len() > PAIRS_MAX {
            return Err(Invalid::TooMany { limit: PAIRS_MAX });
        }
        fields.iter().try_for_each(|field| check(*field))?;
        Ok(Self(Fields::Slice(fields)))
    }

    /// NIL, or pairs in parentheses. The limits bind who writes; what is read may be longer, as long as the line may be.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Parse<Self> {
        if cursor.nil() {
            return Ok(Self::NIL);
        }
        cursor.expect(b'(', Rule::List)?;
        let from = cursor.at();
        while cursor.peek() != Some(b')') {
            if cursor.at() > from {
                cursor.space()?;
            }
            pair(cursor)?;
        }
        let fields = cursor.since(from);
        cursor.bump(1);
        Ok(Self(Fields::Wire(fields)))
    }

    /// The fields in order.
    pub fn iter(self) -> impl Iterator<Item = IdField<'a>> + Clone + 'a {
        let (wire, slice) = match self.0 {
            Fields::Wire(octets) => (octets, &[][..]),
            Fields::Slice(fields) => (&b""[..], fields),
        };
        let mut cursor = Cursor::again(wire);
        let wire = core::iter::from_fn(move || {
            cursor.eat(b' ');
            pair(&mut cursor).ok()
        });
        wire.chain(slice.iter().copied())
    }

    /// The value of a field; names compare without regard to case (RFC 2971 §3.3).
    #[must_use]
    pub fn get(self, name: &str) -> Option<AString<'a>> {
        self.iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .and_then(|(_, value)| value)
    }
}

/// The limits that bind who writes.
fn check((name, value): IdField<'_>) -> Result<(), Invalid> {
    if name.octets().count() > NAME_MAX {
        return Err(Invalid::TooMany { limit: NAME_MAX });
    }
    match value {
        Some(value) if value.octets().count() > VALUE_MAX => Err(Invalid::TooMany { limit: VALUE_MAX }),
        _ => Ok(()),
    }
}

/// `string SP nstring`: a name is never NIL.
/// Quoted strings and literals alone: a bare word is no `string`, whoever writes one (RFC 2971 §4).
fn pair<'a>(cursor: &mut Cursor<'a>) -> Parse<IdField<'a>> {
    let name = cursor.text()?;
    cursor.space()?;
    Ok((name, if cursor.nil() { None } else { Some(cursor.text()?) }))
}

impl PartialEq for IdFields<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for IdFields<'_> {}

impl fmt::Debug for IdFields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::cursor::Bounds;

    #[test]
    fn fields_are_read_and_found() {
        let mut cursor = Cursor::new(b"(\"name\" \"x\\\"y\" \"os\" NIL)", Bounds::USUAL);
        let fields = IdFields::read(&mut cursor).unwrap();
        assert_eq!(fields.get("NAME").unwrap(), &b"x\"y"[..]);
        assert_eq!(fields.get("os"), None);
        let slice = [(AString::plain(b"name"), Some(AString::plain(b"x\"y"))), (AString::plain(b"os"), None)];
        assert_eq!(fields, IdFields::of(&slice).unwrap());
        for bad in [&b"(name \"x\")"[..], b"(\"a\")", b"(\"a\" \"b\" )", b"(", b"\"a\"", b"(NIL NIL)"] {
            assert!(IdFields::read(&mut Cursor::new(bad, Bounds::USUAL)).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn who_writes_keeps_the_limits_of_the_standard() {
        let field = (AString::plain(b"n"), None);
        assert!(IdFields::of(&[field; 30]).is_ok());
        assert_eq!(IdFields::of(&[field; 31]), Err(Invalid::TooMany { limit: 30 }));
        let long = [b'x'; 1025];
        assert!(IdFields::of(&[(AString::plain(&long[..31]), None)]).is_err());
        assert!(IdFields::of(&[(AString::plain(b"n"), Some(AString::plain(&long)))]).is_err());
    }
}
