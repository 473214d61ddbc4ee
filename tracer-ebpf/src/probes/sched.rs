//! Birth and death of threads, and their time off the CPU.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{Exec, Exit, Fork, Switch, count, kind, task};

use crate::emit::{count, make, recording, send, switched};
use crate::gather::{extra, faults_since, flush_sums};
use crate::inner;
use crate::kread::load;
use crate::maps::{config, off};
use crate::probes::cache::flush_dirty;
use crate::probes::fault;
use crate::sums::watching;
use crate::tasks::{PF_IO_WORKER, bump, current, find, head, insert, remove, rename, traced};

// include/uapi/linux/sched.h
const CLONE_FILES: u64 = 0x400;
const CLONE_THREAD: u64 = 0x1_0000;

/// Fires for every new task, io_uring workers included (`sched_process_fork` does not).
#[btf_tracepoint]
pub fn task_newtask(ctx: BtfTracePointContext) -> i32 {
    let child: *const u8 = ctx.arg(0);
    let clone_flags: u64 = ctx.arg(1);
    let Some(t) = traced() else { return 0 };
    let child_tid: u32 = load(child, off!(task_pid));
    let child_tgid: u32 = load(child, off!(task_tgid));
    let io_thread = load::<u32>(child, off!(task_flags)) & PF_IO_WORKER != 0;
    let thread = clone_flags & CLONE_THREAD != 0;
    let follow = thread || config!(follow) != 0;
    // SAFETY: map values.
    unsafe {
        if follow {
            // An io_uring thread has no calls that begin: its breakpoints, which it inherited, count from its
            // first request on.
            let mut flags = match (io_thread, watching()) {
                (true, true) => task::IO_THREAD | task::WATCHED,
                (true, false) => task::IO_THREAD,
                (false, _) => 0,
            };
            if clone_flags & CLONE_FILES != 0 && !thread {
                flags |= task::NO_CACHE;
                if let Some(leader) = find((*t).tgid) {
                    (*leader).flags |= task::NO_CACHE;
                }
            }
            insert(child_tid, child_tgid, flags);
        }
        if recording() {
            let head = head(t, kind::FORK, bpf_ktime_get_ns());
            let r = Fork {
                head,
                child_tid,
                child_tgid,
                clone_flags,
                io_thread: io_thread as u32,
                traced: follow as u32,
            };
            send(&head, &r);
        }
    }
    0
}

#[btf_tracepoint]
pub fn sched_process_exec(ctx: BtfTracePointContext) -> i32 {
    let task_struct: *const u8 = ctx.arg(0);
    let old: u32 = ctx.arg(1);
    let pid: u32 = load(task_struct, off!(task_pid));
    // A thread that is not the leader takes over the leader's id (de_thread in fs/exec.c).
    if old != pid {
        rename(old, pid);
    }
    let Some(t) = traced() else { return 0 };
    // SAFETY: a map value.
    unsafe {
        // The descriptor table is the process's own now.
        (*t).flags &= !task::NO_CACHE;
        bump(t);
        if recording() {
            let head = head(t, kind::EXEC, bpf_ktime_get_ns());
            let mut r = Exec {
                head,
                comm: [0; 16],
            };
            if let Some(comm) = crate::kread::probe(task_struct as u64, off!(task_comm)) {
                r.comm = comm;
            }
            send(&head, &r);
        }
    }
    0
}

#[btf_tracepoint]
pub fn sched_process_exit(ctx: BtfTracePointContext) -> i32 {
    let Some(t) = traced() else { return 0 };
    let task_struct = current();
    // SAFETY: a map value.
    unsafe {
        if (*t).flags & task::FAULT_OPEN != 0 {
            fault::flush(t);
        }
        let min_flt: u64 = load(task_struct, off!(task_min_flt));
        let maj_flt: u64 = load(task_struct, off!(task_maj_flt));
        if recording() {
            inner::end(t);
            flush_dirty(t);
            flush_sums(t);
            let (min, maj) = faults_since(t, task_struct);
            if (*t).has_extra != 0 || min | maj != 0 {
                extra(t, min, maj);
            }
            let mut head = head(t, kind::EXIT, bpf_ktime_get_ns());
            head.nr = (*t).nr as u16;
            let r = Exit {
                head,
                exit_code: load(task_struct, off!(task_exit_code)),
                group_dead: if config!(exit_group_dead) != 0 {
                    ctx.arg::<u64>(1) as u32 & 1
                } else {
                    0
                },
                min_flt,
                maj_flt,
                nvcsw: load(task_struct, off!(task_nvcsw)),
                nivcsw: load(task_struct, off!(task_nivcsw)),
                nr: (*t).nr,
                in_call: ((*t).flags & task::IN_CALL != 0) as u32,
            };
            send(&head, &r);
        } else {
            count(count::RUSAGE_FAULTS, 0, 0, min_flt - (*t).min_flt, 0);
            count(count::RUSAGE_FAULTS, 1, 0, maj_flt - (*t).maj_flt, 0);
        }
        let tid = (*t).tid;
        remove(tid);
    }
    0
}

#[btf_tracepoint]
pub fn sched_switch(ctx: BtfTracePointContext) -> i32 {
    let preempt: u64 = ctx.arg(0);
    let prev: *const u8 = ctx.arg(1);
    let next: *const u8 = ctx.arg(2);
    let state: u32 = ctx.arg(3);
    let prev_tid: u32 = load(prev, off!(task_pid));
    let next_tid: u32 = load(next, off!(task_pid));
    let (from, to) = (find(prev_tid), find(next_tid));
    if from.is_none() && to.is_none() {
        return 0;
    }
    // SAFETY: a helper without preconditions.
    let now = unsafe { bpf_ktime_get_ns() };
    if let Some(t) = from {
        // SAFETY: a map value.
        unsafe {
            (*t).off_ts = now;
            // As the kernel decides between nvcsw and nivcsw (__schedule in kernel/sched/core.c).
            if preempt as u8 == 0 && state != 0 {
                (*t).flags |= task::BLOCKED;
            } else {
                (*t).flags &= !task::BLOCKED;
            }
        }
    }
    if let Some(t) = to {
        // SAFETY: a map value.
        unsafe { back(t, now) };
    }
    0
}

/// A thread is on the CPU again.
#[inline(always)]
unsafe fn back(t: *mut tracer_ebpf::Task, now: u64) {
    // SAFETY: a map value.
    unsafe {
        let since = (*t).off_ts;
        (*t).off_ts = 0;
        if since == 0 {
            return;
        }
        let blocked = (*t).flags & task::BLOCKED != 0;
        let off = now - since;
        if !recording() {
            switched(blocked, off);
            return;
        }
        let mut head = head(t, kind::SWITCH, since);
        // Preempted after a fault: that was most likely in user mode, the fault being over.
        if !blocked && (*t).flags & task::IN_CALL == 0 {
            head.seq = 0;
        }
        make(&head, || Switch {
            head,
            off,
            voluntary: blocked as u32,
            reserved: 0,
        });
    }
}
