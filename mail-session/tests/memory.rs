//! What a session holds: idle, and while a body of any size passes. Both ends and the link between them live in this process, so a figure counts
//! all of it.

mod toy;

use bytes::Bytes;
use futures::executor::block_on;
use mail_session::Session;
use mail_session::memory::{self, Clock, End, Plan};
use mail_session::session::Next;
use peak_alloc::PeakAlloc;
use std::pin::pin;
use std::sync::Mutex;
use toy::{Client, ClientEvent, Command, Server, ServerEvent, tls};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Figures are of the whole process: one test at a time.
static TURN: Mutex<()> = Mutex::new(());

type Pair = (Session<Client, End, Clock>, Session<Server, End, Clock>);

fn pair(clock: &Clock, secure: bool, plan: &Plan) -> Pair {
    let (left, right) = memory::link(plan.clone(), plan.clone());
    if !secure {
        return (
            Session::over(Client::new(), left, clock.clone()),
            Session::over(Server::new(), right, clock.clone()),
        );
    }
    let client = Session::over_tls(Client::new(), left, clock.clone(), tls::pair().0.to(tls::HOST).unwrap());
    let server = Session::over_tls(Server::new(), right, clock.clone(), tls::pair().1.begin().unwrap());
    let (client, server) = memory::run(clock, client, server).unwrap();
    (client.unwrap(), server.unwrap())
}

/// One command and its answer, then both wait.
async fn echo(client: &mut Session<Client, End, Clock>, server: &mut Session<Server, End, Clock>) {
    let turn = client.turn();
    turn.machine.send(Command::Echo(b"hello"), turn.output).unwrap();
    assert!(futures::poll!(pin!(client.next())).is_pending());
    let Some((ServerEvent::Echo(text, token), turn)) = server.next().await.unwrap() else { panic!() };
    turn.machine.answer(token, text, turn.output).unwrap();
    assert!(futures::poll!(pin!(server.next())).is_pending());
    assert!(matches!(client.next().await.unwrap(), Some((ClientEvent::Reply(_), _))));
    assert!(futures::poll!(pin!(client.next())).is_pending());
    assert!(futures::poll!(pin!(server.next())).is_pending());
}

fn an_idle_connection_holds_little() {
    const PAIRS: usize = 200;
    let _turn = TURN.lock().unwrap_or_else(|broken| broken.into_inner());
    for (secure, most) in [(false, 3 * 1024), (true, 23 * 1024)] {
        let clock = Clock::new();
        let mut kept = Vec::with_capacity(PAIRS);
        // What is made once for the process is not the connection's.
        drop(pair(&clock, secure, &Plan::default()));
        let before = HEAP.current_usage();
        for _ in 0..PAIRS {
            let (mut client, mut server) = pair(&clock, secure, &Plan { capacity: 4096, ..Plan::default() });
            block_on(echo(&mut client, &mut server));
            kept.push((client, server));
        }
        let each = HEAP.current_usage().saturating_sub(before) / PAIRS;
        println!(
            "secure {secure}: {each} octets of heap for both ends of an idle connection, the link counted"
        );
        assert!(each <= most, "secure {secure}: {each}");
    }
}

/// Lets the other task run, once.
async fn stand_still() {
    let mut first = true;
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::take(&mut first) { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
}

/// So many octets up by PUT or down by GET, in pieces of 16 KiB, with a receiver that stalls once: the most heap that it took.
fn pass(octets: usize, secure: bool, up: bool) -> usize {
    let _turn = TURN.lock().unwrap_or_else(|broken| broken.into_inner());
    let clock = Clock::new();
    let (mut client, mut server) = pair(&clock, secure, &Plan { capacity: 16 * 1024, ..Plan::default() });
    let piece = Bytes::from(vec![b'x'; 16 * 1024]);
    let pieces = octets / piece.len();
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let a = async {
        let mut sum = 0;
        let turn = client.turn();
        let command = if up { Command::Put } else { Command::Get(octets as u64) };
        turn.machine.send(command, turn.output).unwrap();
        while let Some((event, _)) = client.next().await.unwrap() {
            match event {
                ClientEvent::Chunk(octets) => sum += octets.len(),
                ClientEvent::BodyEnd => return sum,
                ClientEvent::BodyWanted(mut grant) => {
                    for _ in 0..pieces {
                        let mut piece = piece.clone();
                        while !piece.is_empty() {
                            let Next::Room = client.next_or_room().await.unwrap() else { panic!() };
                            let turn = client.turn();
                            turn.machine.body(&mut grant, &mut piece, turn.output);
                        }
                    }
                    let turn = client.turn();
                    turn.machine.end_body(grant, turn.output).unwrap();
                    assert!(matches!(client.next().await.unwrap(), Some((ClientEvent::Reply(b"stored"), _))));
                    return octets;
                }
                _ => {}
            }
        }
        sum
    };
    let b = async {
        let mut sum = 0;
        while let Some((event, mut turn)) = server.next().await.unwrap() {
            match event {
                ServerEvent::Put(token) => turn.machine.accept(token, turn.output).unwrap(),
                ServerEvent::Chunk(octets) => {
                    let stall = sum == 0;
                    sum += octets.len();
                    if stall {
                        // The sender goes on until nothing more fits.
                        stand_still().await;
                    }
                }
                ServerEvent::BodyEnd(token) => {
                    turn.machine.answer(token, b"stored", turn.output).unwrap();
                    turn.flush().await.unwrap();
                    return sum - 2;
                }
                ServerEvent::Get(n, mut token) => {
                    turn.machine.body_head(n, turn.output);
                    for _ in 0..pieces {
                        let mut piece = piece.clone();
                        while !piece.is_empty() {
                            turn.machine.body(&mut token, &mut piece, turn.output);
                            turn.flush().await.unwrap();
                        }
                    }
                    turn.machine.end_body(token, turn.output).unwrap();
                    turn.flush().await.unwrap();
                    return octets;
                }
                other => panic!("{other:?}"),
            }
        }
        sum
    };
    let (sent, received) = memory::run(&clock, a, b).unwrap();
    // A body's last line end is the stuffing's.
    assert!(received == octets && (sent == octets || sent == octets + 2));
    let peak = HEAP.peak_usage().saturating_sub(before);
    println!("{octets} octets, secure {secure}, up {up}: {peak} octets of heap at the most");
    peak
}

/// Both ends and 32 KiB of link: on a plain link 64 KiB for each end are allowed, under TLS 160 KiB.
fn check(octets: usize) {
    for up in [true, false] {
        let plain = pass(octets, false, up);
        assert!(plain <= (64 + 32) * 1024, "plain: {plain}");
        let secure = pass(octets, true, up);
        assert!(secure <= 160 * 1024, "TLS: {secure}");
    }
}

fn a_large_body_passes_in_constant_memory() {
    check(64 * 1024 * 1024);
}

#[test]
#[ignore = "large"]
fn large_a_gibibyte_passes_in_constant_memory() {
    check(1024 * 1024 * 1024);
}

/// One test for all: the allocator counts for the whole process, and a test that ends beside another gives memory back.
#[test]
fn memory_is_bounded() {
    an_idle_connection_holds_little();
    a_large_body_passes_in_constant_memory();
}
