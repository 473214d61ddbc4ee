//! Clocks of the kernel.

use nix::time::{ClockId, clock_gettime};

/// A clock's time, ns.
pub fn now_ns(clock: ClockId) -> u64 {
    clock_gettime(clock).map_or(0, |t| {
        t.tv_sec() as u64 * 1_000_000_000 + t.tv_nsec() as u64
    })
}
