//! The calls as a list: filtered, and folded where the program does the same again and again.
//!
//! *Positions* count the calls that are shown. A run of equal calls is one [`Entry`], and so is a loop
//! of a few calls (`read`, `write`, `read`, `write` …). Rows are made when they are asked for.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::filter::Filter;
use crate::store::{Fields, Fixed, Paged, Store};

/// Calls from `first` on that are told as one: `reps` times the same `period` calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub first: u32,
    pub period: u32,
    pub reps: u32,
}

impl Entry {
    /// Calls in it.
    pub fn size(&self) -> usize {
        self.period as usize * self.reps as usize
    }

    pub fn is_run(&self) -> bool {
        self.size() > 1
    }
}

impl Fixed for Entry {
    const SIZE: usize = 12;

    fn put(&self, to: &mut Vec<u8>) {
        let numbers = [self.first, self.period, self.reps];
        numbers.iter().for_each(|n| to.extend(n.to_le_bytes()));
    }

    fn get(from: &mut Fields<'_>) -> Self {
        Self {
            first: from.u32(),
            period: from.u32(),
            reps: from.u32(),
        }
    }
}

/// A row of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// An entry by its number.
    Entry(usize),
    /// A call of an open entry, by its position.
    Member(usize),
    /// A hop of the current call, by its number.
    Hop(usize),
}

/// Where one is: a call by its index in the store, and one of its hops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub call: usize,
    /// `None`: the call as a whole.
    pub hop: Option<usize>,
}

/// Longest loop that is recognised.
const PERIOD_MAX: usize = 8;

#[derive(Default)]
pub struct List {
    filter: Filter,
    /// Calls by position; `None`: all.
    shown: Option<Vec<u32>>,
    /// Calls of the store that were looked at.
    seen: usize,
    len: usize,
    entries: Paged<Entry>,
    /// Entries that will stay as they are, whatever comes.
    settled: usize,
    fold: Fold,
    /// Entries whose calls are shown one by one.
    open: BTreeSet<usize>,
    /// Calls before this one are one entry: the loader's, before `main`.
    head: usize,
}

impl List {
    /// The calls that fit `filter`.
    pub fn new(store: &Store, filter: Filter) -> Self {
        let mut list = Self {
            shown: (!filter.is_empty()).then(Vec::new),
            filter,
            ..Self::default()
        };
        list.grow(store);
        list
    }

    /// Makes the calls before this one an entry, which can be opened as runs can.
    pub fn fold_head(&mut self, store: &Store, first: usize) {
        self.head = match &self.shown {
            Some(shown) => shown.partition_point(|call| (*call as usize) < first),
            None => first.min(self.len),
        };
        self.settled = 0;
        self.fold = Fold::default();
        self.refold(store);
    }

    /// Whether an entry is that of the calls before `main`.
    pub fn is_head(&self, number: usize) -> bool {
        number == 0 && self.head > 1
    }

