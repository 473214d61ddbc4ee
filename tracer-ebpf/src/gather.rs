//! What is gathered while a call or a fault is under way, and sent at its end.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use tracer_ebpf::{Extra, FileRef, Task, kind, task};

use crate::claims::take_rest;
use crate::emit::send;
use crate::kread::load;
use crate::maps::off;
use crate::sums::send_sums;
use crate::tasks::{clear_extra, find};

/// What a thread did before it was traced is not the program's.
#[inline(always)]
pub unsafe fn known_from_here(t: *mut Task, task: *const u8) {
    // SAFETY: a map value.
    unsafe {
        if (*t).flags & task::OLDER != 0 {
            (*t).flags &= !task::OLDER;
            faults_since(t, task);
        }
    }
}

/// Page faults that the kernel has counted for the current thread (`task`) since this was last asked: minor,
/// major. Those between two calls (of signal frames, restartable sequences) go to the later one.
#[inline(always)]
pub unsafe fn faults_since(t: *mut Task, task: *const u8) -> (u32, u32) {
    let min: u64 = load(task, off!(task_min_flt));
    let maj: u64 = load(task, off!(task_maj_flt));
    // SAFETY: a map value.
    unsafe {
        let since = ((min - (*t).min_flt) as u32, (maj - (*t).maj_flt) as u32);
        (*t).min_flt = min;
        (*t).maj_flt = maj;
        since
    }
}

/// Sends the sums of the call of the thread.
#[inline(always)]
pub unsafe fn flush_sums(t: *mut Task) {
    // SAFETY: a map value.
    unsafe {
        take_rest(t);
        if (*t).has_sums != 0 {
            send_sums((*t).tid);
        }
    }
}

/// Sends what else happened in the call, or (at the end of a thread) outside any.
#[inline(always)]
pub unsafe fn extra(t: *mut Task, min_flt: u32, maj_flt: u32) {
    // SAFETY: a map value.
    unsafe { send_extra((*t).tid, min_flt, maj_flt) };
}

/// Global, so that the verifier checks it once and not on every path through its callers.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn send_extra(tid: u32, min_flt: u32, maj_flt: u32) -> u64 {
    let Some(t) = find(tid) else { return 0 };
    // SAFETY: a map value.
    unsafe {
        let mut head = crate::tasks::head(t, kind::EXTRA, (*t).enter);
        head.nr = (*t).nr as u16;
        // There and not here: the stack of Linux 6.1, for all that call each other, is short.
        if (*t).has_file2 == 0 {
            (*t).file2 = FileRef::NONE;
        }
        let r = Extra {
            head,
            file2: (*t).file2,
            skb_copied: (*t).skb_copied,
            cache_pages: (*t).cache_pages,
            meta_pages: (*t).meta_pages,
            min_flt,
            maj_flt,
            irqs: (*t).irqs,
            irqs_user: (*t).irqs_user,
            iif: (*t).iif,
            reserved: (*t).network_pages,
            zeroed: (*t).zeroed,
        };
        send(&head, &r);
        clear_extra(t);
    }
    0
}

/// A fault begins.
#[inline(always)]
pub unsafe fn start_fault(t: *mut Task, addr: u64, ip: u64, error_code: u32) {
    // SAFETY: a map value; the helper has no preconditions.
    unsafe {
        let f = &raw mut (*t).fault;
        (*f).head.ts = bpf_ktime_get_ns();
        (*f).addr = addr;
        (*f).ip = ip;
        (*f).error_code = error_code;
        (*f).zeroed = 0;
        (*f).unzeroed = 0;
        (*f).cache_pages = 0;
        (*f).rss = 0;
        (*f).around_pages = 0;
        (*f).filemap = 0;
        (*f).ino = 0;
        (*f).dev = 0;
        (*f).pgoff = 0;
        (*f).irqs = 0;
        (*f).irqs_user = 0;
    }
}
