//! Devices that are only software and hand their work on: what their workers ask of other devices, tied to
//! the call that asked them.
//!
//! Such I/O comes with the device, and the sector of it, that it serves. What a device is asked for may be told
//! after what it asked for (a read waits for the disk) or long before (a loop device writes into the page cache).

use std::collections::VecDeque;

use tracer_ebpf::{Block, bio};

use super::io::{Context, Moves, PASS_ON, SECTOR, add, classify};
use super::tally::{At, Moved};
use super::threads::Io;
use super::{Reconstructor, Sink, hop};
use crate::catalogue::RuleId;
use crate::dirty::DirtyPages;
use crate::event::{DeviceClass, Engine};
use crate::model::{CallId, Evidence, HopKind};

/// Requests of the program that are remembered, and I/O that waits for one.
const ASKED_MAX: usize = 1024;
const WAITING_MAX: usize = 4096;
/// `LOOP_MAJOR` (include/uapi/linux/major.h).
const LOOP: u32 = 7;
const MINOR_BITS: u32 = 20;

/// Sectors of a device.
#[derive(Clone, Copy, Debug)]
struct Sectors {
    disk: u32,
    first: u64,
    end: u64,
}

impl Sectors {
    fn of(disk: u32, first: u64, bytes: u64) -> Self {
        let end = first.saturating_add(bytes.div_ceil(SECTOR));
        Self { disk, first, end }
    }

    fn meet(&self, other: &Self) -> bool {
        self.disk == other.disk && self.first < other.end && other.first < self.end
    }
}

/// What the program asked of a device.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    at: Sectors,
    write: bool,
    /// The device hands on the pages, not their bytes.
    by_reference: bool,
    /// When it was under way.
    begin: u64,
    end: u64,
    /// Where its pages are; `None`: it was none of the program's payload.
    memory: Option<At>,
}

impl Asked {
    /// `begin`: when its first bio was queued.
    pub fn of(io: &Io, begin: u64, context: Context) -> Self {
        let context = Context {
            user_memory: io.bio & bio::BUFFER == 0,
            ..context
        };
        let memory = match classify(io.bio, context) {
            Moves::Payload { memory, .. } => Some(memory),
            Moves::Metadata | Moves::Unknown => None,
        };
        Self {
            at: Sectors::of(io.disk, io.sector, io.bytes),
            write: io.bio & bio::WRITE != 0,
            by_reference: io.bio & bio::BY_REFERENCE != 0,
            begin,
            end: io.end,
            memory,
        }
    }

    /// The device left it in the page cache of a file: what is below comes later, in pieces of its own.
    fn is_left(&self) -> bool {
        self.write && self.at.disk >> MINOR_BITS == LOOP && !self.by_reference
    }

    /// Whether a worker may have queued `lower` for this.
    fn may_cause(&self, lower: &Lower) -> bool {
        let under_way = (self.begin..=self.end).contains(&lower.queued);
        let near = self.at.meet(&lower.serves)
            // Readahead.
            || (!self.write && self.at.disk == lower.serves.disk && self.at.first <= lower.serves.first);
        self.write == lower.is_write() && under_way && near
    }
}

/// What a device asked of another.
#[derive(Clone, Copy, Debug)]
struct Lower {
    io: Io,
    serves: Sectors,
    queued: u64,
}

impl Lower {
    fn is_write(&self) -> bool {
        self.io.bio & bio::WRITE != 0
    }

    /// The sectors from `first` to `end` of it.
    fn part(&self, first: u64, end: u64, count: u64) -> Self {
        let skipped = (first - self.serves.first).saturating_mul(SECTOR);
        let bytes = (end - first).saturating_mul(SECTOR);
        let left = self.io.bytes.saturating_sub(skipped);
        Self {
            io: Io {
                bytes: bytes.min(left),
                count,
                ..self.io
            },
            serves: Sectors {
                first,
                end,
                ..self.serves
            },
            ..*self
        }
    }
}

#[derive(Debug, Default)]
pub struct Stacked {
    /// What was written to a device that is not with the device below yet, by device and sector.
    written: DirtyPages<CallId>,
    /// The same of metadata.
    metadata: DirtyPages<CallId>,
    asked: VecDeque<(Asked, CallId)>,
    waiting: VecDeque<Lower>,
}

impl Stacked {
    /// Of those that may have caused it the one that is nearest before it.
    fn cause(&self, lower: &Lower) -> Option<(Asked, CallId)> {
        let may = self.asked.iter();
        let may = may.filter(|(asked, _)| !asked.is_left() && asked.may_cause(lower));
        may.max_by_key(|(asked, _)| (asked.at.meet(&lower.serves), asked.at.first))
            .copied()
    }
}

impl Reconstructor {
    /// The program asked something of a device: what this asked of others for it, if it did.
    pub(super) fn asked<S: Sink>(&mut self, asked: Asked, id: CallId, sink: &mut S) {
        let at = asked.at;
        // Only software hands on; and it is known before its first request.
        if !self.hands_on(at.disk) {
            return;
        }
        if asked.is_left() {
            let (length, inode) = (at.end - at.first, (at.disk, 0));
            let sums = &mut self.stacked;
            let (to, other) = match asked.memory {
                Some(_) => (&mut sums.written, &mut sums.metadata),
                None => (&mut sums.metadata, &mut sums.written),
            };
            other.take(inode, at.first, length, |_, _, _| ());
            to.insert(inode, at.first, length, id, 0);
        }
        if self.stacked.asked.len() >= ASKED_MAX {
            self.stacked.asked.pop_front();
        }
        self.stacked.asked.push_back((asked, id));
        let mut caused = Vec::new();
        self.stacked.waiting.retain(|lower| {
            let is = asked.may_cause(lower);
            if is {
                caused.push(*lower);
            }
            !is
        });
        for lower in caused {
            self.settle_lower(lower, sink);
        }
    }

