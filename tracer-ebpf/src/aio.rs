//! Linux AIO: `io_submit` reads its requests from the program's memory, `io_getevents` leaves their results
//! there.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use tracer_ebpf::{AIO, FileRef, Head, OPERATION, Uring, count, kind, top_lost, uring};

use crate::classify::{describe, file_of};
use crate::emit::{self, lost, recording, send};
use crate::kread::{arg, load, user};
use crate::maps::{AIOS, AioKey, config, off};
use crate::requests;
use crate::tasks::{current, head, traced};
use crate::top::{self, everyone, process, remember};

/// Requests, or results, of one call that are looked at.
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
pub fn tell(nr: u32, regs: *const u8, ret: u64) {
    if nr == config!(nr_io_submit) {
        all_submitted(arg(regs, 2), ret, arg(regs, 0));
    } else {
        all_fetched(arg(regs, 3), ret);
    }
}

/// Global, as the others here: the verifier checks each once, and not on every path, and in every round of a
/// loop, that comes by.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn all_submitted(pointers: u64, count: u64, context: u64) -> u64 {
    let mut i = 0;
    while i < REQUESTS {
        if i >= count {
            break;
        }
        submitted(pointers + i * 8, context);
        i += 1;
    }
    0
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn all_fetched(events: u64, count: u64) -> u64 {
    let mut i = 0;
    while i < REQUESTS {
        if i >= count {
            break;
        }
        fetched(events + i * event::SIZE);
        i += 1;
    }
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
extern "C" fn submitted(pointer: u64, context: u64) -> u64 {
    let at: u64 = user(pointer);
    let opcode: u16 = user(at + iocb::OPCODE);
    let asked: u64 = user(at + iocb::BYTES);
    let bytes = match opcode {
        iocb::PREAD | iocb::PWRITE => asked,
        iocb::PREADV | iocb::PWRITEV => pieces(user(at + iocb::BUFFER), asked),
        _ => return 0,
    };
    let owner = match everyone() {
        true => process().map(|proc| {
            remember(&proc, false);
            Head {
                tgid: proc.tgid,
                seq: proc.start,
                ..Head::NONE
            }
        }),
        // SAFETY: a map value; the helper has no preconditions.
        false => traced().map(|t| unsafe { head(t, kind::URING, bpf_ktime_get_ns()) }),
    };
    let Some(head) = owner else { return 0 };
    let key = key(at);
    if let Some(before) = AIOS.get_ptr(&key) {
        // SAFETY: a map value.
        untold(unsafe { &*before });
    }
    let mut u = Uring {
        head,
        completed: 0,
        user_data: user(at + iocb::DATA),
        res: bytes.min(i32::MAX as u64) as i32,
        opcode: opcode as u8,
        how: uring::AIO,
        cqe_flags: 0,
        file: FileRef::NONE,
        ring: context,
    };
    describe(
        file_of(user::<u32>(at + iocb::DESCRIPTOR) as i32),
        &mut u.file,
    );
    if AIOS.insert(&key, &u, 0).is_err() {
        match everyone() {
            true => drop(top::lost(top_lost::COUNTS, 1)),
            false => lost(&u.head),
        }
    }
    0
}

/// The sum of the lengths of a `struct iovec` array.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pieces(vector: u64, count: u64) -> u64 {
    let (mut bytes, mut i) = (0u64, 0);
    while i < PIECES {
        if i >= count {
            break;
        }
        bytes = bytes.wrapping_add(user::<u64>(vector + i * 16 + 8));
        i += 1;
    }
    bytes
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn fetched(at: u64) -> u64 {
    let key = key(user(at + event::REQUEST));
    let Some(known) = AIOS.get_ptr(&key) else {
        return 0;
    };
    // SAFETY: a map value; the helper has no preconditions.
    let mut u = unsafe {
        Uring {
            completed: bpf_ktime_get_ns(),
            ..*known
        }
    };
    let result: i64 = user(at + event::RESULT);
    u.res = result.clamp(i32::MIN as i64, i32::MAX as i64) as i32;
    let _ = AIOS.remove(&key);
    done(&u);
    0
}

/// The request's result was never fetched by a call; it is over, for its memory is used again.
#[inline(never)]
fn untold(before: &Uring) -> i32 {
    let mut u = *before;
    u.how |= uring::UNTOLD;
    done(&u);
    if !recording() && !everyone() {
        emit::count(count::UNTOLD, 0, 0, 1, 0);
    }
    0
}

#[inline(always)]
fn done(u: &Uring) {
    if recording() {
        send(&u.head, u);
    } else {
        requests::count(u, OPERATION | AIO | u.opcode as u16);
    }
}
