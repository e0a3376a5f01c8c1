//! How a server ends while something is under way: at a shutdown what was asked is answered first, and a deadline waits for nobody
//! (RFC 1939 §3 and §6).

use bytes::Buf;
use mail_pop3_proto::server::{Abort, Answer, Config, Event, Maildrop, Server};
use mail_pop3_proto::types::{ReplyText, UniqueId};
use mail_pop3_proto::{Command, Reply, Violation};
use mail_wire::{Closing, Framed, Handover, Input, Machine, Output, Pause};

struct Session {
    server: Server,
    input: Input,
    output: Output,
}

fn ok() -> Reply<'static> {
    Reply::ok(ReplyText::EMPTY)
}

/// Behind these lines, the answer to the last of them owed if it is the application's.
fn behind(lines: &str, messages: u32, high_water: usize) -> (Session, Option<Answer>) {
    let server = Handover::implicit(Server::new(Config::default())).secured();
    let mut session = Session { server, input: Input::new(), output: Output::with_high_water(high_water) };
    let Session { server, input, output } = &mut session;
    let mut owed: Option<Answer> = None;
    for line in ["", "USER u\r\n", "PASS p\r\n"].into_iter().chain(lines.split_inclusive('\n')) {
        if let Some(answer) = owed.take() {
            server.answer(answer, &ok(), output).unwrap();
        }
        input.feed(line.as_bytes());
        let Framed::Ready(unit) = server.frame(input, output).unwrap() else { panic!("{line}") };
        match server.decode(unit, input).unwrap() {
            Event::Command(Command::Pass(_), answer) => {
                let mut maildrop = Maildrop::new();
                for n in 0..messages {
                    maildrop.push(5, UniqueId::try_from(&*n.to_string()).unwrap()).unwrap();
                }
                server.accept(answer, maildrop, &ok(), output).unwrap();
            }
            Event::Connected(answer) | Event::Command(_, answer) | Event::Commit(_, answer) => {
                owed = Some(answer)
            }
            _ => {}
        }
    }
    (session, owed)
}

impl Session {
    /// The abort that is told next.
    fn abort(&mut self) -> Option<Abort> {
        let Ok(Framed::Ready(unit)) = self.server.frame(&mut self.input, &mut self.output) else {
            return None;
        };
        match self.server.decode(unit, &mut self.input).unwrap() {
            Event::Abort(why) => Some(why),
            event => panic!("{event:?}"),
        }
    }

    fn written(&mut self) -> String {
        String::from_utf8(self.output.copy_to_bytes(self.output.remaining()).to_vec()).unwrap()
    }
}

#[test]
fn a_shutdown_waits_for_the_answer_that_is_owed() {
    // Behind QUIT there is nothing left to give up.
    for (line, abort) in [("RETR 1\r\n", Some(Abort::Shutdown)), ("QUIT\r\n", None)] {
        let (mut session, owed) = behind(line, 1, Output::HIGH_WATER);
        session.written();
        session.server.close(Closing::Shutdown, &mut session.output);
        for _ in 0..2 {
            let framed = session.server.frame(&mut session.input, &mut session.output).unwrap();
            assert!(matches!(framed, Framed::Paused(Pause::AnswerOwed)), "{line}");
        }
        session.server.answer(owed.unwrap(), &Reply::err(ReplyText::EMPTY), &mut session.output).unwrap();
        assert_eq!((session.abort(), session.written().as_str()), (abort, "-ERR\r\n"));
        let framed = session.server.frame(&mut session.input, &mut session.output).unwrap();
        assert!(matches!(framed, Framed::Closed));
    }
}

#[test]
fn a_shutdown_waits_for_the_listing_under_way() {
    let (mut session, _) = behind("UIDL\r\n", 1000, 64);
    session.server.close(Closing::Shutdown, &mut session.output);
    let mut written = String::new();
    while let Framed::Paused(pause) = session.server.frame(&mut session.input, &mut session.output).unwrap() {
        assert_eq!(pause, Pause::OutputFull);
        written += &session.written();
    }
    written += &session.written();
    assert!(written.ends_with("1000 999\r\n.\r\n"), "{written}");
}

/// A client that does not read would else be waited for without end.
#[test]
fn a_deadline_waits_for_no_listing() {
    let (mut session, _) = behind("UIDL\r\n", 1000, 64);
    let framed = session.server.frame(&mut session.input, &mut session.output).unwrap();
    assert!(matches!(framed, Framed::Paused(Pause::OutputFull)));
    session.server.close(Closing::Expired, &mut session.output);
    let before = session.output.len();
    assert_eq!(session.abort(), Some(Abort::Violation(Violation::Expired)));
    let end = session.server.frame(&mut session.input, &mut session.output).map(|_| ());
    assert_eq!((end, session.output.len()), (Err(Violation::Expired), before));
}
