//! Block requests: which call caused them, and what they moved.

use tracer_ebpf::{Block, bio, flag};

use super::io::{Context, Moves, PASS_ON, SECTOR, add, classify, software};
use super::stacked::Asked;
use super::tally::{At, Key, Moved, Object};
use super::threads::{Io, Open};
use super::{Part, Reconstructor, Sink};
use crate::catalogue::{RuleId, Tracepoint};
use crate::event::{DeviceClass, Engine};
use crate::model::{CallId, Evidence, HopKind};

/// Completions of block requests.
const COMPLETE: Evidence = Evidence::tracepoint(Tracepoint::block_rq_complete);
/// Write-back of pages that no call was known to have made dirty, kept for a call that is not over.
const ORPHANS_MAX: usize = 4096;

impl Reconstructor {
    pub(super) fn block<S: Sink>(&mut self, block: &Block, sink: &mut S) {
        self.asked_of_device(block);
        if block.status != 0 {
            self.sums.failed_io += 1;
            return;
        }
        if block.bio & bio::BDEV != 0 {
            self.bdev.insert(block.dev);
        }
        if block.head.flags & flag::ELSEWHERE != 0 || block.head.tid == 0 {
            return self.elsewhere(block, sink);
        }
        let io = Io::of(block);
        if block.bio & bio::UNSEEN != 0 && block.issued == 0 {
            add(&mut self.sums.unattributed, &io);
            return;
        }
        self.written(&io);
        let id = CallId {
            tid: block.head.tid,
            seq: block.head.seq,
        };
        match self.part(&block.head, sink) {
            Part::Open(slot) => {
                self.threads.open(slot).io(io);
                let asked = Asked::of(&io, block.head.ts, self.unknown_call(slot, &io));
                self.asked(asked, id, sink);
            }
            Part::Late(slot) => {
                let process = self.threads.at(slot).process;
                let context = self.unknown_call(slot, &io);
                let mut moved = Vec::new();
                self.request(&io, context, &mut moved);
                for hop in &moved {
                    self.late(id, process, hop, sink);
                }
                self.asked(Asked::of(&io, block.head.ts, context), id, sink);
            }
        }
    }

    /// The context of a request whose call is not known (yet).
    fn unknown_call(&mut self, slot: usize, io: &Io) -> Context {
        let process = self.threads.at(slot).process;
        Context {
            user_memory: self.sums.processes.has_async_io(process),
            raw: self.raw.contains(&io.inode),
            direct_target: false,
            peeks: false,
        }
    }

    /// Write-back by a kernel worker: whose pages were they?
    fn elsewhere<S: Sink>(&mut self, block: &Block, sink: &mut S) {
        let io = Io::of(block);
        if block.upper != 0 {
            return self.handed_on(block, io, sink);
        }
        if block.ino == 0 || block.bio & bio::WRITE == 0 {
            add(&mut self.sums.unattributed, &io);
            return;
        }
        self.write_back(block.head.ts, &io, sink);
    }

    /// Ties pages written at `ts` to the calls that made them dirty.
    ///
    /// The call that makes the others dirty may not be over yet: its pages are told at its end. Otherwise
    /// they are another program's.
    fn write_back<S: Sink>(&mut self, ts: u64, io: &Io, sink: &mut S) {
        let page = self.setup.page;
        let pages = io.bytes.div_ceil(page);
        let mut owners: Vec<(CallId, u64, u64)> = Vec::new();
        self.dirty
            .take(io.inode, io.index, pages, |owner, first, pages| {
                owners.push((owner, first, pages));
            });
        let context = Context {
            raw: self.raw.contains(&io.inode),
            ..Context::default()
        };
        let part = |first: u64, pages: u64, count| {
            let before = (first - io.index).saturating_mul(page);
            let bytes = pages.saturating_mul(page);
            Io {
                index: first,
                sector: io.sector.saturating_add(before / SECTOR),
                bytes: bytes.min(io.bytes.saturating_sub(before)),
                count,
                ..*io
            }
        };
        // The request is counted once, with the first of its parts.
        let mut count = io.count;
        let mut next = io.index;
        for &(id, first, pages) in owners.iter().rev() {
            if first > next {
                self.orphan(ts, part(next, first - next, 0));
            }
            next = first.saturating_add(pages);
            let mut moved = Vec::new();
            let io = part(first, pages, count);
            self.request(&io, context, &mut moved);
            count = 0;
            self.asked(Asked::of(&io, ts, context), id, sink);
            for hop in &mut moved {
                hop.key.deferred = true;
                let slot = self.threads.find(id.tid);
                let process = slot.map_or(usize::MAX, |slot| self.threads.at(slot).process);
                self.late(id, process, hop, sink);
            }
        }
        let end = io.index.saturating_add(pages);
        if next < end {
            self.orphan(ts, part(next, end - next, count));
        }
    }

