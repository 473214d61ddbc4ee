//! What `stat` counts in the kernel.

use super::call::SYSCALLS_MAX;
use super::head::flag;
use super::io::{Block, bio};

/// `stat`: cells below this are the counters of calls without a descriptor, by number.
pub const CELL_FIRST: u32 = SYSCALLS_MAX as u32;

/// `stat`: number of counter cells.
pub const CELLS: usize = 4096;

/// `stat`: what the `COUNTS` map counts; the key's `what`.
pub mod count {
    /// Block I/O; `id` = disk, `flags` = low [`crate::bio`] bits and the two below.
    pub const BLOCK: u16 = 1;
    /// In `flags` of [`BLOCK`]: submitted by another task than the program's.
    pub const BLOCK_ELSEWHERE: u16 = 1 << 15;
    /// In `flags` of [`BLOCK`]: issued, but the completion was not seen ([`crate::bio::UNSEEN`]).
    pub const BLOCK_UNSEEN: u16 = 1 << 14;
    /// In `flags` of [`BLOCK`]: what a device that is only software asked of another ([`crate::Block::upper`]).
    pub const BLOCK_HANDED_ON: u16 = 1 << 13;
    /// In `flags` of [`BLOCK`]: [`crate::bio::BY_REFERENCE`].
    pub const BLOCK_BY_REFERENCE: u16 = 1 << 12;
    /// In `flags` of [`BLOCK`]: [`crate::bio::BUFFER`].
    pub const BLOCK_BUFFER: u16 = 1 << 11;
    /// Packets; `id` = ifindex, `flags` = [`XMIT_NO_PARENT`].
    pub const XMIT: u16 = 2;
    /// User page faults; `flags` = 1 write to a present page, 2 file-backed.
    pub const FAULT: u16 = 3;
    /// Bytes copied socket → user (`skb_copy_datagram_iovec`). `top`: `id` = interface that they came in by.
    pub const SKB: u16 = 4;
    /// Off-CPU times: `flags` = 1 voluntary; bytes = ns.
    pub const SWITCH: u16 = 5;
    /// Interrupts; `flags` = 1 in user mode.
    pub const IRQ: u16 = 6;
    /// Pages zeroed for user memory.
    pub const ZEROED: u16 = 7;
    /// Pages made dirty.
    pub const DIRTY: u16 = 8;
    /// Minor and major faults of ended threads (`flags` = 1 major): the kernel's own counters.
    pub const RUSAGE_FAULTS: u16 = 9;
    /// Requests of Linux AIO whose results were not seen ([`crate::uring::UNTOLD`]).
    pub const UNTOLD: u16 = 10;
    /// Block I/O that was queued, and neither issued nor completed as far as was seen; as [`BLOCK`].
    pub const BLOCK_UNKNOWN: u16 = 11;
    /// Pages allocated for user memory or the page cache, not zeroed; `flags` = 1 larger than one page.
    pub const FRESH: u16 = 12;
    /// Pages put into the page cache; `flags` as in [`FRESH`].
    pub const CACHED: u16 = 13;
    /// Requests of io_uring and Linux AIO that failed: `id` = operation as in [`crate::TopKey::nr`], `flags` = the
    /// error's number.
    pub const REFUSED: u16 = 14;

    /// In `flags` of [`XMIT`]: the device has no hardware ([`crate::Xmit::no_parent`]).
    pub const XMIT_NO_PARENT: u16 = 1;
}

/// Key of the `COUNTS` map.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CountKey {
    /// One of [`count`].
    pub what: u16,
    pub flags: u16,
    pub id: u32,
}

/// Value of the `COUNTS` map.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub count: u64,
    pub bytes: u64,
}

impl core::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl Block {
    /// Which counter of `stat` this goes to; `None` if it failed.
    pub fn counter(&self) -> Option<CountKey> {
        if self.status != 0 {
            return None;
        }
        let mut flags = (self.bio & 0xff) as u16;
        if self.head.flags & flag::ELSEWHERE != 0 {
            flags |= count::BLOCK_ELSEWHERE;
        }
        if self.upper != 0 {
            flags |= count::BLOCK_HANDED_ON;
        }
        if self.bio & bio::BY_REFERENCE != 0 {
            flags |= count::BLOCK_BY_REFERENCE;
        }
        if self.upper != 0 && self.bio & bio::BUFFER != 0 {
            flags |= count::BLOCK_BUFFER;
        }
        let mut what = count::BLOCK;
        if self.bio & bio::UNSEEN != 0 {
            flags |= count::BLOCK_UNSEEN;
            if self.issued == 0 {
                what = count::BLOCK_UNKNOWN;
            }
        }
        Some(CountKey {
            what,
            flags,
            id: self.disk,
        })
    }

    /// How many requests this is: a part of one that was told before is none.
    pub fn requests(&self) -> u64 {
        u64::from(self.bio & bio::CONTINUED == 0)
    }
}

/// `stat` reads the clock for the first calls of each cell on each CPU, and then for one in
/// [`TIMED_EVERY`]: on a fast call two readings cost more than everything else together.
pub const TIMED_FIRST: u64 = 64;

/// A power of two.
pub const TIMED_EVERY: u32 = 16;

/// Counters of one system call on one kind of file, per CPU (`bytehop stat`). 40 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatCell {
    pub calls: u64,
    pub errors: u64,
    /// Sum of the return values that are sizes.
    pub bytes: u64,
    /// Sum of the times from entry to exit of the calls that were timed, ns.
    pub time: u64,
    /// How many were.
    pub timed: u64,
}

/// Key of the `CELL_IDS` map: which call on which kinds of files.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StatKey {
    /// The call's number, and above it bits of [`crate::how`].
    pub nr: u32,
    /// Index of the first and second descriptor's class; 0 for none.
    pub class: u16,
    pub class2: u16,
}

impl StatKey {
    /// Value of [`Self::nr`].
    pub const fn number(nr: u32, how: u16) -> u32 {
        nr | (how as u32) << 16
    }

    /// The call's number.
    pub const fn call(&self) -> u32 {
        self.nr & 0xffff
    }

    /// Its flags, as bits of [`crate::how`].
    pub const fn how(&self) -> u16 {
        (self.nr >> 16) as u16
    }
}
