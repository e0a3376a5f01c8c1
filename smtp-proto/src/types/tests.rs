use super::*;

#[test]
fn a_local_part_is_its_value() {
    let mailbox = Mailbox::try_from(r#""a\"b\\c>"@d.example"#).unwrap();
    assert_eq!(mailbox.local().as_ref(), br#"a"b\c>"#);
    assert_eq!(Mailbox::try_from(r#""a"@d.example"#), Mailbox::try_from("a@D.example"));
}

/// Items are at most 64 octets; an event, with the largest item and its token, at most 88.
#[test]
fn events_are_small() {
    use core::mem::size_of;
    assert!(size_of::<crate::Mail<'_>>() <= 64, "{}", size_of::<crate::Mail<'_>>());
    assert!(size_of::<crate::Rcpt<'_>>() <= 64, "{}", size_of::<crate::Rcpt<'_>>());
    assert!(size_of::<crate::Command<'_>>() <= 72, "{}", size_of::<crate::Command<'_>>());
    assert!(size_of::<crate::server::Event<'_>>() <= 80, "{}", size_of::<crate::server::Event<'_>>());
    assert!(size_of::<crate::client::Event<'_>>() <= 80, "{}", size_of::<crate::client::Event<'_>>());
}
