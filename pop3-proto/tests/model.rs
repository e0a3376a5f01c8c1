//! Both machines against a naive reference: random operations of an application, random lines of a peer, random cuts, and one fault in the
//! octets.
//!
//! What must hold: there is an answer for each command and no more; what STAT, LIST, UIDL, RETR and TOP say is what the reference says, marks
//! included; a maildrop changes after QUIT in TRANSACTION alone; no octet of a secret goes out before TLS unless the caller has allowed it.

#[path = "model/asking.rs"]
mod asking;
#[path = "model/reference.rs"]
mod reference;
#[path = "model/served.rs"]
mod served;

use asking::{Asking, Op};
use bytes::Buf;
use mail_pop3_proto::types::ReplyText;
use mail_wire::{End, Machine, Output, base64};
use proptest::prelude::*;
use reference::{Answer, Server};
use served::Served;

type Mail = Vec<Vec<Vec<u8>>>;

/// Lines that a client may give, in and out of place.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let fixed = "USER u|USER no one|PASS s3cret right|PASS s3cret wrong|PASS|CAPA|UTF8|LANG|LANG en|LANG fr|STAT|LIST|UIDL|NOOP|RSET|QUIT|AUTH|AUTH PLAIN|STLS|list|XTND|NOOP x|*|QUIT ";
    let fixed =
        prop::sample::select(fixed.split('|').collect::<Vec<_>>()).prop_map(|text| text.as_bytes().to_vec());
    let verb = prop::sample::select(vec!["LIST", "UIDL", "RETR", "DELE", "DELE", "Top 1", "TOP 2", "TOP"]);
    let numbered = (verb, 0_u32..5).prop_map(|(verb, number)| format!("{verb} {number}").into_bytes());
    let auth = (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(right, long, command)| {
        let secret = format!(
            "\0{}\0s3cret {}",
            "u".repeat(if long { 200 } else { 1 }),
            if right { "right" } else { "wrong" }
        );
        let coded = base64::encode(secret.as_bytes()).expose().to_vec();
        if command { [&b"AUTH PLAIN "[..], &coded].concat() } else { coded }
    });
    let log_in = Just(b"AUTH PLAIN AHUAczNjcmV0IHJpZ2h0".to_vec());
    prop_oneof![4 => fixed, 4 => numbered, 1 => auth, 1 => log_in]
}

fn mail() -> impl Strategy<Value = Mail> {
    let line = prop::sample::select(vec![&b""[..], b".", b"..", b"Subject: x", b"+OK", b"text"]);
    prop::collection::vec(prop::collection::vec(line.prop_map(<[u8]>::to_vec), 0..5), 0..4)
}

/// One fault: where, and what.
fn fault() -> impl Strategy<Value = (usize, usize)> {
    (0_usize..100, 0_usize..8)
}

fn break_once(octets: &mut Vec<u8>, (at, kind): (usize, usize)) {
    if at >= octets.len() {
        return;
    }
    match kind {
        0 => drop(octets.remove(at)),
        1 => octets.insert(at, octets[at]),
        2..5 => octets.insert(at, [b'\r', b'\n', 0][kind - 2]),
        _ => octets[at] ^= [1, 0x20, 0x80][kind - 5],
    }
}

fn model(mail: &Mail, allowed: bool, offers_tls: bool) -> Server {
    let mut model = Server::default();
    model.mail = mail.iter().map(|lines| (lines.clone(), false)).collect();
    (model.allowed, model.offers_tls) = (allowed, offers_tls);
    model
}

fn drained(output: &mut Output) -> Vec<u8> {
    output.copy_to_bytes(output.remaining()).to_vec()
}

fn text(text: &str) -> ReplyText<'_> {
    ReplyText::try_from(text).unwrap()
}

/// Lines, and how they end: the naive way to cut what a client sends.
fn split(octets: &[u8]) -> (Vec<&[u8]>, bool) {
    let (mut lines, mut start) = (Vec::new(), 0);
    for at in 0..octets.len() {
        match (octets[at], octets.get(at + 1)) {
            (b'\r', Some(b'\n')) => {
                lines.push(&octets[start..at]);
                start = at + 2;
            }
            // A CR or LF alone is no line end and no octet of a line (RFC 1939 §3).
            (b'\r', Some(_)) => return (lines, true),
            (b'\n', _) if at + 1 != start => return (lines, true),
            _ => {}
        }
    }
    (lines, false)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => line().prop_map(Op::Send),
        4 => (1_usize..40).prop_map(Op::Deliver),
        2 => any::<bool>().prop_map(Op::Respond),
        1 => Just(Op::Cancel),
    ]
}

proptest! {
    #[test]
    fn a_server_answers_as_the_reference_does(
        batches in prop::collection::vec(prop::collection::vec(line(), 1..6), 1..12),
        mail in mail(),
        allowed in any::<bool>(),
        offers_tls in any::<bool>(),
        fault in fault(),
        broken in any::<bool>(),
        cuts in prop::collection::vec(1_usize..60, 1..10),
    ) {
        // Whose STLS a fault makes or breaks is not the question here.
        let offers_tls = offers_tls && !broken;
        let mut model = model(&mail, allowed, offers_tls);
        let mut served = Served::new(&mail, allowed, offers_tls);
        let mut cuts = cuts.into_iter().cycle();
        served.serve();
        prop_assert_eq!(drained(&mut served.output), b"+OK\r\n");
        let mut fails = false;
        let broken_batch = fault.0 % batches.len();
        for (index, batch) in batches.into_iter().enumerate() {
            // Behind STLS nothing is pipelined (RFC 2595 §4).
            let until = batch.iter().position(|line| line == b"STLS").map_or(batch.len(), |at| at + 1);
            let mut octets: Vec<u8> = batch[..until].iter().flat_map(|line| [line, &b"\r\n"[..]].concat()).collect();
            if broken && index == broken_batch {
                break_once(&mut octets, fault);
            }
            let (lines, bare) = split(&octets);
            let mut answers: Vec<Answer> = Vec::new();
            for line in lines {
                if !model.over {
                    answers.push(model.line(line));
                }
            }
            if bare && !model.over {
                answers.push(Answer::default());
                fails = true;
            }
            served.hear(&octets, &mut cuts);
            let mut wire = drained(&mut served.output);
            for answer in &answers {
                prop_assert_eq!(&Answer::read(&mut wire, answer), answer);
            }
            prop_assert_eq!(wire, b"", "more answers than commands");
            prop_assert_eq!(&served.removed, &model.removed);
            prop_assert_eq!(served.over, model.over || fails);
            if served.over || octets.last() != Some(&b'\n') {
                break;
            }
        }
        let open = model.open;
        served.server.eof(End::Fin);
        served.serve();
        prop_assert!(served.over && served.output.is_empty());
        prop_assert_eq!(served.aborts, usize::from(open));
        prop_assert_eq!(served.removed, model.removed);
    }

    #[test]
    fn a_client_hears_what_the_reference_says(
        ops in prop::collection::vec(op(), 1..60),
        mail in mail(),
        allowed in any::<bool>(),
        required in any::<bool>(),
        offers_tls in any::<bool>(),
        fault in (0_usize..600, 0_usize..8),
        broken in any::<bool>(),
    ) {
        // A server that refuses what is required ends the session; that has its own tests.
        let mut session = Asking::new(model(&mail, true, offers_tls || required), allowed, required, broken.then_some(fault));
        for op in ops {
            if session.over.is_none() {
                session.act(op);
            }
        }
        session.finish();
    }
}
