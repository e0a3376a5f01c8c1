//! What a user writes: a client and a server, blocking and on tokio, with one dependency. The certificates are of a test authority that
//! signs nothing else.

use mail_session::proto::smtp::server::{Config, Event as Asked, Server};
use mail_session::proto::smtp::{Command, ReplyBuf, client::Event as Told, types::*};
use mail_session::proto::smtp::{command::Mail, command::Rcpt, ext::Params};
use mail_session::tls::{ClientTls, ServerTls, provider};
#[cfg(feature = "tokio")]
use mail_session::tokio;
use mail_session::{Bytes, blocking, open::Security, smtp};
use std::error::Error;
use std::net::TcpListener;
use std::thread;

type Res<T> = Result<T, Box<dyn Error + Send + Sync>>;

const MESSAGE: &[u8] = b"From: <me@example.org>\r\nSubject: hello\r\n\r\n.It works.\r\n";

fn opening(port: u16) -> Res<smtp::Opening> {
    let trust = ClientTls::with_roots(include_bytes!("../pem/ca.pem"), provider())?;
    Ok(smtp::Opening::new("localhost", Security::StartTls(trust)).port(port))
}

fn server_tls() -> Res<ServerTls> {
    Ok(ServerTls::from_pem(include_bytes!("../pem/chain.pem"), include_bytes!("../pem/key.pem"), provider())?)
}

fn blocking_client(port: u16) -> Res<()> {
    let mut session = blocking::connect(opening(port)?)?;
    let mail = Mail::new(ReversePath::Mailbox("me@example.org".try_into()?), Params::NONE)?;
    let rcpt = Rcpt::new(ForwardPath::Mailbox("you@example.org".try_into()?), Params::NONE);
    let mut steps = [Command::Rcpt(rcpt), Command::Data, Command::Quit].into_iter();
    session.turn().send(&Command::Mail(mail))?;
    while let Some((event, mut turn)) = session.next()? {
        match event {
            Told::Reply(_, reply) if !reply.code().is_positive() => return Err(format!("{reply:?}").into()),
            Told::Reply(..) => _ = steps.next().map(|command| turn.send(&command)).transpose()?,
            Told::BodyWanted(_, _, mut grant) => {
                turn.body(&mut grant, &mut Bytes::from_static(MESSAGE))?;
                turn.end_body(grant)?;
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(feature = "tokio")]
async fn tokio_client(port: u16) -> Res<()> {
    let mut session = tokio::connect(opening(port)?).await?;
    let mail = Mail::new(ReversePath::Mailbox("me@example.org".try_into()?), Params::NONE)?;
    let rcpt = Rcpt::new(ForwardPath::Mailbox("you@example.org".try_into()?), Params::NONE);
    let mut steps = [Command::Rcpt(rcpt), Command::Data, Command::Quit].into_iter();
    session.turn().send(&Command::Mail(mail))?;
    while let Some((event, mut turn)) = session.next().await? {
        match event {
            Told::Reply(_, reply) if !reply.code().is_positive() => return Err(format!("{reply:?}").into()),
            Told::Reply(..) => _ = steps.next().map(|command| turn.send(&command)).transpose()?,
            Told::BodyWanted(_, _, mut grant) => {
                turn.body(&mut grant, &mut Bytes::from_static(MESSAGE))?;
                turn.end_body(grant)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn blocking_server(listener: TcpListener) -> Res<Vec<u8>> {
    let machine = Server::new(Config::new("localhost".try_into()?));
    let mut session = blocking::Session::over(machine, listener.accept()?.0)?;
    let mut message = Vec::new();
    while let Some((event, mut turn)) = session.next()? {
        match event {
            Asked::Connected(answer) => turn.answer(answer, &ReplyBuf::line(220, "localhost")?)?,
            Asked::StartTls(offer) => session = session.start_tls(offer, server_tls()?.begin()?)?,
            Asked::Body(offer) => turn.accept_body(offer)?,
            Asked::Chunk(octets) => message.extend_from_slice(octets),
            Asked::BodyEnd(answer) | Asked::Command(_, answer) => {
                turn.answer(answer, &ReplyBuf::line(250, "fine")?)?
            }
            Asked::Malformed(_, answer) => turn.refuse(answer)?,
            _ => {}
        }
    }
    Ok(message)
}

#[cfg(feature = "tokio")]
async fn tokio_server(listener: TcpListener) -> Res<Vec<u8>> {
    listener.set_nonblocking(true)?;
    let listener = tokio::TcpListener::from_std(listener)?;
    let machine = Server::new(Config::new("localhost".try_into()?));
    let mut session = tokio::Session::accept(machine, &listener).await?;
    let mut message = Vec::new();
    while let Some((event, mut turn)) = session.next().await? {
        match event {
            Asked::Connected(answer) => turn.answer(answer, &ReplyBuf::line(220, "localhost")?)?,
            Asked::StartTls(offer) => session = session.start_tls(offer, server_tls()?.begin()?).await?,
            Asked::Body(offer) => turn.accept_body(offer)?,
            Asked::Chunk(octets) => message.extend_from_slice(octets),
            Asked::BodyEnd(answer) | Asked::Command(_, answer) => {
                turn.answer(answer, &ReplyBuf::line(250, "fine")?)?
            }
            Asked::Malformed(_, answer) => turn.refuse(answer)?,
            _ => {}
        }
    }
    Ok(message)
}

/// Whether the compiler lets a task with a session move between threads.
#[cfg(feature = "tokio")]
fn moves<T: Send>(task: T) -> T {
    task
}

/// One mail from a client to a server.
fn pair(
    what: &str,
    client: impl FnOnce(u16) -> Res<()>,
    server: impl FnOnce(TcpListener) -> Res<Vec<u8>> + Send + 'static,
) -> Res<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let served = thread::spawn(move || server(listener));
    client(port)?;
    assert_eq!(served.join().expect("the server ends")?, MESSAGE);
    println!("{what}: {} octets", MESSAGE.len());
    Ok(())
}

fn main() -> Res<()> {
    pair("blocking to blocking", blocking_client, blocking_server)?;
    #[cfg(feature = "tokio")]
    {
        let client = |port| tokio::block_on(moves(tokio_client(port)))?;
        let server = |listener| tokio::block_on(moves(tokio_server(listener)))?;
        pair("tokio to tokio", client, server)?;
        pair("tokio to blocking", client, blocking_server)?;
        pair("blocking to tokio", blocking_client, server)?;
    }
    Ok(())
}
