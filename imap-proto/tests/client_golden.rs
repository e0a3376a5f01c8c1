//! Golden transcripts of the client machine: each is replayed whole, octet by octet, at every single cut and at random cuts, and
//! ended at every octet. The events were written by hand.

mod common;

use common::{Cuts, Session, Step, peer_octets, replay};
use mail_imap_proto::client::Config;
use mail_imap_proto::{Limits, Policy, Tls};
use proptest::prelude::*;

struct Golden {
    session: fn() -> Session,
    steps: &'static [Step],
    events: &'static [&'static str],
}

/// Literals above 16 octets are streamed, so that transcripts stay short.
fn small() -> Config {
    Config { limits: Limits { literal_inline: 16, ..Limits::default() }, ..Config::default() }
}

fn secure() -> Session {
    Session::secure(small())
}

/// The main job: log-in with literals, a mailbox, a streamed message beside small literals, a message appended, IDLE, the end.
const MAIN: Golden = Golden {
    session: secure,
    steps: &[
        Step::Peer(b"* OK [CAPABILITY IMAP4rev1 IDLE] ready for {3}\r\n"),
        Step::Send(b"A1 LOGIN {3}\r\n\xc3\xa9x {4}\r\npw\xc3\xa9\r\n"),
        Step::Wrote(b"A1 LOGIN {3}\r\n"),
        Step::Peer(b"+ more {7}\r\n"),
        Step::Wrote(b"\xc3\xa9x {4}\r\n"),
        Step::Peer(b"+ \r\n"),
        Step::Wrote(b"pw\xc3\xa9\r\n"),
        Step::Peer(b"* CAPABILITY IMAP4rev1 IDLE LITERAL- UIDPLUS\r\nA1 OK in\r\n"),
        Step::Send(b"A2 SELECT Sent\r\n"),
        Step::Wrote(b"A2 SELECT Sent\r\n"),
        Step::Peer(
            b"* 2 EXISTS\r\n* FLAGS (\\Seen \\Answered)\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] limited\r\n\
              * OK [UIDVALIDITY 7] \r\n* OK [UIDNEXT 12] next\r\n* LIST (\\Sent) \"/\" Sent (\"OLDNAME\" (\"Out\"))\r\n\
              A2 OK [READ-WRITE] done\r\n",
        ),
        Step::Send(b"A3 UID FETCH 10:* (FLAGS BODY.PEEK[HEADER] BODY.PEEK[TEXT])\r\n"),
        Step::Send(b"A4 NOOP\r\n"),
        Step::Wrote(b"A3 UID FETCH 10:* (FLAGS BODY.PEEK[HEADER] BODY.PEEK[TEXT])\r\nA4 NOOP\r\n"),
        Step::Peer(
            b"* 1 FETCH (UID 10 FLAGS (\\Seen) BODY[HEADER] {4}\r\n\r\n)\n BODY[TEXT] {20}\r\n0123456789(\"{3}\r\n678 \
              FLAGS () BODY[1]<5> {18}\r\nabcdefghijklmnopqr)\r\n* 3 EXISTS\r\n\
              * 2 FETCH (BODY[TEXT] \"short\" UID 11)\r\nA3 OK fetched\r\nA4 OK nothing\r\n",
        ),
        Step::Send(b"A5 APPEND Sent (\\Seen) {12+}\r\n"),
        Step::Wrote(b"A5 APPEND Sent (\\Seen) {12+}\r\n"),
        Step::Body(b"Subject: x\r\n", 5),
        Step::Wrote(b"Subject: x\r\n\r\n"),
        Step::Peer(b"A5 OK [APPENDUID 7 12] kept\r\n"),
        Step::Send(b"A6 IDLE\r\n"),
        Step::Wrote(b"A6 IDLE\r\n"),
        Step::Peer(b"+ idling\r\n* 4 EXISTS\r\n* 1 EXPUNGE\r\n"),
        Step::Done,
        Step::Wrote(b"DONE\r\n"),
        Step::Peer(b"A6 OK done\r\n"),
        Step::Send(b"A7 UID SEARCH 1:*\r\n"),
        Step::Peer(b"* SEARCH 10 11 x 0\r\n* ESEARCH (TAG \"A7\") UID MIN 10 ALL 10:11\r\nA7 OK found\r\n"),
        Step::Send(b"A8 LOGOUT\r\n"),
        Step::Peer(b"* BYE see {9}\r\nA8 OK out\r\n"),
    ],
    events: &[
        "Greeting OK [CAPABILITY [\"IMAP4rev1\", \"IDLE\"]] ready for {3}",
        "Continued more {7}",
        "Continued ",
        "* Capability([\"IMAP4rev1\", \"IDLE\", \"LITERAL-\", \"UIDPLUS\"])",
        "Completed OK in",
        "* Exists(2)",
        "* Flags([\\Seen, \\Answered])",
        "* OK [PERMANENTFLAGS [\\Seen, \\*]] limited",
        "* OK [UIDVALIDITY 7] ",
        "* OK [UIDNEXT 12] next",
        "* List((\\\\Sent) Some('/') \"Sent\" (\\\"OLDNAME\\\" (\\\"Out\\\")))",
        "Completed OK [READ-WRITE] done",
        "Seq(1) Uid(10) Flags([\\Seen]) BODY[Section { part: Part(\"\"), text: Header }]=Some(\"\\\\r\\\\n)\\\\n\") \
         BODY[TEXT] {20} Some(Section { part: Part(\"\"), text: Text })..",
        "Chunk \"0123456789(\\\\\\\"{3}\\\\r\\\\n678\"",
        "Seq(1) Flags([]) BODY[1]<5> {18} Some(Section { part: Part(\"1\"), text: Full })..",
        "Chunk \"abcdefghijklmnopqr\"",
        "Seq(1).",
        "* Exists(3)",
        "Seq(2) BODY[Section { part: Part(\"\"), text: Text }]=Some(\"short\") Uid(11).",
        "Completed OK fetched",
        "Completed OK nothing",
        "BodyWanted ",
        "Completed OK [APPENDUID 7 SequenceSet(12)] kept",
        "Idling idling",
        "* Exists(4)",
        "* Expunge(1)",
        "Completed OK done",
        "* Search([Ok(10), Ok(11), Err(BadNumber(x)), Err(BadNumber(0))], None)",
        "* ESearch(Some(\"A7\") UID [Min(10), All(SequenceSet(10:11))])",
        "Completed OK found",
        "* BYE see {9}",
        "Completed OK out",
        "Closed",
    ],
};

