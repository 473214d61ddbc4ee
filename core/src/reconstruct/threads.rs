//! What is open per thread: the parts of a call that arrive before the call's own record.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use tracer_ebpf::{Block, Extra};

use super::found::Found;
use super::tally::{Moved, Object};
use crate::rules::fault::FaultRule;

/// Requests of one call that are kept apart; more are folded into those alike.
const IOS_MAX: usize = 256;
/// Inodes that one call dirtied and that are remembered.
const INODES_MAX: usize = 16;
/// Threads that may have parts of a call open: more than that, and the records of calls were lost.
pub const OPEN_MAX: usize = 1 << 16;
/// Empty [`Open`]s that are kept for their memory.
const SPARE_MAX: usize = 64;

/// Block I/O of a call: one request, or several alike.
#[derive(Clone, Copy, Debug)]
pub struct Io {
    /// Bits of [`tracer_ebpf::bio`].
    pub bio: u32,
    pub disk: u32,
    /// `(dev, ino)` of the pages, and the first page.
    pub inode: (u32, u64),
    pub index: u64,
    /// First sector on the disk.
    pub sector: u64,
    /// Several requests alike: inode and page are those of the first only.
    pub folded: bool,
    pub bytes: u64,
    pub count: u64,
    pub begin: u64,
    pub end: u64,
    /// As [`Block::reserved`].
    pub interrupt: u32,
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
            sector: block.sector,
            folded: false,
            bytes: u64::from(block.bytes),
            count: block.requests(),
            begin,
            // Not seen to complete: no time is known to have passed.
            end: block.completed.max(begin),
            interrupt: block.reserved,
        }
    }
}

/// What a call, or a request in it, took from a socket.
#[derive(Clone, Copy, Debug)]
pub enum Took {
    /// TCP: all that was copied out of packets in the call.
    Copied,
    /// TCP: so many bytes.
    Bytes(u64),
    /// UDP: bytes, datagrams.
    Datagrams(u64, u64),
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
    /// When it was, and until when.
    pub sleeps: Vec<(u64, u64)>,
    /// Sockets that it took bytes from.
    pub took: Vec<(u64, Took)>,
    /// When the call began, 0 until that is known.
    pub began: u64,
    /// What functions moved in it.
    pub found: Vec<Found>,
    /// What faults did that the kernel took in it.
    pub inner: Vec<Inner>,
    /// Pages of files that came into the page cache in these.
    pub came_in_faults: u64,
}

/// What faults inside a call did, by one rule.
#[derive(Clone, Copy)]
pub struct Inner {
    pub rule: &'static FaultRule,
    pub bytes: u64,
    pub count: u64,
    pub file: Object,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ×{}", self.rule.id, self.bytes, self.count)
    }
}

impl Open {
    /// Forgets everything, but keeps the memory of the lists.
    fn clear(&mut self) {
        let Self {
            seq,
            extra,
            ios,
            hops,
            dirtied,
            inodes,
            busy,
            waited,
            sleeps,
            took,
            began,
            found,
            inner,
            came_in_faults,
        } = self;
        // Nothing is put into it before it has a number.
        if *seq == 0 {
            return;
        }
        (*seq, *dirtied, *waited, *extra) = (0, 0, 0, None);
        (*began, *came_in_faults) = (0, 0);
        sleeps.clear();
        took.clear();
        ios.clear();
        hops.clear();
        inodes.clear();
        busy.clear();
        found.clear();
        inner.clear();
    }

    pub fn found(&mut self, found: Found) {
        let alike = |m: &&mut Found| m.what == found.what && m.by == found.by;
        match self.found.iter_mut().find(alike) {
            Some(known) => {
                known.bytes = known.bytes.saturating_add(found.bytes);
                known.count = known.count.saturating_add(found.count);
            }
            None => self.found.push(found),
        }
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
    /// Parts of the call that has not ended yet, if there are any: of a million threads, few have some.
    open: Option<Box<Open>>,
    /// Created while it was traced, so all its faults were seen.
    pub born: bool,
    /// Faults counted.
    pub min_flt: u64,
    pub maj_flt: u64,
    /// Number of the last call that handed over direct I/O, and in which the page cache was used instead.
    pub fell_back: u32,
    /// Pages made dirty outside calls, since the last fault.
    pub dirtied: u64,
    /// What it wrote into a core file was measured.
    pub dumped: bool,
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
    free: Vec<u32>,
    by_tid: HashMap<u32, u32, BuildHasherDefault<IdHasher>>,
    last: (u32, usize),
    /// How many have parts of a call open.
    opened: usize,
    #[expect(
        clippy::vec_box,
        reason = "they go to a thread and come back as pointers"
    )]
    spare: Vec<Box<Open>>,
}

impl Threads {
    /// The slot of a thread, if it is known.
    pub fn find(&mut self, tid: u32) -> Option<usize> {
        if self.last.0 == tid && tid != 0 {
            return Some(self.last.1);
        }
        let slot = *self.by_tid.get(&tid)? as usize;
        self.last = (tid, slot);
        Some(slot)
    }

    /// Puts a thread that is not known into a slot.
    pub fn insert(&mut self, tid: u32, process: usize, born: bool) -> usize {
        let thread = Thread {
            tid,
            process,
            born,
            ..Thread::default()
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = thread;
                slot as usize
            }
            None => {
                self.slots.push(thread);
                self.slots.len() - 1
            }
        };
        // There are no more threads than ids of 32 bits.
        self.by_tid.insert(tid, slot as u32);
        slot
    }

    /// Takes a thread out.
    pub fn remove(&mut self, tid: u32) {
        if let Some(slot) = self.by_tid.remove(&tid) {
            let thread = std::mem::take(&mut self.slots[slot as usize]);
            self.opened -= usize::from(thread.open.is_some());
            self.free.push(slot);
            self.last = (0, 0);
        }
    }

    /// The thread in a slot that [`Self::find`] or [`Self::insert`] gave.
    pub fn at(&mut self, slot: usize) -> &mut Thread {
        &mut self.slots[slot]
    }

    /// Number of the call whose parts are open; 0: none.
    pub fn open_seq(&self, slot: usize) -> u32 {
        self.slots[slot].open.as_ref().map_or(0, |open| open.seq)
    }

    /// The parts of the thread's call.
    pub fn open(&mut self, slot: usize) -> &mut Open {
        let Self {
            slots,
            opened,
            spare,
            ..
        } = self;
        slots[slot].open.get_or_insert_with(|| {
            *opened += 1;
            spare.pop().unwrap_or_default()
        })
    }

    /// Takes them out. [`Self::put_back`] has the memory again.
    pub fn take_open(&mut self, slot: usize) -> Box<Open> {
        match self.slots[slot].open.take() {
            Some(open) => {
                self.opened -= 1;
                open
            }
            None => self.spare.pop().unwrap_or_default(),
        }
    }

    pub fn put_back(&mut self, mut open: Box<Open>) {
        if self.spare.len() < SPARE_MAX {
            open.clear();
            self.spare.push(open);
        }
    }

    /// More threads have parts of a call open than there can be.
    pub fn too_many_open(&self) -> bool {
        self.opened > OPEN_MAX
    }

    /// Ids of all live threads, in order.
    pub fn ids(&self) -> Vec<u32> {
        let mut ids: Vec<_> = self.by_tid.keys().copied().collect();
        ids.sort_unstable();
        ids
    }
}
