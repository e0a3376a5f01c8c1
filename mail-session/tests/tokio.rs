//! What is tokio's own: how long connecting may take.
#![cfg(feature = "tokio")]

use mail_session::proto::pop3::client::{Client, Config};
use mail_session::{Error, tokio::Session};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::time::Instant;

/// A listener that accepts nobody: once its queue is full, the system answers no more. The clock jumps to the deadline.
#[test]
fn a_host_that_does_not_answer_is_given_up_after_thirty_seconds() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        loop {
            tokio::time::pause();
            let before = Instant::now();
            let connected = Session::connect(Client::new(Config::default()), address).await;
            match connected {
                Ok(session) => queue.push(session),
                Err(error) => {
                    assert!(matches!(error, Error::Timeout), "{error:?}");
                    let passed = before.elapsed();
                    assert!(
                        passed >= Duration::from_secs(30) && passed < Duration::from_secs(31),
                        "{passed:?}"
                    );
                    break;
                }
            }
            tokio::time::resume();
            assert!(queue.len() < 100, "the queue is never full");
        }
    });
}
