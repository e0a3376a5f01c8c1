//! Faults at every offset of every golden transcript: an octet doubled, a bit flipped, a CR, LF or NUL put in. Nothing panics, nothing
//! spins, and nothing is completed that was not.

use crate::{client, server};
use mail_testkit::faults::matrix;

#[test]
fn a_client_completes_no_more_than_it_has_sent() {
    matrix::<client::Application>(env!("CARGO_MANIFEST_DIR"), |script, _, outcome| {
        let sent = outcome.sent.iter().filter(|octet| **octet == b'\n').count();
        assert!(outcome.count(&["reply "]) <= sent, "{}: {outcome:?}", script.name);
        let data = outcome.sent.windows(5).filter(|window| *window == b"DATA\r").count();
        assert!(outcome.count(&["wanted "]) <= data, "{}: {outcome:?}", script.name);
    });
}

#[test]
fn a_server_completes_a_message_at_its_end_alone() {
    matrix::<server::Application>(env!("CARGO_MANIFEST_DIR"), |script, octets, outcome| {
        let dots = octets.windows(4).filter(|window| *window == b"\n.\r\n").count();
        let last = octets.windows(5).filter(|window| window.eq_ignore_ascii_case(b" LAST")).count();
        let complete = outcome.count(&["end-of-body"]);
        assert!(complete <= dots + last, "{}: {outcome:?}", script.name);
        let bodies = outcome.count(&["body"]);
        assert!(complete + outcome.count(&["abort "]) <= bodies, "{}: {outcome:?}", script.name);
        // The answers never get ahead of the questions.
        let asked = octets.iter().filter(|octet| **octet == b'\n').count() + 1;
        let multi = |line: &&[u8]| line.len() > 3 && line[3] == b'-';
        let lines = outcome.sent.split(|octet| *octet == b'\n');
        let answered = lines.filter(|line| !line.is_empty() && !multi(line)).count();
        assert!(answered <= asked + 2, "{}: {outcome:?}", script.name);
    });
}
