//! `top`: counting what every process does. Nothing is remembered of threads, and nothing is looked at
//! when a call begins: all that is needed still stands in the registers at its end.

use tracer_ebpf::{Count, CountKey, Proc, TopCell, TopCountKey, TopKey, TopName, mode, top_lost};

use crate::kread::{load, probe};
use crate::maps::{TOP_CALLS, TOP_COUNTS, TOP_LOST, TOP_NAMES, config, off};
use crate::tasks::current;

/// `PF_KTHREAD` (include/linux/sched.h). Threads of io_uring belong to their process and are none.
pub const PF_KTHREAD: u32 = 0x20_0000;

/// True where every process is counted.
#[inline(always)]
pub fn everyone() -> bool {
    config!(mode) == mode::TOP
}

/// Whose process the current task is of; `None`: our own, which is left out.
#[inline(always)]
pub fn process() -> Option<Proc> {
    let task = current();
    if load::<u32>(task, off!(task_flags)) & PF_KTHREAD != 0 {
        return Some(Proc::KERNEL);
    }
    let tgid: u32 = load(task, off!(task_tgid));
    if tgid == config!(ourselves) {
        return None;
    }
    let leader: *const u8 = load(task, off!(task_leader));
    let start: u64 = load(leader, off!(task_start));
    Some(Proc {
        tgid,
        start: (start / Proc::UNIT) as u32,
    })
}

/// Keeps a process's name, which is gone when the process is, if it is the current one; `anew`: it has
/// another name.
#[inline(never)]
pub fn remember(proc: &Proc, anew: bool) -> i32 {
    if proc.tgid == 0 || (!anew && TOP_NAMES.get_ptr(proc).is_some()) {
        return 0;
    }
    if load::<u32>(current(), off!(task_tgid)) != proc.tgid {
        return 0;
    }
    let leader: *const u8 = load(current(), off!(task_leader));
    let Some(comm) = probe(leader as u64, off!(task_comm)) else {
        return 0;
    };
    // A process too many stays without a name: it is counted all the same.
    let _ = TOP_NAMES.insert(proc, TopName { comm }, 0);
    0
}

/// Counts a call of the current process.
#[inline(always)]
pub fn call(key: &TopKey, failed: bool, bytes: u64) {
    if let Some(c) = TOP_CALLS.get_ptr_mut(key) {
        // SAFETY: a value of a per-CPU map.
        unsafe {
            (*c).calls += 1;
            (*c).errors += failed as u64;
            (*c).bytes += bytes;
        }
        return;
    }
    remember(&key.proc, false);
    let cell = TopCell {
        calls: 1,
        errors: failed as u64,
        bytes,
    };
    if TOP_CALLS.insert(key, cell, 0).is_err() {
        lost(top_lost::CALLS, 1);
        lost(top_lost::BYTES, bytes);
    }
}

/// Counts one of `what` for the current process.
#[inline(always)]
pub fn count(what: u16, flags: u16, n: u64, bytes: u64) {
    count_of(what, flags, 0, n, bytes);
}

/// The same, apart by device.
#[inline(always)]
pub fn count_of(what: u16, flags: u16, id: u32, n: u64, bytes: u64) {
    // What kernel threads do with memory is nobody's.
    if let Some(proc) = process()
        && proc != Proc::KERNEL
    {
        let key = CountKey { what, flags, id };
        if count_for(proc, key, n, bytes) {
            remember(&proc, false);
        }
    }
}

/// Counts for a process that need not be the current one; true if it is the first of its kind.
#[inline(always)]
#[expect(
    clippy::needless_borrows_for_generic_args,
    reason = "a key by value is copied once more on the small stack"
)]
pub fn count_for(proc: Proc, key: CountKey, n: u64, bytes: u64) -> bool {
    let key = TopCountKey { proc, key };
    if let Some(c) = TOP_COUNTS.get_ptr_mut(&key) {
        // SAFETY: a value of a per-CPU map.
        unsafe {
            (*c).count += n;
            (*c).bytes += bytes;
        }
        return false;
    }
    if TOP_COUNTS
        .insert(&key, Count { count: n, bytes }, 0)
        .is_err()
    {
        lost(top_lost::COUNTS, 1);
    }
    true
}

/// Counts what found no room.
#[inline(never)]
pub fn lost(what: u32, n: u64) -> i32 {
    if let Some(c) = TOP_LOST.get_ptr_mut(what) {
        // SAFETY: a value of a per-CPU map.
        unsafe { *c += n };
    }
    0
}
