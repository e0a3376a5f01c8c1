//! The openings of the three protocols against servers of this suite: every security, every mechanism, and what must not work.

use crate::drivers::plan;
use crate::servers::{self, MESSAGE, Serve, USER};
use crate::toy::tls;
use mail_session::flow::{Failure, FlowError};
use mail_session::memory::{self, Chunks, Clock, Deadlock, End, Plan};
use mail_session::open::{Opening, Security};
use mail_session::proto::{imap, pop3, smtp};
use mail_session::sasl::client::Credentials;
use mail_session::wire::Machine;
use mail_session::{Error, Session};

pub const PASSWORD: &str = "correct horse";

pub fn credentials() -> Credentials {
    Credentials::password(USER, PASSWORD)
}

pub type Opened<M> = Result<Session<M, End, Clock>, FlowError<<M as Machine>::Error>>;

/// Opens a session, does something with it, and gives what both sides came to.
pub fn meet<O, T, R>(
    opening: O,
    plans: (Plan, Plan),
    client: impl AsyncFnOnce(Opened<O::Machine>) -> T,
    server: impl AsyncFnOnce(End, Clock) -> R,
) -> Result<(T, R), Deadlock>
where
    O: Opening,
{
    let clock = Clock::new();
    let (left, right) = memory::link(plans.0, plans.1);
    let a = async { client(Session::open(opening, left, clock.clone()).await).await };
    let b = server(right, clock.clone());
    memory::run(&clock, a, b)
}

fn whole() -> (Plan, Plan) {
    (Plan::default(), Plan::default())
}

/// The ways of getting in that must work, as settings of a server and of a client.
fn ways() -> Vec<(Serve, Security, bool)> {
    let client = || tls::pair().0;
    let mut ways = Vec::new();
    for mechanisms in [&["SCRAM-SHA-256", "PLAIN"][..], &["PLAIN"], &["LOGIN"]] {
        let serve = Serve { mechanisms, ..Serve::new(PASSWORD) };
        ways.push((Serve { implicit: true, ..serve.clone() }, Security::Implicit(client()), true));
        ways.push((serve.clone(), Security::StartTls(client()), true));
        ways.push((serve.clone(), Security::InsecureIfOffered(client()), true));
        ways.push((Serve { open: true, ..serve }, Security::InsecurePlain, false));
    }
    let scram = Serve { mechanisms: &["SCRAM-SHA-256"], starttls: false, open: true, ..Serve::new(PASSWORD) };
    ways.push((scram, Security::InsecureIfOffered(client()), false));
    ways
}

pub async fn mail(mut session: Session<smtp::Client, End, Clock>) {
    use smtp::Command;
    use smtp::client::Event;
    use smtp::command::{Mail, Rcpt};
    use smtp::ext::Params;
    use smtp::types::{ForwardPath, Mailbox, ReversePath};
    let from = Mailbox::new(b"alice@example.org").unwrap();
    let to = Mailbox::new(b"bob@example.org").unwrap();
    let commands = [
        Command::Mail(Mail::new(ReversePath::Mailbox(from), Params::NONE).unwrap()),
        Command::Rcpt(Rcpt::new(ForwardPath::Mailbox(to), Params::NONE)),
        Command::Data,
    ];
    let mut turn = session.turn();
    for command in &commands {
        turn.send(command).unwrap();
    }
    loop {
        match session.next().await.unwrap() {
            Some((Event::BodyWanted(_, _, mut grant), mut turn)) => {
                turn.body(&mut grant, &mut bytes::Bytes::from_static(MESSAGE)).unwrap();
                turn.end_body(grant).unwrap();
                turn.send(&Command::Quit).unwrap();
            }
            Some((Event::Reply(_, reply), _)) => assert!(reply.code().is_positive()),
            Some((other, _)) => panic!("{other:?}"),
            None => return,
        }
    }
}

#[test]
fn smtp_opens_by_every_way_and_sends() {
    for (serve, security, secured) in ways() {
        let opening = smtp_opening(security.clone());
        let server = serve.clone();
        let (_, taken) = meet(
            opening,
            whole(),
            async |opened: Opened<smtp::Client>| {
                let session = opened.unwrap_or_else(|error| panic!("{security:?}: {error:?}"));
                assert_eq!(session.is_secured(), secured);
                mail(session).await;
            },
            async |end, clock| servers::smtp(server, end, clock).await,
        )
        .unwrap();
        assert_eq!(taken.unwrap(), [MESSAGE]);
    }
}