/// Refusals: a log-in, a literal before it went out, a message, an exchange; and what cannot be read beside what can.
const REFUSALS: Golden = Golden {
    session: secure,
    steps: &[
        Step::Peer(b"* OK hello\r\n"),
        Step::Send(b"r1 LOGIN {3}\r\n\xc3\xa9x pw\r\n"),
        Step::Wrote(b"r1 LOGIN {3}\r\n"),
        Step::Peer(b"r1 NO [AUTHENTICATIONFAILED] no\r\n"),
        Step::Wrote(b""),
        Step::Send(b"r2 AUTHENTICATE PLAIN\r\n"),
        Step::Peer(b"+ !!\r\n"),
        Step::Wrote(b"r2 AUTHENTICATE PLAIN\r\n*\r\n"),
        Step::Peer(b"r2 BAD cancelled\r\n"),
        Step::Send(b"r3 AUTHENTICATE X-TWO AGE=\r\n"),
        Step::Wrote(b"r3 AUTHENTICATE X-TWO\r\n"),
        Step::Peer(b"+ \r\n"),
        Step::Wrote(b"AGE=\r\n"),
        Step::Peer(b"+ cXVlc3Rpb24=\r\n"),
        Step::Respond(b"answer"),
        Step::Wrote(b"YW5zd2Vy\r\n"),
        Step::Peer(b"+ \r\n"),
        Step::Cancel,
        Step::Wrote(b"*\r\n"),
        Step::Peer(b"r3 NO given up\r\n* 3 EXISTS\r\n"),
        Step::Send(b"r4 LOGIN a b\r\n"),
        Step::Peer(b"r4 OK\r\n"),
        Step::Send(b"r5 APPEND x {3}\r\n"),
        Step::Peer(b"r5 NO [TRYCREATE] no such\r\n"),
        Step::Wrote(b"r4 LOGIN a b\r\nr5 APPEND x {3}\r\n"),
        Step::Send(b"r6 SELECT x\r\n"),
        Step::Peer(
            b"* 0 EXPUNGE\r\n* X-NEW (a {2}\r\n)) b\r\n* 7 X-ALSO\r\nnonsense\r\n\
              * 1 FETCH (UID 0 FLAGS (\\Seen) RFC822.SIZE 12x INTERNALDATE \"x\" ENVELOPE (NIL \"s\" NIL) BODY[1 (UID 4)\r\n\
              * OK [COPYUID 1 1:2 5] odd\r\n* STATUS x (MESSAGES 2 UNSEEN y)\r\nr6 BAD no\r\n",
        ),
    ],
    events: &[
        "Greeting OK hello",
        "Completed NO [AUTHENTICATIONFAILED] no",
        "BadChallenge",
        "Completed BAD cancelled",
        "Continued ",
        "Challenge \"question\"",
        "Challenge \"\"",
        "Completed NO given up",
        "Malformed State at 0: * 3 EXISTS",
        "Completed OK ",
        "Completed NO [TRYCREATE] no such",
        "Malformed NonZero at 2: * 0 EXPUNGE",
        "* None X-NEW (a {2}\\r\\n)) b",
        "* Some(7) X-ALSO ",
        "Malformed Tag at 8: nonsense",
        "Seq(1) ?UID:NonZero@4 Flags([\\Seen]) ?RFC822.SIZE:Space@14 ?INTERNALDATE:Date@14 \
         ?ENVELOPE:Envelope@21{None Some(\"s\") from  sender  reply-to  to  cc  bcc  None None} ?BODY[1 (UID 4):Section@14.",
        "* OK [COPYUID ?1 1:2 5] odd",
        "* STATUS \"x\" Messages(2) ?UNSEEN y",
        "Completed BAD no",
    ],
};

