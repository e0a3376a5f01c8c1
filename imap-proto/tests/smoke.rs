mod common;
use common::*;

#[test]
fn smoke() {
    let steps = [
        Step::Peer(b"* OK [CAPABILITY IMAP4rev1 IDLE LITERAL+] hi\r\n"),
        Step::Send(b"A1 LOGIN u {3+}\r\na b\r\n"),
        Step::Wrote(b"A1 LOGIN u \"a b\"\r\n"),
        Step::Peer(b"A1 OK done\r\n"),
        Step::Send(b"A2 SELECT INBOX\r\n"),
        Step::Peer(b"* 3 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 7] x\r\nA2 OK [READ-WRITE] done\r\n"),
        Step::Send(b"A3 FETCH 1 (UID ENVELOPE BODYSTRUCTURE BODY[])\r\n"),
        Step::Peer(b"* 1 FETCH (UID 9 FLAGS (\\Seen x) RFC822.SIZE 12x ENVELOPE (\"d\" \"s\" ((\"A\" NIL \"a\" \"b.c\")) NIL NIL ((NIL NIL \"x\" \"y\")(NIL NIL \"z\" \"w\")) NIL NIL NIL \"<m>\") BODYSTRUCTURE ((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"8bit\" 5 -1)(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9 (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1) 3) \"mixed\" (\"boundary\" \"x\") NIL NIL) BODY[] {5}\r\nhello)\r\nA3 OK done\r\n"),
        Step::Send(b"A4 LOGOUT\r\n"),
        Step::Peer(b"* BYE x\r\nA4 OK done\r\n"),
    ];
    let log = replay(Session::secure(Default::default()), &steps, Cuts::Single);
    println!("{}", log.join("\n"));
    assert_eq!(log, replay(Session::secure(Default::default()), &steps, Cuts::Whole));
}
