//! Which pages of which files the program made dirty, and who of it: ties write-back that a kernel
//! worker submits later to the call that caused it.

use std::collections::{BTreeMap, HashMap};

/// From this many ranges on, neighbours of one process become one range, under the later call.
const RANGES_EXACT: usize = 1 << 16;
/// No more ranges than this are kept.
const RANGES_MAX: usize = 1 << 19;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range<Owner> {
    /// First page after it.
    end: u64,
    owner: Owner,
    tgid: u32,
}

/// Dirty ranges by inode `(dev, ino)` and first page.
#[derive(Debug)]
pub struct DirtyPages<Owner> {
    inodes: HashMap<(u32, u64), BTreeMap<u64, Range<Owner>>>,
    ranges: usize,
    /// Pages that were not kept, because there were too many ranges.
    pub dropped: u64,
}

impl<Owner> Default for DirtyPages<Owner> {
    fn default() -> Self {
        Self {
            inodes: HashMap::new(),
            ranges: 0,
            dropped: 0,
        }
    }
}

impl<Owner: Copy + PartialEq> DirtyPages<Owner> {
    /// The pages from `first` on were made dirty by a call.
    pub fn insert(&mut self, inode: (u32, u64), first: u64, pages: u64, owner: Owner, tgid: u32) {
        let end = first.saturating_add(pages);
        if first >= end {
            return;
        }
        self.take(inode, first, pages, |_, _, _| ());
        let ranges = self.inodes.entry(inode).or_default();
        if let Some((_, before)) = ranges.range_mut(..first).next_back() {
            let same = before.owner == owner || self.ranges >= RANGES_EXACT;
            if before.end == first && before.tgid == tgid && same {
                (before.end, before.owner) = (end, owner);
                return;
            }
        }
        if self.ranges >= RANGES_MAX {
            self.dropped = self.dropped.saturating_add(pages);
            return;
        }
        ranges.insert(first, Range { end, owner, tgid });
        self.ranges += 1;
    }

    /// Takes the pages from `first` on out of the set, and tells whose they were, the last first:
    /// `(owner, first, pages)`.
    pub fn take(
        &mut self,
        inode: (u32, u64),
        first: u64,
        pages: u64,
        mut found: impl FnMut(Owner, u64, u64),
    ) {
        let end = first.saturating_add(pages);
        let Some(ranges) = self.inodes.get_mut(&inode) else {
            return;
        };
        // The last range that begins before `end` goes first; it may reach beyond both ends.
        while let Some((&start, &range)) = ranges.range(..end).next_back() {
            if range.end <= first {
                break;
            }
            ranges.remove(&start);
            self.ranges -= 1;
            let from = start.max(first);
            found(range.owner, from, range.end.min(end) - from);
            if start < first {
                ranges.insert(
                    start,
                    Range {
                        end: first,
                        ..range
                    },
                );
                self.ranges += 1;
            }
            if range.end > end {
                ranges.insert(end, range);
                self.ranges += 1;
            }
        }
        if ranges.is_empty() {
            self.inodes.remove(&inode);
        }
    }

    /// Pages still dirty, in the inodes that `counts` accepts.
    pub fn pages(&self, counts: impl Fn((u32, u64)) -> bool) -> u64 {
        let inodes = self.inodes.iter().filter(|(inode, _)| counts(**inode));
        let pages = inodes
            .flat_map(|(_, ranges)| ranges)
            .map(|(start, range)| range.end - start);
        pages.fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CallId;

    const FILE: (u32, u64) = (1, 2);

    fn call(seq: u32) -> CallId {
        CallId { tid: 7, seq }
    }

    fn take(dirty: &mut DirtyPages<CallId>, first: u64, pages: u64) -> Vec<(u32, u64)> {
        let mut found = Vec::new();
        dirty.take(FILE, first, pages, |owner, _, pages| {
            found.push((owner.seq, pages))
        });
        found.sort_unstable();
        found
    }

    #[test]
    fn written_back_in_part() {
        let mut dirty = DirtyPages::default();
        dirty.insert(FILE, 0, 10, call(1), 7);
        dirty.insert(FILE, 10, 10, call(2), 7);
        assert_eq!(take(&mut dirty, 5, 10), [(1, 5), (2, 5)]);
        assert_eq!(take(&mut dirty, 5, 10), []);
        assert_eq!(dirty.pages(|_| true), 10);
        assert_eq!(take(&mut dirty, 0, u64::MAX), [(1, 5), (2, 5)]);
        assert_eq!(
            (dirty.pages(|_| true), dirty.ranges, dirty.inodes.len()),
            (0, 0, 0)
        );
    }

    #[test]
    fn the_hole_in_a_range() {
        let mut dirty = DirtyPages::default();
        dirty.insert(FILE, 0, 30, call(1), 7);
        assert_eq!(take(&mut dirty, 10, 10), [(1, 10)]);
        assert_eq!(dirty.ranges, 2);
        assert_eq!(take(&mut dirty, 0, 100), [(1, 10), (1, 10)]);
    }

    #[test]
    fn the_last_writer_owns_a_page() {
        let mut dirty = DirtyPages::default();
        dirty.insert(FILE, 0, 3, call(1), 7);
        dirty.insert(FILE, 1, 1, call(2), 7);
        assert_eq!(dirty.pages(|_| true), 3);
        assert_eq!(take(&mut dirty, 0, 3), [(1, 1), (1, 1), (2, 1)]);
    }

    #[test]
    fn one_call_is_one_range() {
        let mut dirty = DirtyPages::default();
        for page in 0..1000 {
            dirty.insert(FILE, page, 1, call(1), 7);
        }
        assert_eq!(dirty.ranges, 1);
    }

    #[test]
    fn many_calls_are_bounded() {
        let mut dirty = DirtyPages::default();
        let pages = RANGES_EXACT as u64 * 2;
        for page in 0..pages {
            dirty.insert(FILE, page, 1, call(page as u32), 7);
        }
        assert_eq!(dirty.ranges, RANGES_EXACT);
        assert_eq!(dirty.pages(|_| true), pages);
    }

    #[test]
    fn strange_ranges() {
        let mut dirty = DirtyPages::default();
        dirty.insert(FILE, u64::MAX, 5, call(1), 7);
        dirty.insert(FILE, 3, 0, call(1), 7);
        assert_eq!(dirty.pages(|_| true), 0);
        dirty.insert(FILE, u64::MAX - 1, 5, call(1), 7);
        assert_eq!(dirty.pages(|_| true), 1);
    }
}
