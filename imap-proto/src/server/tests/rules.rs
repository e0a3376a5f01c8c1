//! Rules that bad clients break and careless applications would break, and what the machine makes of it.

use super::desk::Desk;
use crate::server::Config;

fn selected() -> Desk {
    Desk::selected(Config::default())
}

/// What is said to a client that is logged in and has a mailbox selected.
fn answers(octets: &[u8]) -> String {
    let mut desk = selected();
    desk.say(octets);
    String::from_utf8(desk.sent).unwrap()
}

/// Behind a literal that ends in a CR a LF alone is no line end: what relays the command may read its end elsewhere.
#[test]
fn a_literal_does_not_lend_its_last_octet_to_the_line_end() {
    let mut desk = selected();
    desk.say(b"a SEARCH SUBJECT {4+}\r\nabc\r\nb LOGOUT\r\n");
    assert!(desk.log.starts_with("violation LF without CR"), "{}", desk.log);
    assert!(answers(b"a SEARCH SUBJECT {4+}\r\nabc\r\r\nb NOOP\r\n").ends_with("b OK done\r\n"));
}
