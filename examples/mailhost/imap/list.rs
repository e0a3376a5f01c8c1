//! Names with wildcards (RFC 9051 §6.3.9): `*` stands for anything, `%` for anything within one level.

/// What stands between the levels of a name.
pub(super) const DELIMITER: u8 = b'/';

/// A name that a listing shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The name.
    pub(super) name: String,
    /// Whether there is such a mailbox: else it is only the parent of one.
    pub(super) exists: bool,
}

/// The names that match, and the parents of mailboxes that match though there is no such mailbox.
pub(super) fn matching(names: &[String], pattern: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for name in names {
        let levels = name.match_indices(char::from(DELIMITER)).map(|(at, _)| &name[..at]);
        for parent in levels.filter(|parent| !names.iter().any(|name| name == parent)) {
            if !entries.iter().any(|entry| entry.name == parent) {
                entries.push(Entry { name: parent.into(), exists: false });
            }
        }
        entries.push(Entry { name: name.clone(), exists: true });
    }
    entries.retain(|entry| matches(pattern, &entry.name));
    entries
}

/// Whether a name matches. INBOX does in any case.
fn matches(pattern: &str, name: &str) -> bool {
    let exact = wild(pattern.as_bytes(), name.as_bytes());
    exact || name == "INBOX" && wild(pattern.to_ascii_uppercase().as_bytes(), name.as_bytes())
}

/// Which prefixes of the name the pattern so far can stand for: its cost is one look for each pair of octets, whatever the pattern.
fn wild(pattern: &[u8], name: &[u8]) -> bool {
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for wanted in pattern {
        let mut next = vec![false; name.len() + 1];
        for at in 0..=name.len() {
            let same = at > 0 && reached[at - 1] && name[at - 1] == *wanted;
            next[at] = match wanted {
                b'*' => reached[at] || at > 0 && next[at - 1],
                b'%' => reached[at] || at > 0 && next[at - 1] && name[at - 1] != DELIMITER,
                _ => same,
            };
        }
        reached = next;
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stop_where_the_standard_says() {
        for (pattern, name, expected) in [
            ("*", "a/b/c", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("%/%", "a/b", true),
            ("a/%", "a/b/c", false),
            ("a*c", "a/b/c", true),
            ("a%c", "abc", true),
            ("a%c", "a/c", false),
            ("", "", true),
            ("", "a", false),
            ("inbox", "INBOX", true),
            ("InB%", "INBOX", true),
            ("work", "Work", false),
            ("*%*%*%*%*%*%*%*%*%x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn the_parent_of_a_mailbox_is_listed_though_it_is_none() {
        let names = ["INBOX".to_string(), "a/b".into(), "a/c".into()];
        let entry = |name: &str, exists| Entry { name: name.into(), exists };
        assert_eq!(matching(&names, "%"), [entry("INBOX", true), entry("a", false)]);
        assert_eq!(matching(&names, "a/*"), [entry("a/b", true), entry("a/c", true)]);
    }
}
