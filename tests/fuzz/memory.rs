//! Counts what is allocated: no input may make the gateway hold much more than it brings along.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Many times what any input of 2 KiB needs, and far below what a machine would notice.
const MOST: usize = 16 << 20;

/// Gives nothing beyond [`MOST`], which ends the process: the fuzzer keeps the input. Whoever is about
/// to tell where it panicked may take what that needs.
pub struct Counted {
    held: AtomicUsize,
}

impl Counted {
    pub const fn new() -> Self {
        Self { held: AtomicUsize::new(0) }
    }
}

// SAFETY: everything is left to the system's allocator, but for what it is not asked at all.
#[expect(unsafe_code, reason = "an allocator is that")]
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = self.held.fetch_add(layout.size(), Relaxed) + layout.size();
        if held > MOST && !std::thread::panicking() {
            return std::ptr::null_mut();
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.held.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}
