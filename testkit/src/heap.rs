//! How much memory a piece of work holds. A test binary that counts names the allocator:
//!
//! ```
//! use mail_testkit::heap::{Heap, Meter};
//!
//! #[global_allocator]
//! static HEAP: Heap = Heap;
//!
//! let meter = Meter::begin();
//! drop(vec![0; 4096]);
//! assert!(meter.most() >= 4096 && meter.held() < 4096);
//! ```

use peak_alloc::PeakAlloc;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The system's allocator, counted: for `#[global_allocator]`.
pub use peak_alloc::PeakAlloc as Heap;

/// The count is of the whole process: one meter at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// 256 lines of 62 octets and CRLF: what a body is made of, 16 KiB at a time.
pub static LINES: [u8; 16 * 1024] = {
    let mut octets = [b'x'; 16 * 1024];
    let mut at = 62;
    while at < octets.len() {
        octets[at] = b'\r';
        octets[at + 1] = b'\n';
        at += 64;
    }
    octets
};

/// Counts from where it begins. Another thread that wants one waits until this one is dropped, and the same thread would wait for
/// ever. The count is of the whole process all the same: what other tests allocate meanwhile is counted too, so a binary that counts
/// has one test, and calls the rest from there.
#[must_use]
#[derive(Debug)]
pub struct Meter {
    before: usize,
    _alone: MutexGuard<'static, ()>,
}

impl Meter {
    /// Begins to count. What the work needs ready made should be there already.
    pub fn begin() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        PeakAlloc.reset_peak_usage();
        Self { before: PeakAlloc.current_usage(), _alone: alone }
    }

    /// The most octets that were held at once beyond what was held at the beginning.
    #[must_use]
    pub fn most(&self) -> usize {
        PeakAlloc.peak_usage().saturating_sub(self.before)
    }

    /// The octets that are held now beyond what was held at the beginning.
    #[must_use]
    pub fn held(&self) -> usize {
        PeakAlloc.current_usage().saturating_sub(self.before)
    }
}
