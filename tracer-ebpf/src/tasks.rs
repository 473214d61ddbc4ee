//! The table of traced threads: the filter, and what is remembered between hooks.

use aya_ebpf::bindings::bpf_pidns_info;
use aya_ebpf::helpers::generated::{
    bpf_get_current_task_btf, bpf_get_ns_current_pid_tgid, bpf_probe_read_kernel,
};
use tracer_ebpf::{Head, NO_OFFSET, TASK_SLOTS, Task, kind, task};

use crate::emit::lost_many;
use crate::kread::load;
use crate::maps::{AWAITED, BLANK_TASK, COLLISIONS, SLOTS, TASKS, TASKS_MORE, off, reg};

/// Insert only if the key is new (include/uapi/linux/bpf.h).
const BPF_NOEXIST: u64 = 1;
/// `PF_IO_WORKER` (`include/linux/sched.h`): io_uring workers and SQPOLL threads.
pub const PF_IO_WORKER: u32 = 0x10;

/// The current `struct task_struct`. Linux up to 6.18 makes a call of it, and a call costs more than most of what is
/// then read: a program that runs often asks once.
#[inline(always)]
pub fn current() -> *const u8 {
    // SAFETY: a helper without preconditions.
    unsafe { bpf_get_current_task_btf() as *const u8 }
}

/// Whether the call of this task that these registers are of is one of 32 bits.
#[inline(always)]
pub fn is_compat(task: *const u8, regs: *const u8) -> bool {
    let bit = reg!(compat_bit);
    if bit != 0 {
        return load::<u32>(task, off!(task_status)) & bit != 0;
    }
    reg!(mode) != NO_OFFSET && load::<u32>(regs, reg!(mode)) & reg!(mode_bit) != 0
}

/// The current thread's id.
#[inline(always)]
pub fn current_tid() -> u32 {
    load(current(), off!(task_pid))
}

/// The slot of a traced thread.
#[inline(always)]
pub fn find(tid: u32) -> Option<*mut Task> {
    let slot = TASKS.get_ptr_mut(tid & (TASK_SLOTS as u32 - 1))?;
    // SAFETY: a map value.
    if unsafe { (*slot).tid } == tid {
        return Some(slot);
    }
    match COLLISIONS.get(0) {
        Some(&n) if n != 0 => TASKS_MORE.get_ptr_mut(tid),
        _ => None,
    }
}

/// The current thread, if it is traced.
#[inline(always)]
pub fn traced() -> Option<*mut Task> {
    followed(current())
}

/// A thread, if it is traced.
#[inline(always)]
pub fn followed(task: *const u8) -> Option<*mut Task> {
    find(load(task, off!(task_pid)))
}

/// The current thread, if it is the command that is awaited: from now on it is traced.
#[inline(never)]
pub fn awaited() -> Option<*mut Task> {
    let wanted = AWAITED.get_ptr_mut(0)?;
    let mut seen = bpf_pidns_info { pid: 0, tgid: 0 };
    // SAFETY: a map value; the helper fills in what it is given the size of.
    unsafe {
        if (*wanted).pid == 0 {
            return None;
        }
        let size = size_of::<bpf_pidns_info>() as u32;
        let found =
            bpf_get_ns_current_pid_tgid((*wanted).ns_dev, (*wanted).ns_ino, &raw mut seen, size);
        if found != 0 || seen.pid != (*wanted).pid {
            return None;
        }
        (*wanted).pid = 0;
    }
    let tgid: u32 = load(current(), off!(task_tgid));
    insert(current_tid(), tgid, task::OLDER);
    traced()
}

/// As [`traced`]; takes in io_uring threads of a traced process, which no fork event announces on
/// every kernel.
#[inline(always)]
pub fn traced_or_worker() -> Option<*mut Task> {
    followed_or_worker(current())
}

/// The same of a thread whose `struct task_struct` is at hand.
#[inline(always)]
pub fn followed_or_worker(task: *const u8) -> Option<*mut Task> {
    let tid = load(task, off!(task_pid));
    if let Some(t) = find(tid) {
        return Some(t);
    }
    let tgid: u32 = load(task, off!(task_tgid));
    find(tgid)?;
    let flags: u32 = load(task, off!(task_flags));
    if flags & PF_IO_WORKER == 0 {
        return None;
    }
    insert(tid, tgid, task::IO_THREAD);
    find(tid)
}

/// Begins to trace a thread.
#[inline(always)]
pub fn insert(tid: u32, tgid: u32, flags: u32) {
    let i = tid & (TASK_SLOTS as u32 - 1);
    let Some(slot) = TASKS.get_ptr_mut(i) else {
        return;
    };
    // Two CPUs may want the slot at once. BPF targets of this compiler have no compare-and-swap: a
    // hash map's insertion decides.
    let mine = match SLOTS.insert(i, tid, BPF_NOEXIST) {
        Ok(()) => true,
        // SAFETY: a map value.
        Err(_) => unsafe { (*slot).tid == tid },
    };
    if mine {
        // SAFETY: a map value; other CPUs look at `tid` first, which is set last.
        unsafe {
            reset(slot, flags);
            (*slot).tgid = tgid;
            core::ptr::write_volatile(&raw mut (*slot).tid, tid);
        }
        return;
    }
    let Some(new) = insert_more(tid) else { return };
    // SAFETY: a map value.
    unsafe {
        reset(new, flags);
        (*new).tgid = tgid;
        core::ptr::write_volatile(&raw mut (*new).tid, tid);
    }
}

