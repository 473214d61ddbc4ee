//! What is open per thread: the parts of a call that arrive before the call's own record.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use tracer_ebpf::{Block, Extra};

use super::measured::Found;
use super::tally::Moved;
use crate::rules::fault::FaultRule;

/// Requests of one call that are kept apart; more are folded into those alike.
const IOS_MAX: usize = 256;
/// Inodes that one call dirtied and that are remembered.
const INODES_MAX: usize = 16;

/// Block I/O of a call: one request, or several alike.
#[derive(Clone, Copy, Debug)]
pub struct Io {
    /// Bits of [`tracer_ebpf::bio`].
    pub bio: u32,
    pub disk: u32,
    /// `(dev, ino)` of the pages, and the first page.
    pub inode: (u32, u64),
    pub index: u64,
    /// Several requests alike: inode and page are those of the first only.
    pub folded: bool,
    pub bytes: u64,
    pub count: u64,
    pub begin: u64,
    pub end: u64,
}

impl Io {
    pub fn of(block: &Block) -> Self {
        let begin = match block.issued {
            0 => block.head.ts,
            issued => issued,
        };
        Self {
            bio: block.bio,
            disk: block.disk,
            inode: (block.dev, block.ino),
            index: block.index,
            folded: false,
            bytes: u64::from(block.bytes),
            count: block.requests(),
            begin,
            // Not seen to complete: no time is known to have passed.
            end: block.completed.max(begin),
        }
    }
}

/// Parts of a call whose record has not come yet.
#[derive(Debug, Default)]
pub struct Open {
    /// Number of the call; 0: nothing is open.
    pub seq: u32,
    pub extra: Option<Extra>,
    pub ios: Vec<Io>,
    /// Hops that need nothing of the call to be known: packets, io_uring requests.
    pub hops: Vec<Moved>,
    /// Pages that it made dirty, and of which files.
    pub dirtied: u64,
    pub inodes: Vec<(u32, u64)>,
    /// When its block requests were under way.
    pub busy: Vec<(u64, u64)>,
    /// Blocked during it, ns.
    pub waited: u64,
    /// What functions moved in it.
    pub found: Vec<Found>,
    /// What faults did that the kernel took in it.
    pub inner: Vec<Inner>,
}

/// What faults inside a call did, by one rule.
#[derive(Clone, Copy)]
pub struct Inner {
    pub rule: &'static FaultRule,
    pub bytes: u64,
    pub count: u64,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ×{}", self.rule.name, self.bytes, self.count)
    }
}

impl Open {
    /// Forgets everything, but keeps the memory of the lists.
    pub fn clear(&mut self) {
        let Self {
            ios,
            hops,
            inodes,
            busy,
            found,
            inner,
            ..
        } = std::mem::take(self);
        *self = Self {
            ios,
            hops,
            inodes,
            busy,
            found,
            inner,
            ..Self::default()
        };
        self.ios.clear();
        self.hops.clear();
        self.inodes.clear();
        self.busy.clear();
        self.found.clear();
        self.inner.clear();
    }

    pub fn io(&mut self, io: Io) {
        let (begin, end) = (io.begin, io.end);
        let full = self.busy.len() >= IOS_MAX;
        match self.busy.last_mut().filter(|_| full) {
            Some(last) => *last = (last.0.min(begin), last.1.max(end)),
            None => self.busy.push((begin, end)),
        }
        let kind = |io: &Io| (io.bio & !tracer_ebpf::bio::CONTINUED, io.disk);
        let full = self.ios.len() >= IOS_MAX;
        let alike = if full {
            self.ios.iter_mut().find(|known| kind(known) == kind(&io))
        } else {
            None
        };
        match alike {
            Some(known) => {
                known.bytes = known.bytes.saturating_add(io.bytes);
                known.count = known.count.saturating_add(io.count);
                (known.begin, known.end) = (known.begin.min(begin), known.end.max(end));
                known.folded = true;
            }
            None => self.ios.push(io),
        }
    }

    pub fn dirty(&mut self, inode: (u32, u64), pages: u64) {
        self.dirtied = self.dirtied.saturating_add(pages);
        if self.inodes.len() < INODES_MAX && !self.inodes.contains(&inode) {
            self.inodes.push(inode);
        }
    }

    /// How much of a wait fell into the time when requests of this call were under way, ns.
    ///
    /// Requests that ended before the wait did are forgotten: the next wait is later.
    pub fn device_wait(&mut self, begin: u64, off: u64) -> u64 {
        let until = begin.saturating_add(off);
        self.busy.sort_unstable();
        let (mut sum, mut from) = (0u64, begin);
        for &(start, end) in &self.busy {
            let (start, end) = (start.max(from), end.min(until));
            if start < end {
                sum = sum.saturating_add(end - start);
                from = end;
            }
        }
        self.busy.retain(|&(_, end)| end > until);
        sum
    }
}

/// A live thread.
#[derive(Debug, Default)]
pub struct Thread {
    pub tid: u32,
    /// Index of its process.
    pub process: usize,
    /// Number of the last call that is complete.
    pub done: u32,
    pub open: Open,
    /// Created while it was traced, so all its faults were seen.
    pub born: bool,
    /// Faults counted.
    pub min_flt: u64,
    pub maj_flt: u64,
}

impl Thread {
    /// Whether a part with this number comes after its call's record.
    pub fn is_late(&self, seq: u32) -> bool {
        // Numbers wrap around: the difference tells which came first.
        seq == 0 || seq.wrapping_sub(self.done).cast_signed() <= 0
    }
}

/// Hashes thread ids: small numbers that nobody chose to collide.
#[derive(Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    fn write_u32(&mut self, id: u32) {
        // Fibonacci hashing: spreads the low bits over the high ones, which the table looks at.
        self.0 = (self.0.rotate_left(5) ^ u64::from(id)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// The live threads.
#[derive(Debug, Default)]
pub struct Threads {
    slots: Vec<Thread>,
    free: Vec<usize>,
    by_tid: HashMap<u32, usize, BuildHasherDefault<IdHasher>>,
    last: (u32, usize),
}

impl Threads {
    /// The slot of a thread, if it is known.
    pub fn find(&mut self, tid: u32) -> Option<usize> {
        if self.last.0 == tid && tid != 0 {
            return Some(self.last.1);
        }
        let slot = self.by_tid.get(&tid).copied()?;
        self.last = (tid, slot);
        Some(slot)
    }

    /// Puts a new thread into a slot.
    pub fn insert(&mut self, thread: Thread) -> usize {
        let tid = thread.tid;
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(Thread::default());
                self.slots.len() - 1
            }
        };
        self.slots[slot] = thread;
        self.by_tid.insert(tid, slot);
        slot
    }

    /// Takes a thread out.
    pub fn remove(&mut self, tid: u32) {
        if let Some(slot) = self.by_tid.remove(&tid) {
            self.slots[slot] = Thread::default();
            self.free.push(slot);
            self.last = (0, 0);
        }
    }

    /// The thread in a slot that [`Self::find`] or [`Self::insert`] gave.
    pub fn at(&mut self, slot: usize) -> &mut Thread {
        &mut self.slots[slot]
    }

    /// Ids of all live threads, in order.
    pub fn ids(&self) -> Vec<u32> {
        let mut ids: Vec<_> = self.by_tid.keys().copied().collect();
        ids.sort_unstable();
        ids
    }
}