    /// Takes what has come to the store; the positions that are new. Lists that grew step by step are
    /// those that were made at once.
    pub fn grow(&mut self, store: &Store) -> Range<usize> {
        let before = self.len;
        match &mut self.shown {
            Some(shown) => {
                let new = self.seen as u32..store.len() as u32;
                shown.extend(new.filter(|call| self.filter.fits(store, *call)));
                self.len = shown.len();
            }
            None => self.len = store.len(),
        }
        self.seen = store.len();
        if self.len > before {
            self.refold(store);
        }
        before..self.len
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn is_filtered(&self) -> bool {
        self.shown.is_some()
    }

    /// The call at a position.
    pub fn call(&self, position: usize) -> Option<usize> {
        match &self.shown {
            Some(shown) => shown.get(position).map(|call| *call as usize),
            None => (position < self.len).then_some(position),
        }
    }

    /// Calls shown, in order.
    pub fn calls(&self) -> impl Iterator<Item = usize> {
        (0..self.len).filter_map(|position| self.call(position))
    }

    /// Position of a call; of the next one that is shown if it is not; the last at the end.
    pub fn position(&self, call: usize) -> usize {
        let at = match &self.shown {
            Some(shown) => shown.partition_point(|c| (*c as usize) < call),
            None => call,
        };
        at.min(self.len.saturating_sub(1))
    }

    pub fn entry(&self, number: usize) -> Option<Entry> {
        self.entries.get(number)
    }

    /// The entry of a position.
    pub fn entry_of(&self, position: usize) -> usize {
        let after = self
            .entries
            .partition_point(|entry| entry.first as usize <= position);
        after.saturating_sub(1)
    }

    pub fn is_open(&self, entry: usize) -> bool {
        self.open.contains(&entry)
    }

    pub fn set_open(&mut self, entry: usize, open: bool) {
        match open {
            true if self.entry(entry).is_some_and(|entry| entry.is_run()) => {
                self.open.insert(entry);
            }
            true => {}
            false => {
                self.open.remove(&entry);
            }
        }
    }

    /// Number of rows, `hops` of them below the current call.
    pub fn rows(&self, hops: usize) -> usize {
        let open = self.open.iter().filter_map(|entry| self.entry(*entry));
        self.entries.len() + open.map(|entry| entry.size()).sum::<usize>() + hops
    }

    /// Row of the cursor.
    pub fn row_of(&self, cursor: Cursor) -> usize {
        self.call_row(cursor.call) + cursor.hop.map_or(0, |hop| hop + 1)
    }

    /// Row of a call, or of the closed entry that it is in, hops not counted.
    fn call_row(&self, call: usize) -> usize {
        let position = self.position(call);
        let number = self.entry_of(position);
        let before = self
            .open
            .range(..number)
            .filter_map(|entry| self.entry(*entry));
        let row = number + before.map(|entry| entry.size()).sum::<usize>();
        match self.entry(number) {
            Some(entry) if self.is_open(number) => row + 1 + position - entry.first as usize,
            _ => row,
        }
    }

    /// What stands in a row, with `hops` rows below the row of the cursor's call.
    pub fn row(&self, row: usize, cursor: Cursor, hops: usize) -> Option<Row> {
        let at = self.call_row(cursor.call);
        let row = match row {
            _ if row <= at => row,
            _ if row <= at + hops => return Some(Row::Hop(row - at - 1)),
            _ => row - hops,
        };
        // Rows and entries passed.
        let (mut rows, mut entries) = (0, 0);
        for &open in &self.open {
            let header = rows + open - entries;
            if row <= header {
                break;
            }
            let entry = self.entry(open)?;
            if row <= header + entry.size() {
                return Some(Row::Member(entry.first as usize + row - header - 1));
            }
            rows = header + 1 + entry.size();
            entries = open + 1;
        }
        let number = entries + row - rows;
        self.entry(number).map(|_| Row::Entry(number))
    }

    /// Finds what the program does again and again, in what is new.
    fn refold(&mut self, store: &Store) {
        self.entries.truncate(self.settled);
        let mut fold = std::mem::take(&mut self.fold);
        let mut settled = true;
        if fold.at == 0 && self.head > 1 {
            self.entries.push(Entry {
                first: 0,
                period: self.head as u32,
                reps: 1,
            });
            fold.at = self.head;
        }
        while fold.at < self.len {
            let entry = fold.best(self.len, |a, b| match (self.call(a), self.call(b)) {
                (Some(a), Some(b)) => store.alike(a, b),
                _ => false,
            });
            if settled && fold.depends_on_more(self.len) {
                settled = false;
                self.settled = self.entries.len();
                self.fold = fold.clone();
            }
            self.entries.push(entry);
            fold = Fold {
                at: fold.at + entry.size(),
                ..Fold::default()
            };
        }
        if settled {
            self.settled = self.entries.len();
            self.fold = fold;
        }
        let runs = &self.entries;
        self.open
            .retain(|open| runs.get(*open).is_some_and(|entry| entry.is_run()));
    }
}

/// What is known of the entry that begins at a position.
#[derive(Clone, Default)]
struct Fold {
    at: usize,
    /// By period: how many calls are like the one a period further on, and whether the next is not.
    same: [(usize, bool); PERIOD_MAX],
}

impl Fold {
    /// The longest repetition there, as far as the calls up to `len` tell.
    fn best(&mut self, len: usize, alike: impl Fn(usize, usize) -> bool) -> Entry {
        let mut best = Entry {
            first: self.at as u32,
            period: 1,
            reps: 1,
        };
        for (period, (same, over)) in (1..).zip(&mut self.same) {
            while !*over && self.at + *same + period < len {
                match alike(self.at + *same, self.at + *same + period) {
                    true => *same += 1,
                    false => *over = true,
                }
            }
            let reps = *same / period + 1;
            let enough = if period == 1 { 2 } else { 3 };
            if reps >= enough && reps * period > best.size() {
                best.period = period as u32;
                best.reps = reps as u32;
            }
            if period == 1 && reps >= PERIOD_MAX {
                break;
            }
        }
        best
    }