    fn orphan(&mut self, ts: u64, io: Io) {
        if self.orphans.len() >= ORPHANS_MAX {
            self.orphans.pop_front();
        }
        self.orphans.push_back((ts, io));
    }

    /// Takes pages that a request of the program's own wrote out of the dirty set.
    fn written(&mut self, io: &Io) {
        if io.bio & bio::WRITE != 0 && io.inode.1 != 0 && !io.folded {
            self.dirty.take(
                io.inode,
                io.index,
                io.bytes.div_ceil(self.setup.page),
                |_, _, _| (),
            );
        }
    }

    /// A call is over that began at `ts`: pages that it made dirty may have been written already.
    pub(super) fn settle<S: Sink>(&mut self, ts: u64, open: &Open, sink: &mut S) {
        if open.dirtied == 0 {
            return;
        }
        // A call's dirty pages are told at its end, after the requests that wrote them.
        for io in &open.ios {
            self.written(io);
        }
        let mut during = Vec::new();
        self.orphans.retain(|(at, io)| {
            let is = *at >= ts && open.inodes.contains(&io.inode);
            if is {
                during.push((*at, *io));
            }
            !is
        });
        for (at, io) in during {
            self.write_back(at, &io, sink);
        }
    }

    /// What one request moved.
    pub(super) fn request(&mut self, io: &Io, context: Context, moved: &mut Vec<Moved>) {
        if context.raw && io.bio & bio::BDEV != 0 && self.raw.len() < ORPHANS_MAX {
            self.raw.insert(io.inode);
        }
        let (memory, deferred) = match classify(io.bio, context) {
            Moves::Payload { memory, deferred } => (memory, deferred),
            Moves::Metadata => return add(&mut self.sums.metadata, io),
            Moves::Unknown => return add(&mut self.sums.unattributed, io),
        };
        let name = || format!("{}:{}", io.disk >> 20, io.disk & 0xF_FFFF);
        let disk = self.sums.devices.find(DeviceClass::Block, io.disk, name);
        if PASS_ON.contains(&self.sums.devices.driver(disk)) {
            return;
        }
        let write = io.bio & bio::WRITE != 0;
        self.sums.devices.met(disk, !write, io.bytes);
        if io.bio & bio::MAPPED != 0 {
            self.sums.devices.mapped(disk, io.bytes);
        }
        let (kind, by) = match self.sums.devices.engine(disk) {
            Engine::Software => {
                let by_reference = io.bio & bio::BY_REFERENCE != 0;
                let (kind, rule) = software(self.sums.devices.driver(disk), by_reference);
                (kind, Evidence::Inferred(rule))
            }
            _ if io.bio & bio::UNSEEN != 0 => {
                (HopKind::Dma, Evidence::Inferred(RuleId::IssuedRequestDone))
            }
            _ => (HopKind::Dma, COMPLETE),
        };
        let device = At::Disk(disk);
        let file = match (memory, io.folded) {
            (At::PageCache | At::Shmem, false) => self.names.file(io.inode.0, io.inode.1),
            (At::PageCache | At::Shmem, true) => Object::MANY,
            _ => Object::NONE,
        };
        let (from, to) = if write {
            (memory, device)
        } else {
            (device, memory)
        };
        moved.push(Moved {
            key: Key {
                kind,
                from,
                to,
                by,
                deferred,
            },
            bytes: io.bytes,
            count: io.count,
            ts: io.begin,
            dur: io.end.saturating_sub(io.begin),
            interrupt: match kind {
                HopKind::Dma => self.setup.interrupt(io.interrupt),
                _ => None,
            },
            of: if write {
                [file, Object::NONE]
            } else {
                [Object::NONE, file]
            },
        });
    }
}
