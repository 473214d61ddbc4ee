//! io_uring requests: tied to their submitter by the request, not by the task that completes them.
//!
//! `record` remembers what was under way when a request began. `stat` only counts what is done: whose it is
//! stands in the request, so it remembers nothing but those that complete more than once.

use core::mem::offset_of;

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{
    FileRef, Head, NO_OFFSET, OPERATION, Task, Uring, flag, kind, task, top_lost, uring,
};

use crate::claims::watch;
use crate::classify::describe;
use crate::emit::{lost, lost_many, make, recording};
use crate::gather::flush_sums;
use crate::kread::{Span, load, probe, typed};
use crate::lane::Lane;
use crate::maps::{config, off};
use crate::multishot::{self, multishot_begins, multishot_ends};
use crate::requests;
use crate::tasks::{
    PF_IO_WORKER, bump, current, find, followed, followed_or_worker, traced_or_worker,
};
use crate::top::{self, everyone, process, remember};
use crate::under_way;

#[btf_tracepoint]
pub fn io_uring_submit_req(ctx: BtfTracePointContext) -> i32 {
    let req: *const u8 = ctx.arg(0);
    let ring = || typed(req, off!(req_ctx));
    let opcode = || typed(req, off!(req_opcode));
    let silent = skips(typed(req, off!(req_flags)));
    let counts_only = !everyone() && !recording();
    if counts_only && !silent && !multishot::may(opcode()) {
        return 0;
    }
    if everyone() {
        if submitted(number(&ctx), ring(), opcode()).is_some() && silent {
            missed();
        }
        return 0;
    }
    let Some(t) = traced_or_worker() else {
        return 0;
    };
    if silent {
        missed();
    }
    if counts_only {
        begins(number(&ctx), opcode());
        return 0;
    }
    // SAFETY: `t` is a map value, the helper has no preconditions.
    unsafe {
        let head = crate::tasks::head(t, kind::URING, bpf_ktime_get_ns());
        // A request may open or close descriptors.
        bump(t);
        core::ptr::write_volatile((&raw mut (*t).number).cast(), req);
        let number = core::ptr::read_volatile(&raw const (*t).number);
        if !under_way::remember(number, head, ring(), opcode(), how_begun(t)) {
            lost(&head);
        }
        begins(number, opcode());
    }
    0
}

/// How a request of this thread begins: [`Uring::how`].
#[inline(always)]
unsafe fn how_begun(t: *const Task) -> u8 {
    // SAFETY: a map value.
    match unsafe { (*t).flags } & task::IO_THREAD {
        0 => 0,
        _ => uring::SQPOLL,
    }
}

/// Whether a request with these flags completes only if it fails (`IOSQE_CQE_SKIP_SUCCESS`): of one that succeeds
/// nothing is told. (32 bits: the flags had no more once.)
#[inline(always)]
fn skips(flags: u32) -> bool {
    let bit = config!(req_skips);
    bit != NO_OFFSET && flags >> (bit & 31) & 1 != 0
}

/// One that may complete more than once is found again by what its completions tell.
#[inline(always)]
fn begins(req: u64, opcode: u8) {
    if multishot::may(opcode) && multishot_begins(req, opcode as u64) != 0 {
        missed();
    }
}

/// A completion that is not told, or will not be.
fn missed() {
    match everyone() {
        true => top::lost(top_lost::COUNTS, 1),
        false => lost_many(kind::URING, 1),
    };
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
    // Read anew, or what has to be kept meanwhile is too much for the stack of Linux 6.1.
    if completed(&ctx).is_none() && recording() {
        let cqe = Completion::of(&ctx);
        if cqe.res < 0 && cqe.flags & multishot::MORE == 0 {
            refused(ctx.arg(1), cqe.user_data, cqe.res);
        }
    }
    0
}

