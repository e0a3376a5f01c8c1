//! Lists of names: what ENABLE and STATUS ask for.

use super::atom::Atom;
use super::invalid::Invalid;
use crate::error::Rule;
use crate::parse::cursor::Cursor;
use crate::parse::leaf::Parse;
use core::fmt;

/// At least one atom: checked octets as they came, or a slice that the caller holds.
#[derive(Clone, Copy)]
pub struct Atoms<'a>(List<'a>);

#[derive(Clone, Copy)]
enum List<'a> {
    /// Atoms with single spaces between them.
    Wire(&'a [u8]),
    Slice(&'a [Atom<'a>]),
}

impl<'a> Atoms<'a> {
    /// The atoms of a slice.
    ///
    /// # Errors
    /// [`Invalid::Empty`] without any.
    pub const fn of(atoms: &'a [Atom<'a>]) -> Result<Self, Invalid> {
        if atoms.is_empty() { Err(Invalid::Empty) } else { Ok(Self(List::Slice(atoms))) }
    }

    /// Atoms with single spaces between them.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Parse<Self> {
        let from = cursor.at();
        cursor.name()?;
        while cursor.peek() == Some(b' ') {
            cursor.bump(1);
            cursor.name()?;
        }
        Ok(Self(List::Wire(cursor.since(from))))
    }

    /// The same in parentheses.
    pub(crate) fn list(cursor: &mut Cursor<'a>) -> Parse<Self> {
        cursor.expect(b'(', Rule::List)?;
        let atoms = Self::read(cursor)?;
        cursor.expect(b')', Rule::List)?;
        Ok(atoms)
    }

    /// The atoms in order.
    pub fn iter(self) -> impl Iterator<Item = Atom<'a>> + Clone + 'a {
        let (wire, slice) = match self.0 {
            List::Wire(octets) => (octets, &[][..]),
            List::Slice(atoms) => (&b""[..], atoms),
        };
        let wire = wire.split(|octet| *octet == b' ').filter_map(|atom| Atom::new(atom).ok());
        wire.chain(slice.iter().copied())
    }

    /// Whether `name` is among them, in any case.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        self.iter().any(|atom| atom.is(name))
    }
}

impl PartialEq for Atoms<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Atoms<'_> {}

impl fmt::Debug for Atoms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
