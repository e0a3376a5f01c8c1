//! Faults at every offset of every golden transcript: an octet doubled, a bit flipped, a CR, LF or NUL put in. Nothing panics, nothing
//! spins, and nothing is completed that was not.

use crate::{client, server};
use mail_testkit::faults::matrix;

#[test]
fn a_client_completes_no_more_than_it_has_sent() {
    matrix::<client::Application>(env!("CARGO_MANIFEST_DIR"), |script, _, outcome| {
        let sent = outcome.sent.iter().filter(|octet| **octet == b'\n').count();
        assert!(outcome.count(&["reply ", "end "]) <= sent, "{}: {outcome:?}", script.name);
        assert!(outcome.count(&["end "]) <= outcome.count(&["head "]), "{}: {outcome:?}", script.name);
    });
}

#[test]
fn a_server_commits_after_quit_alone_and_once() {
    matrix::<server::Application>(env!("CARGO_MANIFEST_DIR"), |script, octets, outcome| {
        let commits = outcome.count(&["commit "]);
        let quit = octets.windows(5).any(|line| line.eq_ignore_ascii_case(b"\nQUIT"));
        assert!(commits == 0 || (commits == 1 && quit), "{}: {outcome:?}", script.name);
        let settled = commits + outcome.count(&["abort "]);
        assert!(settled <= 1, "{}: {outcome:?}", script.name);
        // A maildrop that was given is given back, unless the end has not come yet.
        let locked = outcome.count(&["answered STAT"]) > 0;
        let over = outcome.end != "open" && outcome.end != "owed";
        assert!(!locked || !over || settled == 1, "{}: {outcome:?}", script.name);
    });
}
