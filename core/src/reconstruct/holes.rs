//! Pages of files that came into the page cache, and what devices brought of them.
//!
//! A buffered read of a hole, or of blocks that were never written, asks no device: the file system fills the page
//! with zeros and calls it read. No hook tells that. But every page that comes into the page cache is told, and every
//! request, also one whose end was not seen: what no device was asked for was filled.

use std::collections::{HashMap, HashSet};

use tracer_ebpf::{Block, Fault, FileRef, bio};

use super::account::Inode;
use super::tally::{At, Moved};
use super::threads::Open;
use super::{Reconstructor, Sink, hop};
use crate::catalogue::RuleId;
use crate::model::{CallId, Evidence, HopKind};
use crate::rules::calls::End;
use crate::rules::measure::FILL_HOLES;
use crate::rules::{Class, FileKind, Move, Shape};

/// Files, and file systems, that are remembered: of more nothing is concluded.
const FILES_MAX: usize = 65_536;

/// What is known of files' pages.
#[derive(Debug, Default)]
pub struct Holes {
    /// Devices of file systems that ask for every page that they don't fill with zeros: no compression, no server.
    plain: HashSet<u32>,
    files: HashMap<Inode, Pages>,
}

/// Bytes of one file.
#[derive(Debug, Default)]
struct Pages {
    /// That came into the page cache to be read.
    came: u64,
    /// That devices were asked for.
    asked: u64,
    /// Who had the last of them come: the call, the index of its process, when.
    by: Option<(CallId, usize, u64)>,
}

impl Holes {
    /// A file is used by a call.
    fn met(&mut self, file: &FileRef) {
        if FILL_HOLES.contains(&file.magic) && self.plain.len() < FILES_MAX {
            self.plain.insert(file.dev);
        }
    }

    fn of(&mut self, inode: Inode) -> Option<&mut Pages> {
        let full = self.files.len() >= FILES_MAX;
        match full && !self.files.contains_key(&inode) {
            true => None,
            false => Some(self.files.entry(inode).or_default()),
        }
    }

    fn came(&mut self, inode: Inode, bytes: u64, by: (CallId, usize, u64)) {
        if let Some(pages) = self.of(inode).filter(|_| bytes > 0) {
            pages.came = pages.came.saturating_add(bytes);
            pages.by = Some(by);
        }
    }

    /// What nobody was asked for: file, who had it come, bytes. Requests for what was read before are not told, nor
    /// is every page that a call other than a read had come: then it is less.
    fn filled(&mut self, page: u64) -> Vec<(Inode, (CallId, usize, u64), u64)> {
        let plain = std::mem::take(&mut self.plain);
        let files = std::mem::take(&mut self.files).into_iter();
        let filled = files.filter_map(|(inode, pages)| {
            let left = pages.came.saturating_sub(pages.asked);
            // Part of a page: of smaller blocks some are holes.
            let left = left - left % page.max(1);
            (left > 0 && plain.contains(&inode.0)).then_some((inode, pages.by?, left))
        });
        let mut filled: Vec<_> = filled.collect();
        filled.sort_by_key(|(inode, (_, _, ts), _)| (*ts, *inode));
        filled
    }
}

impl Reconstructor {
    /// A call is over: pages of the file that it reads may have come. Those of faults in it are told by these.
    pub(super) fn came_by_call(
        &mut self,
        shape: Option<Shape>,
        (file, one): (Option<&FileRef>, Option<Class>),
        (file2, two): (Option<&FileRef>, Option<Class>),
        open: &Open,
        (id, process, ts): (CallId, usize, u64),
    ) {
        for file in [file, file2].into_iter().flatten() {
            self.holes.met(file);
        }
        let (Some(shape), Some(extra)) = (shape, &open.extra) else {
            return;
        };
        let regular = |class: Option<Class>| {
            class.is_some_and(|class| class.kind == FileKind::RegularFile && !class.direct)
        };
        let (from, other) = match shape.from {
            End::First => ((file, one), two),
            End::Second => ((file2, two), one),
            _ => return,
        };
        // The pages of one that is written came as well.
        let reads = regular(from.1) && !(shape.to != End::User && regular(other));
        let Some(file) = from.0.filter(|_| reads && shape.moves != Move::CopyRange) else {
            return;
        };
        // Those of a network file system (`reserved`) its server sent.
        let others = open.came_in_faults.saturating_add(extra.reserved.into());
        let pages = u64::from(extra.cache_pages).saturating_sub(others);
        let bytes = pages.saturating_mul(self.setup.page);
        self.holes
            .came((file.dev, file.ino), bytes, (id, process, ts));
    }

    /// The same for a page fault, also of one that the kernel took in a call.
    pub(super) fn came_by_fault(&mut self, fault: &Fault, process: usize) {
        let id = CallId {
            tid: fault.head.tid,
            seq: fault.head.seq,
        };
        let bytes = u64::from(fault.cache_pages).saturating_mul(self.setup.page);
        let by = (id, process, fault.head.ts);
        self.holes.came((fault.dev, fault.ino), bytes, by);
    }

    /// A device was asked for pages of a file; if in vain, they did not come, and were not filled.
    pub(super) fn asked_of_device(&mut self, block: &Block) {
        if block.bio & bio::WRITE == 0
            && block.bio & bio::FILE != 0
            && let Some(pages) = self.holes.of((block.dev, block.ino))
        {
            pages.asked = pages.asked.saturating_add(u64::from(block.bytes));
        }
    }

    /// The whole trace is known: what came into the page cache and nobody was asked for, the CPU filled.
    pub(super) fn fill_pages<S: Sink>(&mut self, sink: &mut S) {
        let by = Evidence::Inferred(RuleId::HoleReadFilled);
        for ((dev, ino), (id, process, ts), bytes) in self.holes.filled(self.setup.page) {
            let fill = hop(HopKind::Fill, At::Zero, At::PageCache, by, bytes);
            let mut of = fill.of;
            of[1] = self.names.file(dev, ino);
            self.late(id, process, &Moved { ts, of, ..fill }, sink);
        }
    }
}
