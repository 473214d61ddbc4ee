//! io_uring requests: tied to their submitter by the request, not by the task that completes them.
//!
//! `record` remembers what was under way when a request began. `stat` only counts what is done: whose it is
//! stands in the request, so it remembers nothing.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{FileRef, Head, NO_OFFSET, OPERATION, Uring, flag, kind, task, top_lost, uring};

use crate::claims::watch;
use crate::classify::{describe, file_of};
use crate::emit::{lost, recording, send};
use crate::gather::flush_sums;
use crate::kread::probe;
use crate::lane::Lane;
use crate::maps::{URINGS, config, off};
use crate::requests;
use crate::tasks::{bump, current, current_tid, find, traced, traced_or_worker};
use crate::top::{self, everyone, process, remember};

const IORING_CQE_F_MORE: u32 = 1 << 1;

#[btf_tracepoint]
pub fn io_uring_submit_req(ctx: BtfTracePointContext) -> i32 {
    let req: u64 = ctx.arg(0);
    if everyone() {
        submitted(req);
        return 0;
    }
    let Some(t) = traced_or_worker() else {
        return 0;
    };
    // SAFETY: `t` is a map value, the helper has no preconditions.
    unsafe {
        let head = crate::tasks::head(t, kind::URING, bpf_ktime_get_ns());
        let mut u = begun(req, head);
        if (*t).flags & task::IO_THREAD != 0 {
            u.how |= uring::SQPOLL;
        }
        source(req, &mut u);
        // A request may open or close descriptors.
        bump(t);
        if URINGS.insert(req, u, 0).is_err() {
            lost(&u.head);
        }
    }
    0
}

/// A request of which no more is known than that it was submitted.
#[inline(always)]
fn begun(req: u64, head: Head) -> Uring {
    Uring {
        head,
        completed: 0,
        user_data: 0,
        res: 0,
        opcode: probe(req, off!(req_opcode)).unwrap_or(0),
        how: 0,
        cqe_flags: 0,
        file: FileRef::NONE,
        ring: probe(req, off!(req_ctx)).unwrap_or(0),
        file2: FileRef::NONE,
    }
}

/// Describes the file that `splice` or `tee` takes its bytes from.
#[inline(always)]
fn source(req: u64, u: &mut Uring) {
    // include/uapi/linux/io_uring.h
    const SPLICE: u8 = 30;
    const TEE: u8 = 33;
    if (u.opcode == SPLICE || u.opcode == TEE) && off!(req_cmd) != NO_OFFSET {
        let cmd = req.wrapping_add(off!(req_cmd) as u64);
        let number: u32 = probe(cmd, off!(splice_in)).unwrap_or(u32::MAX);
        let flags: u32 = probe(cmd, off!(splice_flags)).unwrap_or(0);
        describe(source_of(u.ring, number as u64, flags as u64), &mut u.file2);
    }
}

/// The file that is meant by a number and its flags, 0 if it is not known. A request keeps its number; the thread
/// that works it off has the submitter's descriptors. Global, so that the verifier checks it once.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn source_of(ring: u64, number: u64, flags: u64) -> u64 {
    // include/uapi/linux/splice.h
    const FD_IN_FIXED: u64 = 1 << 31;
    match flags & FD_IN_FIXED {
        0 => file_of(number as i32),
        _ => registered(ring, number as u32).unwrap_or(0),
    }
}

/// One of the files that were registered with a ring (`io_uring_register`).
#[inline(always)]
fn registered(ring: u64, number: u32) -> Option<u64> {
    // Low bits are flags (`FFS_MASK`, io_uring/filetable.h).
    const POINTER: u64 = !7;
    let at = number as u64 * 8;
    let file: u64 = match off!(ring_nodes) {
        NO_OFFSET => probe(probe::<u64>(ring, off!(ring_files))?.wrapping_add(at), 0)?,
        nodes => {
            let node: u64 = probe(probe::<u64>(ring, nodes)?.wrapping_add(at), 0)?;
            probe(node, off!(node_file))?
        }
    };
    Some(file & POINTER)
}

#[btf_tracepoint]
pub fn io_uring_queue_async_work(ctx: BtfTracePointContext) -> i32 {
    let req: u64 = ctx.arg(0);
    if let Some(u) = URINGS.get_ptr_mut(req) {
        // SAFETY: a map value.
        unsafe { (*u).how |= uring::ASYNC };
    }
    0
}

