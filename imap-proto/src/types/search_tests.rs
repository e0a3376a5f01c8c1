//! The oracle is a tree that is built and read by recursion.

use super::*;
use crate::types::{AString, Atom, Date, EntryType, SequenceSet};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Tree {
    Leaf(u8),
    Not(Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    All(Vec<Tree>),
}

const LEAVES: [(&str, Key<'static>); 4] =
    [("SEEN", Key::Seen), ("DRAFT", Key::Draft), ("FLAGGED", Key::Flagged), ("DELETED", Key::Deleted)];

impl Tree {
    fn text(&self) -> String {
        match self {
            Self::Leaf(n) => LEAVES[usize::from(*n)].0.into(),
            Self::Not(one) => format!("NOT {}", one.text()),
            Self::Or(one, other) => format!("OR {} {}", one.text(), other.text()),
            Self::All(all) => format!("({})", all.iter().map(Self::text).collect::<Vec<_>>().join(" ")),
        }
    }

    fn holds(&self, world: u8) -> bool {
        match self {
            Self::Leaf(n) => world >> n & 1 == 1,
            Self::Not(one) => !one.holds(world),
            Self::Or(one, other) => one.holds(world) || other.holds(world),
            Self::All(all) => all.iter().all(|one| one.holds(world)),
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    (0..4_u8).prop_map(Tree::Leaf).prop_recursive(6, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| Tree::Not(Box::new(one))),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| Tree::Or(Box::new(one), Box::new(other))),
            prop::collection::vec(inner, 1..4).prop_map(Tree::All),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_found_is_what_the_tree_says(trees in prop::collection::vec(tree(), 1..4)) {
        let text = trees.iter().map(Tree::text).collect::<Vec<_>>().join(" ");
        let search = Search::parse(text.as_bytes()).unwrap();
        let keys: Vec<_> = search.iter().collect();
        let built = Search::of(&keys).unwrap();
        prop_assert_eq!(search, built);
        for world in 0..16 {
            let leaf = |key: Key<'_>| LEAVES.iter().position(|(_, leaf)| *leaf == key).is_some_and(|n| world >> n & 1 == 1);
            let expected = trees.iter().all(|tree| tree.holds(world));
            prop_assert_eq!(search.matches(leaf), expected, "{} in {:04b}", text, world);
        }
    }
}

#[test]
fn every_key_is_read() {
    let text = "ALL ANSWERED BCC a BEFORE 1-Feb-1994 BODY \"b\" CC c DELETED DRAFT FLAGGED FROM d HEADER e \"\" KEYWORD f \
                LARGER 1 NEW OLD OLDER 2 ON \"2-Feb-1994\" RECENT SEEN SENTBEFORE 3-Feb-1994 SENTON 4-Feb-1994 \
                SENTSINCE 5-Feb-1994 SINCE 6-Feb-1994 SMALLER 2 SUBJECT g TEXT h TO i UID 1:* UNANSWERED UNDELETED UNDRAFT \
                UNFLAGGED UNKEYWORD j UNSEEN YOUNGER 3 2,4:6 $";
    let keys: Vec<_> = Search::parse(text.as_bytes()).unwrap().iter().collect();
    assert_eq!(keys.len(), 37);
    assert_eq!(keys[10], Key::Header(AString::plain(b"e"), AString::plain(b"")));
    assert_eq!(keys[16], Key::On(Date::new(1994, 2, 2).unwrap()));
    assert_eq!(keys[35], Key::Set(SequenceSet::new(b"2,4:6").unwrap()));
    let lower = text.to_lowercase();
    assert_eq!(Search::parse(lower.as_bytes()).unwrap().iter().count(), keys.len());
    for key in keys {
        assert!(matches!(key, Key::Set(_)) || text.contains(key.name()), "{key:?}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    for bad in [
        "",
        "NOT",
        "OR SEEN",
        "OR",
        "()",
        "(SEEN",
        "SEEN)",
        "NOT ()",
        "OR (SEEN) ",
        "SEEN  DRAFT",
        " SEEN",
        "SEEN ",
        "( SEEN)",
        "(SEEN )",
        "SEENDRAFT",
        "KEYWORD a]",
        "LARGER x",
        "LARGER",
        "FROM",
        "FROM ",
        "HEADER a",
        "BEFORE 1-Foo-1994",
        "UID 0",
        "ALL {5}",
        "ALL \"open",
        "X",
        "OLDER 0",
        "NOT NOT",
        "(SEEN)(DRAFT)",
        "ON \"1-Feb-1994",
    ] {
        assert!(Search::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert_eq!(Search::of(&[]), Err(Invalid::Empty));
    assert_eq!(Search::of(&[Key::Or, Key::Seen]), Err(Invalid::Shape));
    assert_eq!(Search::of(&[Key::Open, Key::Close]), Err(Invalid::Shape));
    assert_eq!(Search::of(&[Key::Close]), Err(Invalid::Shape));
}

#[test]
fn nesting_has_a_limit_and_no_stack() {
    let not = |n: usize| "NOT ".repeat(n) + "ALL";
    assert!(Search::parse(not(64).as_bytes()).is_ok());
    assert!(Search::parse(not(65).as_bytes()).is_err());
    assert!(Search::parse(not(15_000).as_bytes()).is_err());
    let or = |n: usize| "OR ".repeat(n) + "ALL" + &" ALL".repeat(n);
    assert!(Search::parse(or(64).as_bytes()).is_ok());
    assert!(Search::parse(or(9000).as_bytes()).is_err());
    assert!(Search::parse(not(64).as_bytes()).unwrap().matches(|_| true));
}

#[test]
fn a_key_whose_answer_does_not_matter_is_not_asked() {
    let asked = |text: &str, holds: bool| {
        let mut keys = 0;
        Search::parse(text.as_bytes()).unwrap().matches(|_| {
            keys += 1;
            holds
        });
        keys
    };
    assert_eq!(asked("SEEN DRAFT FLAGGED", false), 1);
    assert_eq!(asked("OR SEEN (DRAFT FLAGGED)", true), 1);
    assert_eq!(asked("OR SEEN DRAFT", false), 2);
    assert_eq!(asked("NOT (SEEN DRAFT) FLAGGED", false), 2);
}

/// The examples of RFC 7162 §3.1.5, RFC 6203 §3, RFC 5466 §3.1, RFC 8474 §6 and RFC 8514 §4.3, and what is none.
#[test]
fn keys_of_extensions_are_read() {
    let read = |keys: &'static [u8]| Search::parse(keys).unwrap().iter().collect::<Vec<_>>();
    let draft = AString::quoted(br"/flags/\\draft", true);
    assert_eq!(
        read(br#"MODSEQ "/flags/\\draft" ALL 620162338"#),
        [Key::ModSeq { entry: Some((draft, EntryType::All)), sequence: 620_162_338 }]
    );
    assert_eq!(read(b"modseq 0"), [Key::ModSeq { entry: None, sequence: 0 }]);
    let atom = |octets| Atom::new(octets).unwrap();
    let day = Date::parse(b"28-Dec-2014").unwrap();
    assert_eq!(
        read(b"FUZZY (SEEN FILTER on-the-road) SAVEDBEFORE 28-Dec-2014 SAVEDON 28-Dec-2014"),
        [
            Key::Fuzzy,
            Key::Open,
            Key::Seen,
            Key::Filter(atom(b"on-the-road")),
            Key::Close,
            Key::SavedBefore(day),
            Key::SavedOn(day)
        ]
    );
    assert_eq!(
        read(b"EMAILID M6d99ac3275bb4e THREADID T64b_4-a SAVEDSINCE 28-Dec-2014 SAVEDATESUPPORTED"),
        [
            Key::EmailId(atom(b"M6d99ac3275bb4e")),
            Key::ThreadId(atom(b"T64b_4-a")),
            Key::SavedSince(day),
            Key::SaveDateSupported
        ]
    );
    for bad in [
        &b"FUZZY"[..],
        b"(FUZZY)",
        b"MODSEQ",
        b"MODSEQ x",
        b"MODSEQ \"/flags/x\" 5",
        b"MODSEQ \"/flags/x\" some 5",
        b"MODSEQ 9223372036854775808",
        b"FILTER a/b",
        b"FILTER \"a\"",
        b"EMAILID M(1)",
        b"SAVEDON today",
        b"SAVEDATESUPPORTEDX",
    ] {
        assert!(Search::parse(bad).is_err(), "{}", bad.escape_ascii());
    }
    assert!(Search::parse(&[&b"EMAILID "[..], &[b'x'; 255]].concat()).is_ok());
    assert!(Search::parse(&[&b"EMAILID "[..], &[b'x'; 256]].concat()).is_err());
}

/// FUZZY says how its key is to be asked, and changes nothing of how keys combine.
#[test]
fn a_fuzzy_key_holds_where_its_key_holds() {
    for seen in [false, true] {
        let holds = |keys: &[u8]| Search::parse(keys).unwrap().matches(|key| key == Key::Seen && seen);
        assert_eq!(holds(b"FUZZY SEEN"), seen);
        assert_eq!(holds(b"NOT FUZZY SEEN"), !seen);
        assert_eq!(holds(b"OR DRAFT FUZZY (SEEN NOT DRAFT)"), seen);
        assert_eq!(holds(b"FUZZY OR DRAFT SEEN NOT DRAFT"), seen);
    }
}
