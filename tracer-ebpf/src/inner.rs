//! Page faults that the kernel takes itself, inside a call: to copy to or from the program's memory, or to pin
//! it for a device.
//!
//! No tracepoint says where one begins or ends, and where memory is pinned there is not even an exception. But
//! the kernel counts every fault when it is over (`mm_account_fault`, mm/memory.c): what comes before the
//! count is of one fault, and what was never counted was of none (pages for the page cache, tmpfs, a pipe).

use tracer_ebpf::{Fault, NO_ERROR_CODE, Task, flag, kind, rss, task};

use crate::emit::{recording, send};
use crate::gather::start_fault;
use crate::kread::load;
use crate::maps::off;
use crate::tasks::{current, find, head};

/// Whether the thread is in a call in which faults are looked for.
#[inline(always)]
pub unsafe fn in_call(t: *const Task) -> bool {
    // SAFETY: a map value.
    recording() && unsafe { (*t).flags & (task::IN_CALL | task::IO_THREAD) == task::IN_CALL }
}

#[inline(always)]
fn counted() -> (u64, u64) {
    let task = current();
    (
        load(task, off!(task_min_flt)),
        load(task, off!(task_maj_flt)),
    )
}

/// The fault under way, if there is one that is not counted yet.
#[inline(always)]
pub unsafe fn under_way(t: *mut Task) -> Option<*mut Fault> {
    // SAFETY: a map value.
    unsafe {
        if (*t).flags & task::FAULT_INNER == 0 || counted() != ((*t).inner_min, (*t).inner_maj) {
            return None;
        }
        Some(&raw mut (*t).fault)
    }
}

/// The same; the one before is over, and a new one begins, where there is none.
#[inline(always)]
pub unsafe fn fault(t: *mut Task) -> *mut Fault {
    // SAFETY: a map value.
    unsafe {
        if under_way(t).is_none() {
            begin(t, 0, NO_ERROR_CODE);
        }
        &raw mut (*t).fault
    }
}

/// A fault begins; whatever was under way is over.
#[inline(never)]
pub fn begin(t: *mut Task, addr: u64, error_code: u32) -> i32 {
    // SAFETY: a map value.
    unsafe {
        end(t);
        let (min, maj) = counted();
        (*t).inner_min = min;
        (*t).inner_maj = maj;
        (*t).flags |= task::FAULT_INNER;
        start_fault(t, addr, 0, error_code);
    }
    0
}

/// What was under way is over: sent if it was a fault, and one of which the call's record does not tell all.
#[inline(always)]
pub unsafe fn end(t: *mut Task) {
    // SAFETY: a map value.
    unsafe {
        if (*t).flags & task::FAULT_INNER != 0 {
            end_inner((*t).tid);
        }
    }
}

/// Global, so that the verifier checks it once and not on every path through its callers.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn end_inner(tid: u32) -> u64 {
    let Some(t) = find(tid) else { return 0 };
    // SAFETY: a map value.
    unsafe {
        (*t).flags &= !task::FAULT_INNER;
        let (min, maj) = counted();
        let (min, maj) = (min - (*t).inner_min, maj - (*t).inner_maj);
        if min | maj == 0 {
            return 0;
        }
        let f = &raw mut (*t).fault;
        let mapped = (*f).around_pages | (*f).filemap | (*f).rss & (rss::FILE | rss::SHMEM);
        if (*f).unzeroed == 0 && mapped == 0 {
            return 0;
        }
        let ts = (*f).head.ts;
        (*f).head = head(t, kind::FAULT, ts);
        (*f).head.flags |= flag::KERNEL;
        (*f).min_flt = min as u16;
        (*f).maj_flt = maj as u16;
        let head = (*f).head;
        let record = *f;
        send(&head, &record);
    }
    0
}
