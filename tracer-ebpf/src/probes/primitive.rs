//! Level B: the primitives that hold the copy loops, met by execution breakpoints.
//!
//! A breakpoint stands at the first instruction and tells how many bytes are asked for. How many were
//! copied, the iterator tells at the next hit, or when the function around the primitive returns
//! ([`crate::claims::take`]): where the program's memory was not present the copy stops, and is tried again.

use aya_ebpf::EbpfContext;
use aya_ebpf::macros::perf_event;
use aya_ebpf::programs::PerfEventContext;
use tracer_ebpf::{moved, primitive, task};

use crate::claims::{index, settle};
use crate::iter::{End, argument, end, into_cache};
use crate::kread::probe;
use crate::maps::{HITS, off};
use crate::sums::watching;
use crate::tasks::traced_or_worker;

/// Registers of the interrupted kernel function. The context that the kernel gives a program of a perf
/// event takes constant offsets only; behind it is a structure that points to the registers.
#[inline(always)]
pub fn registers(ctx: &PerfEventContext) -> u64 {
    probe(ctx.as_ptr() as u64, off!(perf_regs)).unwrap_or(0)
}

/// `(addr, bytes, iter)`
#[perf_event]
pub fn copy_to_iter(ctx: PerfEventContext) -> i32 {
    let regs = registers(&ctx);
    hit(primitive::TO_ITER, argument(regs, 1), argument(regs, 2))
}

/// `(addr, bytes, iter)`
#[perf_event]
pub fn copy_from_iter(ctx: PerfEventContext) -> i32 {
    let regs = registers(&ctx);
    hit(primitive::FROM_ITER, argument(regs, 1), argument(regs, 2))
}

/// `(folio or page, offset, bytes, iter)`
#[perf_event]
pub fn copy_from_iter_atomic(ctx: PerfEventContext) -> i32 {
    let regs = registers(&ctx);
    hit(
        primitive::FROM_ITER_ATOMIC,
        argument(regs, 2),
        argument(regs, 3),
    )
}

#[inline(always)]
fn hit(by: u16, bytes: u64, iter: u64) -> i32 {
    if let Some(n) = HITS.get_ptr_mut(by as u32) {
        // SAFETY: a value of a per-CPU map.
        unsafe { *n += 1 };
    }
    if bytes == 0 || !watching() {
        return 0;
    }
    let Some(t) = traced_or_worker() else {
        return 0;
    };
    // SAFETY: a map value.
    unsafe {
        if (*t).flags & task::WATCHED == 0 {
            return 0;
        }
        // No more than the iterator has room for.
        let left = probe(iter, off!(iter_count)).unwrap_or(bytes);
        // Once more at the same instruction: an interrupt came before it was carried out (arm64).
        let pending = &raw const (*t).hit;
        if (*pending).asked == bytes.min(left) && (*pending).iter == iter && (*pending).left == left
        {
            return 0;
        }
        settle(t, iter);
        let user = end(iter) == End::User;
        let what = match (by, user) {
            (primitive::TO_ITER, true) if (*t).announced != 0 => {
                (*t).announced = (*t).announced.saturating_sub(bytes);
                moved::PACKET_READ
            }
            (primitive::TO_ITER, true) => moved::TO_USER,
            (primitive::TO_ITER, false) if into_cache(iter) => moved::INTO_CACHE,
            (primitive::TO_ITER, false) => moved::TO_KERNEL,
            (primitive::FROM_ITER, true) => moved::FROM_USER,
            (primitive::FROM_ITER, false) => moved::FROM_KERNEL,
            (_, true) => moved::INTO_PAGES,
            (_, false) => moved::INTO_PAGES_KERNEL,
        };
        (*t).hit.which = index(what);
        (*t).hit.asked = bytes.min(left);
        (*t).hit.iter = iter;
        (*t).hit.left = left;
    }
    0
}
