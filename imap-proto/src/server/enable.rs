//! What ENABLE switches on (RFC 5161).

use crate::types::Atoms;
use crate::types::capability::Capabilities;

/// The extensions that are switched on by ENABLE: capabilities that are not here are never said to be enabled
/// (RFC 5161 §3.2).
const NAMES: [&str; 8] = [
    "CONDSTORE",
    "QRESYNC",
    "UTF8=ACCEPT",
    "UTF8=ONLY",
    "IMAP4rev2",
    "METADATA",
    "METADATA-SERVER",
    "UIDONLY",
];

/// A set of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Enabled(u8);

impl Enabled {
    /// Those that are asked for and offered.
    pub(crate) fn of(asked: Atoms<'_>, offer: Capabilities<'_>) -> Self {
        let mut set = 0;
        for (index, name) in NAMES.iter().enumerate() {
            // Who offers UTF8=ONLY takes UTF8=ACCEPT (RFC 6855 §6); who offers QRESYNC has CONDSTORE (RFC 7162 §3.2.3).
            let implied = match *name {
                "UTF8=ACCEPT" => offer.has("UTF8=ONLY"),
                "CONDSTORE" => offer.has("QRESYNC"),
                _ => false,
            };
            let offered = offer.has(name) || implied;
            if asked.has(name) && offered {
                set |= Self::bit(index);
            }
        }
        Self(set)
    }

    /// What was enabled stays so until the end of the session (RFC 5161 §3.1).
    pub(crate) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether the extension is on, by its name or with another: ENABLE QRESYNC means the same with CONDSTORE beside it and without
    /// (RFC 7162 §3.2.3).
    pub(crate) fn has(self, name: &str) -> bool {
        let with = |one: &str| one == "QRESYNC" && name.eq_ignore_ascii_case("CONDSTORE");
        self.names().any(|one| one.eq_ignore_ascii_case(name) || with(one))
    }

    /// The names, as they are told.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .iter()
            .enumerate()
            .filter(move |(index, _)| self.0 & Self::bit(*index) != 0)
            .map(|(_, name)| *name)
    }

    /// Whether names are UTF-8 from now on (RFC 9755 §3, RFC 9051 §5.1).
    pub(crate) fn is_utf8(self) -> bool {
        self.has("UTF8=ACCEPT") || self.has("IMAP4rev2")
    }

    fn bit(index: usize) -> u8 {
        u32::try_from(index).ok().and_then(|index| 1_u8.checked_shl(index)).unwrap_or(0)
    }
}
