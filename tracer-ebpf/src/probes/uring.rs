//! io_uring requests: tied to their submitter by the request, not by the task that completes them.
//!
//! `record` remembers what was under way when a request began. `stat` only counts what is done: whose it is
//! stands in the request, so it remembers nothing.

use core::mem::offset_of;

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{FileRef, Head, NO_OFFSET, OPERATION, Uring, flag, kind, task, top_lost, uring};

use crate::claims::watch;
use crate::classify::describe;
use crate::emit::{lost, recording, send_bytes};
use crate::gather::flush_sums;
use crate::kread::{load, probe, typed};
use crate::lane::Lane;
use crate::maps::{config, off};
use crate::requests;
use crate::tasks::{PF_IO_WORKER, bump, current, current_tid, find, traced, traced_or_worker};
use crate::top::{self, everyone, process, remember};
use crate::under_way;

const IORING_CQE_F_MORE: u32 = 1 << 1;

#[btf_tracepoint]
pub fn io_uring_submit_req(ctx: BtfTracePointContext) -> i32 {
    let req: *const u8 = ctx.arg(0);
    let ring = || typed(req, off!(req_ctx));
    let opcode = || typed(req, off!(req_opcode));
    if everyone() {
        submitted(number(&ctx), ring(), opcode());
        return 0;
    }
    let Some(t) = traced_or_worker() else {
        return 0;
    };
    // SAFETY: `t` is a map value, the helper has no preconditions.
    unsafe {
        let head = crate::tasks::head(t, kind::URING, bpf_ktime_get_ns());
        let how = match (*t).flags & task::IO_THREAD {
            0 => 0,
            _ => uring::SQPOLL,
        };
        // A request may open or close descriptors.
        bump(t);
        core::ptr::write_volatile((&raw mut (*t).number).cast(), req);
        let number = core::ptr::read_volatile(&raw const (*t).number);
        if !under_way::remember(number, head, ring(), opcode(), how) {
            lost(&head);
        }
    }
    0
}

/// The first argument as a number: the verifier knows it as a pointer otherwise.
#[inline(always)]
fn number(ctx: &BtfTracePointContext) -> u64 {
    probe(ctx.as_ptr() as u64, 0).unwrap_or(0)
}

#[btf_tracepoint]
pub fn io_uring_queue_async_work(ctx: BtfTracePointContext) -> i32 {
    if let Some(place) = under_way::recall(number(&ctx)) {
        // SAFETY: a map value.
        unsafe { place.mark(uring::ASYNC) };
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
    let Some(place) = under_way::recall(req) else {
        return 0;
    };
    // SAFETY: a map value, helpers without preconditions.
    unsafe {
        let mut u = place.read();
        let cqe_flags: u32;
        if config!(uring_complete_cqe) != 0 {
            let cqe: *const u8 = ctx.arg(2);
            u.user_data = typed(cqe, off!(cqe_user_data));
            u.res = typed(cqe, off!(cqe_res));
            cqe_flags = typed(cqe, off!(cqe_flags));
        } else {
            u.user_data = ctx.arg(2);
            u.res = ctx.arg(3);
            cqe_flags = ctx.arg(4);
        }
        let file: u64 = probe(req, off!(req_file)).unwrap_or(0);
        if file != 0 {
            describe(file, &mut u.file);
        }
        if everyone() {
            requests::count(&u, OPERATION | u.opcode as u16, Lane::First);
            if cqe_flags & IORING_CQE_F_MORE == 0 {
                place.forget(req);
            }
            return 0;
        }
        if load::<u32>(current(), off!(task_flags)) & PF_IO_WORKER != 0 {
            between_requests();
        }
        u.cqe_flags = cqe_flags as u16;
        u.completed = bpf_ktime_get_ns();
        if current_tid() != u.head.tid {
            u.how |= uring::ELSEWHERE;
        }
        if let Some(leader) = crate::tasks::find(u.head.tgid) {
            bump(leader);
        }
        if u.how & (uring::ASYNC | uring::SQPOLL) != 0 && u.how & uring::ELSEWHERE != 0 {
            u.head.flags |= flag::ELSEWHERE;
        }
        let head = u.head;
        // Nearly all have one file: what is the same for them is not sent.
        let len = match u.file2.mode {
            0 => offset_of!(Uring, file2),
            _ => size_of::<Uring>(),
        };
        send_bytes(&head, (&raw const u).cast(), len as u64);
        if cqe_flags & IORING_CQE_F_MORE == 0 {
            place.forget(req);
        }
    }
    0
}

/// A thread without calls is between two requests now.
///
/// Global, so that the verifier checks it once and not on every path that comes by.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn between_requests() -> u64 {
    let Some(t) = traced_or_worker() else {
        return 0;
    };
    // SAFETY: a map value.
    unsafe {
        if (*t).flags & task::IO_THREAD != 0 {
            flush_sums(t);
            watch(t);
        }
    }
    0
}

/// `stat`: a request of a traced task is done.
#[inline(always)]
fn counted(ctx: &BtfTracePointContext, req: u64) -> Option<()> {
    let t = match owner(req)? {
        Owner::Current => traced().or_else(traced_or_worker)?,
        // A thread that polls the submission queue has a slot once it was met; its process has one.
        Owner::Other(owner) => find(probe(owner, off!(task_pid))?)
            .or_else(|| find(probe(owner, off!(task_tgid)).unwrap_or(0)))?,
    };
    let res: i32 = match config!(uring_complete_cqe) {
        0 => ctx.arg(3),
        _ => typed(ctx.arg(2), off!(cqe_res)),
    };
    let opcode: u8 = probe(req, off!(req_opcode))?;
    let (mut class, mut class2) = (0, 0);
    // What moved nothing is counted without its files.
    if res > 0 {
        let mut file = FileRef::NONE;
        describe(probe(req, off!(req_file)).unwrap_or(0), &mut file);
        class = requests::class_of(&file, res);
        if under_way::has_source(opcode) {
            describe(under_way::source(req), &mut file);
            class2 = requests::class_of(&file, res);
        }
    }
    // SAFETY: a map value. A request may open or close descriptors.
    unsafe {
        bump(t);
        requests::count_for(t, OPERATION | opcode as u16, [class, class2], res);
    }
    Some(())
}

/// Whose request it is.
enum Owner {
    Current,
    /// Another `struct task_struct`.
    Other(u64),
}

#[inline(always)]
fn owner(req: u64) -> Option<Owner> {
    if off!(req_task) == NO_OFFSET {
        let tctx: u64 = probe(req, off!(req_tctx))?;
        if tctx == typed(current(), off!(task_io_uring)) {
            return Some(Owner::Current);
        }
        return Some(Owner::Other(probe(tctx, off!(tctx_task))?));
    }
    let task: u64 = probe(req, off!(req_task))?;
    Some(match task == current() as u64 {
        true => Owner::Current,
        false => Owner::Other(task),
    })
}

/// `top`: remembers whose request it is.
#[inline(always)]
fn submitted(req: u64, ring: u64, opcode: u8) -> Option<()> {
    let proc = process()?;
    remember(&proc, false);
    let head = Head {
        tgid: proc.tgid,
        seq: proc.start,
        ..Head::NONE
    };
    if !under_way::remember(req, head, ring, opcode, 0) {
        top::lost(top_lost::COUNTS, 1);
    }
    Some(())
}