#[inline(always)]
fn completed(ctx: &BtfTracePointContext) -> Option<()> {
    let cqe = Completion::of(ctx);
    let goes_on = cqe.flags & multishot::MORE != 0;
    let req = match goes_on {
        // Most have one completion: nothing is looked up for them.
        false => ctx.arg(1),
        true => match probe(ctx.as_ptr() as u64, size_of::<u64>() as u32)? {
            0 => match multishot::of(number(ctx), cqe.user_data)? {
                0 => {
                    missed();
                    return None;
                }
                req => req,
            },
            req => req,
        },
    };
    if !everyone() && !recording() {
        return counted(req, &cqe);
    }
    let place = under_way::recall(req)?;
    // SAFETY: a map value, helpers without preconditions.
    unsafe {
        let mut u = place.read();
        u.user_data = cqe.user_data;
        u.res = cqe.res;
        let file: u64 = probe(req, off!(req_file)).unwrap_or(0);
        if file != 0 {
            describe(file, &mut u.file);
        }
        if everyone() {
            requests::count(&u, OPERATION | u.opcode as u16, Lane::First);
            over(place, req, u.opcode, goes_on);
            return Some(());
        }
        let task = current();
        if load::<u32>(task, off!(task_flags)) & PF_IO_WORKER != 0 {
            between_requests();
        }
        u.cqe_flags = cqe.flags as u16;
        u.completed = bpf_ktime_get_ns();
        if load::<u32>(task, off!(task_pid)) != u.head.tid {
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
        match u.file2.mode {
            0 => make(&head, || (&raw const u).cast::<WithOneFile>().read()),
            _ => make(&head, || u),
        }
        over(place, req, u.opcode, goes_on);
    }
    Some(())
}

/// `IORING_CQE_F_NOTIF`: the end of a zero-copy send, which is no request (include/uapi/linux/io_uring.h).
const NOTIF: u32 = 1 << 3;

/// A request of which no beginning was seen has failed: the kernel refused it before (`io_init_req`). Global, so that
/// the verifier checks it once.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn refused(req: u64, user_data: u64, res: i32) -> u64 {
    let task = current();
    // Read one by one, and no thread of io_uring is taken in here: the stack of Linux 6.1 is short.
    let its: u64 = probe(req, owner_at()).unwrap_or(0);
    if its == 0 || its != as_owner(task) {
        return 0;
    }
    let Some(t) = followed(task) else {
        return 0;
    };
    // SAFETY: a map value, the helper has no preconditions.
    unsafe {
        let now = bpf_ktime_get_ns();
        let head = crate::tasks::head(t, kind::URING, now);
        let opcode = probe(req, off!(req_opcode)).unwrap_or(0);
        let ring = probe(req, off!(req_ctx)).unwrap_or(0);
        make(&head, || Uring {
            completed: now,
            user_data,
            res,
            ..under_way::begun(head, ring, opcode, how_begun(t))
        });
    }
    0
}

/// The record of a request of one file, in words.
type WithOneFile = [u64; offset_of!(Uring, file2) / size_of::<u64>()];

/// A completion has been told.
#[inline(always)]
unsafe fn over(place: under_way::Place, req: u64, opcode: u8, goes_on: bool) {
    // SAFETY: as the caller says; the helper has no preconditions.
    unsafe {
        if goes_on {
            place.goes_on(bpf_ktime_get_ns());
            return;
        }
        place.forget(req);
    }
    if multishot::may(opcode) {
        multishot_ends(req);
    }
}

/// What the program is told.
struct Completion {
    user_data: u64,
    res: i32,
    flags: u32,
}

impl Completion {
    #[inline(always)]
    fn of(ctx: &BtfTracePointContext) -> Self {
        if config!(uring_complete_cqe) == 0 {
            return Self {
                user_data: ctx.arg(2),
                res: ctx.arg(3),
                flags: ctx.arg(4),
            };
        }
        let cqe: *const u8 = ctx.arg(2);
        Self {
            user_data: typed(cqe, off!(cqe_user_data)),
            res: typed(cqe, off!(cqe_res)),
            flags: typed(cqe, off!(cqe_flags)),
        }
    }
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
fn counted(req: u64, cqe: &Completion) -> Option<()> {
    if cqe.flags & NOTIF != 0 {
        return None;
    }
    let request = Request::read(req);
    let task = current();
    let t = match owner(&request, task)? {
        Owner::Current => followed_or_worker(task)?,
        // A thread that polls the submission queue has a slot once it was met; its process has one.
        Owner::Other(owner) => find(probe(owner, off!(task_pid))?)
            .or_else(|| find(probe(owner, off!(task_tgid)).unwrap_or(0)))?,
    };
    let res = cqe.res;
    let opcode: u8 = request.field(off!(req_opcode));
    if cqe.flags & multishot::MORE == 0 && multishot::may(opcode) {
        multishot_ends(req);
    }
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
fn owner(request: &Request, current: *const u8) -> Option<Owner> {
    match request.field(owner_at()) {
        0 => None,
        its if its == as_owner(current) => Some(Owner::Current),
        its if by_context() => Some(Owner::Other(probe(its, off!(tctx_task))?)),
        its => Some(Owner::Other(its)),
    }
}

/// Whether a request names its task by that one's io_uring context, and not by itself.
#[inline(always)]
fn by_context() -> bool {
    off!(req_task) == NO_OFFSET
}

/// Where a request names its task.
#[inline(always)]
fn owner_at() -> u32 {
    match by_context() {
        true => off!(req_tctx),
        false => off!(req_task),
    }
}

/// As what a request names this task.
#[inline(always)]
fn as_owner(task: *const u8) -> u64 {
    match by_context() {
        true => typed(task, off!(task_io_uring)),
        false => task as u64,
    }
}

/// Of a request, what it does and whose it is: from its operation on they lie side by side.
struct Request {
    req: u64,
    span: Span<6>,
}

impl Request {
    #[inline(always)]
    fn read(req: u64) -> Self {
        let mut span = Span::new();
        span.read(req.wrapping_add(off!(req_opcode) as u64));
        Self { req, span }
    }

    /// A field, 0 where it cannot be read.
    #[inline(always)]
    fn field<T: Copy + Default>(&self, offset: u32) -> T {
        match offset.checked_sub(off!(req_opcode)) {
            Some(within) => self.span.field(within),
            None => probe(self.req, offset).unwrap_or_default(),
        }
    }
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
        missed();
    }
    begins(req, opcode);
    Some(())
}
