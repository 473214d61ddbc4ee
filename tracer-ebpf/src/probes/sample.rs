//! Where the program's CPU time goes, by sampling: counted here, so that a sample costs no record.

use aya_ebpf::macros::perf_event;
use aya_ebpf::programs::PerfEventContext;
use tracer_ebpf::{RANGES_MAX, Range, sample};

use crate::kread::probe;
use crate::maps::{RANGES, SAMPLES, reg};
use crate::probes::primitive::registers;
use crate::tasks::traced_or_worker;

/// Addresses of the kernel have the highest bit set (x86-64, arm64).
const KERNEL: u64 = 1 << 63;

#[perf_event]
pub fn cpu_clock(ctx: PerfEventContext) -> i32 {
    if traced_or_worker().is_none() {
        return 0;
    }
    let ip: u64 = probe(registers(&ctx), reg!(ip)).unwrap_or(0);
    let what = if ip & KERNEL == 0 {
        sample::USER
    } else {
        range(ip)
    };
    if let Some(n) = SAMPLES.get_ptr_mut(what) {
        // SAFETY: a value of a per-CPU map.
        unsafe { *n += 1 };
    }
    0
}

/// Index of the samples in the range that holds this address. Ranges are in order; those not in use are
/// empty, at the highest address.
#[inline(always)]
fn range(ip: u64) -> u32 {
    let (mut first, mut step) = (0u32, RANGES_MAX as u32 / 2);
    while step != 0 {
        let begins = |r: *const Range| {
            // SAFETY: a map value.
            unsafe { (*r).start <= ip }
        };
        if RANGES.get_ptr(first + step).is_some_and(begins) {
            first += step;
        }
        step /= 2;
    }
    match RANGES.get_ptr(first) {
        // SAFETY: a map value.
        Some(r) if unsafe { (*r).start <= ip && ip < (*r).end } => sample::FIRST + first,
        _ => sample::KERNEL,
    }
}
