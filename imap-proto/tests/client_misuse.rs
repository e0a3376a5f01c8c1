//! What the application does wrong: a typed error, nothing written, nothing changed; and the graph of states.

mod common;

use bytes::{Buf, Bytes};
use common::{Cuts, Session, Step};
use mail_imap_proto::client::{Client, Config, Event, State};
use mail_imap_proto::command::{Append, AppendForm, StoreMode};
use mail_imap_proto::types::{FetchAtts, Flag, Flags, Mailbox, Options, SequenceSet, Tag};
use mail_imap_proto::{Allow, Command, Limits, Policy, Tls};
use mail_wire::{Framed, Handover, HandoverError, Input, Machine, Misuse, Output};

/// A client with its buffers, fed by hand.
struct Desk {
    client: Client,
    input: Input,
    output: Output,
}

impl Desk {
    fn new(policy: Policy, secure: bool, greeting: &[u8]) -> Self {
        let client = Client::new(Config { policy, ..Config::default() });
        let client = if secure { Handover::implicit(client).secured() } else { client };
        let mut desk = Self { client, input: Input::new(), output: Output::new() };
        desk.hear(greeting, |_| ());
        desk
    }

    fn ready() -> Self {
        Self::new(Policy::client(), true, b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n")
    }

    /// Feeds octets and gives each event to `take`.
    fn hear(&mut self, octets: &[u8], mut take: impl FnMut(Event<'_>)) {
        assert_eq!(self.input.feed(octets), octets.len());
        while let Framed::Ready(unit) = self.client.frame(&mut self.input, &mut self.output).unwrap() {
            take(self.client.decode(unit, &mut self.input).unwrap());
        }
    }

    fn send(&mut self, line: &[u8]) -> Result<(), Misuse> {
        let (_, command) = Command::parse(line, &Limits::default(), true).expect("a command of the test");
        self.client.send(&command, &mut self.output).map(|_| ())
    }

    fn refused(&mut self, line: &[u8], why: Misuse) {
        let before = self.output.len();
        let flight = self.client.in_flight();
        assert_eq!(self.send(line), Err(why), "{}", line.escape_ascii());
        assert_eq!((self.output.len(), self.client.in_flight()), (before, flight), "nothing has changed");
    }
}

#[test]
fn nothing_is_sent_before_the_greeting_nor_behind_the_end() {
    let mut desk = Desk::new(Policy::client(), true, b"");
    desk.refused(b"a NOOP\r\n", Misuse::NotInState);
    desk.hear(b"* OK hi\r\n", |_| ());
    desk.refused(b"a SELECT x\r\n", Misuse::NotInState);
    desk.send(b"a LOGOUT\r\n").unwrap();
    desk.refused(b"a NOOP\r\n", Misuse::Over);
    let mut desk = Desk::ready();
    desk.hear(b"* BYE gone\r\n", |_| ());
    desk.refused(b"a NOOP\r\n", Misuse::Over);
    desk.refused(b"a LOGOUT\r\n", Misuse::Over);
}

#[test]
fn a_password_waits_for_tls() {
    let secret = Misuse::Forbidden("a password before TLS");
    let mut desk = Desk::new(Policy::client(), false, b"* OK hi\r\n");
    desk.refused(b"a LOGIN u p\r\n", secret);
    desk.refused(b"a AUTHENTICATE plain AHUAcA==\r\n", secret);
    desk.send(b"a AUTHENTICATE SCRAM-SHA-256\r\n").unwrap();
    let policy = Policy { plaintext_auth: Allow::Allow, ..Policy::client() };
    let mut desk = Desk::new(policy, false, b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n");
    desk.refused(b"a LOGIN u p\r\n", Misuse::Forbidden("the server disables LOGIN"));
    desk.refused(b"a STARTTLS\r\n", Misuse::NotOffered("STARTTLS"));
    desk.send(b"a AUTHENTICATE PLAIN AHUAcA==\r\n").unwrap();
    let policy = Policy { tls: Tls::Required, plaintext_auth: Allow::Allow, ..Policy::client() };
    let mut desk = Desk::new(policy, false, b"* OK [CAPABILITY IMAP4rev1] hi\r\n");
    desk.refused(b"a LOGIN u p\r\n", Misuse::Forbidden("before TLS"));
    desk.refused(b"a SELECT x\r\n", Misuse::Forbidden("before TLS"));
    desk.send(b"a CAPABILITY\r\n").unwrap();
    desk.refused(b"a STARTTLS\r\n", Misuse::MustWait);
    desk.hear(b"A1 OK done\r\n", |_| ());
    desk.send(b"a STARTTLS\r\n").unwrap();
    desk.refused(b"a NOOP\r\n", Misuse::MustWait);
}

#[test]
fn while_a_plus_is_awaited_nothing_else_is_sent() {
    for line in [
        &b"a LOGIN {2}\r\n\xc3\xa9 p\r\n"[..],
        b"a AUTHENTICATE X\r\n",
        b"a IDLE\r\n",
        b"a APPEND x {3}\r\n",
        b"a STARTTLS\r\n",
    ] {
        let idle = line == b"a IDLE\r\n" || line.starts_with(b"a APPEND");
        let tls = line.starts_with(b"a START");
        let greeting: &[u8] = if idle { b"* PREAUTH hi\r\n" } else { b"* OK hi\r\n" };
        let mut desk = Desk::new(Policy::client(), !tls, greeting);
        desk.send(line).unwrap();
        desk.refused(b"b NOOP\r\n", Misuse::MustWait);
        desk.hear(b"A1 BAD no\r\n", |_| ());
        desk.send(b"b NOOP\r\n").unwrap();
    }
}

#[test]
fn a_message_is_as_long_as_was_announced_and_well_formed() {
    let mut desk = Desk::ready();
    desk.send(b"a APPEND x {6+}\r\n").unwrap();
    let mut grant = None;
    desk.hear(b"", |event| {
        if let Event::BodyWanted(token, _) = event {
            grant = Some(token)
        }
    });
    let mut grant = grant.unwrap();
    let mut give = |desk: &mut Desk, octets: &'static [u8]| {
        let mut piece = Bytes::from_static(octets);
        let result = desk.client.body(&mut grant, &mut piece, &mut desk.output);
        assert!(result.is_ok() == piece.is_empty(), "taken or not");
        result
    };
    desk.refused(b"b NOOP\r\n", Misuse::MustWait);
    assert_eq!(give(&mut desk, b"1234567"), Err(Misuse::WrongLength));
    for bad in [&b"a\nb"[..], b"a\rb", b"a\0b", b"12345\r"] {
        assert!(matches!(give(&mut desk, bad), Err(Misuse::Invalid(_))), "{bad:?}");
    }
    assert_eq!(give(&mut desk, b"abc\r"), Ok(()));
    assert!(matches!(give(&mut desk, b"x"), Err(Misuse::Invalid(_))));
    assert_eq!(give(&mut desk, b"\nd"), Ok(()));
    assert_eq!(desk.client.body_left(), None);
    assert_eq!(give(&mut desk, b"e"), Err(Misuse::NotOwed));
    desk.send(b"b NOOP\r\n").unwrap();
    let wrote = desk.output.copy_to_bytes(desk.output.remaining());
    assert_eq!(wrote, &b"A1 APPEND x {6+}\r\nabc\r\nd\r\nA2 NOOP\r\n"[..]);
}

/// RFC 6855 §4, RFC 3516 §4.4.
#[test]
fn a_message_is_announced_only_as_the_server_takes_it() {
    const UTF8: &[u8] = b"a APPEND x UTF8 (~{3+}\r\n";
    const BINARY: &[u8] = b"a APPEND x ~{3+}\r\n";
    let with = |capabilities: &str| {
        let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] hi\r\n");
        Desk::new(Policy::client(), true, greeting.as_bytes())
    };
    with("UTF8=ACCEPT ENABLE").refused(UTF8, Misuse::NotOffered("UTF8=ACCEPT"));
    with("UTF8=ACCEPT ENABLE").refused(BINARY, Misuse::NotOffered("BINARY"));
    with("BINARY LITERAL+").send(BINARY).unwrap();
    // Nothing is known: the caller knows.
    Desk::new(Policy::client(), true, b"* PREAUTH hi\r\n").send(BINARY).unwrap();
    Desk::new(Policy::client(), true, b"* PREAUTH hi\r\n").refused(UTF8, Misuse::NotOffered("UTF8=ACCEPT"));
    let mut desk = with("UTF8=ACCEPT ENABLE LITERAL+");
    desk.send(b"a ENABLE UTF8=ACCEPT\r\n").unwrap();
    desk.hear(b"* ENABLED UTF8=ACCEPT\r\n", |_| ());
    desk.refused(UTF8, Misuse::NotOffered("UTF8=ACCEPT"));
    desk.hear(b"A1 OK done\r\n", |_| ());
    desk.send(UTF8).unwrap();
    // IMAP4rev2 brings neither (RFC 9051 appendix B).
    let mut desk = with("IMAP4rev2 ENABLE LITERAL+");
    desk.send(b"a ENABLE IMAP4rev2\r\n").unwrap();
    desk.hear(b"* ENABLED IMAP4rev2\r\nA1 OK done\r\n", |_| ());
    desk.refused(UTF8, Misuse::NotOffered("UTF8=ACCEPT"));
    desk.refused(BINARY, Misuse::NotOffered("BINARY"));
}

#[test]
fn what_no_server_could_read_is_not_sent() {
    let mut desk = Desk::ready();
    desk.send(b"a SELECT x\r\n").unwrap();
    let (before, set) = (desk.output.len(), SequenceSet::ALL);
    let flags = [Flag::Seen, Flag::Recent];
    let append = |flags| {
        let (mailbox, date, form) = (Mailbox::INBOX, None, AppendForm::Literal);
        Command::Append(Append { mailbox, flags, date, octets: 1, form, sync: true })
    };
    let store = |flags| {
        let (modifiers, mode) = (Options::NONE, StoreMode::Add);
        Command::Store { uid: true, set, modifiers, mode, silent: false, flags }
    };
    let fetch = Command::Fetch { uid: true, set, atts: FetchAtts::of(&[]), modifiers: Options::NONE };
    for command in
        [append(Flags::of(&flags)), store(Flags::of(&flags)), store(Flags::of(&[Flag::Any])), fetch]
    {
        let refused = desk.client.send(&command, &mut desk.output);
        assert!(matches!(refused, Err(Misuse::Invalid(_))), "{command:?}");
    }
    assert_eq!((desk.output.len(), desk.client.in_flight()), (before, 1));
    desk.client.send(&store(Flags::of(&flags[..1])), &mut desk.output).unwrap();
}

/// RFC 9051 §5.5: its examples, and what follows from its words.
#[test]
fn numbers_of_messages_wait_for_what_may_move_them() {
    let select = &b"a SELECT x\r\n"[..];
    let fetch = b"a FETCH 1 UID\r\n";
    let uid_fetch = b"a UID FETCH 1 FLAGS\r\n";
    let store = b"a STORE 1:* FLAGS ()\r\n";
    let copy = b"a COPY 1 x\r\n";
    let uid_copy = b"a UID COPY 1 x\r\n";
    let search = b"a SEARCH SEEN\r\n";
    let search_set = b"a SEARCH NOT 2\r\n";
    let uid_search = b"a UID SEARCH UID 1:7\r\n";
    let uid_search_set = b"a UID SEARCH 1:7\r\n";
    let saved = b"a FETCH $ UID\r\n";
    let (noop, expunge) = (b"a NOOP\r\n", b"a EXPUNGE\r\n");
    let valid: [&[&[u8]]; 8] = [
        &[fetch, store, search, noop],
        &[store, copy, expunge],
        &[search_set, fetch, uid_fetch, uid_search, uid_copy],
        &[uid_search, uid_search],
        &[noop, uid_fetch, expunge, uid_copy],
        &[noop, saved],
        &[select, uid_fetch],
        &[noop, search],
    ];
    let selected = || {
        let mut desk = Desk::ready();
        desk.send(b"a SELECT y\r\n").unwrap();
        desk.hear(b"A1 OK done\r\n", |_| ());
        desk
    };
    // No mailbox is selected: nothing can be expunged.
    let mut desk = Desk::ready();
    [&b"a NOOP\r\n"[..], select, fetch].iter().for_each(|line| desk.send(line).unwrap());
    for commands in valid {
        let mut desk = selected();
        commands.iter().for_each(|line| desk.send(line).unwrap());
    }
    let invalid: [&[&[u8]]; 9] = [
        &[fetch, noop, store],
        &[store, copy, fetch],
        &[copy, copy],
        &[uid_fetch, fetch],
        &[uid_search, uid_search_set],
        &[uid_copy, search_set],
        &[expunge, b"a MOVE 1 x\r\n"],
        &[select, fetch],
        &[b"a XYZZY\r\n", store],
    ];
    for commands in invalid {
        let mut desk = selected();
        let (last, before) = commands.split_last().unwrap();
        before.iter().for_each(|line| desk.send(line).unwrap());
        desk.refused(last, Misuse::MustWait);
        for number in 2..before.len() + 2 {
            desk.hear(format!("A{number} OK done\r\n").as_bytes(), |_| ());
        }
        desk.send(last).unwrap();
    }
}

/// When the server comes to what follows a SELECT, a mailbox is selected: its numbers can move then.
#[test]
fn what_follows_a_select_in_flight_may_move_numbers() {
    let mut desk = Desk::ready();
    desk.send(b"a SELECT x\r\n").unwrap();
    desk.send(b"a NOOP\r\n").unwrap();
    desk.refused(b"a FETCH 1 FLAGS\r\n", Misuse::MustWait);
    desk.hear(b"* 2 EXISTS\r\nA1 OK done\r\n", |_| ());
    desk.refused(b"a STORE 1 FLAGS ()\r\n", Misuse::MustWait);
    desk.hear(b"* 1 EXPUNGE\r\nA2 OK done\r\n", |_| ());
    desk.send(b"a FETCH 1 FLAGS\r\n").unwrap();
}

#[test]
fn a_token_of_another_machine_comes_back() {
    let turn = |desk: &mut Desk| {
        desk.send(b"a AUTHENTICATE X\r\n").unwrap();
        let mut turn = None;
        desk.hear(b"+ \r\n", |event| {
            if let Event::Challenge(_, token) = event {
                turn = Some(token)
            }
        });
        turn.unwrap()
    };
    let new = || Desk::new(Policy::client(), true, b"* OK hi\r\n");
    let (mut one, mut two) = (new(), new());
    let (of_one, of_two) = (turn(&mut one), turn(&mut two));
    let returned = one.client.respond(of_two, b"x", &mut one.output).unwrap_err();
    assert_eq!(returned.why, Misuse::NotOwed);
    two.client.respond(returned.token, b"x", &mut two.output).unwrap();
    one.client.cancel(of_one, &mut one.output).unwrap();

    let idle = |desk: &mut Desk| {
        desk.send(b"a IDLE\r\n").unwrap();
        let mut grant = None;
        desk.hear(b"+ \r\n", |event| {
            if let Event::Idling(token, _) = event {
                grant = Some(token)
            }
        });
        grant.unwrap()
    };
    let mut desk = Desk::new(Policy::client(), true, b"* PREAUTH hi\r\n");
    let old = idle(&mut desk);
    desk.hear(b"A1 OK the server ends it\r\n", |_| ());
    let new = idle(&mut desk);
    assert_eq!(desk.client.done(old, &mut desk.output).unwrap_err().why, Misuse::NotOwed);
    desk.client.done(new, &mut desk.output).unwrap();
}

#[test]
fn surplus_plaintext_ends_the_hand_over() {
    for surplus in [&b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"[..], b"* BYE", b"x"] {
        let mut desk = Desk::new(Policy::client(), false, b"* OK hi\r\n");
        desk.send(b"a STARTTLS\r\n").unwrap();
        let mut grant = None;
        let octets = [b"A1 OK go\r\n", surplus].concat();
        let mut events = 0;
        desk.hear(&octets, |event| {
            events += 1;
            if let Event::StartTls(token) = event {
                grant = Some(token);
            }
        });
        assert_eq!(events, 1);
        let result = desk.client.start_tls(grant.unwrap(), desk.input, &mut desk.output);
        assert!(matches!(result, Err(HandoverError::PlaintextLeft(left)) if left.octets == surplus.len()));
    }
}

#[test]
fn a_tag_in_flight_cannot_be_used_again() {
    let mut desk = Desk::ready();
    desk.client.set_next_tag(Tag::new(b"mine").unwrap()).unwrap();
    desk.send(b"a NOOP\r\n").unwrap();
    desk.send(b"a NOOP\r\n").unwrap();
    for tag in [&b"mine"[..], b"A1"] {
        let result = desk.client.set_next_tag(Tag::new(tag).unwrap());
        assert!(matches!(result, Err(Misuse::Invalid(_))));
    }
    desk.hear(b"mine OK x\r\n", |_| ());
    desk.client.set_next_tag(Tag::new(b"mine").unwrap()).unwrap();
    // Nor does the source give one that was set: a completion would end the wrong command.
    desk.send(b"a NOOP\r\n").unwrap();
    desk.client.set_next_tag(Tag::new(b"A2").unwrap()).unwrap();
    desk.send(b"a NOOP\r\n").unwrap();
    desk.output.advance(desk.output.remaining());
    desk.send(b"a NOOP\r\n").unwrap();
    assert_eq!(desk.output.copy_to_bytes(desk.output.remaining()), &b"A3 NOOP\r\n"[..]);
}

/// The graph of the module's documentation: from, what comes, to.
#[test]
fn the_graph_of_states() {
    const LOGIN: [Step; 2] = [Step::Peer(b"* OK hi\r\n"), Step::Send(b"a LOGIN u p\r\n")];
    const SELECT: [Step; 2] = [Step::Peer(b"* PREAUTH hi\r\n"), Step::Send(b"a SELECT x\r\n")];
    const SELECTED: [Step; 4] =
        [SELECT[0], SELECT[1], Step::Peer(b"a OK x\r\n"), Step::Send(b"b SELECT y\r\n")];
    const CLOSING: [Step; 4] =
        [SELECT[0], SELECT[1], Step::Peer(b"a OK x\r\n"), Step::Send(b"b UNSELECT\r\n")];
    const RESETTING: [Step; 4] =
        [SELECT[0], SELECT[1], Step::Peer(b"a OK x\r\n"), Step::Send(b"b UNAUTHENTICATE\r\n")];
    const LEAVING: [Step; 2] = [Step::Peer(b"* OK hi\r\n"), Step::Send(b"a LOGOUT\r\n")];
    let table: [(&[Step], &'static [u8], State); 21] = [
        (&[], b"* OK", State::Greeting),
        (&[], b"* OK hi\r\n", State::NotAuthenticated),
        (&[], b"* PREAUTH hi\r\n", State::Authenticated),
        (&[], b"* BYE hi\r\n", State::Logout),
        (&LOGIN, b"a OK in\r\n", State::Authenticated),
        (&LOGIN, b"a NO out\r\n", State::NotAuthenticated),
        (&LOGIN, b"* BYE x\r\na OK in\r\n", State::Logout),
        (&SELECT, b"a OK x\r\n", State::Selected),
        (&SELECT, b"a NO x\r\n", State::Authenticated),
        (&SELECTED, b"b NO x\r\n", State::Authenticated),
        (&SELECTED, b"b BAD x\r\n", State::Selected),
        (&SELECTED, b"* OK [CLOSED] x\r\n", State::Authenticated),
        (&SELECTED, b"* OK [CLOSED] x\r\nb BAD x\r\n", State::Authenticated),
        (&SELECTED, b"* OK [CLOSED] x\r\nb OK x\r\n", State::Selected),
        (&CLOSING, b"b OK x\r\n", State::Authenticated),
        (&CLOSING, b"b BAD x\r\n", State::Selected),
        (&CLOSING, b"b NO x\r\n", State::Selected),
        (&RESETTING, b"b OK x\r\n", State::NotAuthenticated),
        (&RESETTING, b"b BAD x\r\n", State::Selected),
        (&LEAVING, b"* BYE x\r\n", State::Logout),
        (&LEAVING, b"a OK x\r\n", State::Logout),
    ];
    for (before, octets, state) in table {
        let mut session = Session::secure(Config::default());
        before.iter().for_each(|step| session.step(*step, Cuts::Whole));
        session.feed(octets);
        assert_eq!(session.client().state(), state, "{}", octets.escape_ascii());
        let graph = include_str!("../src/client/mod.rs").split("```").nth(1).unwrap();
        assert!(graph.contains(&format!("{state:?}")), "{state:?} stands in the graph");
    }
}

/// What a server says is enabled, and nobody has asked for, is not: neither at once nor with the next ENABLE.
#[test]
fn what_nobody_has_enabled_is_not_on() {
    let mut desk = Desk::ready();
    desk.hear(b"* ENABLED UTF8=ACCEPT\r\n", |_| ());
    desk.send(b"a ENABLE CONDSTORE\r\n").unwrap();
    desk.hear(b"* ENABLED CONDSTORE\r\nA1 OK done\r\n", |_| ());
    assert!(!desk.client.is_utf8());
    desk.send(b"a ENABLE UTF8=ACCEPT\r\n").unwrap();
    desk.hear(b"* ENABLED UTF8=ACCEPT\r\nA2 NO no\r\n", |_| ());
    assert!(!desk.client.is_utf8());
    desk.send(b"a ENABLE UTF8=ACCEPT\r\n").unwrap();
    desk.hear(b"* ENABLED UTF8=ACCEPT\r\nA3 OK done\r\n", |_| ());
    assert!(desk.client.is_utf8());
}

/// Two labels for one string: the client must not send them (RFC 6855 §3). IMAP4rev2 sets no such rule.
#[test]
fn a_search_names_no_charset_once_strings_are_utf8() {
    for (name, allowed) in [("UTF8=ACCEPT", false), ("IMAP4rev2", true)] {
        let mut desk = Desk::ready();
        desk.send(format!("a ENABLE {name}\r\n").as_bytes()).unwrap();
        desk.hear(format!("* ENABLED {name}\r\nA1 OK done\r\n").as_bytes(), |_| ());
        desk.send(b"a SELECT x\r\n").unwrap();
        desk.hear(b"A2 OK done\r\n", |_| ());
        if allowed {
            desk.send(b"a SEARCH CHARSET UTF-8 TEXT x\r\n").unwrap();
        } else {
            let why = Misuse::Forbidden("a charset behind ENABLE UTF8=ACCEPT");
            desk.refused(b"a SEARCH CHARSET UTF-8 TEXT x\r\n", why);
        }
        desk.send(b"a SEARCH TEXT \"\xc3\xa9\"\r\n").unwrap();
    }
}

/// A client must not enable anything once it has selected a mailbox, closed again or not (RFC 9051 §6.3.1).
#[test]
fn nothing_is_enabled_behind_a_select() {
    let mut desk = Desk::ready();
    desk.send(b"a ENABLE CONDSTORE\r\n").unwrap();
    desk.send(b"a EXAMINE x\r\n").unwrap();
    desk.refused(b"a ENABLE CONDSTORE\r\n", Misuse::NotInState);
    desk.hear(b"A1 OK\r\nA2 OK done\r\n", |_| ());
    desk.refused(b"a ENABLE CONDSTORE\r\n", Misuse::NotInState);
    desk.send(b"a UNSELECT\r\n").unwrap();
    desk.hear(b"A3 OK done\r\n", |_| ());
    desk.refused(b"a ENABLE CONDSTORE\r\n", Misuse::NotInState);
}

/// RFC 8437 §3: what the next user may do is not what the last one might, and nothing is enabled.
#[test]
fn what_was_known_of_a_user_goes_with_him() {
    let mut desk = Desk::ready();
    desk.send(b"a ENABLE UTF8=ACCEPT\r\n").unwrap();
    desk.hear(b"* ENABLED UTF8=ACCEPT\r\nA1 OK done\r\n", |_| ());
    desk.send(b"a SELECT x\r\n").unwrap();
    desk.hear(b"A2 OK done\r\n", |_| ());
    desk.refused(b"a LOGIN v q\r\n", Misuse::NotInState);
    desk.send(b"a UNAUTHENTICATE\r\n").unwrap();
    desk.hear(b"A3 OK done\r\n", |_| ());
    assert!(!desk.client.is_utf8() && desk.client.capabilities().is_none());
    desk.refused(b"a SELECT x\r\n", Misuse::NotInState);
    desk.send(b"a LOGIN v q\r\n").unwrap();
    desk.hear(b"A4 OK [CAPABILITY IMAP4rev1 ENABLE] done\r\n", |_| ());
    desk.send(b"a ENABLE CONDSTORE\r\n").unwrap();
}

/// RFC 9051 §5.1, §6.2.2, appendices A and E: a server of IMAP4rev2 alone reads UTF-8 and initial responses.
#[test]
fn a_server_of_imap4rev2_alone_is_spoken_to_in_utf8() {
    for (offer, utf8) in [("IMAP4rev2", true), ("IMAP4rev1 IMAP4rev2", false), ("IMAP4rev1", false)] {
        let greeting = format!("* OK [CAPABILITY {offer}] hi\r\n");
        let mut desk = Desk::new(Policy::client(), true, greeting.as_bytes());
        assert_eq!(desk.client.is_utf8(), utf8);
        desk.send(b"a AUTHENTICATE PLAIN AHUAcA==\r\n").unwrap();
        let sent = desk.output.copy_to_bytes(desk.output.remaining());
        assert_eq!(sent.ends_with(b" PLAIN AHUAcA==\r\n"), offer.ends_with('2'), "{offer}");
        desk.hear(if offer.ends_with('2') { b"" } else { b"+ \r\n" }, |_| ());
        desk.output.advance(desk.output.remaining());
        desk.hear(format!("A1 OK [CAPABILITY {offer}] in\r\n").as_bytes(), |_| ());
        desk.send(b"a SELECT \"\xc3\xa9\"\r\n").unwrap();
        let sent = desk.output.copy_to_bytes(desk.output.remaining());
        assert_eq!(sent == b"A2 SELECT \"\xc3\xa9\"\r\n"[..], utf8, "{offer}");
    }
}

#[test]
fn what_the_server_does_not_offer_is_not_asked_for() {
    for (offer, refused) in [("IDLE", true), ("PREVIEW", false)] {
        let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 {offer}] hi\r\n");
        let mut desk = Desk::new(Policy::client(), true, greeting.as_bytes());
        desk.send(b"a SELECT x\r\n").unwrap();
        if refused {
            desk.refused(b"a FETCH 1 PREVIEW (LAZY)\r\n", Misuse::NotOffered("PREVIEW"));
        } else {
            desk.send(b"a FETCH 1 PREVIEW (LAZY)\r\n").unwrap();
        }
    }
    for (offer, refused) in [("IDLE", true), ("CONDSTORE", false), ("QRESYNC", false)] {
        let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 {offer}] hi\r\n");
        let mut desk = Desk::new(Policy::client(), true, greeting.as_bytes());
        desk.send(b"a SELECT x\r\n").unwrap();
        if refused {
            desk.refused(b"a SEARCH NOT MODSEQ 5\r\n", Misuse::NotOffered("CONDSTORE"));
        } else {
            desk.send(b"a SEARCH NOT MODSEQ 5\r\n").unwrap();
        }
    }
}
