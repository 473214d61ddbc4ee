//! Requests of io_uring under way.
//!
//! Most have a slot of an array, found by the request's address: a hash map's insertion and removal cost more than
//! all else of a request. Where two want a slot, the second goes to the hash map, and so does a request of two files.

use tracer_ebpf::{FileRef, Head, NO_OFFSET, Uring};

use crate::classify::{describe, file_of};
use crate::kread::probe;
use crate::maps::{URING_SLOTS, URING_SLOTS_MAX, URINGS, URINGS_MORE, UringSlot, off};

/// Where a request is remembered.
#[derive(Clone, Copy)]
pub enum Place {
    Slot(*mut UringSlot),
    More(*mut Uring),
}

/// The slot that a request may have. They are of 256 bytes, one beside the other.
#[inline(always)]
fn slot(req: u64) -> Option<*mut UringSlot> {
    let i = (req >> 8) ^ (req >> 21);
    URING_SLOTS.get_ptr_mut(i as u32 & (URING_SLOTS_MAX - 1))
}

/// Adds to the number of those that want a slot. (For BPF targets this compiler has no atomic operation but this
/// one, which does not tell what was there before.)
#[inline(always)]
unsafe fn want(slot: *mut UringSlot, n: u64) {
    // SAFETY: a map value, aligned; it is read as volatile only.
    unsafe {
        let claims = &raw mut (*slot).claims;
        #[cfg(target_arch = "bpf")]
        core::arch::asm!("lock *(u64 *)({at} + 0) += {n}", at = in(reg) claims, n = in(reg) n);
        // For the lints, which look at this as a program of the machine.
        #[cfg(not(target_arch = "bpf"))]
        core::ptr::write_volatile(claims, core::ptr::read_volatile(claims).wrapping_add(n));
    }
}

/// A request of which only the beginning is known.
#[inline(always)]
pub const fn begun(head: Head, ring: u64, opcode: u8, how: u8) -> Uring {
    Uring {
        head,
        completed: 0,
        user_data: 0,
        res: 0,
        opcode,
        how,
        cqe_flags: 0,
        file: FileRef::NONE,
        ring,
        file2: FileRef::NONE,
    }
}

/// A request begins. False if there is no room.
#[inline(always)]
pub fn remember(req: u64, head: Head, ring: u64, opcode: u8, how: u8) -> bool {
    if !has_source(opcode)
        && let Some(slot) = slot(req)
    {
        // SAFETY: a map value.
        unsafe {
            // One whose completion was not seen is over: its memory is used again.
            if (*slot).req == req || claim(slot) {
                (*slot).head = head;
                (*slot).ring = ring;
                (*slot).opcode = opcode;
                (*slot).how = how;
                core::ptr::write_volatile(&raw mut (*slot).req, req);
                return true;
            }
        }
    }
    more(req, &head, ring, opcode, how) != 0
}

/// Takes a slot, if nobody else has or wants it: of all that want one at a time only the first can find itself
/// alone.
#[inline(always)]
unsafe fn claim(slot: *mut UringSlot) -> bool {
    // SAFETY: a map value.
    unsafe {
        let claims = &raw const (*slot).claims;
        if core::ptr::read_volatile(claims) != 0 {
            return false;
        }
        want(slot, 1);
        if core::ptr::read_volatile(claims) == 1 {
            return true;
        }
        want(slot, u64::MAX);
        false
    }
}

#[inline(never)]
fn more(req: u64, head: &Head, ring: u64, opcode: u8, how: u8) -> u64 {
    let mut u = begun(*head, ring, opcode, how);
    if has_source(opcode) {
        describe(source(req), &mut u.file2);
    }
    if URINGS.insert(req, u, 0).is_err() {
        return 0;
    }
    if let Some(n) = URINGS_MORE.get_ptr_mut(0) {
        // SAFETY: a map value.
        unsafe { *n += 1 };
    }
    1
}

/// A request that is remembered.
#[inline(always)]
pub fn recall(req: u64) -> Option<Place> {
    if let Some(slot) = slot(req)
        // SAFETY: a map value.
        && let there = unsafe { core::ptr::read_volatile(&raw const (*slot).req) }
        // A free slot has none: neither has a completion that is no request's here.
        && there != 0
        && there == req
    {
        return Some(Place::Slot(slot));
    }
    match URINGS_MORE.get(0) {
        Some(&n) if n != 0 => URINGS.get_ptr_mut(req).map(Place::More),
        _ => None,
    }
}

impl Place {
    /// What is remembered.
    #[inline(always)]
    pub unsafe fn read(self) -> Uring {
        // SAFETY: map values.
        unsafe {
            match self {
                Self::Slot(slot) => begun((*slot).head, (*slot).ring, (*slot).opcode, (*slot).how),
                Self::More(u) => *u,
            }
        }
    }

    /// The request goes on after a completion: what comes next begins now.
    #[inline(always)]
    pub unsafe fn goes_on(self, now: u64) {
        // SAFETY: map values.
        unsafe {
            match self {
                Self::Slot(slot) => (*slot).head.ts = now,
                Self::More(u) => (*u).head.ts = now,
            }
        }
    }

    /// Adds to [`Uring::how`].
    #[inline(always)]
    pub unsafe fn mark(self, how: u8) {
        // SAFETY: map values.
        unsafe {
            match self {
                Self::Slot(slot) => (*slot).how |= how,
                Self::More(u) => (*u).how |= how,
            }
        }
    }

    /// The request is over.
    #[inline(always)]
    pub unsafe fn forget(self, req: u64) {
        match self {
            // SAFETY: a map value.
            Self::Slot(slot) => unsafe {
                core::ptr::write_volatile(&raw mut (*slot).req, 0);
                want(slot, u64::MAX);
            },
            Self::More(_) => drop(URINGS.remove(req)),
        }
    }
}

/// Whether an operation takes its bytes from a file of its own.
#[inline(always)]
pub fn has_source(opcode: u8) -> bool {
    // include/uapi/linux/io_uring.h
    const SPLICE: u8 = 30;
    const TEE: u8 = 33;
    matches!(opcode, SPLICE | TEE)
}

/// The `struct file` that `splice` or `tee` takes its bytes from, 0 if it is not known.
#[inline(always)]
pub fn source(req: u64) -> u64 {
    if off!(req_cmd) == NO_OFFSET {
        return 0;
    }
    let cmd = req.wrapping_add(off!(req_cmd) as u64);
    let number: u32 = probe(cmd, off!(splice_in)).unwrap_or(u32::MAX);
    let flags: u32 = probe(cmd, off!(splice_flags)).unwrap_or(0);
    // Read anew, and so a number: the verifier may know the ring as a pointer.
    let ring: u64 = probe(req, off!(req_ctx)).unwrap_or(0);
    source_of(ring, number as u64, flags as u64)
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
