//! A global allocator that counts while it is asked to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::Relaxed};

/// Put it in a bench as `#[global_allocator] static A: Counting = Counting;`.
pub struct Counting;

static ON: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

fn count(octets: isize) {
    if !ON.load(Relaxed) {
        return;
    }
    if octets > 0 {
        CALLS.fetch_add(1, Relaxed);
    }
    let live = LIVE.fetch_add(octets, Relaxed) + octets;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(-(layout.size() as isize));
        count(size as isize);
        unsafe { System.realloc(at, layout, size) }
    }
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Calls for memory.
    pub allocations: usize,
    /// The most octets held at a time, above what was held before.
    pub peak: isize,
}

/// Counts over one run.
pub fn measure(run: &mut dyn FnMut() -> u64) -> Memory {
    CALLS.store(0, Relaxed);
    LIVE.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    ON.store(true, Relaxed);
    std::hint::black_box(run());
    ON.store(false, Relaxed);
    Memory { allocations: CALLS.load(Relaxed), peak: PEAK.load(Relaxed) }
}
