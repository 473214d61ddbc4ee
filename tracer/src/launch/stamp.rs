//! A moment that the child notes and its parent reads.

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use nix::time::ClockId;

use crate::capture::now_ns;

const SIZE: NonZeroUsize = NonZeroUsize::new(size_of::<AtomicU64>()).expect("not zero");

/// A time in memory that survives a fork as one place for both.
#[derive(Debug)]
pub(super) struct Stamp(NonNull<AtomicU64>);

impl Stamp {
    pub fn new() -> Result<Self, Errno> {
        let both = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: new memory at an address that the kernel chooses.
        let memory = unsafe { mmap_anonymous(None, SIZE, both, MapFlags::MAP_SHARED) }?;
        Ok(Self(memory.cast()))
    }

    fn time(&self) -> &AtomicU64 {
        // SAFETY: mapped as long as we are, page-aligned, zero at first: a valid atomic, used as nothing else.
        unsafe { self.0.as_ref() }
    }

    /// Now, `CLOCK_MONOTONIC`. Async-signal-safe.
    pub fn set(&self) {
        self.time()
            .store(now_ns(ClockId::CLOCK_MONOTONIC), Ordering::Relaxed);
    }

    /// What was noted last, ns; 0: nothing.
    pub fn get(&self) -> u64 {
        self.time().load(Ordering::Relaxed)
    }
}

impl Drop for Stamp {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody has a reference any more. It cannot fail for memory that is mapped.
        let _ = unsafe { munmap(self.0.cast(), SIZE.get()) };
    }
}
