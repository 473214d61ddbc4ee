//! The payload of a block of format 2: the records of a block by columns, ready to be compressed.
//!
//! Records of one kind and layout are a group; each integer of theirs is a column, and what
//! is stored of a value is its difference from the same field of an earlier record. Which one is the
//! column's [`Ref`]: the one before in the group, the last one of the same call in the same thread, or the last
//! one of that call on the same descriptor. The head that all records share is predicted by thread.
//! `docs/recording.md` says the same in words.
//!
//! Any record at all comes back byte for byte: those of unknown kinds, and shorter than their layout, are kept as
//! they are.

mod pack;
#[cfg(test)]
mod tests;
mod threads;
mod unpack;

pub(super) use pack::Packer;
pub(super) use unpack::Unpacker;

use threads::{Thread, Threads};

/// Bytes of the head that records share; its columns stand apart.
const HEAD: usize = 24;
/// Fewer than this are no row: "there is none".
const NONE: u32 = u32::MAX;

/// Kind of the group of records that are kept as they are.
const PLAIN: u8 = 0;

/// What a value is stored as the difference from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Ref {
    /// From 0: as it is.
    Zero = 0,
    /// From the record before in the group.
    Before = 1,
    /// From the last of the group with the same slot of [`by_call`].
    Call = 2,
    /// From the last of the group with the same slot of [`by_key`].
    Key = 3,
}

impl Ref {
    const ALL: [Self; 4] = [Self::Zero, Self::Before, Self::Call, Self::Key];
}

/// In the byte that begins a column, beside its [`Ref`]: all its numbers are the same, which follows.
const SAME: u8 = 0x80;
/// Nearly all are the same: that one follows, how many are not, and those with their distances.
const SPARSE: u8 = 0x40;

/// Columns of a record's body, at most.
const MAX_COLUMNS: usize = 1024;

const CALL_BITS: u32 = 9;
const KEY_BITS: u32 = 12;

/// Where the last record of each slot begins; empty at the beginning of every block, at no cost.
#[derive(Default)]
struct Slots {
    /// Counted on from block to block, so that what is from an earlier one is told apart.
    last: Vec<u64>,
}

impl Slots {
    /// What was in the slot in this block, which began at `base`; now it is `at`.
    #[inline]
    fn replace(&mut self, slot: usize, base: u64, at: u32) -> u32 {
        // 0 is before every block.
        let new = base + u64::from(at) + 1;
        match self.last.get_mut(slot) {
            Some(last) => {
                let before = std::mem::replace(last, new);
                before.checked_sub(base + 1).map_or(NONE, |at| at as u32)
            }
            None => {
                self.last.resize(slot + 1, 0);
                self.last[slot] = new;
                NONE
            }
        }
    }
}

/// The slot of a call of a thread.
#[inline]
fn by_call(nr: u16, tid: u32) -> usize {
    let hash = (u32::from(nr) ^ tid.wrapping_mul(0x9e37_79b1)).wrapping_mul(0x85eb_ca6b);
    (hash >> (32 - CALL_BITS)) as usize
}

/// The slot of a call by the value of its group's key.
#[inline]
fn by_key(nr: u16, key: u64) -> usize {
    let hash = (key ^ u64::from(nr) << 48).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash >> (64 - KEY_BITS)) as usize
}

/// A difference as a number that is small if it is near 0, of a field of `width` bytes.
#[inline]
fn fold(value: u64, from: u64, width: u32) -> u64 {
    let shift = 64 - 8 * width;
    let diff = (value.wrapping_sub(from) << shift) as i64 >> shift;
    ((diff << 1) ^ (diff >> 63)) as u64
}

/// The inverse of [`fold`], but for the bits above the width.
#[inline]
fn unfold(folded: u64, from: u64) -> u64 {
    let diff = (folded >> 1) as i64 ^ -((folded & 1) as i64);
    from.wrapping_add(diff as u64)
}

/// When what a record tells of ended, as far as the next record of its thread is concerned.
#[inline]
fn end(kind: u8, ts: u64, dur: u64) -> u64 {
    use tracer_ebpf::kind::{SYSCALL, SYSCALL_FILE};
    match kind {
        SYSCALL | SYSCALL_FILE => ts.wrapping_add(dur),
        _ => ts,
    }
}
