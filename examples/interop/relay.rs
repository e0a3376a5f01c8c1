//! A way that takes time: a relay on loopback that delivers every octet a fixed time after it came, however many are under way.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Octets taken at once.
const READ: usize = 64 * 1024;

/// Octets, and when they are to be delivered.
type Parcel = (Instant, Vec<u8>);

/// A relay. It relays until the process ends.
pub(crate) struct Relay {
    /// Where it listens, on loopback alone.
    port: u16,
    /// How many it has accepted.
    connections: Arc<AtomicUsize>,
}

impl Relay {
    /// Relays to a port on loopback, with a delay in each direction. What is under way is held without a bound: how much that is, the two
    /// ends settle.
    pub(crate) fn start(port: u16, delay: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let relay = Self { port: listener.local_addr()?.port(), connections: Arc::default() };
        let (server, connections) =
            (SocketAddr::from((Ipv4Addr::LOCALHOST, port)), relay.connections.clone());
        thread::spawn(move || {
            // For as long as the process lives: nobody waits for its end.
            for client in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::Relaxed);
                // A server that does not answer is seen by the client: its connection ends.
                let _ = connect(client, server, delay);
            }
        });
        Ok(relay)
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Two directions, each by itself. Small pieces go at once, else the system adds a delay of its own.
fn connect(client: TcpStream, server: SocketAddr, delay: Duration) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    one_way(client.try_clone()?, server.try_clone()?, delay);
    one_way(server, client, delay);
    Ok(())
}

/// One direction: a thread that reads and never waits for the other, and one that delivers.
fn one_way(from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, receiver) = channel();
    thread::spawn(move || accept(from, &sender, delay));
    thread::spawn(move || deliver(to, &receiver));
}

/// Notes when octets came. It takes them as fast as they come, so that the delay costs time and no throughput.
fn accept(mut from: TcpStream, sender: &Sender<Parcel>, delay: Duration) {
    let mut octets = vec![0; READ];
    while let Ok(n @ 1..) = from.read(&mut octets) {
        if sender.send((Instant::now() + delay, octets[..n].to_vec())).is_err() {
            break;
        }
    }
    // The end takes as long as the octets did.
    let _ = sender.send((Instant::now() + delay, Vec::new()));
}

/// Delivers when the time has come, in order; after the last octets the end.
fn deliver(mut to: TcpStream, receiver: &Receiver<Parcel>) {
    while let Ok((due, octets)) = receiver.recv() {
        // Not held up by what came before: that was due earlier.
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if octets.is_empty() || to.write_all(&octets).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(10);

    /// Gives back each octet as it comes.
    fn echo() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                thread::spawn(move || io::copy(&mut &socket, &mut &socket));
            }
        });
        port
    }

    /// Only the lower bound is certain: a machine that does something else may take longer.
    #[test]
    fn a_round_takes_both_delays() {
        let relay = Relay::start(echo(), DELAY).unwrap();
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).unwrap();
        for round in 0..5 {
            let begun = Instant::now();
            socket.write_all(&[round]).unwrap();
            let mut octet = [0xFF];
            socket.read_exact(&mut octet).unwrap();
            assert_eq!(octet, [round]);
            assert!(begun.elapsed() >= 2 * DELAY);
        }
        socket.shutdown(Shutdown::Write).unwrap();
        assert_eq!(socket.read(&mut [0]).unwrap(), 0);
        assert_eq!(relay.connections(), 1);
    }

    /// Both directions at once, as much as no window of a protocol would allow, and every octet in its order.
    #[test]
    fn what_is_under_way_is_not_held_up() {
        let relay = Relay::start(echo(), DELAY).unwrap();
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).unwrap();
        let sent: Vec<u8> =
            (0..64_u32 * 1024 * 1024).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let begun = Instant::now();
        let received = thread::scope(|scope| {
            let (mut socket, sent) = (&socket, &sent);
            scope.spawn(move || {
                socket.write_all(sent).unwrap();
                socket.shutdown(Shutdown::Write).unwrap();
            });
            let mut received = Vec::new();
            socket.read_to_end(&mut received).unwrap();
            received
        });
        assert!(received == sent);
        // Were only one read under way at a time, it would take 1,024 rounds of 20 ms.
        assert!(begun.elapsed() < 1024 * DELAY);
    }
}