pub fn smtp_opening(security: Security) -> mail_session::smtp::Opening {
    mail_session::smtp::Opening::new(tls::HOST, security)
        .hello("client.example.org")
        .unwrap()
        .log_in(credentials())
}

pub fn pop3_opening(security: Security) -> mail_session::pop3::Opening {
    mail_session::pop3::Opening::new(tls::HOST, security).log_in(credentials())
}

pub fn imap_opening(security: Security) -> mail_session::imap::Opening {
    mail_session::imap::Opening::new(tls::HOST, security).log_in(credentials())
}

/// Fetches and deletes one message.
async fn drain(mut session: Session<pop3::client::Client, End, Clock>) -> Vec<u8> {
    use pop3::Command;
    use pop3::client::Event;
    use pop3::types::MessageNumber;
    let mut turn = session.turn();
    turn.send(&Command::Retr(MessageNumber::FIRST)).unwrap();
    let mut message = Vec::new();
    loop {
        match session.next().await.unwrap() {
            Some((Event::Chunk(octets), _)) => message.extend_from_slice(octets),
            Some((Event::End(_), mut turn)) => {
                turn.send(&Command::Dele(MessageNumber::FIRST)).unwrap();
            }
            Some((Event::Reply(_, line), mut turn)) => {
                assert!(line.is_ok());
                if turn.machine.in_flight() == 0 {
                    // The second reply is that of QUIT.
                    let _ = turn.send(&Command::Quit);
                }
            }
            Some((Event::Head(..), _)) => {}
            Some((other, _)) => panic!("{other:?}"),
            None => return message,
        }
    }
}

#[test]
fn pop3_opens_by_every_way_and_drains() {
    let mut ways = ways();
    // Without SASL there are USER and PASS.
    ways.push((Serve { mechanisms: &[], ..Serve::new(PASSWORD) }, Security::StartTls(tls::pair().0), true));
    for (serve, security, secured) in ways {
        let server = serve.clone();
        let (message, deleted) = meet(
            pop3_opening(security.clone()),
            whole(),
            async |opened: Opened<pop3::client::Client>| {
                let session = opened.unwrap_or_else(|error| panic!("{security:?}: {error:?}"));
                assert_eq!(session.is_secured(), secured);
                drain(session).await
            },
            async |end, clock| servers::pop3(server, end, clock).await,
        )
        .unwrap();
        assert_eq!((message.as_slice(), deleted.unwrap()), (MESSAGE, 1));
    }
}

#[test]
fn imap_opens_by_every_way_and_leaves() {
    use imap::client::Event;
    let mut ways = ways();
    // Without SASL there is LOGIN.
    ways.push((Serve { mechanisms: &[], ..Serve::new(PASSWORD) }, Security::StartTls(tls::pair().0), true));
    for (serve, security, secured) in ways {
        let server = serve.clone();
        let (_, served) = meet(
            imap_opening(security.clone()),
            whole(),
            async |opened: Opened<imap::Client>| {
                let mut session = opened.unwrap_or_else(|error| panic!("{security:?}: {error:?}"));
                assert_eq!(session.is_secured(), secured);
                let ticket = session.turn().send(&imap::Command::Logout).unwrap();
                let mut done = false;
                while let Some((event, _)) = session.next().await.unwrap() {
                    done |=
                        matches!(event, Event::Completed(mine, status) if mine == ticket && status.is_ok());
                }
                assert!(done);
            },
            async |end, clock| servers::imap(server, end, clock).await,
        )
        .unwrap();
        served.unwrap();
    }
}

