//! The four wire crates without std, with a panic handler and an allocator of this crate's own. Linking it into a C program
//! that brings no Rust runtime shows that none is needed. Each function runs something real, so that the linker keeps it.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

const ARENA: usize = 1 << 20;

/// Hands out the octets of one static arena in turn and takes nothing back: the program runs once and ends.
struct Bump {
    arena: UnsafeCell<[u8; ARENA]>,
    used: AtomicUsize,
}

// SAFETY: `used` gives every caller a range of its own.
unsafe impl Sync for Bump {}

// SAFETY: each block lies inside the arena, is aligned as asked, and overlaps no other.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.arena.get().cast::<u8>();
        let mut used = self.used.load(Ordering::Relaxed);
        loop {
            let start = (base as usize + used).next_multiple_of(layout.align()) - base as usize;
            let Some(end) = start.checked_add(layout.size()).filter(|end| *end <= ARENA) else {
                return core::ptr::null_mut();
            };
            match self.used.compare_exchange(used, end, Ordering::Relaxed, Ordering::Relaxed) {
                // SAFETY: `start..end` is inside the arena.
                Ok(_) => return unsafe { base.add(start) },
                Err(now) => used = now,
            }
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static HEAP: Bump = Bump { arena: UnsafeCell::new([0; ARENA]), used: AtomicUsize::new(0) };

unsafe extern "C" {
    fn abort() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: of the C library, without arguments.
    unsafe { abort() }
}

/// Frames a line, encodes it in base64 and puts it out: heap, `memchr` and `zeroize` are in it.
#[unsafe(no_mangle)]
pub extern "C" fn nostd_wire() -> i32 {
    use mail_wire::line::{LineEnd, LineFramer};
    use mail_wire::{Class, Output};
    let Ok(Some(line)) = LineFramer::new().step(b"NOOP\r\nQUIT", LineEnd::Strict, 512) else {
        return 1;
    };
    let mut output = Output::new();
    output.put(Class::Public, mail_wire::base64::encode(b"NOOP").expose());
    i32::from(line.text != 4 || output.len() != 8)
}

/// Takes a server through the greeting and EHLO.
#[unsafe(no_mangle)]
pub extern "C" fn nostd_smtp() -> i32 {
    use mail_smtp_proto::server::{Config, Event, Server};
    use mail_smtp_proto::{Command, ReplyBuf};
    use mail_wire::{Framed, Input, Machine, Output};
    let (mut input, mut output) = (Input::new(), Output::new());
    let mut server = Server::new(Config::default());
    let Ok(greeting) = ReplyBuf::line(220, "ready") else { return 1 };
    let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) else { return 1 };
    let Ok(Event::Connected(answer)) = server.decode(unit, &mut input) else { return 1 };
    if server.answer(answer, &greeting, &mut output).is_err() {
        return 1;
    }
    input.feed(b"EHLO client.example\r\n");
    let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) else { return 1 };
    i32::from(!matches!(server.decode(unit, &mut input), Ok(Event::Answered(Command::Ehlo(_)))))
}

/// Checks and reads a sequence set.
#[unsafe(no_mangle)]
pub extern "C" fn nostd_imap() -> i32 {
    let Ok(set) = mail_imap_proto::types::SequenceSet::new(b"1:3,7") else { return 1 };
    i32::from(!set.contains(7, 9) || set.contains(8, 9))
}

/// Takes a client through the greeting.
#[unsafe(no_mangle)]
pub extern "C" fn nostd_pop3() -> i32 {
    use mail_pop3_proto::client::{Client, Config, Event};
    use mail_wire::{Framed, Input, Machine, Output};
    let (mut input, mut output) = (Input::new(), Output::new());
    let mut client = Client::new(Config::default());
    input.feed(b"+OK ready\r\n");
    let Ok(Framed::Ready(unit)) = client.frame(&mut input, &mut output) else { return 1 };
    i32::from(!matches!(client.decode(unit, &mut input), Ok(Event::Greeting(..))))
}