    /// Whether a disk is one that hands its work on.
    fn hands_on(&mut self, disk: u32) -> bool {
        let name = || format!("{}:{}", disk >> MINOR_BITS, disk & ((1 << MINOR_BITS) - 1));
        let i = self.sums.devices.find(DeviceClass::Block, disk, name);
        let driver = self.sums.devices.driver(i);
        PASS_ON.contains(&driver) || self.sums.devices.engine(i) == Engine::Software
    }

    /// I/O that serves a request of a device that is only software.
    pub(super) fn handed_on<S: Sink>(&mut self, block: &Block, io: Io, sink: &mut S) {
        let lower = Lower {
            io,
            serves: Sectors::of(block.upper, block.upper_sector, io.bytes),
            queued: block.head.ts,
        };
        if io.bio & bio::UNSEEN != 0 && block.issued == 0 {
            return;
        }
        self.settle_lower(lower, sink);
    }

    /// Ties it, or has it wait.
    fn settle_lower<S: Sink>(&mut self, lower: Lower, sink: &mut S) {
        if lower.is_write() && lower.serves.disk >> MINOR_BITS == LOOP && self.left(&lower, sink) {
            return;
        }
        match self.stacked.cause(&lower) {
            Some((asked, id)) => {
                let by_place = asked.at.meet(&lower.serves);
                self.caused(&lower, by_place, asked.memory, id, sink);
            }
            // Others' if nobody comes.
            None => self.wait(lower),
        }
    }

    /// A write of what was left in the page cache of a loop device's file: whose was it? False if nobody's.
    fn left<S: Sink>(&mut self, lower: &Lower, sink: &mut S) -> bool {
        let at = lower.serves;
        let (inode, length) = ((at.disk, 0), at.end - at.first);
        let mut owners = Vec::new();
        let mut take = |pages: &mut DirtyPages<CallId>, memory: Option<At>| {
            pages.take(inode, at.first, length, |id, first, n| {
                owners.push((first, first + n, id, memory));
            });
        };
        take(&mut self.stacked.written, Some(At::PageCache));
        take(&mut self.stacked.metadata, None);
        owners.sort_unstable_by_key(|(first, ..)| *first);
        if owners.is_empty() {
            return false;
        }
        // The request is counted once.
        let mut count = lower.io.count;
        let mut next = at.first;
        for (first, end, id, memory) in &owners {
            // What is between may be of a request that the device is still at.
            if *first > next {
                self.wait(lower.part(next, *first, 0));
            }
            next = *end;
            let part = lower.part(*first, *end, std::mem::take(&mut count));
            self.caused(&part, true, *memory, *id, sink);
        }
        if next < at.end {
            self.wait(lower.part(next, at.end, 0));
        }
        true
    }

    fn wait(&mut self, lower: Lower) {
        if self.stacked.waiting.len() >= WAITING_MAX {
            self.stacked.waiting.pop_front();
        }
        self.stacked.waiting.push_back(lower);
    }

    /// A call caused it. `by_place`: it serves the very sectors that the call asked for.
    fn caused<S: Sink>(
        &mut self,
        lower: &Lower,
        by_place: bool,
        memory: Option<At>,
        id: CallId,
        sink: &mut S,
    ) {
        let io = &lower.io;
        let Some(memory) = memory else {
            return add(&mut self.sums.metadata, io);
        };
        let context = Context {
            user_memory: io.bio & bio::BUFFER == 0,
            ..Context::default()
        };
        let mut moved = Vec::new();
        if io.bio & bio::BUFFER != 0 && io.bio & bio::ANON != 0 && memory != At::Kernel {
            let by = Evidence::Inferred(RuleId::TargetBuffered);
            let (from, to) = match lower.is_write() {
                true => (memory, At::Kernel),
                false => (At::Kernel, memory),
            };
            let mut copy = hop(HopKind::Copy, from, to, by, io.bytes);
            copy.key.deferred = true;
            moved.push(copy);
        }
        self.request(io, context, &mut moved);
        for hop in &mut moved {
            // A loop device does it in its own time; a write was left for later by whoever made the data.
            let looped = io.bio & bio::FILE != 0 && lower.serves.disk >> MINOR_BITS == LOOP;
            hop.key.deferred |= looped || (lower.is_write() && memory == At::PageCache);
            if !by_place && hop.key.kind == HopKind::Dma {
                hop.key.by = Evidence::Inferred(RuleId::HandedOn);
            }
        }
        self.give(&moved, id, sink);
        // The device below may hand it on as well.
        self.asked(Asked::of(io, lower.queued, context), id, sink);
    }

    /// Adds hops to a call, whether it is over or not.
    fn give<S: Sink>(&mut self, moved: &[Moved], id: CallId, sink: &mut S) {
        let slot = self.threads.find(id.tid);
        if let Some(slot) = slot
            && id.seq != 0
            && self.threads.open_seq(slot) == id.seq
        {
            self.threads.open(slot).hops.extend_from_slice(moved);
            return;
        }
        let process = slot.map_or(usize::MAX, |slot| self.threads.at(slot).process);
        for hop in moved {
            self.late(id, process, hop, sink);
        }
    }
}
