//! A message that was begun and is off is called off once.

use mail_smtp_proto::policy::Sync;
use mail_smtp_proto::server::{Abort, Config, Event, Server};
use mail_smtp_proto::{ReplyBuf, Violation};
use mail_wire::{End, Framed, Input, Machine, Output};

/// The calls-off that an application is told of, and how the session ended.
fn aborts(octets: &[u8], end: Option<End>) -> (Vec<Abort>, Option<Violation>) {
    let mut config = Config::default();
    config.policy.sync = Sync::Loose; // EHLO and what follows come in one read.
    let (mut server, mut input, mut output) = (Server::new(config), Input::new(), Output::new());
    let fine = ReplyBuf::line(250, "fine").unwrap();
    let mut told = Vec::new();
    input.feed(octets);
    if let Some(end) = end {
        server.eof(end);
    }
    loop {
        let unit = match server.frame(&mut input, &mut output) {
            Ok(Framed::Ready(unit)) => unit,
            Ok(_) => return (told, None),
            Err(error) => return (told, Some(error)),
        };
        match server.decode(unit, &mut input).unwrap() {
            Event::Abort(why) => told.push(why),
            Event::Body(offer) => server.accept_body(offer, &mut output).unwrap(),
            Event::Connected(answer) => {
                server.answer(answer, &ReplyBuf::line(220, "here").unwrap(), &mut output).unwrap();
            }
            Event::Command(_, answer) | Event::BodyEnd(answer) => {
                server.answer(answer, &fine, &mut output).unwrap();
            }
            _ => {}
        }
    }
}

#[test]
fn a_chunk_with_a_fault_that_is_cut_short_is_called_off_once() {
    let script = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 99 LAST\r\nx\0y";
    let (told, end) = aborts(script, Some(End::Fin));
    assert!(matches!(told[..], [Abort::Fault(_)]), "{told:?}");
    assert_eq!(end, Some(Violation::Truncated));
}

#[test]
fn a_chunk_that_is_cut_short_is_called_off_by_the_end() {
    let script = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 99 LAST\r\nxy";
    assert_eq!(aborts(script, Some(End::Fin)), (vec![Abort::Ended], Some(Violation::Truncated)));
    assert_eq!(aborts(script, None), (vec![], None));
}
