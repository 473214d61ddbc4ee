//! Loops that the verifier checks once, and not round by round: by `bpf_loop` (Linux 5.17 on).

use aya_ebpf::helpers::generated::bpf_loop;

/// One round: its number, and what all of them work on; 0 goes on, 1 ends the loop.
pub type Round<T> = unsafe extern "C" fn(u32, *mut T) -> i64;

/// `n` rounds.
#[inline(always)]
pub fn rounds<T>(n: u32, round: Round<T>, on: &mut T) {
    // SAFETY: the verifier checks the rounds, and what they do with `on`.
    unsafe {
        bpf_loop(n, round as *mut _, (&raw mut *on).cast(), 0);
    }
}

/// A sum over an array in the program's memory.
pub struct Over {
    pub array: u64,
    pub sum: u64,
}

impl Over {
    /// The sum of what `round` adds for each of so many elements.
    #[inline(always)]
    pub fn sum(array: u64, count: u64, round: Round<Self>) -> u64 {
        let mut over = Self { array, sum: 0 };
        rounds(count as u32, round, &mut over);
        over.sum
    }
}
