//! Any pieces of a session in any order, cut anywhere: the same events, the same octets, never a panic or a spin.

use super::desk::Desk;
use crate::server::{Config, Offer};
use proptest::prelude::*;

const PIECES: [&[u8]; 36] = [
    b"a LOGIN u p\r\n",
    b"b SELECT x\r\n",
    b"c NOOP\r\n",
    b"d IDLE\r\n",
    b"DONE\r\n",
    b"e APPEND x {3}\r\n",
    b"e APPEND x {3+}\r\n",
    b"abc",
    b"\r\n",
    b" ",
    b"f FETCH 1 BODY[]\r\n",
    b"g SEARCH TO {2+}\r\n",
    b"xy",
    b"{5}\r\n",
    b"{70+}\r\n",
    b"h AUTHENTICATE X\r\n",
    b"*\r\n",
    b"bW9yZQ==\r\n",
    b"i ENABLE UTF8=ACCEPT\r\n",
    b"j CLOSE\r\n",
    b"k LOGOUT\r\n",
    b"\r",
    b"\n",
    b"\0",
    b"\xff",
    b"\"",
    b"(",
    b"l STORE 1 FLAGS (\\Seen)\r\n",
    b"m CREATE {5000+}\r\n",
    b"n LIST \"\" {1}\r\n",
    b"%\r\n",
    b"o APPEND x UTF8 (~{2+}\r\n",
    b")\r\n",
    b"p CAPABILITY\r\n",
    b"q UNSELECT\r\n",
    b"r APPEND {1+}\r\nb (\\Seen) {2+}\r\n",
];

fn desk() -> Desk {
    let offer = Offer::new("IMAP4rev1 LITERAL- ENABLE IDLE UTF8=ACCEPT AUTH=X").unwrap();
    Desk::secure(Config { offer: offer.into(), ..Config::default() })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_cuts_do_not_show(pieces in prop::collection::vec(0..PIECES.len(), 1..24), cuts in prop::collection::vec(1..40_usize, 1..20)) {
        let octets: Vec<u8> = pieces.iter().flat_map(|piece| PIECES[*piece].to_vec()).collect();
        let mut whole = desk();
        whole.say(&octets);
        let mut cut = desk();
        let (mut rest, mut cuts) = (octets.as_slice(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            cut.say(piece);
            rest = behind;
        }
        prop_assert_eq!(&whole.log, &cut.log, "{}", octets.escape_ascii());
        prop_assert_eq!(whole.sent.escape_ascii().to_string(), cut.sent.escape_ascii().to_string());
        whole.end(mail_wire::End::Fin);
        prop_assert!(whole.is_over());
    }
}
