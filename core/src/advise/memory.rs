//! Page faults that could be fewer: memory zeroed again and again, large new memory page by page, copies after
//! `fork`, files mapped page by page.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::end::{Id, Site};
use crate::model::{Hop, HopKind, Place};

/// Faults and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    pub calls: u64,
    pub bytes: u64,
    /// Calls that go with them: those that gave the memory back and got it again.
    pub around: u64,
}

impl Faults {
    fn add(&mut self, bytes: u64) {
        self.calls += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// First touches that are worth huge pages.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dense {
    pub faults: Faults,
    pub huge_pages: u64,
}

/// Pages of all processes that are remembered.
const PAGES: usize = 1 << 20;
/// First touches of a process before huge pages are worth it: a language's runtime makes fewer.
const TOUCHES: u64 = 2048;
/// Copies after a fork from which on huge pages would harm: each would be one of 2 MiB.
const COPIES: u64 = 64;
/// A huge page is what one page of page-table entries maps, which have eight bytes each.
const ENTRY_SHIFT: u32 = 3;

#[derive(Debug, Default)]
struct Space {
    zeroed: HashSet<u64>,
    /// First touches by huge page, and where from.
    touched: HashMap<u64, (u64, Site)>,
    /// First pages of what was given back, and the calls that this and another try take.
    given: HashMap<u64, u64>,
    /// Where the heap ends.
    heap: u64,
    /// It has forked, or was made by a fork, and has not become another program since.
    forked: bool,
    /// The latter of these: by whom.
    parent: Option<u32>,
    /// Pages copied after a fork.
    copies: u64,
    /// The program has asked for no huge pages; that outlives a fork and another program.
    no_huge: bool,
}

#[derive(Debug, Default)]
pub struct Memory {
    spaces: HashMap<u32, Space>,
    pages: usize,
    /// Zeroed though it had been zeroed before, by process.
    pub again: BTreeMap<(u32, Site), Faults>,
    /// First touches in huge pages that were touched nearly all over, of processes that have ended.
    dense: BTreeMap<Site, Dense>,
    /// Copies after `fork`, by process, and whether a fork made that.
    pub cow: BTreeMap<(u32, bool, Site), Faults>,
    /// Bytes that a process's children wrote to files before they became other programs.
    pub saved: HashMap<u32, u64>,
    /// Files that instructions were fetched from: programs and libraries.
    pub code: HashSet<Id>,
    /// By process and file.
    pub mapped: BTreeMap<(u32, Id, Site), Faults>,
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
        site: Site,
    ) {
        if let Some(file) = file.filter(|_| self.page(addr) == self.page(ip)) {
            self.code.insert(file);
        }
        for hop in hops {
            match (hop.kind, file) {
                (HopKind::Map, Some(file)) => {
                    let mapped = self.mapped.entry((tgid, file, site)).or_default();
                    mapped.add(hop.bytes);
                }
                (HopKind::Fill, _) => self.zeroed(tgid, addr, hop.bytes, site),
                (HopKind::Copy, _) if hop.from == Place::User => {
                    let space = self.spaces.entry(tgid).or_default();
                    if self.attached || space.forked {
                        space.copies += 1;
                        let key = (tgid, space.parent.is_some(), site);
                        self.cow.entry(key).or_default().add(hop.bytes);
                    }
                }
                _ => {}
            }
        }
    }

    fn page(&self, addr: u64) -> u64 {
        addr >> self.page_shift.0
    }

    fn zeroed(&mut self, tgid: u32, addr: u64, bytes: u64, site: Site) {
        let page = self.page(addr);
        let single = 1 << self.page_shift.0;
        let huge = 2 * self.page_shift.0 - ENTRY_SHIFT;
        let space = self.spaces.entry(tgid).or_default();
        if space.zeroed.contains(&page) {
            let again = self.again.entry((tgid, site)).or_default();
            again.add(bytes);
            again.around += space.given.remove(&page).unwrap_or_default();
        } else if self.pages < PAGES {
            self.pages += 1;
            space.zeroed.insert(page);
            if bytes == single {
                space.touched.entry(addr >> huge).or_insert((0, site)).0 += 1;
            }
        }
    }