#[inline(always)]
unsafe fn reset(t: *mut Task, flags: u32) {
    // SAFETY: a map value that this CPU owns.
    unsafe {
        (*t).flags = flags;
        (*t).seq = 0;
        (*t).generation = 1;
        (*t).min_flt = 0;
        (*t).maj_flt = 0;
        (*t).off_ts = 0;
        (*t).dirty_pages = 0;
        (*t).has_file = 0;
        (*t).has_file2 = 0;
        (*t).has_sums = 0;
        (*t).by_reference = 0;
        (*t).skb_last = 0;
        (*t).hit.asked = 0;
        (*t).announced = 0;
        (*t).depth = 0;
        (*t).told = 0;
        (*t).operation = 0;
        (*t).settled = u32::MAX;
        (*t).stack = 0;
        let mut i = 0;
        while i < tracer_ebpf::PRIMITIVES {
            (*t).primitives[i].count = 0;
            (*t).primitives[i].bytes = 0;
            i += 1;
        }
        i = 0;
        while i < tracer_ebpf::SUMS {
            (*t).sums[i].count = 0;
            i += 1;
        }
        clear_cache(t);
        clear_extra(t);
    }
}

#[inline(always)]
unsafe fn clear_cache(t: *mut Task) {
    let mut i = 0;
    while i < tracer_ebpf::CACHED_FDS {
        // SAFETY: a map value.
        unsafe {
            (*t).cache[i].generation = 0;
            (*t).cache[i].met = 0;
        }
        i += 1;
    }
}

/// Forgets what is sent as [`tracer_ebpf::Extra`].
#[inline(always)]
pub unsafe fn clear_extra(t: *mut Task) {
    // SAFETY: a map value.
    unsafe {
        (*t).has_extra = 0;
        (*t).skb_copied = 0;
        (*t).cache_pages = 0;
        (*t).network_pages = 0;
        (*t).meta_pages = 0;
        (*t).irqs = 0;
        (*t).irqs_user = 0;
        (*t).iif = 0;
        (*t).zeroed = 0;
    }
}

/// A thread goes on under the id of another, which is gone: all that is known of it but its descriptors, and
/// what it has gathered in its call.
#[inline(never)]
pub fn rename(old: u32, new: u32) -> i32 {
    let Some(from) = find(old) else { return 0 };
    remove(new);
    let i = new & (TASK_SLOTS as u32 - 1);
    let to = match SLOTS.insert(i, new, BPF_NOEXIST) {
        Ok(()) => TASKS.get_ptr_mut(i),
        Err(_) => insert_more(new),
    };
    // SAFETY: map values.
    unsafe {
        if let Some(to) = to {
            copy(to, from);
            (*to).tgid = (*from).tgid;
            (*to).stack = 0;
            clear_cache(to);
            core::ptr::write_volatile(&raw mut (*to).tid, new);
        }
    }
    remove(old);
    0
}

/// Copies all but the ids, which are the first word.
#[inline(always)]
unsafe fn copy(to: *mut Task, from: *const Task) {
    const IDS: usize = size_of::<u64>();
    let rest = (size_of::<Task>() - IDS) as u32;
    // SAFETY: map values; a helper may read what lies in the kernel.
    unsafe {
        bpf_probe_read_kernel(to.byte_add(IDS).cast(), rest, from.byte_add(IDS).cast());
    }
}

/// Makes a place for a thread where those are that have no slot, still without its ids. One that finds none
/// is not traced, and that is counted as a thread whose beginning is not known.
#[inline(always)]
fn insert_more(tid: u32) -> Option<*mut Task> {
    let blank = BLANK_TASK.get(0)?;
    if TASKS_MORE.insert(tid, blank, 0).is_err() {
        lost_many(kind::FORK, 1);
        return None;
    }
    if let Some(n) = COLLISIONS.get_ptr_mut(0) {
        // SAFETY: a map value.
        unsafe { *n += 1 };
    }
    TASKS_MORE.get_ptr_mut(tid)
}

/// Ends tracing of a thread.
#[inline(always)]
pub fn remove(tid: u32) {
    let i = tid & (TASK_SLOTS as u32 - 1);
    if let Some(slot) = TASKS.get_ptr_mut(i) {
        // SAFETY: a map value.
        unsafe {
            if (*slot).tid == tid {
                core::ptr::write_volatile(&raw mut (*slot).tid, 0);
                let _ = SLOTS.remove(i);
                return;
            }
        }
    }
    let _ = TASKS_MORE.remove(tid);
}

/// Generation of the process's descriptor table, 0 if nothing may be cached.
#[inline(always)]
pub unsafe fn generation(t: *mut Task) -> u32 {
    // SAFETY: map values.
    unsafe {
        let leader = if (*t).tid == (*t).tgid {
            t
        } else {
            match find((*t).tgid) {
                Some(l) => l,
                None => return 0,
            }
        };
        if (*leader).flags & task::NO_CACHE != 0 {
            0
        } else {
            (*leader).generation
        }
    }
}

/// Makes every cached classification of the process's descriptors invalid.
#[inline(always)]
pub unsafe fn bump(t: *mut Task) {
    // SAFETY: map values.
    unsafe {
        if (*t).tid == (*t).tgid {
            (*t).generation += 1;
        } else if let Some(leader) = find((*t).tgid) {
            (*leader).generation += 1;
        }
    }
}

/// Head of a record that belongs to the thread's current call.
#[inline(always)]
pub unsafe fn head(t: *mut Task, kind: u8, ts: u64) -> Head {
    // SAFETY: a map value.
    unsafe {
        let in_call = (*t).flags & (task::IN_CALL | task::FAULT_OPEN) != 0;
        let flags = if (*t).flags & task::IO_THREAD != 0 {
            tracer_ebpf::flag::IO_THREAD
        } else {
            0
        };
        Head {
            kind,
            flags,
            nr: 0,
            tid: (*t).tid,
            tgid: (*t).tgid,
            seq: if in_call { (*t).seq } else { 0 },
            ts,
        }
    }
}
