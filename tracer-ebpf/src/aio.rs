//! Linux AIO: `io_submit` reads its requests from the program's memory, `io_getevents` leaves their results
//! there.

#![allow(
    clippy::needless_borrows_for_generic_args,
    reason = "by value, the key and the record would lie on the stack, 512 bytes in all, once more"
)]

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use tracer_ebpf::{AIO, OPERATION, Uring, count, kind, top_lost, uring};

use crate::classify::{describe, file_of};
use crate::emit::{self, lost, lost_many, recording, send};
use crate::kread::{arg, load, user};
use crate::lane::Lane;
use crate::maps::{AIOS, AioKey, SCRATCH_URING, config, off};
use crate::requests;
use crate::rounds::{Over, rounds};
use crate::tasks::{current, head, traced};
use crate::top::{self, everyone, process, remember};

/// Requests, or results, of one call that are looked at; more are counted as lost.
const REQUESTS: u64 = 1024;
/// Pieces of one request (`UIO_MAXIOV`).
const PIECES: u64 = 1024;

/// Where fields lie in `struct iocb`, and operations (include/uapi/linux/aio_abi.h).
mod iocb {
    pub const DATA: u64 = 0;
    pub const OPCODE: u64 = 16;
    pub const DESCRIPTOR: u64 = 20;
    pub const BUFFER: u64 = 24;
    pub const BYTES: u64 = 32;

    pub const PREAD: u16 = 0;
    pub const PWRITE: u16 = 1;
    pub const PREADV: u16 = 7;
    pub const PWRITEV: u16 = 8;
}

/// The same in `struct io_event`.
mod event {
    pub const SIZE: u64 = 32;
    pub const REQUEST: u64 = 8;
    pub const RESULT: u64 = 16;
}

/// Whether a call of this number is one of Linux AIO.
#[inline(always)]
pub fn concerns(nr: u32) -> bool {
    nr == config!(nr_io_submit) || nr == config!(nr_io_getevents) || nr == config!(nr_io_pgetevents)
}

/// Such a call returned how many requests it took, or results it gave.
#[inline(always)]
pub fn tell(nr: u32, regs: *const u8, ret: u64, lane: Lane) {
    if nr == config!(nr_io_submit) {
        all_submitted(arg(regs, 2), ret, arg(regs, 0), lane as u64);
    } else {
        all_fetched(arg(regs, 3), ret, lane as u64);
    }
    if ret > REQUESTS {
        unseen(ret - REQUESTS);
    }
}

/// So many requests, or results, were not looked at.
#[inline(never)]
fn unseen(n: u64) -> i32 {
    match everyone() {
        true => top::lost(top_lost::COUNTS, n),
        false => lost_many(kind::URING, n),
    }
}

/// Pointers to requests, or results, in the program's memory, and what is said of all of them.
struct All {
    at: u64,
    context: u64,
    lane: u64,
}

/// Global, as the others here: the verifier checks each once, and not on every path that comes by.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn all_submitted(pointers: u64, count: u64, context: u64, lane: u64) -> u64 {
    let mut all = All {
        at: pointers,
        context,
        lane,
    };
    rounds(count.min(REQUESTS) as u32, one_submitted, &mut all);
    0
}

unsafe extern "C" fn one_submitted(i: u32, all: *mut All) -> i64 {
    // SAFETY: of `all_submitted`.
    unsafe { submitted((*all).at + i as u64 * 8, (*all).context, (*all).lane) };
    0
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn all_fetched(events: u64, count: u64, lane: u64) -> u64 {
    let mut all = All {
        at: events,
        context: 0,
        lane,
    };
    rounds(count.min(REQUESTS) as u32, one_fetched, &mut all);
    0
}

unsafe extern "C" fn one_fetched(i: u32, all: *mut All) -> i64 {
    // SAFETY: of `all_fetched`.
    unsafe { fetched((*all).at + i as u64 * event::SIZE, (*all).lane) };
    0
}

#[inline(always)]
fn key(at: u64) -> AioKey {
    AioKey {
        at,
        tgid: load(current(), off!(task_tgid)),
        pad: 0,
    }
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn submitted(pointer: u64, context: u64, lane: u64) -> u64 {
    let at: u64 = user(pointer);
    let opcode: u16 = user(at + iocb::OPCODE);
    let asked: u64 = user(at + iocb::BYTES);
    let bytes = match opcode {
        iocb::PREAD | iocb::PWRITE => asked,
        iocb::PREADV | iocb::PWRITEV => pieces(user(at + iocb::BUFFER), asked),
        _ => return 0,
    };
    let Some(u) = SCRATCH_URING.get_ptr_mut(lane as u32) else {
        return 0;
    };
    // SAFETY: map values; the helper has no preconditions.
    unsafe {
        if everyone() {
            let Some(proc) = process() else { return 0 };
            remember(&proc, false);
            (*u).head.tgid = proc.tgid;
            (*u).head.seq = proc.start;
        } else {
            let Some(t) = traced() else { return 0 };
            (*u).head = head(t, kind::URING, bpf_ktime_get_ns());
            // The call has just been told of.
            (*u).head.seq = (*t).seq;
        }
        let key = key(at);
        if let Some(before) = AIOS.get_ptr_mut(&key) {
            // Its memory is used again, so it is over, and no call fetched its result.
            (*before).how |= uring::UNTOLD;
            done(before, lane);
            if !recording() && !everyone() {
                emit::count(count::UNTOLD, 0, 0, 1, 0);
            }
        }
        (*u).completed = 0;
        (*u).user_data = user(at + iocb::DATA);
        (*u).res = bytes.min(i32::MAX as u64) as i32;
        (*u).opcode = opcode as u8;
        (*u).how = uring::AIO;
        (*u).cqe_flags = 0;
        (*u).ring = context;
        let fd: u32 = user(at + iocb::DESCRIPTOR);
        describe(file_of(fd as i32), &mut (*u).file);
        if AIOS.insert(&key, &*u, 0).is_err() {
            match everyone() {
                true => drop(top::lost(top_lost::COUNTS, 1)),
                false => lost(&(*u).head),
            }
        }
    }
    0
}

/// The sum of the lengths of a `struct iovec` array.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pieces(vector: u64, count: u64) -> u64 {
    Over::sum(vector, count.min(PIECES), piece)
}

unsafe extern "C" fn piece(i: u32, over: *mut Over) -> i64 {
    // SAFETY: what `Over::sum` hands on.
    unsafe {
        let length = user::<u64>((*over).array + i as u64 * 16 + 8);
        (*over).sum = (*over).sum.wrapping_add(length);
    }
    0
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn fetched(at: u64, lane: u64) -> u64 {
    let key = key(user(at + event::REQUEST));
    let Some(known) = AIOS.get_ptr_mut(&key) else {
        return 0;
    };
    let result: i64 = user(at + event::RESULT);
    // SAFETY: a map value; the helper has no preconditions.
    unsafe {
        (*known).completed = bpf_ktime_get_ns();
        (*known).res = result.clamp(i32::MIN as i64, i32::MAX as i64) as i32;
    }
    done(known, lane);
    let _ = AIOS.remove(&key);
    0
}

#[inline(never)]
fn done(u: *mut Uring, lane: u64) -> i32 {
    // SAFETY: a map value.
    let u = unsafe { &*u };
    if recording() {
        send(&u.head, u);
    } else {
        let lane = match lane {
            0 => Lane::First,
            _ => Lane::Again,
        };
        requests::count(u, OPERATION | AIO | u.opcode as u16, lane);
    }
    0
}
