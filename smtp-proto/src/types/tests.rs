use super::*;

#[test]
fn a_local_part_is_its_value() {
    let mailbox = Mailbox::try_from(r#""a\"b\\c>"@d.example"#).unwrap();
    assert_eq!(mailbox.local().as_ref(), br#"a"b\c>"#);
    assert_eq!(Mailbox::try_from(r#""a"@d.example"#), Mailbox::try_from("a@D.example"));
}