    /// A call on memory has ended well.
    pub fn called(&mut self, tgid: u32, name: &str, args: &[u64; 6], ret: u64) {
        const MADV_DONTNEED: u64 = 4;
        const MADV_FREE: u64 = 8;
        const MADV_NOHUGEPAGE: u64 = 15;
        const PR_SET_THP_DISABLE: u64 = 41;
        match (name, args) {
            ("munmap", [at, ..]) => self.gave(tgid, *at, 2),
            ("madvise", [at, _, MADV_DONTNEED | MADV_FREE, ..]) => self.gave(tgid, *at, 1),
            ("madvise", [_, _, MADV_NOHUGEPAGE, ..]) | ("prctl", [PR_SET_THP_DISABLE, 1, ..]) => {
                self.spaces.entry(tgid).or_default().no_huge = true;
            }
            ("brk", _) => {
                let space = self.spaces.entry(tgid).or_default();
                let before = std::mem::replace(&mut space.heap, ret);
                if ret < before {
                    let page = 1u64 << self.page_shift.0;
                    self.gave(tgid, ret.checked_next_multiple_of(page).unwrap_or(ret), 2);
                }
            }
            _ => {}
        }
    }

    fn gave(&mut self, tgid: u32, addr: u64, calls: u64) {
        let page = self.page(addr);
        let space = self.spaces.entry(tgid).or_default();
        if space.zeroed.contains(&page) {
            *space.given.entry(page).or_default() += calls;
        }
    }

    pub fn forked(&mut self, parent: u32, child: u32) {
        let space = self.spaces.entry(parent).or_default();
        space.forked = true;
        let no_huge = space.no_huge;
        let child = self.spaces.entry(child).or_default();
        (child.forked, child.parent, child.no_huge) = (true, Some(parent), no_huge);
    }

    /// A process wrote to a file.
    pub fn wrote(&mut self, tgid: u32, bytes: u64) {
        let parent = self.spaces.get(&tgid).and_then(|space| space.parent);
        if let Some(parent) = parent {
            let saved = self.saved.entry(parent).or_default();
            *saved = saved.saturating_add(bytes);
        }
    }

    /// A process has other memory now.
    pub fn exec(&mut self, tgid: u32) {
        let no_huge = self.spaces.get(&tgid).is_some_and(|space| space.no_huge);
        self.forget(tgid);
        if no_huge {
            self.spaces.entry(tgid).or_default().no_huge = true;
        }
    }

    /// A process has ended.
    pub fn forget(&mut self, tgid: u32) {
        if let Some(space) = self.spaces.remove(&tgid) {
            self.pages -= space.zeroed.len();
            Self::gather(&mut self.dense, self.page_shift, &space);
        }
    }

    fn gather(dense: &mut BTreeMap<Site, Dense>, shift: PageShift, space: &Space) {
        // Pages of a huge page that must be touched for it to be worth one: three of four.
        let entries = 1u64 << (shift.0 - ENTRY_SHIFT);
        let touched = || {
            let all = space.touched.values();
            all.filter(|(touches, _)| *touches >= entries / 4 * 3)
        };
        let touches: u64 = touched().map(|(touches, _)| touches).sum();
        if touches < TOUCHES || space.no_huge || space.copies >= COPIES {
            return;
        }
        for (touches, site) in touched() {
            let dense = dense.entry(*site).or_default();
            dense.faults.calls += touches;
            let bytes = touches << shift.0;
            dense.faults.bytes = dense.faults.bytes.saturating_add(bytes);
            dense.huge_pages += 1;
        }
    }

    /// First touches that huge pages would join, also of processes that have not ended.
    pub fn dense(&self) -> BTreeMap<Site, Dense> {
        let mut all = self.dense.clone();
        for space in self.spaces.values() {
            Self::gather(&mut all, self.page_shift, space);
        }
        all
    }
}
