use super::*;
use crate::command::Command;
use crate::error::Violation;
use crate::policy::Grammar;
use mail_wire::{Repair as _, Tape};

#[test]
fn a_rcpt_with_dsn_parameters_is_typed() {
    let line = b"RCPT TO:<a@b.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c.example";
    let Ok(Command::Rcpt(rcpt)) = command(line, &Fixes::none()) else { panic!() };
    assert_eq!(rcpt.params().orcpt().unwrap().address().as_ref(), b"a+b@c.example");
    assert!(rcpt.params().notify().unwrap().success());
}

/// A command line for each repair of commands: refused by the strict grammar for this rule, taken by the tolerant one, and counted.
#[test]
fn each_repair_of_a_command_is_named_and_counted() {
    let long = format!("RCPT TO:<{}@b.example>", "a".repeat(65));
    let cases: &[(&str, Rule, Repair)] = &[
        ("MAIL FROM: <a@b.example>", Rule::Spaces, Repair::Spaces),
        ("MAIL FROM:<a@b.example>  SIZE=1", Rule::Spaces, Repair::Spaces),
        ("RSET ", Rule::Spaces, Repair::TrailingSpaces),
        ("MAIL FROM:<a@b.example> \t", Rule::Spaces, Repair::TrailingSpaces),
        ("EHLO  c.example", Rule::Spaces, Repair::Spaces),
        ("RCPT TO:a@b.example", Rule::Path, Repair::NoBrackets),
        ("EHLO c_d.example", Rule::Domain, Repair::Underscore),
        ("RCPT TO:<a@b.example.>", Rule::Domain, Repair::TrailingDot),
        ("RCPT TO:<a..b@c.example>", Rule::LocalPart, Repair::OddDots),
        ("RCPT TO:<.a@c.example>", Rule::LocalPart, Repair::OddDots),
        (&long, Rule::LocalTooLong, Repair::LongLocal),
        ("RCPT TO:<a@[::1]>", Rule::AddressLiteral, Repair::UntaggedIpv6),
        ("RCPT TO:<a@b.example> ORCPT=rfc822;a+2bb@c", Rule::Xtext, Repair::LowerHex),
    ];
    for (line, rule, repair) in cases {
        assert_eq!(command(line.as_bytes(), &Fixes::none()).unwrap_err().rule, *rule, "{line}");
        let mut repairs = Grammar::tolerant().repairs;
        command(line.as_bytes(), &Fixes::counted(&mut repairs)).unwrap();
        assert_eq!(repairs.used().map(|(used, _)| used).collect::<Vec<_>>(), [*repair], "{line}");
        // Switched off alone, it is not made.
        let mut repairs = Grammar::tolerant().repairs;
        repairs.set(*repair, false);
        assert!(command(line.as_bytes(), &Fixes::counted(&mut repairs)).is_err(), "{line}");
    }
}

/// The same for replies.
#[test]
fn each_repair_of_a_reply_is_named_and_counted() {
    for (text, repair) in [("289 x\r\n", Repair::OddCode), ("250 a\x03b\r\n", Repair::ControlInText)] {
        let read =
            |fixes: &Fixes<'_>| reply(text.as_bytes(), &mut Tape::new(), fixes).map(|reply| reply.code());
        assert!(matches!(read(&Fixes::none()), Err(Violation::Malformed(_))), "{text:?}");
        let mut repairs = Grammar::tolerant().repairs;
        assert!(read(&Fixes::counted(&mut repairs)).is_ok());
        assert_eq!(repairs.hits(repair), 1, "{text:?}");
    }
    for (text, repair) in [
        ("250-mx\r\n250 AUTH=LOGIN\r\n", Repair::AuthEquals),
        ("250-mx\r\n250 X_FOO\r\n", Repair::EhloLine),
        ("250-mx\r\n250 SIZE \r\n", Repair::Spaces),
    ] {
        let mut tape = Tape::new();
        let ehlo = crate::EhloReply::read(reply(text.as_bytes(), &mut tape, &Fixes::none()).unwrap());
        assert_eq!(ehlo.check(&Fixes::none()), Err(Rule::EhloLine), "{text:?}");
        let mut repairs = Grammar::tolerant().repairs;
        ehlo.check(&Fixes::counted(&mut repairs)).unwrap();
        assert_eq!(repairs.hits(repair), 1, "{text:?}");
    }
}

#[test]
fn repairs_have_numbers_of_their_own() {
    for (index, repair) in Repair::ALL.iter().enumerate() {
        assert_eq!(usize::from(repair.index()), index);
    }
}
