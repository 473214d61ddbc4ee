//! System calls: described at entry, sent at exit as one record.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{
    Cached, Head, StatKey, Syscall, SyscallFile, TIMED_EVERY, TIMED_FIRST, Task, flag, kind, named,
    sysinfo, task,
};

use crate::aio;
use crate::cells::cell_id;
use crate::classify::{descriptor, how_of};
use crate::emit::{lost, make, recording};
use crate::gather::{extra, faults_since, flush_sums, known_from_here};
use crate::inner;
use crate::kread::{arg, load, probe};
use crate::lane::Lane;
use crate::maps::{STAT, config, off, reg, sysinfo as info_of};
use crate::names::{send_ends, send_name};
use crate::probes::cache::flush_dirty;
use crate::probes::fault;
use crate::sizes;
use crate::tasks::{awaited, bump, current, followed, is_compat};

/// `-ENOTDIR`: what a look-up below a file that is no directory gives.
const NOT_A_DIRECTORY: i64 = -20;
/// `-EINPROGRESS`: a socket that does not block is on its way; its ends are known.
const IN_PROGRESS: i64 = -115;

#[btf_tracepoint]
pub fn sys_enter(ctx: BtfTracePointContext) -> i32 {
    let nr: u64 = ctx.arg(1);
    let regs: *const u8 = ctx.arg(0);
    let task = current();
    if let Some(t) = start(task, nr as u32) {
        // SAFETY: `t` is a map value, `regs` the tracepoint's argument.
        unsafe { enter(t, task, regs, nr as u32) };
    }
    0
}

/// What [`sys_enter`] does, where the kernel skipped it (see [`tracer_ebpf::Config::preemptible`]): it is
/// another program, so another thread in the middle of that one does not matter.
#[btf_tracepoint]
pub fn sys_enter_again(ctx: BtfTracePointContext) -> i32 {
    let nr: u64 = ctx.arg(1);
    let regs: *const u8 = ctx.arg(0);
    if let Some(t) = start(current(), nr as u32)
        // SAFETY: a map value.
        && !unsafe { under_way(t, nr as u32) }
    {
        enter_late(t, regs, nr as u32);
    }
    0
}

/// Whether the thread is known to be in this call.
#[inline(always)]
unsafe fn under_way(t: *const Task, nr: u32) -> bool {
    // SAFETY: a map value.
    unsafe { (*t).flags & task::IN_CALL != 0 && (*t).nr == nr }
}

#[inline(never)]
fn enter_late(t: *mut Task, regs: *const u8, nr: u32) -> i32 {
    // SAFETY: `t` is a map value, `regs` a tracepoint's argument.
    unsafe { enter(t, current(), regs, nr) };
    0
}

/// The current thread if this call of it counts; the awaited command's `execve` is its first.
#[inline(always)]
fn start(task: *const u8, nr: u32) -> Option<*mut Task> {
    let t = match followed(task) {
        Some(t) => t,
        None if nr == config!(nr_execve) || nr == config!(nr_execveat) => awaited()?,
        None => return None,
    };
    // SAFETY: a map value.
    unsafe { known_from_here(t, task) };
    Some(t)
}

#[inline(always)]
unsafe fn enter(t: *mut Task, task: *const u8, regs: *const u8, nr: u32) {
    // SAFETY: `t` is a map value.
    unsafe {
        if (*t).flags & task::FAULT_OPEN != 0 {
            fault::flush(t);
        }
        if config!(preemptible) != 0 && (*t).flags & task::IN_CALL != 0 {
            untold(t);
        }
        let compat = is_compat(task, regs);
        (*t).flags = (*t).flags & !task::RETURNED | task::IN_CALL;
        (*t).seq += 1;
        (*t).nr = nr;
        if recording() {
            (*t).enter = bpf_ktime_get_ns();
            crate::claims::watch(t);
            (*t).depth = 0;
        }
        (*t).has_file = 0;
        (*t).has_file2 = 0;
        (*t).cell = nr;
        if compat {
            (*t).flags |= task::COMPAT;
            (*t).enter = bpf_ktime_get_ns();
            bump(t);
            return;
        }
        (*t).flags &= !task::COMPAT;
        let info = info_of(nr);
        let fd_arg = (info >> sysinfo::FD_SHIFT) & 7;
        if fd_arg != 0 {
            let fd = arg(regs, fd_arg - 1) as i32;
            if let Some(c) = descriptor(t, fd) {
                if recording() {
                    (*t).file = (*c).file;
                    (*t).has_file = 1;
                } else {
                    (*t).cell = cell(StatKey::number(nr, how_of(info, regs)), c);
                }
            }
            let fd2_arg = (info >> sysinfo::FD2_SHIFT) & 7;
            if fd2_arg != 0 {
                second(t, nr, fd, arg(regs, fd2_arg - 1) as i32);
            }
        }
        if info & sysinfo::PURE == 0 {
            bump(t);
        }
        if !recording() {
            (*t).enter = if timed(t) { bpf_ktime_get_ns() } else { 0 };
        }
    }
}