    /// Whether more calls than `len` may change the answer.
    fn depends_on_more(&self, len: usize) -> bool {
        let ends = |period: usize| {
            self.same
                .get(period - 1)
                .is_some_and(|(same, over)| !over && self.at + same + period >= len)
        };
        match self.same[0].0 + 1 >= PERIOD_MAX {
            true => ends(1),
            false => (1..=PERIOD_MAX).any(ends),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[(u32, u32)]) -> List {
        let mut first = 0;
        let mut made = Paged::default();
        for &(period, reps) in entries {
            made.push(Entry {
                first,
                period,
                reps,
            });
            first += period * reps;
        }
        List {
            len: first as usize,
            entries: made,
            ..List::default()
        }
    }

    fn all_rows(list: &List, cursor: Cursor, hops: usize) -> Vec<Row> {
        (0..list.rows(hops))
            .map(|row| list.row(row, cursor, hops).expect("a row"))
            .collect()
    }

    #[test]
    fn rows_of_closed_entries() {
        let list = list(&[(1, 1), (1, 3), (2, 2)]);
        let cursor = Cursor {
            call: 2,
            hop: Some(0),
        };
        assert_eq!(
            all_rows(&list, cursor, 2),
            [
                Row::Entry(0),
                Row::Entry(1),
                Row::Hop(0),
                Row::Hop(1),
                Row::Entry(2)
            ]
        );
        assert_eq!(list.row_of(cursor), 2);
    }

    /// Live or at once: what is before `main` is one row.
    #[test]
    fn the_head_is_one_entry() {
        let mut list = list(&[(1, 1); 5]);
        list.fold_head(&Store::default(), 3);
        let cursor = Cursor { call: 3, hop: None };
        assert!(list.is_head(0) && !list.is_head(1));
        let rows = all_rows(&list, cursor, 0);
        assert_eq!(rows, [Row::Entry(0), Row::Entry(1), Row::Entry(2)]);
        assert_eq!(
            (list.row_of(cursor), list.entry(0).map(|e| e.size())),
            (1, Some(3))
        );
        list.set_open(0, true);
        assert_eq!((list.rows(0), list.row_of(cursor)), (6, 4));
    }

    #[test]
    fn rows_of_open_entries() {
        let mut list = list(&[(1, 2), (1, 1), (1, 2)]);
        list.set_open(0, true);
        list.set_open(1, true);
        list.set_open(2, true);
        let cursor = Cursor { call: 1, hop: None };
        assert_eq!(
            all_rows(&list, cursor, 1),
            [
                Row::Entry(0),
                Row::Member(0),
                Row::Member(1),
                Row::Hop(0),
                Row::Entry(1),
                Row::Entry(2),
                Row::Member(3),
                Row::Member(4)
            ]
        );
        assert_eq!(list.row_of(Cursor { call: 4, hop: None }), 6);
        assert_eq!(list.row(8, cursor, 1), None);
    }
}
