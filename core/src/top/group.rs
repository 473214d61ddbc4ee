//! Counters of one process, and what two readings of them differ by.

use std::collections::HashMap;
use std::hash::Hash;

use tracer_ebpf::{Count, CountKey, FileRef, Proc, StatCell, TopCell, TopKey, how};

use super::Lost;
use crate::counters::{Calls, Counters, msg_flags};

/// A [`TopKey`] without its process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CallKey {
    pub nr: u16,
    pub how: u16,
    pub class: u16,
    pub class2: u16,
}

impl CallKey {
    pub fn of(key: &TopKey) -> Self {
        Self {
            nr: key.nr,
            how: key.how,
            class: key.class,
            class2: key.class2,
        }
    }

    fn is_of_other_table(&self) -> bool {
        self.how & how::COMPAT != 0
    }
}

/// What was counted of one process.
#[derive(Clone, Debug, Default)]
pub struct Group {
    pub calls: HashMap<CallKey, TopCell>,
    pub counts: HashMap<CountKey, Count>,
}

impl Group {
    /// What was added to `before`. Counters only grow, and a process whose counters were taken away
    /// begins anew, with `before` empty.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            calls: added(&self.calls, &before.calls, |a, b| TopCell {
                calls: a.calls.saturating_sub(b.calls),
                errors: a.errors.saturating_sub(b.errors),
                bytes: a.bytes.saturating_sub(b.bytes),
            }),
            counts: added(&self.counts, &before.counts, |a, b| Count {
                count: a.count.saturating_sub(b.count),
                bytes: a.bytes.saturating_sub(b.bytes),
            }),
        }
    }

    /// Adds another one's.
    pub fn merge(&mut self, other: &Self) {
        for (key, c) in &other.calls {
            *self.calls.entry(*key).or_default() += *c;
        }
        for (key, c) in &other.counts {
            *self.counts.entry(*key).or_default() += *c;
        }
    }

    /// Calls of 32-bit programs, and how many of them failed: their numbers mean something else.
    pub fn of_other_table(&self) -> (u64, u64) {
        let theirs = self.calls.iter().filter(|(key, _)| key.is_of_other_table());
        theirs.fold((0, 0), |(calls, errors), (_, c)| {
            (calls + c.calls, errors + c.errors)
        })
    }

    /// As the rules are asked with it, but for calls of the other table; `files`: what the classes mean.
    /// In a fixed order.
    pub fn counters(&self, files: &HashMap<u16, FileRef>) -> Counters {
        let ours = self
            .calls
            .iter()
            .filter(|(key, _)| !key.is_of_other_table());
        let mut calls: Vec<_> = ours.collect();
        calls.sort_by_key(|(key, _)| (key.nr, key.how, key.class, key.class2));
        let mut counts: Vec<_> = self.counts.iter().map(|(key, c)| (*key, *c)).collect();
        counts.sort_by_key(|(key, _)| (key.what, key.flags, key.id));
        let calls = calls.into_iter().map(|(key, c)| Calls {
            nr: key.nr,
            file: files.get(&key.class).copied(),
            file2: files.get(&key.class2).copied(),
            msg_flags: msg_flags(key.how),
            cell: StatCell {
                calls: c.calls,
                errors: c.errors,
                bytes: c.bytes,
                ..StatCell::default()
            },
        });
        Counters {
            calls: calls.collect(),
            counts,
            ..Counters::default()
        }
    }
}

/// Entries of `now` that are not as in `before`, less what they were.
fn added<K: Copy + Eq + Hash, V: Copy + Default + PartialEq>(
    now: &HashMap<K, V>,
    before: &HashMap<K, V>,
    less: impl Fn(V, V) -> V,
) -> HashMap<K, V> {
    let added = now.iter().filter_map(|(key, value)| {
        let was = before.get(key).copied().unwrap_or_default();
        (*value != was).then(|| (*key, less(*value, was)))
    });
    added.collect()
}

/// The kernel's counters at one moment, summed over processors.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub groups: HashMap<Proc, Group>,
    /// Kinds of files, by class.
    pub files: HashMap<u16, FileRef>,
    /// Names that the kernel side kept.
    pub names: HashMap<Proc, String>,
    pub lost: Lost,
}