/// What a client must not do, whatever the server says.
#[test]
fn nothing_goes_out_without_tls_where_it_is_required() {
    macro_rules! refused {
        ($machine:ty, $opening:expr, $server:path, $serve:expr, $error:pat) => {{
            let serve: Serve = $serve;
            let (error, _) = meet(
                $opening,
                whole(),
                async |opened: Opened<$machine>| opened.map(|_| ()).unwrap_err(),
                async |end, clock| $server(serve, end, clock).await.map(|_| ()),
            )
            .unwrap();
            assert!(matches!(error, $error), "{error:?}");
        }};
    }
    let required = || Security::StartTls(tls::pair().0);
    let bare = || Serve { starttls: false, open: true, ..Serve::new(PASSWORD) };
    refused!(
        smtp::Client,
        smtp_opening(required()),
        servers::smtp,
        bare(),
        FlowError::Flow(Failure::NoTls) | FlowError::Session(Error::Machine(_))
    );
    refused!(
        pop3::client::Client,
        pop3_opening(required()),
        servers::pop3,
        bare(),
        FlowError::Flow(Failure::NoTls) | FlowError::Session(Error::Machine(_))
    );
    refused!(
        imap::Client,
        imap_opening(required()),
        servers::imap,
        bare(),
        FlowError::Flow(Failure::NoTls) | FlowError::Session(Error::Machine(_))
    );
    // A password in clear does not go over a link whose TLS was only hoped for.
    let hoped = || Security::InsecureIfOffered(tls::pair().0);
    let plain = || Serve { mechanisms: &["PLAIN"], ..bare() };
    refused!(
        smtp::Client,
        smtp_opening(hoped()),
        servers::smtp,
        plain(),
        FlowError::Flow(Failure::NoMechanism)
    );
    refused!(
        pop3::client::Client,
        pop3_opening(hoped()),
        servers::pop3,
        plain(),
        FlowError::Flow(Failure::NoMechanism)
    );
    refused!(
        imap::Client,
        imap_opening(hoped()),
        servers::imap,
        plain(),
        FlowError::Flow(Failure::NoMechanism)
    );
    // A wrong password is a refusal in words that show nothing of it.
    let other = || Serve::new("another one");
    refused!(
        smtp::Client,
        smtp_opening(required()),
        servers::smtp,
        other(),
        FlowError::Flow(Failure::LogIn(_))
    );
    refused!(
        pop3::client::Client,
        pop3_opening(required()),
        servers::pop3,
        other(),
        FlowError::Flow(Failure::LogIn(_))
    );
    refused!(
        imap::Client,
        imap_opening(required()),
        servers::imap,
        other(),
        FlowError::Flow(Failure::LogIn(_))
    );
    // The certificate of another name.
    let stranger = mail_session::smtp::Opening::new("other.example.org", required()).log_in(credentials());
    refused!(smtp::Client, stranger, servers::smtp, Serve::new(PASSWORD), FlowError::Session(Error::Tls(_)));
}

/// The handshake at 50 splits of each direction, for each protocol.
#[test]
fn the_handshake_completes_on_a_grid_of_splits() {
    let security = || Security::StartTls(tls::pair().0);
    for at in (1..=50).map(|at| at * 23) {
        let cut = plan(65_536, Chunks::CutAt(at));
        for plans in [(cut.clone(), Plan::default()), (Plan::default(), cut)] {
            let serve = Serve { mechanisms: &["PLAIN"], ..Serve::new(PASSWORD) };
            let (smtp, pop3) = (serve.clone(), serve.clone());
            let open = async |opened: Opened<smtp::Client>| drop(opened.unwrap().close().await);
            meet(smtp_opening(security()), plans.clone(), open, async |e, c| {
                servers::smtp(smtp, e, c).await.is_ok()
            })
            .unwrap();
            let open = async |opened: Opened<pop3::client::Client>| drop(opened.unwrap().close().await);
            meet(pop3_opening(security()), plans.clone(), open, async |e, c| {
                servers::pop3(pop3, e, c).await.is_ok()
            })
            .unwrap();
            let open = async |opened: Opened<imap::Client>| drop(opened.unwrap().close().await);
            meet(imap_opening(security()), plans, open, async |e, c| {
                servers::imap(serve, e, c).await.is_ok()
            })
            .unwrap();
        }
    }
}

/// The same at every split, for one of them: what stands before TLS, the handshake, and the log-in behind it. More than a kibioctet goes each way.
#[test]
fn a_session_opens_at_every_split() {
    for at in 1..1_400 {
        let cut = plan(65_536, Chunks::CutAt(at));
        for plans in [(cut.clone(), Plan::default()), (Plan::default(), cut)] {
            let serve = Serve { mechanisms: &["PLAIN"], ..Serve::new(PASSWORD) };
            let open =
                async |opened: Opened<pop3::client::Client>| opened.unwrap().stat().await.unwrap().messages;
            let opening = pop3_opening(Security::StartTls(tls::pair().0));
            let (messages, _) =
                meet(opening, plans, open, async |e, c| servers::pop3(serve, e, c).await).unwrap();
            assert_eq!(messages, 1, "{at}");
        }
    }
}
