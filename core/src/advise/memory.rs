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
/// A huge page is what one page of page-table entries maps, which have eight bytes each.
const ENTRY_SHIFT: u32 = 3;

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
    /// Size of a page, as a shift.
    pub page_shift: PageShift,
}

/// What a trace says of it; before that, of most machines.
#[derive(Clone, Copy, Debug)]
pub struct PageShift(pub u32);

impl Default for PageShift {
    fn default() -> Self {
        Self(12)
    }
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
        if let Some(file) = file.filter(|_| self.page(addr) == self.page(ip)) {
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

    fn page(&self, addr: u64) -> u64 {
        addr >> self.page_shift.0
    }

    fn zeroed(&mut self, tgid: u32, addr: u64, bytes: u64, stack: Option<u64>) {
        let page = self.page(addr);
        let single = 1 << self.page_shift.0;
        let huge = 2 * self.page_shift.0 - ENTRY_SHIFT;
        let space = self.spaces.entry(tgid).or_default();
        if space.zeroed.contains(&page) {
            self.again.entry(stack).or_default().add(bytes);
        } else if self.pages < PAGES {
            self.pages += 1;
            space.zeroed.insert(page);
            if bytes == single {
                *space.touched.entry(addr >> huge).or_default() += 1;
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
        // Pages of a huge page that must be touched for it to be worth one: three of four.
        let entries = 1u64 << (self.page_shift.0 - ENTRY_SHIFT);
        let dense = entries / 4 * 3;
        for touched in space.touched.values().filter(|n| **n >= dense) {
            self.dense.calls += touched;
            let bytes = touched << self.page_shift.0;
            self.dense.bytes = self.dense.bytes.saturating_add(bytes);
            self.huge_pages += 1;
        }
    }

    /// First touches of huge pages, also of processes that have not ended: faults, and huge pages.
    pub fn dense(&self) -> (Faults, u64) {
        let mut all = Self {
            dense: self.dense,
            page_shift: self.page_shift,
            huge_pages: self.huge_pages,
            ..Self::default()
        };
        self.spaces.values().for_each(|space| all.gather(space));
        (all.dense, all.huge_pages)
    }
}
