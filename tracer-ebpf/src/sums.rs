//! Bytes moved in the call in progress, summed up by kind.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use tracer_ebpf::{BY_SHIFT, Copied, SUMS, Task, kind, task};

use crate::emit::send;
use crate::maps::WATCH;
use crate::tasks::{find, head};

/// Whether breakpoints count now.
#[inline(always)]
pub fn watching() -> bool {
    // SAFETY: a map value.
    WATCH
        .get_ptr(0)
        .is_some_and(|on| unsafe { core::ptr::read_volatile(on) } != 0)
}

/// A function moved bytes.
#[inline(always)]
pub fn moves(t: *mut Task, what: u16, bytes: u64) {
    add(t, what as u32, bytes, 1);
}

/// Adds bytes to the call of the thread; `what` as in `Sum::what`.
#[inline(never)]
pub fn add(t: *mut Task, what: u32, bytes: u64, count: u32) -> i32 {
    if bytes == 0 {
        return 0;
    }
    // SAFETY: a map value.
    unsafe {
        let flags = (*t).flags;
        let in_call = flags & (task::IN_CALL | task::FAULT_OPEN) != 0;
        if in_call && flags & task::IO_THREAD == 0 {
            let mut i = 0;
            while i < SUMS {
                let sum = &raw mut (*t).sums[i];
                if (*sum).count == 0 {
                    (*sum).what = what;
                    (*sum).bytes = 0;
                    (*t).has_sums = 1;
                }
                if (*sum).what == what {
                    (*sum).bytes += bytes;
                    (*sum).count += count;
                    return 0;
                }
                i += 1;
            }
        }
        send_sum(t, what, count, bytes);
        (*t).told = (what >> BY_SHIFT != 0) as u32;
    }
    0
}

#[inline(always)]
unsafe fn send_sum(t: *mut Task, what: u32, count: u32, bytes: u64) {
    // SAFETY: a map value.
    unsafe {
        let head = head(t, kind::COPY, bpf_ktime_get_ns());
        let r = Copied {
            head,
            bytes,
            count,
            what: what as u16,
            primitive: (what >> BY_SHIFT) as u16,
        };
        send(&head, &r);
    }
}

/// Sends the sums of the call of the thread. Global, so that the verifier checks it once and not on every path through its callers.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn send_sums(tid: u32) -> u64 {
    let Some(t) = find(tid) else { return 0 };
    // SAFETY: a map value.
    unsafe {
        // Breakpoints that were taken off in the middle of a call told a part of it only.
        let whole = (*t).flags & task::WATCHED == 0 || watching();
        let mut i = 0;
        while i < SUMS {
            let sum = (*t).sums[i];
            if sum.count != 0 && (whole || sum.what >> BY_SHIFT == 0) {
                send_sum(t, sum.what, sum.count, sum.bytes);
            }
            (*t).sums[i].count = 0;
            i += 1;
        }
        (*t).has_sums = 0;
    }
    0
}
