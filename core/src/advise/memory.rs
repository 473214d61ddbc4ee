//! Page faults that could be fewer: memory zeroed again and again, large new memory page by page, copies after
//! `fork`, files mapped page by page.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::end::Id;
use crate::model::{Hop, HopKind, Place};

/// Faults and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    pub calls: u64,
    pub bytes: u64,
}

impl Faults {
    fn add(&mut self, bytes: u64) {
        self.calls += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Pages of all processes that are remembered.
const PAGES: usize = 1 << 20;
/// A huge page, as a shift.
const HUGE: u32 = 21;
/// Pages of a huge page that must be touched for it to be worth one.
const DENSE: u64 = 384;

#[derive(Debug, Default)]
struct Space {
    zeroed: HashSet<u64>,
    /// First touches by huge page.
    touched: HashMap<u64, u64>,
    /// It has forked, or was made by a fork, and has not become another program since.
    forked: bool,
    /// The latter of these.
    child: bool,
}

#[derive(Debug, Default)]
pub struct Memory {
    spaces: HashMap<u32, Space>,
    pages: usize,
    /// Zeroed though it had been zeroed before, by stack.
    pub again: BTreeMap<Option<u64>, Faults>,
    /// First touches in huge pages that were touched nearly all over, and those huge pages.
    pub dense: Faults,
    pub huge_pages: u64,
    /// Stack of the last first touch.
    pub dense_stack: Option<u64>,
    /// Copies after `fork`, by process, and whether a fork made that.
    pub cow: BTreeMap<(u32, bool, Option<u64>), Faults>,
    /// Files that instructions were fetched from: programs and libraries.
    pub code: HashSet<Id>,
    pub mapped: BTreeMap<(Id, Option<u64>), Faults>,
    /// Processes were there before the trace: they may have forked.
    pub attached: bool,
}

impl Memory {
    pub fn fault(
        &mut self,
        tgid: u32,
        (addr, ip): (u64, u64),
        file: Option<Id>,
        hops: &[Hop],
        stack: Option<u64>,
    ) {
        if let Some(file) = file.filter(|_| addr >> 12 == ip >> 12) {
            self.code.insert(file);
        }
        for hop in hops {
            match (hop.kind, file) {
                (HopKind::Map, Some(file)) => {
                    self.mapped.entry((file, stack)).or_default().add(hop.bytes);
                }
                (HopKind::Fill, _) => self.zeroed(tgid, addr, hop.bytes, stack),
                (HopKind::Copy, _) if hop.from == Place::User => {
                    let space = self.spaces.entry(tgid).or_default();
                    if self.attached || space.forked {
                        self.cow
                            .entry((tgid, space.child, stack))
                            .or_default()
                            .add(hop.bytes);
                    }
                }
                _ => {}
            }
        }
    }

    fn zeroed(&mut self, tgid: u32, addr: u64, bytes: u64, stack: Option<u64>) {
        let space = self.spaces.entry(tgid).or_default();
        let page = addr >> 12;
        if space.zeroed.contains(&page) {
            self.again.entry(stack).or_default().add(bytes);
        } else if self.pages < PAGES {
            self.pages += 1;
            space.zeroed.insert(page);
            if bytes == 4096 {
                *space.touched.entry(addr >> HUGE).or_default() += 1;
                self.dense_stack = stack.or(self.dense_stack);
            }
        }
    }

    pub fn forked(&mut self, parent: u32, child: u32) {
        self.spaces.entry(parent).or_default().forked = true;
        let child = self.spaces.entry(child).or_default();
        (child.forked, child.child) = (true, true);
    }

    /// A process has other memory now, or none.
    pub fn forget(&mut self, tgid: u32) {
        if let Some(space) = self.spaces.remove(&tgid) {
            self.pages -= space.zeroed.len();
            self.gather(&space);
        }
    }

    fn gather(&mut self, space: &Space) {
        for touched in space.touched.values().filter(|n| **n >= DENSE) {
            self.dense.calls += touched;
            self.dense.bytes = self.dense.bytes.saturating_add(touched * 4096);
            self.huge_pages += 1;
        }
    }

    /// First touches of huge pages, also of processes that have not ended: faults, and huge pages.
    pub fn dense(&self) -> (Faults, u64) {
        let mut all = Self {
            dense: self.dense,
            huge_pages: self.huge_pages,
            ..Self::default()
        };
        self.spaces.values().for_each(|space| all.gather(space));
        (all.dense, all.huge_pages)
    }
}
