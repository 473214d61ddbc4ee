//! Requests of io_uring that complete more than once. Of all their completions but the last the kernel tells which
//! ring they are in and what the program gave, not whose they are (`io_fill_cqe_aux`, io_uring/io_uring.c).

use tracer_ebpf::NO_OFFSET;

use crate::kread::probe;
use crate::maps::{GoesOn, MULTISHOTS, Multishot, config, off};

/// `IORING_CQE_F_MORE`: more completions of the request follow (include/uapi/linux/io_uring.h).
pub const MORE: u32 = 1 << 1;

/// Whether an operation may complete more than once (include/uapi/linux/io_uring.h).
#[inline(always)]
pub fn may(opcode: u8) -> bool {
    const RECVMSG: u8 = 10;
    const ACCEPT: u8 = 13;
    const RECV: u8 = 27;
    matches!(opcode, RECVMSG | ACCEPT | RECV) || unmarked(opcode)
}

/// Those of which the request's flags do not tell whether it does.
#[inline(always)]
fn unmarked(opcode: u8) -> bool {
    const POLL_ADD: u8 = 6;
    const TIMEOUT: u8 = 11;
    const READ_MULTISHOT: u8 = 49;
    matches!(opcode, POLL_ADD | TIMEOUT | READ_MULTISHOT)
}

/// A request of such an operation begins. Global, so that the verifier checks it once.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn multishot_begins(req: u64, opcode: u64) -> u64 {
    let bit = config!(req_multishot);
    if !unmarked(opcode as u8) && bit != NO_OFFSET {
        let flags: u64 = probe(req, off!(req_flags)).unwrap_or(u64::MAX);
        if flags >> (bit & 63) & 1 == 0 {
            return 0;
        }
    }
    let Some(key) = key(req) else {
        return 0;
    };
    // SAFETY: what is in the map is plain numbers.
    let before = unsafe { MULTISHOTS.get(key) }.map_or(0, |several| several.count);
    // Which of several one is of cannot be told.
    let req = if before == 0 { req } else { 0 };
    let count = before + 1;
    MULTISHOTS
        .insert(key, Multishot { req, count }, 0)
        .is_err()
        .into()
}

/// The last completion of a request of such an operation.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn multishot_ends(req: u64) -> u64 {
    let Some(key) = key(req) else {
        return 0;
    };
    let Some(several) = MULTISHOTS.get_ptr_mut(key) else {
        return 0;
    };
    // SAFETY: a map value.
    unsafe {
        // One that completes once may have the same number.
        if (*several).req != req && (*several).req != 0 {
            return 0;
        }
        match (*several).count {
            0 | 1 => drop(MULTISHOTS.remove(key)),
            _ => (*several).count -= 1,
        }
    }
    0
}

/// Whose completion this is, by its ring and what the program gave: `None` if nobody's here (another ring's message,
/// `IORING_OP_MSG_RING`, comes so, too), 0 if it could be of several.
#[inline(always)]
pub fn of(ring: u64, user_data: u64) -> Option<u64> {
    let key = GoesOn { ring, user_data };
    // SAFETY: what is in the map is plain numbers.
    unsafe { MULTISHOTS.get(key) }.map(|several| several.req)
}

#[inline(always)]
fn key(req: u64) -> Option<GoesOn> {
    Some(GoesOn {
        ring: probe(req, off!(req_ctx))?,
        user_data: probe(req, off!(req_user_data))?,
    })
}
