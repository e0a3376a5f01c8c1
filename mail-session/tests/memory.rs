//! What a session holds: idle, and while a body of any size passes. Both ends and the link between them live in this process, so a figure counts
//! all of it.

#![allow(unreachable_pub)]

mod bulk;
mod toy;

use bulk::Way;
use futures::executor::block_on;
use mail_session::Session;
use mail_session::memory::{self, Clock, End, Plan};
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

/// 160 KiB for each end under TLS. On a plain link 64 KiB and the piece that the application has in its hands.
fn check(way: Way, octets: u64, secure: bool) {
    let _turn = TURN.lock().unwrap_or_else(|broken| broken.into_inner());
    let held = bulk::pass(way, octets, secure);
    println!("{way:?}, {} MiB, secure {secure}: {held:?}", octets >> 20);
    let most = if secure { 160 } else { 64 + 16 } * 1024;
    assert!(held.client <= most && held.server <= most, "{way:?}, secure {secure}: {held:?}");
}

fn bodies_pass_in_constant_memory() {
    for way in Way::ALL {
        check(way, 16 << 20, false);
        check(way, 16 << 20, true);
    }
}

#[test]
#[ignore = "large"]
fn large_a_gibibyte_by_smtp_data() {
    a_gibibyte(Way::Data);
}

#[test]
#[ignore = "large"]
fn large_a_gibibyte_by_imap_append() {
    a_gibibyte(Way::Append);
}

#[test]
#[ignore = "large"]
fn large_a_gibibyte_by_imap_fetch() {
    a_gibibyte(Way::Fetch);
}

#[test]
#[ignore = "large"]
fn large_a_gibibyte_by_pop3_retr() {
    a_gibibyte(Way::Retr);
}

fn a_gibibyte(way: Way) {
    check(way, 1 << 30, true);
    check(way, 1 << 30, false);
}

/// One test for all: the allocator counts for the whole process, and a test that ends beside another gives memory back.
#[test]
fn memory_is_bounded() {
    an_idle_connection_holds_little();
    bodies_pass_in_constant_memory();
}
