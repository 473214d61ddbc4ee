//! What primitives copied (level B): a copy is pending until it is known how far it came, and belongs to
//! whichever function around the primitive claims it, or to the call.

use tracer_ebpf::{BY_SHIFT, PRIMITIVES, Task, moved, primitive, task};

use crate::kread::probe;
use crate::maps::off;
use crate::sums::{add, watching};

/// Index of [`Task::primitives`].
pub const fn index(what: u16) -> u32 {
    match what {
        moved::INTO_CACHE => PRIMITIVES as u32 - 1,
        _ => (what - moved::TO_USER) as u32,
    }
}

/// Adds the pending copy. `iter` is an iterator that is alive; if it is that copy's own, it tells how
/// far the copy came.
#[inline(always)]
pub unsafe fn settle(t: *mut Task, iter: u64) {
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
        moved::TO_USER | moved::TO_KERNEL | moved::PACKET_READ | moved::INTO_CACHE => {
            primitive::TO_ITER
        }
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
    claim(t, moved::INTO_CACHE, moved::INTO_CACHE);
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