/// The call is over, but both programs that should have told were skipped: its record is lost, not what
/// else happened in it.
#[inline(never)]
fn untold(t: *mut Task) -> i32 {
    // SAFETY: a map value.
    unsafe {
        let mut head = crate::tasks::head(t, kind::SYSCALL, (*t).enter);
        head.nr = (*t).nr as u16;
        lost(&head);
        if recording() {
            inner::end(t);
            flush_dirty(t);
            flush_sums(t);
            if (*t).has_extra != 0 {
                extra(t, 0, 0);
            }
        }
    }
    0
}

/// `stat`: whether this call's time is taken.
#[inline(always)]
unsafe fn timed(t: *mut Task) -> bool {
    // SAFETY: `t` and the cell are map values.
    unsafe {
        if (*t).seq & (TIMED_EVERY - 1) == 0 {
            return true;
        }
        // Most calls are like the one before: nothing is looked up for them.
        if (*t).settled == (*t).cell {
            return false;
        }
        let few = STAT
            .get_ptr((*t).cell)
            .is_some_and(|c| (*c).calls < TIMED_FIRST);
        if !few {
            (*t).settled = (*t).cell;
        }
        few
    }
}

/// A call between two descriptors (`sendfile`, `splice` …).
#[inline(always)]
unsafe fn second(t: *mut Task, nr: u32, fd: i32, fd2: i32) {
    // SAFETY: `t` and what `descriptor` returns are map values.
    unsafe {
        if recording() {
            if let Some(c) = descriptor(t, fd2) {
                (*t).file2 = (*c).file;
                (*t).has_file2 = 1;
                (*t).has_extra = 1;
            }
        } else {
            // The first's cache entry may be the one that the second just took: ask again.
            let class2 = descriptor(t, fd2).map_or(0, |c| (*c).class);
            let class = descriptor(t, fd).map_or(0, |c| (*c).class);
            (*t).cell = cell_id(StatKey {
                nr,
                class: class as u16,
                class2: class2 as u16,
            });
        }
    }
}

/// `stat`: the counter cell of a call (see [`StatKey::nr`]) on the file of `c`, remembered with the descriptor.
#[inline(always)]
unsafe fn cell(nr: u32, c: *mut Cached) -> u32 {
    // SAFETY: `c` is in a map value.
    unsafe {
        if (*c).nr != nr {
            (*c).cell = cell_id(StatKey {
                nr,
                class: (*c).class as u16,
                class2: 0,
            });
            (*c).nr = nr;
        }
        (*c).cell
    }
}

#[btf_tracepoint]
pub fn sys_exit(ctx: BtfTracePointContext) -> i32 {
    let task = current();
    if let Some(t) = followed(task) {
        // SAFETY: `t` is a map value, the arguments are the tracepoint's.
        unsafe { leave(t, task, ctx.arg(0), ctx.arg(1), Lane::First) };
    }
    0
}

/// See [`sys_enter_again`].
#[btf_tracepoint]
pub fn sys_exit_again(ctx: BtfTracePointContext) -> i32 {
    let task = current();
    if let Some(t) = followed(task) {
        // SAFETY: as above.
        unsafe {
            if (*t).flags & task::RETURNED == 0 {
                leave(t, task, ctx.arg(0), ctx.arg(1), Lane::Again);
            }
            (*t).flags &= !task::RETURNED;
        }
    }
    0
}

#[inline(always)]
unsafe fn leave(t: *mut Task, task: *const u8, regs: *const u8, ret: i64, lane: Lane) {
    // SAFETY: `t` is a map value, `regs` the tracepoint's argument.
    unsafe {
        if config!(preemptible) != 0 {
            // The entry may have been skipped. `sigreturn` leaves no number; a new thread (without calls
            // so far) returns from one that it never made.
            let nr: u32 = load(regs, reg!(nr));
            if nr as i32 >= 0 && (*t).seq != 0 && !under_way(t, nr) {
                enter_late(t, regs, nr);
            }
        }
        // As above: a new thread.
        if (*t).flags & task::IN_CALL != 0 && !cut_off(ret) {
            let info = exit(t, task, regs, ret, lane);
            (*t).flags = (*t).flags & !task::IN_CALL | task::RETURNED;
            // Last, where all paths have come together: the verifier of Linux 6.1 has no room for more.
            let nr = (*t).nr;
            if info == 0 && aio::concerns(nr) && ret > 0 && (*t).flags & task::COMPAT == 0 {
                aio::tell(nr, regs, ret as u64, lane);
            }
        }
    }
}

