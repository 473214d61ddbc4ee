//! Sending records, counting what does not fit.

use aya_ebpf::bindings::BPF_RB_NO_WAKEUP;
use aya_ebpf::helpers::generated::{bpf_ringbuf_output, bpf_ringbuf_reserve, bpf_ringbuf_submit};
use tracer_ebpf::{Count, CountKey, Head, count, kind, mode};

use crate::maps::{COUNTS, EVENTS, LOST, LOST_CALLS, SWITCHES, config};

/// True where records are sent; false in `stat`, which only counts.
#[inline(always)]
pub fn recording() -> bool {
    config!(mode) == mode::RECORD
}

/// Sends one record. User space polls: no wake-up, which would cost more than the record.
#[inline(always)]
pub fn send<T>(head: &Head, record: *const T) {
    send_bytes(head, record.cast(), size_of::<T>() as u64);
}

/// Sends one record of those that are sent often: it is made where it is read, and never copied.
#[inline(always)]
pub fn make<T>(head: &Head, record: impl FnOnce() -> T) {
    // SAFETY: what is reserved is of the record's size, aligned to 8 bytes, and written as a whole.
    unsafe {
        let events = (&raw const EVENTS).cast_mut().cast();
        let at = bpf_ringbuf_reserve(events, size_of::<T>() as u64, 0).cast::<T>();
        if at.is_null() {
            lost(head);
            return;
        }
        at.write(record());
        bpf_ringbuf_submit(at.cast(), BPF_RB_NO_WAKEUP as u64);
    }
}

#[inline(always)]
pub fn send_bytes(head: &Head, record: *const u8, len: u64) {
    // SAFETY: `record` points to `len` initialised bytes on the stack or in a map, as the verifier checks.
    let r = unsafe {
        bpf_ringbuf_output(
            (&raw const EVENTS).cast_mut().cast(),
            record.cast_mut().cast(),
            len,
            BPF_RB_NO_WAKEUP as u64,
        )
    };
    if r != 0 {
        lost(head);
    }
}

/// Counts what could not be sent, or could not be remembered until it is complete.
#[inline(always)]
pub fn lost(head: &Head) {
    lost_one(head.kind as u32, head.nr as u32);
}

/// Global, so that the verifier checks it once and not on every path through its callers.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn lost_one(kind: u32, nr: u32) -> u64 {
    if let Some(n) = LOST.get_ptr_mut(kind) {
        // SAFETY: a value of a per-CPU map.
        unsafe { *n += 1 };
    }
    if matches!(kind as u8, kind::SYSCALL | kind::SYSCALL_FILE)
        && let Some(n) = LOST_CALLS.get_ptr_mut(nr)
    {
        // SAFETY: as above.
        unsafe { *n += 1 };
    }
    0
}

/// Counts several of a kind.
#[inline(never)]
pub fn lost_many(kind: u8, n: u64) -> i32 {
    if let Some(sum) = LOST.get_ptr_mut(kind as u32) {
        // SAFETY: a value of a per-CPU map.
        unsafe { *sum += n };
    }
    0
}

/// `stat`: counts one of `what`.
#[inline(always)]
pub fn count(what: u16, flags: u16, id: u32, n: u64, bytes: u64) {
    add(CountKey { what, flags, id }, n, bytes);
}

/// `stat`: a thread is back on the CPU after `off` ns.
#[inline(always)]
pub fn switched(blocked: bool, off: u64) {
    if let Some(c) = SWITCHES.get_ptr_mut(blocked as u32) {
        // SAFETY: a value of a per-CPU map.
        unsafe {
            (*c).count += 1;
            (*c).bytes += off;
        }
    }
}

/// `stat`: adds to a counter.
#[inline(always)]
pub fn add(key: CountKey, n: u64, bytes: u64) {
    if let Some(c) = COUNTS.get_ptr_mut(key) {
        // SAFETY: a value of a per-CPU map.
        unsafe {
            (*c).count += n;
            (*c).bytes += bytes;
        }
    } else if COUNTS.insert(key, Count { count: n, bytes }, 0).is_err() {
        lost_many(kind_of(key.what), n);
    }
}

/// As which kind of record `bytehop record` would have sent it.
#[inline(always)]
fn kind_of(what: u16) -> u8 {
    match what {
        count::BLOCK | count::BLOCK_UNKNOWN => kind::BLOCK,
        count::XMIT => kind::XMIT,
        count::FAULT => kind::FAULT,
        count::DIRTY => kind::DIRTY,
        count::RUSAGE_FAULTS => kind::EXIT,
        count::UNTOLD | count::REFUSED => kind::URING,
        _ => kind::EXTRA,
    }
}
