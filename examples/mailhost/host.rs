//! Listeners and connections: the same for the three protocols.

use crate::authority::Identity;
use crate::store::Store;
use crate::{Failure, imap, pop3, smtp};
use mail_session::Transcript;
use mail_session::proto::{imap as imap_proto, smtp as smtp_proto};
use mail_session::tls::ServerTls;
use mail_session::wire::Machine;
use std::error::Error;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;

/// A session of a machine on a TCP connection.
pub type Connection<M> = mail_session::tokio::Session<M>;

/// What all connections share.
pub struct Host {
    /// Users and mail.
    pub store: Store,
    /// The certificate.
    pub tls: ServerTls,
    /// How POP3 is served.
    pub pop3: mail_session::pop3::serve::Service,
    /// Whether each connection prints its wire when it ends, messages and secrets left out.
    pub transcripts: bool,
    stop: watch::Sender<bool>,
}

/// What is served on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Submission, with STARTTLS.
    Smtp,
    /// Submission under TLS.
    Smtps,
    /// IMAP, with STARTTLS.
    Imap,
    /// IMAP under TLS.
    Imaps,
    /// POP3, with STLS.
    Pop3,
    /// POP3 under TLS.
    Pop3s,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Smtp, Self::Smtps, Self::Imap, Self::Imaps, Self::Pop3, Self::Pop3s];

    /// The name of its URL scheme.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Smtps => "smtps",
            Self::Imap => "imap",
            Self::Imaps => "imaps",
            Self::Pop3 => "pop3",
            Self::Pop3s => "pop3s",
        }
    }

    /// Whether its connections begin with TLS.
    pub const fn is_implicit(self) -> bool {
        matches!(self, Self::Smtps | Self::Imaps | Self::Pop3s)
    }
}

impl Host {
    /// A host that serves nothing yet.
    pub fn new(store: Store, identity: &Identity) -> Self {
        Self {
            store,
            tls: identity.tls.clone(),
            pop3: pop3::service(identity.tls.clone()),
            transcripts: false,
            stop: watch::Sender::new(false),
        }
    }

    /// Serves a port from now on. Gives the address, for when the port was 0.
    pub async fn listen(
        self: &Arc<Self>,
        service: Service,
        address: impl ToSocketAddrs,
    ) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        tokio::spawn(Arc::clone(self).accept(service, listener, self.stop()));
        Ok(address)
    }

    async fn accept(self: Arc<Self>, service: Service, listener: TcpListener, mut stop: Stop) {
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((socket, _)) => {
                        let (host, stop) = (Arc::clone(&self), self.stop());
                        tokio::spawn(async move { host.connection(service, socket, stop).await });
                    }
                    // A client that has gone again, or no descriptor left: the listener outlives both.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                () = stop.told() => return,
            }
        }
    }

    /// One connection, to its end. What goes wrong with it does not concern the others.
    async fn connection(&self, service: Service, socket: TcpStream, stop: Stop) {
        let transcript = self.transcripts.then(Transcript::of_server);
        let tap = transcript.clone();
        let ended = match service {
            Service::Smtp | Service::Smtps => {
                let machine = smtp_proto::Server::new(smtp::config());
                match self.begin(machine, service, socket, tap).await {
                    Ok(session) => smtp::serve(session, self, stop).await,
                    Err(failure) => Err(failure),
                }
            }
            Service::Pop3 | Service::Pop3s => {
                match self.begin(self.pop3.machine(), service, socket, tap).await {
                    Ok(session) => pop3::serve(session, self, stop).await,
                    Err(failure) => Err(failure),
                }
            }
            Service::Imap | Service::Imaps => {
                let machine = imap_proto::server::Server::new(imap::config());
                match self.begin(machine, service, socket, tap).await {
                    Ok(session) => imap::serve(session, self, stop).await,
                    Err(failure) => Err(failure),
                }
            }
        };
        if let Some(transcript) = transcript {
            let end = ended.map_or_else(|failure| format!("-- {failure}\n"), |()| String::new());
            println!("---- {}\n{}{end}", service.name(), transcript.text());
        }
    }

    async fn begin<M>(
        &self,
        machine: M,
        service: Service,
        socket: TcpStream,
        tap: Option<Transcript>,
    ) -> Result<Connection<M>, Failure>
    where
        M: Machine,
        M::Error: Error + Send + Sync + 'static,
    {
        let session = if service.is_implicit() {
            Connection::on_tls(machine, socket, self.tls.begin()?).await?
        } else {
            Connection::on(machine, socket)?
        };
        Ok(match tap {
            Some(tap) => session.tap(tap),
            None => session,
        })
    }

    fn stop(&self) -> Stop {
        Stop { told: false, stop: self.stop.subscribe() }
    }

    /// Shuts down: no new connections, and each that is open ends after the command in flight, as its protocol asks for. Returns when
    /// all have ended.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        // Every task holds a `Stop`.
        self.stop.closed().await;
    }
}

/// How a connection learns that the host shuts down.
pub struct Stop {
    told: bool,
    stop: watch::Receiver<bool>,
}

impl Stop {
    /// Ready once, when the host shuts down or is gone. May be dropped and awaited again.
    pub async fn told(&mut self) {
        if self.told {
            pending::<()>().await;
        }
        let _ = self.stop.wait_for(|stop| *stop).await;
        self.told = true;
    }
}
