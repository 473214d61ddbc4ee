//! The tables of `top`, added up by name or by cgroup: counters that only grow, in a bounded number of rows.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bytehop_core::model::HopKind;
use bytehop_core::top::{Frame, Row, Who};
use bytehop_core::unknown::What;

/// What rows are told apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Key {
    /// A process's name (`comm`).
    #[default]
    Name,
    /// Its cgroup, as `/proc/PID/cgroup` has it.
    Cgroup,
}

impl Key {
    /// As `--by` and labels have it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Cgroup => "cgroup",
        }
    }
}

/// Whose a row is. What processes call themselves is only in [`Group::Processes`], so no name can pass for
/// another row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// All processes of this name or cgroup.
    Processes(String),
    /// Kernel threads, for nobody that is known.
    Kernel,
    /// What the caller may not see, in one.
    Others,
    /// Processes that ended before their cgroup (or name) was read.
    Unseen,
    /// All that had no row of their own.
    Rest,
}

impl Group {
    /// The label `what`.
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Processes(_) => "process",
            Self::Kernel => "kernel",
            Self::Others => "others",
            Self::Unseen => "unseen",
            Self::Rest => "rest",
        }
    }

    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Processes(name) => Some(name),
            _ => None,
        }
    }
}

/// Kinds of hops that are counted, in the order of [`Totals::bytes`].
pub const KINDS: [HopKind; 4] = [HopKind::Copy, HopKind::Dma, HopKind::Share, HopKind::Fill];

/// What was counted of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By kind; of it measured, and inferred.
    pub bytes: [[u64; 2]; KINDS.len()],
    pub crossings: u64,
    pub faults: u64,
    pub calls: u64,
    pub errors: u64,
}

impl Totals {
    fn add(&mut self, row: &Row) {
        for (sum, kind) in self.bytes.iter_mut().zip(KINDS) {
            let Some(amount) = row.amount(kind) else {
                continue;
            };
            let inferred = amount.inferred.min(amount.bytes);
            sum[0] = sum[0].saturating_add(amount.bytes - inferred);
            sum[1] = sum[1].saturating_add(inferred);
        }
        self.crossings = self.crossings.saturating_add(row.crossings());
        self.faults = self.faults.saturating_add(row.faults.unwrap_or(0));
        self.calls = self.calls.saturating_add(row.calls);
        self.errors = self.errors.saturating_add(row.errors);
    }
}

/// A group's counters, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub totals: Totals,
    /// ns since 1970: the row began at zero.
    pub since_ns: u64,
    /// The last reading in which it grew.
    active: u64,
}

/// Counters by group.
#[derive(Clone, Debug)]
pub struct Rows {
    key: Key,
    /// Groups of processes that have a row at most.
    most: usize,
    /// A row that did not grow for so many readings may be given away.
    idle: u64,
    groups: BTreeMap<Group, Counted>,
    /// What no number tells, by what it is.
    unknown: BTreeMap<What, u64>,
    lost: bytehop_core::top::Lost,
    faults_are_known: bool,
    /// When counting began, and the last reading was: ns since 1970.
    begun_ns: u64,
    then_ns: u64,
    now_ns: u64,
    round: u64,
}

/// Longer names are cut: a path of a cgroup may have 4096 bytes.
const NAME_MOST: usize = 512;

impl Rows {
    /// `idle`: after so many readings without anything, a row may be given to another group.
    pub fn new(key: Key, most: usize, idle: u64, begun_ns: u64) -> Self {
        Self {
            key,
            most,
            idle,
            groups: BTreeMap::new(),
            unknown: BTreeMap::new(),
            lost: bytehop_core::top::Lost::default(),
            faults_are_known: true,
            begun_ns,
            then_ns: begun_ns,
            now_ns: begun_ns,
            round: 0,
        }
    }

    /// Adds what happened in an interval: each table of `top`, once.
    pub fn add(&mut self, frame: &Frame) {
        self.round += 1;
        self.then_ns = self.now_ns;
        self.now_ns = frame.realtime_ns.max(self.now_ns);
        self.lost = frame.lost;
        let mut rows: Vec<&Row> = frame.rows.iter().filter(|row| !row.is_idle()).collect();
        // Where there is room for a few only, those that do most get it.
        rows.sort_by_key(|row| (Reverse(row.crossings()), row.who));
        for row in rows {
            self.faults_are_known &= row.faults.is_some();
            for unknown in &row.unknown {
                let sum = self.unknown.entry(unknown.what).or_default();
                *sum = sum.saturating_add(unknown.count);
            }
            let group = self.room_for(self.group_of(row));
            let (since_ns, active) = (self.since(&group), self.round);
            let counted = self.groups.entry(group).or_insert(Counted {
                totals: Totals::default(),
                since_ns,
                active,
            });
            counted.totals.add(row);
            counted.active = active;
        }
    }

    fn group_of(&self, row: &Row) -> Group {
        match row.who {
            Who::Kernel => return Group::Kernel,
            Who::Others(_) => return Group::Others,
            Who::Process(_) | Who::Ended(_) => {}
        }
        let name = match self.key {
            Key::Name => &row.name,
            Key::Cgroup => &row.cgroup,
        };
        match name.is_empty() {
            true => Group::Unseen,
            false => Group::Processes(cut(name)),
        }
    }

    /// The group itself if it has a row or gets one, else the rest.
    fn room_for(&mut self, group: Group) -> Group {
        if !matches!(group, Group::Processes(_)) || self.groups.contains_key(&group) {
            return group;
        }
        let theirs = self
            .groups
            .iter()
            .filter(|(group, _)| matches!(group, Group::Processes(_)));
        if theirs.clone().count() < self.most {
            return group;
        }
        let idlest = theirs
            .min_by_key(|(_, counted)| counted.active)
            .filter(|(_, counted)| counted.active + self.idle < self.round)
            .map(|(group, _)| group.clone());
        match idlest {
            // What it had counted ends with it: added to the rest it would look like work done now.
            Some(idle) => {
                self.groups.remove(&idle);
                group
            }
            None => Group::Rest,
        }
    }

    /// A group that could have had a row before counts from the beginning, one that may follow another's end
    /// from the last reading on.
    fn since(&self, group: &Group) -> u64 {
        match group {
            Group::Processes(_) if self.round > self.idle => self.then_ns,
            _ => self.begun_ns,
        }
    }

    pub fn key(&self) -> Key {
        self.key
    }

    pub fn most(&self) -> usize {
        self.most
    }

    /// Each group with its counters, in a fixed order.
    pub fn groups(&self) -> impl Iterator<Item = (&Group, &Counted)> {
        self.groups.iter()
    }

    pub fn unknown(&self) -> impl Iterator<Item = (What, u64)> {
        self.unknown.iter().map(|(what, n)| (*what, *n))
    }

    pub fn lost(&self) -> &bytehop_core::top::Lost {
        &self.lost
    }

    /// Whether this kernel tells page faults.
    pub fn faults_are_known(&self) -> bool {
        self.faults_are_known
    }

    pub fn begun_ns(&self) -> u64 {
        self.begun_ns
    }

    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    pub fn readings(&self) -> u64 {
        self.round
    }
}

/// A name of bounded length in which each character shows as itself.
fn cut(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|c| match bytehop_core::report::printable(c) {
            true => c,
            false => '\u{fffd}',
        })
        .collect();
    if out.len() > NAME_MOST {
        let end = (0..=NAME_MOST).rev().find(|end| out.is_char_boundary(*end));
        out.truncate(end.unwrap_or(0));
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;