/// TLS: what was known before it is gone behind it.
const TLS: Golden = Golden {
    session: || Session::new(Config::default()),
    steps: &[
        Step::Peer(b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED LITERAL+] ready\r\n"),
        Step::Send(b"T1 STARTTLS\r\n"),
        Step::Wrote(b"T1 STARTTLS\r\n"),
        Step::Peer(b"* OK [ALERT] before\r\nT1 OK [CAPABILITY IMAP4rev1 LITERAL+] go\r\n"),
        Step::Tls,
        Step::Send(b"T2 LOGIN a {2}\r\n\xc3\xa9\r\n"),
        Step::Wrote(b"T2 LOGIN a {2}\r\n"),
        Step::Peer(b"+ go\r\n"),
        Step::Wrote(b"\xc3\xa9\r\n"),
        Step::Peer(b"T2 OK [CAPABILITY IMAP4rev2] in\r\n"),
        Step::Send(b"T3 ENABLE IMAP4rev2\r\n"),
        Step::Peer(b"* ENABLED IMAP4rev2\r\n"),
        Step::Wrote(b"T3 ENABLE IMAP4rev2\r\n"),
        Step::Peer(b"T3 OK on\r\n"),
        Step::Send(b"T4 SELECT {2+}\r\n\xc3\xa9\r\n"),
        Step::Wrote("T4 SELECT \"\u{e9}\"\r\n".as_bytes()),
        Step::Peer(b"T4 NO none\r\n"),
        Step::Eof,
    ],
    events: &[
        "Greeting OK [CAPABILITY [\"IMAP4rev1\", \"STARTTLS\", \"LOGINDISABLED\", \"LITERAL+\"]] ready",
        "* OK [ALERT] before",
        "StartTls",
        "Continued go",
        "Completed OK [CAPABILITY [\"IMAP4rev2\"]] in",
        "* Enabled([\"IMAP4rev2\"])",
        "Completed OK on",
        "Completed NO none",
        "Closed",
    ],
};

