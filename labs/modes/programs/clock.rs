//! Asks the kernel for the time, again and again.
//!
//! `strace` and the manual list clock_gettime() among the system calls.
//! Is it one?

use nix::time::{ClockId, clock_gettime};

fn main() -> nix::Result<()> {
    let [times] = support::args();
    for _ in 0..support::number(&times) {
        clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    }
    Ok(())
}
