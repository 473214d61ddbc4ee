//! Level B: the primitives that hold the copy loops, met by execution breakpoints.
//!
//! A breakpoint stands at the first instruction and tells how many bytes are asked for. How many were
//! copied, the iterator tells at the next hit, or when the function around the primitive returns
//! ([`take`]): where the program's memory was not present the copy stops, and is tried again.

use aya_ebpf::EbpfContext;
use aya_ebpf::macros::perf_event;
use aya_ebpf::programs::PerfEventContext;
use tracer_ebpf::{BY_SHIFT, PRIMITIVES, Task, moved, primitive, task};

use crate::iter::{End, argument, end};
use crate::kread::probe;
use crate::maps::{HITS, off};
use crate::sums::{add, watching};
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

/// Index of [`Task::primitives`].
const fn index(what: u16) -> u32 {
    (what - moved::TO_USER) as u32
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
        settle(t, iter);
        let user = end(iter) == End::User;
        let what = match (by, user) {
            (primitive::TO_ITER, true) if (*t).announced != 0 => {
                (*t).announced = (*t).announced.saturating_sub(bytes);
                moved::PACKET_READ
            }
            (primitive::TO_ITER, true) => moved::TO_USER,
            (primitive::TO_ITER, false) => moved::TO_KERNEL,
            (primitive::FROM_ITER, true) => moved::FROM_USER,
            (primitive::FROM_ITER, false) => moved::FROM_KERNEL,
            (_, true) => moved::INTO_PAGES,
            (_, false) => moved::INTO_PAGES_KERNEL,
        };
        // No more than the iterator has room for.
        let left = probe(iter, off!(iter_count)).unwrap_or(bytes);
        (*t).hit.which = index(what);
        (*t).hit.asked = bytes.min(left);
        (*t).hit.iter = iter;
        (*t).hit.left = left;
    }
    0
}

/// Adds the pending copy. `iter` is an iterator that is alive; if it is that copy's own, it tells how
/// far the copy came.
#[inline(always)]
unsafe fn settle(t: *mut Task, iter: u64) {
    // SAFETY: a map value.
    unsafe {
        let asked = (*t).hit.asked;
        if asked == 0 {
            return;
        }
        (*t).hit.asked = 0;
        let mut bytes = asked;
        if iter == (*t).hit.iter
            && let Some(left) = probe::<u64>(iter, off!(iter_count))
            && left <= (*t).hit.left
        {
            bytes = asked.min((*t).hit.left - left);
        }
        if bytes != 0 {
            let sum = &raw mut (*t).primitives[(*t).hit.which as usize & (PRIMITIVES - 1)];
            (*sum).bytes += bytes;
            (*sum).count += 1;
        }
    }
}

/// A function returns that copies by the primitive of `from` (one of [`moved`]): its copies are of the
/// kind `what`.
#[inline(always)]
pub fn take(t: *mut Task, from: u16, what: u16, iter: u64) {
    // SAFETY: a map value.
    unsafe {
        if (*t).flags & task::WATCHED == 0 {
            return;
        }
        settle(t, iter);
        claim(t, from, what);
    }
}

#[inline(never)]
fn claim(t: *mut Task, from: u16, what: u16) -> i32 {
    let by = match from {
        moved::TO_USER | moved::TO_KERNEL | moved::PACKET_READ => primitive::TO_ITER,
        moved::FROM_USER | moved::FROM_KERNEL => primitive::FROM_ITER,
        _ => primitive::FROM_ITER_ATOMIC,
    };
    // SAFETY: a map value.
    unsafe {
        let sum = &raw mut (*t).primitives[index(from) as usize & (PRIMITIVES - 1)];
        let (bytes, count) = ((*sum).bytes, (*sum).count);
        (*sum).bytes = 0;
        (*sum).count = 0;
        // Breakpoints may have been taken off in the middle of it.
        if count != 0 && watching() {
            add(t, what as u32 | (by as u32) << BY_SHIFT, bytes, count);
        }
    }
    0
}

/// At the end of a call: what no function claimed.
#[inline(always)]
pub unsafe fn take_rest(t: *mut Task) {
    // SAFETY: a map value.
    unsafe {
        if (*t).flags & task::WATCHED != 0 {
            settle(t, 0);
            take_all((*t).tid);
        }
    }
}

/// Global, so that the verifier checks it once and not on every path through its callers.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn take_all(tid: u32) -> u64 {
    let Some(t) = crate::tasks::find(tid) else {
        return 0;
    };
    let mut what = moved::TO_USER;
    while what <= moved::PACKET_READ {
        claim(t, what, what);
        what += 1;
    }
    // SAFETY: a map value.
    unsafe { (*t).announced = 0 };
    0
}

/// A call begins, or a thread of io_uring is between two requests.
#[inline(always)]
pub unsafe fn watch(t: *mut Task) {
    // SAFETY: a map value.
    unsafe {
        if watching() {
            (*t).flags |= task::WATCHED;
        } else {
            (*t).flags &= !task::WATCHED;
        }
    }
}