/// A fault that ends the session: a completion with a tag that is not in flight. Nothing behind it is looked at.
const FAULT: Golden = Golden {
    session: secure,
    steps: &[
        Step::Peer(b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"),
        Step::Send(b"F1 NOOP\r\n"),
        Step::Peer(
            b"* 1 FETCH (BODY[] {17}\r\n01234567890123456)\r\nF1 OK x\r\nF1 OK again\r\n* 9 EXISTS\r\n",
        ),
    ],
    events: &[
        "Greeting PREAUTH [CAPABILITY [\"IMAP4rev1\"]] hi",
        "Seq(1) BODY[] {17} Some(Section { part: Part(\"\"), text: Full })..",
        "Chunk \"01234567890123456\"",
        "Seq(1).",
        "Completed OK x",
        "Violation UnknownTag",
    ],
};

/// Quotes that do not balance before a trailing `{n}`.
const AMBIGUOUS: Golden = Golden {
    session: secure,
    steps: &[
        Step::Peer(b"* PREAUTH hi\r\n"),
        Step::Peer(b"* LIST () \"/\" \"a\" x {2}\r\nab\r\n* LIST () \"/\" \"a {2}\r\n* BYE ..\r\n"),
    ],
    events: &[
        "Greeting PREAUTH hi",
        "Malformed End at 17: * LIST () \\\"/\\\" \\\"a\\\" x {2}\\r\\nab",
        "Violation OpenQuote",
    ],
};

/// TLS is required and refused.
const DOWNGRADE: Golden = Golden {
    session: || {
        let policy = Policy { tls: Tls::Required, ..Policy::client() };
        Session::new(Config { policy, ..Config::default() })
    },
    steps: &[
        Step::Peer(b"* OK hi\r\n"),
        Step::Send(b"D1 STARTTLS\r\n"),
        Step::Peer(b"* CAPABILITY IMAP4rev1\r\nD1 NO not here\r\n* OK more\r\n"),
    ],
    events: &["Greeting OK hi", "* Capability([\"IMAP4rev1\"])", "Violation Downgrade"],
};

const ALL: [&Golden; 6] = [&MAIN, &REFUSALS, &TLS, &FAULT, &AMBIGUOUS, &DOWNGRADE];

#[test]
fn whole() {
    for golden in ALL {
        let log = replay((golden.session)(), golden.steps, Cuts::Whole);
        assert_eq!(log, golden.events, "{}", log.join("\n"));
    }
}

#[test]
fn octet_by_octet() {
    for golden in ALL {
        assert_eq!(replay((golden.session)(), golden.steps, Cuts::Single), golden.events);
    }
}

#[test]
fn at_every_single_cut() {
    for golden in ALL {
        for cut in 1..peer_octets(golden.steps) {
            assert_eq!(replay((golden.session)(), golden.steps, Cuts::At(&[cut])), golden.events, "at {cut}");
        }
    }
}

/// The end of the octets anywhere gives a part of the events and then truncation or a clean end, never a completion.
#[test]
fn the_end_at_every_octet() {
    for golden in ALL {
        for end in 0..peer_octets(golden.steps) {
            let mut session = (golden.session)();
            let mut left = end;
            for step in golden.steps {
                match step {
                    Step::Peer(octets) => {
                        let n = left.min(octets.len());
                        session.feed(&octets[..n]);
                        left -= n;
                        if n < octets.len() {
                            break;
                        }
                    }
                    Step::Eof => break,
                    other => session.step(*other, Cuts::Whole),
                }
            }
            session.eof();
            let mut log = session.log();
            let last = log.pop().unwrap();
            let ends = ["Violation Truncated", "Closed"];
            assert!(
                ends.contains(&last.as_str()) || last == *golden.events.last().unwrap(),
                "{last} at {end}"
            );
            for (got, wanted) in log.iter().zip(golden.events) {
                // A literal that was cut is a part of its chunk.
                let part = got.starts_with("Chunk") && wanted.starts_with("Chunk");
                assert!(got == wanted || part, "{got} for {wanted} at {end}");
            }
            assert!(log.len() <= golden.events.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn at_random_cuts(which in 0..ALL.len(), mut cuts in prop::collection::vec(1_usize..1200, 0..12)) {
        cuts.sort_unstable();
        let golden = ALL[which];
        prop_assert_eq!(replay((golden.session)(), golden.steps, Cuts::At(&cuts)), golden.events);
    }
}