/// Whether a call ends only because its thread does: SIGKILL, or another thread's `exit_group`. Then
/// its result (`ERESTARTSYS` … `ERESTART_RESTARTBLOCK`, include/linux/errno.h) never reaches user
/// mode, and the call has not returned.
#[inline(always)]
pub fn cut_off(ret: i64) -> bool {
    // include/linux/sched/signal.h
    const SIGNAL_GROUP_EXIT: u32 = 4;
    const SIGKILL: u32 = 9;
    if !(-516..=-512).contains(&ret) {
        return false;
    }
    let Some(signal) = probe::<u64>(current() as u64, off!(task_signal)) else {
        return false;
    };
    let flags: u32 = probe(signal, off!(signal_flags)).unwrap_or(0);
    let code: u32 = probe(signal, off!(signal_exit_code)).unwrap_or(0);
    flags & SIGNAL_GROUP_EXIT != 0 && matches!(code & 0x7f, 0 | SIGKILL)
}

/// Tells what [`info_of`] the call is.
#[inline(always)]
unsafe fn exit(t: *mut Task, task: *const u8, regs: *const u8, ret: i64, lane: Lane) -> u32 {
    // SAFETY: `t` is a map value.
    unsafe {
        let nr = (*t).nr;
        let info = if (*t).flags & task::COMPAT != 0 {
            0
        } else {
            info_of(nr)
        };
        if info & sysinfo::PURE == 0 {
            bump(t);
        }
        if !recording() {
            if let Some(c) = STAT.get_ptr_mut(lane.cell((*t).cell)) {
                (*c).calls += 1;
                if (*t).enter != 0 {
                    (*c).time += bpf_ktime_get_ns() - (*t).enter;
                    (*c).timed += 1;
                }
                if (-4095..0).contains(&ret) {
                    (*c).errors += 1;
                } else if info & sysinfo::BYTES != 0 {
                    (*c).bytes += sizes::kept(info, regs, ret as u64);
                }
            }
            return info;
        }
        let now = bpf_ktime_get_ns();
        let path_arg = (info >> sysinfo::PATH_SHIFT) & 7;
        if info & sysinfo::RETURNS_FD != 0
            && ret >= 0
            && let Some(c) = descriptor(t, ret as i32)
        {
            (*t).file = (*c).file;
            (*t).has_file = 1;
            if path_arg != 0 {
                send_name(
                    (*t).tid,
                    arg(regs, path_arg - 1),
                    ret as i32,
                    named::OPENED,
                    lane as u32,
                );
            } else if (*t).file.family != 0 {
                send_ends((*t).tid, ret as i32, lane as u32);
            }
        } else if path_arg != 0 {
            if ret == NOT_A_DIRECTORY {
                send_name(
                    (*t).tid,
                    arg(regs, path_arg - 1),
                    -1,
                    named::MARK,
                    lane as u32,
                );
            } else if nr == config!(nr_chdir) && ret == 0 {
                send_name((*t).tid, arg(regs, 0), -1, named::ENTERED, lane as u32);
            }
        } else if nr == config!(nr_connect) && (ret == 0 || ret == IN_PROGRESS) {
            send_ends((*t).tid, arg(regs, 0) as i32, lane as u32);
        }
        if info & sysinfo::BYTES == 0
            && sizes::leaves(nr)
            && ret >= 0
            && (*t).flags & task::COMPAT == 0
        {
            sizes::tell(nr, regs, ret as u64);
        }
        if (*t).flags & task::FAULT_INNER != 0 {
            inner::end(t);
        }
        flush_dirty(t);
        flush_sums(t);
        let (min, maj) = faults_since(t, task);
        if (*t).has_extra != 0 || min | maj != 0 {
            extra(t, min, maj);
        }
        let mut head = Head {
            kind: kind::SYSCALL,
            flags: if (*t).flags & task::COMPAT != 0 {
                flag::COMPAT
            } else {
                0
            },
            nr: nr as u16,
            tid: (*t).tid,
            tgid: (*t).tgid,
            seq: (*t).seq,
            ts: (*t).enter,
        };
        if (*t).has_file != 0 {
            head.kind = kind::SYSCALL_FILE;
            make(&head, || SyscallFile {
                call: call(head, now, ret, regs),
                file: (*t).file,
            });
        } else {
            make(&head, || call(head, now, ret, regs));
        }
        info
    }
}

#[inline(always)]
fn call(head: Head, now: u64, ret: i64, regs: *const u8) -> Syscall {
    // The registers still hold the arguments: system calls change only the one of the result
    // (but for sigreturn, and execve, which clears them).
    Syscall {
        head,
        dur: now - head.ts,
        ret,
        args: [
            load(regs, reg!(args[0])),
            load(regs, reg!(args[1])),
            load(regs, reg!(args[2])),
            load(regs, reg!(args[3])),
            load(regs, reg!(args[4])),
            load(regs, reg!(args[5])),
        ],
    }
}