#[btf_tracepoint]
pub fn io_uring_complete(ctx: BtfTracePointContext) -> i32 {
    let req: u64 = ctx.arg(1);
    if !everyone() && !recording() {
        counted(&ctx, req);
        return 0;
    }
    let Some(entry) = URINGS.get_ptr(req) else {
        return 0;
    };
    // SAFETY: a map value, helpers without preconditions.
    unsafe {
        let mut u = *entry;
        let cqe_flags: u32;
        if config!(uring_complete_cqe) != 0 {
            let cqe: u64 = ctx.arg(2);
            u.user_data = probe(cqe, off!(cqe_user_data)).unwrap_or(0);
            u.res = probe(cqe, off!(cqe_res)).unwrap_or(0);
            cqe_flags = probe(cqe, off!(cqe_flags)).unwrap_or(0);
        } else {
            u.user_data = ctx.arg(2);
            u.res = ctx.arg(3);
            cqe_flags = ctx.arg(4);
        }
        if everyone() {
            describe(probe(req, off!(req_file)).unwrap_or(0), &mut u.file);
            requests::count(&u, OPERATION | u.opcode as u16, Lane::First);
            if cqe_flags & IORING_CQE_F_MORE == 0 {
                let _ = URINGS.remove(req);
            }
            return 0;
        }
        // A thread without calls is between two requests now.
        if let Some(t) = traced_or_worker()
            && (*t).flags & task::IO_THREAD != 0
        {
            flush_sums(t);
            watch(t);
        }
        u.cqe_flags = cqe_flags as u16;
        u.completed = bpf_ktime_get_ns();
        if current_tid() != u.head.tid {
            u.how |= uring::ELSEWHERE;
        }
        if let Some(leader) = crate::tasks::find(u.head.tgid) {
            bump(leader);
        }
        if let Some(file) = probe::<u64>(req, off!(req_file)) {
            describe(file, &mut u.file);
        }
        let mut head = u.head;
        if u.how & (uring::ASYNC | uring::SQPOLL) != 0 && u.how & uring::ELSEWHERE != 0 {
            head.flags |= flag::ELSEWHERE;
        }
        u.head = head;
        send(&head, &u);
        if cqe_flags & IORING_CQE_F_MORE == 0 {
            let _ = URINGS.remove(req);
        }
    }
    0
}

/// `stat`: a request of a traced task is done.
#[inline(always)]
fn counted(ctx: &BtfTracePointContext, req: u64) -> Option<()> {
    let owner = owner(req)?;
    let t = match owner == current() as u64 {
        true => traced().or_else(traced_or_worker)?,
        // A thread that polls the submission queue has a slot once it was met; its process has one.
        false => find(probe(owner, off!(task_pid))?)
            .or_else(|| find(probe(owner, off!(task_tgid)).unwrap_or(0)))?,
    };
    let res: i32 = match config!(uring_complete_cqe) {
        0 => ctx.arg(3),
        _ => probe(ctx.arg(2), off!(cqe_res))?,
    };
    let mut u = Uring {
        head: Head {
            kind: kind::URING,
            ..Head::NONE
        },
        completed: 0,
        user_data: 0,
        res,
        opcode: probe(req, off!(req_opcode))?,
        how: 0,
        cqe_flags: 0,
        file: FileRef::NONE,
        ring: probe(req, off!(req_ctx)).unwrap_or(0),
        file2: FileRef::NONE,
    };
    // What moved nothing is counted without its files.
    if res > 0 {
        describe(probe(req, off!(req_file)).unwrap_or(0), &mut u.file);
        source(req, &mut u);
    }
    // SAFETY: a map value. A request may open or close descriptors.
    unsafe { bump(t) };
    requests::count(&u, OPERATION | u.opcode as u16, Lane::First);
    Some(())
}

/// The task whose request it is.
#[inline(always)]
fn owner(req: u64) -> Option<u64> {
    probe(req, off!(req_task)).or_else(|| {
        let tctx: u64 = probe(req, off!(req_tctx))?;
        probe(tctx, off!(tctx_task))
    })
}

/// `top`: remembers whose request it is.
#[inline(always)]
fn submitted(req: u64) -> Option<()> {
    let proc = process()?;
    remember(&proc, false);
    let head = Head {
        tgid: proc.tgid,
        seq: proc.start,
        ..Head::NONE
    };
    let mut u = begun(req, head);
    source(req, &mut u);
    if URINGS.insert(req, u, 0).is_err() {
        top::lost(top_lost::COUNTS, 1);
    }
    Some(())
}
