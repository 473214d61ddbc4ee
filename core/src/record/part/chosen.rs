//! Which records are of the calls that are wanted: those of a process, or in a region of the program's own.
//!
//! A record is of the call whose number it has. What a kernel worker writes back is of the call that made the pages
//! dirty; a request with pages of several calls is cut into those that are wanted.

use std::collections::HashSet;

use tracer_ebpf::{Block, bio, flag, kind};

use super::main::{InMain, Main};
use crate::decode::{decode, encode};
use crate::dirty::DirtyPages;
use crate::event::{Event, Only, Start};
use crate::regions::Regions;

/// What is known of the calls, and which are wanted.
#[derive(Debug)]
pub struct Chosen {
    pid: Option<u32>,
    region: Option<String>,
    regions: Regions,
    main: Option<Main>,
    /// Pages that calls made dirty; the owner is whether the call is wanted.
    dirty: DirtyPages<bool>,
    /// Processes that had a call that is wanted.
    processes: HashSet<u32>,
    page: u64,
}

/// Whether a record is wanted.
#[derive(Debug, PartialEq, Eq)]
pub enum Choice {
    Yes,
    No,
    /// These pieces of it.
    Pieces(Vec<Vec<u8>>),
}

impl From<bool> for Choice {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// The head of a record, as far as it is needed here.
struct Whose {
    tid: u32,
    tgid: u32,
    seq: u32,
    ts: u64,
}

impl Whose {
    fn of(record: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_le_bytes(*record.get(at..)?.first_chunk()?));
        Some(Self {
            tid: word(4)?,
            tgid: word(8)?,
            seq: word(12)?,
            ts: u64::from_le_bytes(*record.get(16..)?.first_chunk()?),
        })
    }
}

impl Chosen {
    /// `None`: all calls are.
    pub fn of(only: &Only, in_main: &InMain) -> Option<Self> {
        only.is_of_calls().then(|| Self {
            pid: only.pid,
            region: only.region.clone(),
            regions: Regions::default(),
            main: only.from_main.then(|| Main::of(in_main)),
            dirty: DirtyPages::default(),
            processes: HashSet::new(),
            page: 4096,
        })
    }

    /// What is known when the trace begins.
    pub fn begins(&mut self, start: &Start) {
        if start.page_size > 0 {
            self.page = u64::from(start.page_size);
        }
        if let Some(main) = &mut self.main {
            main.begins(start);
        }
    }

    /// The regions that were met, by name.
    pub fn regions(&self) -> &Regions {
        &self.regions
    }

    /// Takes the next record of the kernel. Every one has to be shown, in their order.
    pub fn takes(&mut self, record: &[u8]) -> Choice {
        let Some(whose) = Whose::of(record) else {
            return Choice::Yes;
        };
        if let Some(main) = &mut self.main {
            main.learn(record);
        }
        match record[0] {
            kind::NAME | kind::FORK | kind::EXEC => {
                if let Ok(event) = decode(record) {
                    self.regions.learn(&event);
                }
            }
            kind::BLOCK => return self.block(record),
            _ => {}
        }
        let wanted = self.is_wanted(&whose);
        match record[0] {
            kind::EXIT => self.regions.exit(whose.tid, whose.ts),
            kind::DIRTY => {
                if let Ok(Event::Dirty(dirty)) = decode(record) {
                    let inode = (dirty.dev, dirty.ino);
                    let pages = u64::from(dirty.pages);
                    let process = whose.tgid;
                    self.dirty
                        .insert(inode, dirty.index, pages, wanted, process);
                }
            }
            _ => {}
        }
        if wanted {
            self.processes.insert(whose.tgid);
        }
        wanted.into()
    }

    fn is_wanted(&mut self, whose: &Whose) -> bool {
        let region = self.region.as_ref().map(|name| self.regions.find(name));
        let regions = self.regions.at(whose.tid, whose.seq, whose.ts);
        let inside = match region {
            None => true,
            Some(region) => region.is_some_and(|region| regions.contains(&region)),
        };
        inside && self.has(whose.tgid)
    }

    /// Whether a process's calls are wanted, wherever they are made.
    fn has(&self, tgid: u32) -> bool {
        let main = self.main.as_ref();
        self.pid.is_none_or(|pid| pid == tgid) && main.is_none_or(|main| main.has(tgid))
    }

    fn block(&mut self, record: &[u8]) -> Choice {
        let Ok(Event::Block(block)) = decode(record) else {
            return Choice::No;
        };
        let head = &block.head;
        let write = block.bio & bio::WRITE != 0 && block.ino != 0;
        let inode = (block.dev, block.ino);
        let bytes = u64::from(block.bytes);
        let pages = bytes.div_ceil(self.page);
        if head.flags & flag::ELSEWHERE == 0 && head.tid != 0 {
            if write && block.status == 0 {
                self.dirty.take(inode, block.index, pages, |_, _, _| ());
            }
            let whose = Whose {
                tid: head.tid,
                tgid: head.tgid,
                seq: head.seq,
                ts: head.ts,
            };
            return self.is_wanted(&whose).into();
        }
        let mine = (self.pid.is_some() || self.main.is_some()) && self.has(head.tgid);
        if !write || block.status != 0 {
            // No call can be found for it: it is the process's at most.
            return (mine && self.region.is_none()).into();
        }
        let mut runs = Vec::new();
        self.dirty
            .take(inode, block.index, pages, |wanted, first, pages| {
                runs.push((wanted, first, pages));
            });
        runs.reverse();
        match () {
            // The call may not be over yet: it tells its pages at its end.
            () if runs.is_empty() => (mine || self.processes.contains(&head.tgid)).into(),
            () if runs.iter().all(|run| run.0) => Choice::Yes,
            () if runs.iter().all(|run| !run.0) => Choice::No,
            () => Choice::Pieces(pieces(&block, &runs, self.page)),
        }
    }
}

/// The parts of a request that are wanted, as requests. It was one: only its first part counts as such.
fn pieces(block: &Block, runs: &[(bool, u64, u64)], page: u64) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    for (n, (wanted, first, pages)) in runs.iter().enumerate() {
        if !wanted {
            continue;
        }
        let before = (first - block.index).saturating_mul(page);
        let bytes = pages.saturating_mul(page);
        let bytes = bytes.min(u64::from(block.bytes).saturating_sub(before));
        let continued = if n > 0 { bio::CONTINUED } else { 0 };
        let piece = Block {
            index: *first,
            sector: block.sector.saturating_add(before / 512),
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            bio: block.bio | continued,
            ..*block
        };
        let mut record = Vec::new();
        encode(&Event::Block(piece), &mut record);
        pieces.push(record);
    }
    pieces
}
