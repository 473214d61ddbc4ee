//! Pages of files that came into the page cache, and what devices brought of them.
//!
//! A buffered read of a hole, or of blocks that were never written, asks no device: the file system fills the page
//! with zeros and calls it read. No hook tells that. But every page that comes into the page cache is told, and every
//! request, also one whose end was not seen: what no device was asked for was filled.

use std::collections::HashMap;

use tracer_ebpf::{Block, Fault, FileRef, bio};

use super::account::Inode;
use super::tally::{At, Moved};
use super::threads::Open;
use super::{Reconstructor, Sink, hop};
use crate::catalogue::RuleId;
use crate::model::{CallId, Evidence, HopKind};
use crate::rules::measure::FILL_HOLES;
use crate::rules::{Class, End, Facts, FileKind, Move, Shape};

/// Files, and file systems, that are remembered: of more nothing is concluded.
const FILES_MAX: usize = 65_536;
const FILE_SYSTEMS_MAX: usize = 64;

/// What is known of files' pages.
#[derive(Debug, Default)]
pub struct Holes {
    /// Devices of file systems that ask for every page that they don't fill with zeros: no compression, no server.
    /// They are few, and looked through at every call.
    plain: Vec<u32>,
    files: HashMap<Inode, Pages>,
}

/// Bytes of one file.
#[derive(Debug, Default)]
struct Pages {
    /// That came into the page cache to be read.
    came: u64,
    /// That devices were asked for.
    asked: u64,
    /// Who had the last of them come.
    by: Option<By>,
}

/// Who had pages come.
#[derive(Clone, Copy, Debug)]
pub struct By {
    pub id: CallId,
    /// The index of its process.
    pub process: usize,
    pub ts: u64,
}

impl Holes {
    /// A file is used by a call.
    fn met(&mut self, file: &FileRef) {
        if FILL_HOLES.contains(&file.magic)
            && !self.plain.contains(&file.dev)
            && self.plain.len() < FILE_SYSTEMS_MAX
        {
            self.plain.push(file.dev);
        }
    }

    fn of(&mut self, inode: Inode) -> Option<&mut Pages> {
        let full = self.files.len() >= FILES_MAX;
        match full && !self.files.contains_key(&inode) {
            true => None,
            false => Some(self.files.entry(inode).or_default()),
        }
    }

    fn came(&mut self, inode: Inode, bytes: u64, by: By) {
        if bytes > 0
            && let Some(pages) = self.of(inode)
        {
            pages.came = pages.came.saturating_add(bytes);
            pages.by = Some(by);
        }
    }

    /// What nobody was asked for, in bytes. Requests for what was read before are not told, nor is every page that a
    /// call other than a read had come: then it is less.
    fn filled(&mut self, page: u64) -> Vec<(Inode, By, u64)> {
        let files = std::mem::take(&mut self.files).into_iter();
        let filled = files.filter_map(|(inode, pages)| {
            let left = pages.came.saturating_sub(pages.asked);
            // Part of a page: of smaller blocks some are holes.
            let left = left - left % page.max(1);
            (left > 0 && self.plain.contains(&inode.0)).then_some((inode, pages.by?, left))
        });
        let mut filled: Vec<_> = filled.collect();
        filled.sort_by_key(|(inode, by, _)| (by.ts, *inode));
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
        by: By,
    ) {
        for file in [file, file2].into_iter().flatten() {
            self.holes.met(file);
        }
        let (Some(shape), Some(extra)) = (shape, &open.extra) else {
            return;
        };
        let facts = Facts::new(shape, one, two);
        let cached = |class: Class| class.kind == FileKind::RegularFile && !class.direct;
        // The pages of one that is written came as well.
        if !cached(facts.from) || cached(facts.to) || shape.moves == Move::CopyRange {
            return;
        }
        let Some(file) = (if shape.from == End::Second {
            file2
        } else {
            file
        }) else {
            return;
        };
        // Those of a network file system (`reserved`) its server sent.
        let others = open.came_in_faults.saturating_add(extra.reserved.into());
        let pages = u64::from(extra.cache_pages).saturating_sub(others);
        let bytes = pages.saturating_mul(self.setup.page);
        self.holes.came((file.dev, file.ino), bytes, by);
    }

    /// The same for a page fault, also of one that the kernel took in a call.
    pub(super) fn came_by_fault(&mut self, fault: &Fault, process: usize) {
        let by = By {
            id: CallId {
                tid: fault.head.tid,
                seq: fault.head.seq,
            },
            process,
            ts: fault.head.ts,
        };
        let bytes = u64::from(fault.cache_pages).saturating_mul(self.setup.page);
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
        for ((dev, ino), who, bytes) in self.holes.filled(self.setup.page) {
            let fill = hop(HopKind::Fill, At::Zero, At::PageCache, by, bytes);
            let mut of = fill.of;
            of[1] = self.names.file(dev, ino);
            let fill = Moved {
                ts: who.ts,
                of,
                ..fill
            };
            self.late(who.id, who.process, &fill, sink);
        }
    }
}
