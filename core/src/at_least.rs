//! Totals that may be too small: what a probe may have missed marks each total that it feeds.
//!
//! Causes are hooks that are not attached, programs that the kernel skipped, records that found no room, and
//! calls of which only a part was traced. A hook that a rule stands in for loses nothing while it is absent; one
//! that is there and misses an event does, since its silence is taken for an answer.

mod feeds;

use std::collections::BTreeSet;

use tracer_ebpf::kind;

use crate::arch::{Arch, PAGE_FAULTS};
use crate::catalogue::functions::{self, FunctionId};
use crate::catalogue::primitives;
use crate::catalogue::probes::{self, Tracepoint};
use crate::event::{Cut, KIND_NAMES};
use crate::model::{Evidence, HopKind, HopRow, Summary};
use crate::notice::Notice;
use crate::record::Warning;
use crate::rules::{CallTable, End, RULES, Shape, Step};
use crate::unknown::Unknown;
use feeds::{ANY, Ends, Feed};

/// What a trace says of itself that no summary has.
#[derive(Clone, Copy, Debug)]
pub struct Causes<'a> {
    pub arch: Arch,
    /// Programs that the kernel skipped.
    pub skipped: &'a [(String, u64)],
    /// Lost calls by number.
    pub lost_calls: &'a [(u16, u64)],
    /// Calls that were under way when tracing began, and when it ended.
    pub cut: [&'a Cut; 2],
    /// What counters cannot tell.
    pub unknown: &'a [Unknown],
}

/// Marks the totals of a summary that is complete but for this: `copy page_cache->user`, or `dma` where no such
/// hop was seen.
pub fn mark(summary: &mut Summary, causes: &Causes<'_>) {
    let mut found = Found::new(&summary.hops);
    for (hook, _) in &summary.missing_probes {
        found.absent(hook, summary);
    }
    for (program, _) in causes.skipped {
        found.skipped(program);
    }
    let table = CallTable::of(causes.arch);
    for (name, lost) in &summary.lost_by_kind {
        found.lost(name, *lost, table, causes.lost_calls);
    }
    for cut in causes.cut {
        for (nr, _) in &cut.calls {
            found.call(*nr, table);
        }
        if cut.unknown > 0 {
            found.like_those_seen();
        }
    }
    for warning in &summary.warnings {
        found.noticed(warning);
    }
    for unknown in causes.unknown {
        found.feeds(feeds::unknown(unknown.what));
    }
    summary.at_least = found.names.into_iter().collect();
}

impl Summary {
    /// Takes a warning, which may be of what feeds totals.
    pub fn warn(&mut self, notice: Notice) {
        let mut found = Found::new(&self.hops);
        found.noticed(&notice);
        let more = found.names;
        self.warnings.push(notice);
        let all: BTreeSet<String> = self.at_least.drain(..).chain(more).collect();
        self.at_least = all.into_iter().collect();
    }

    /// Whether the total of a kind of hop may be too small.
    pub fn is_at_least(&self, kind: HopKind) -> bool {
        let word = kind.word();
        let of_kind = |name: &String| name.split(' ').next() == Some(word);
        self.at_least.iter().any(of_kind)
    }

    /// Whether the total that this row is part of may be.
    pub fn is_row_at_least(&self, row: &HopRow) -> bool {
        !self.at_least.is_empty() && self.at_least.contains(&name(row))
    }
}

/// A total's name, as JSON has it.
fn name(row: &HopRow) -> String {
    format!("{} {}->{}", row.kind.word(), row.from, row.to)
}

/// The totals found so far.
struct Found<'a> {
    rows: &'a [HopRow],
    names: BTreeSet<String>,
}

impl<'a> Found<'a> {
    fn new(rows: &'a [HopRow]) -> Self {
        Self {
            rows,
            names: BTreeSet::new(),
        }
    }

    /// Those that this feeds.
    fn feed(&mut self, feed: Feed) {
        let fed = self.rows.iter().filter(|row| feed.fits(row));
        let mut any = false;
        for row in fed {
            any = true;
            self.names.insert(name(row));
        }
        // It may have been between places that no hop has.
        if !any || feed.is_any() {
            self.names.insert(feed.name());
        }
    }

    fn feeds(&mut self, feeds: &[Feed]) {
        feeds.iter().for_each(|feed| self.feed(*feed));
    }

    /// Of a hook that the kernel did not give.
    fn absent(&mut self, hook: &str, summary: &Summary) {
        let known = match hook {
            PAGE_FAULTS => Some(Tracepoint::page_fault_user.row()),
            _ => probes::TABLE.iter().find(|probe| probe.label == hook),
        };
        if let Some(probe) = known {
            let requests = || {
                let mut calls = summary.syscalls.iter();
                calls.any(|row| row.name.starts_with("io_uring"))
            };
            match probe.group {
                // Without a ring there are no requests.
                probes::Group::Uring if !requests() => {}
                _ => self.feeds(feeds::absent(probe.id)),
            }
        }
        self.feeds(feeds::field(hook));
    }

    /// Of a program that the kernel did not run at times.
    fn skipped(&mut self, program: &str) {
        let call = probes::AGAIN.iter().find(|again| again.program == program);
        let program = call.map_or(program, |again| again.on.row().program);
        if let Some(probe) = probes::of_program(program) {
            return self.feeds(feeds::missed(probe.id));
        }
        // A function has up to two programs: `f`, and `f_in` at its beginning.
        let function = program.strip_suffix("_in").unwrap_or(program);
        let function = function.strip_suffix("_out").unwrap_or(function);
        if let Some(row) = functions::TABLE.iter().find(|row| row.program == function) {
            return self.function(row.id);
        }
        if primitives::TABLE.iter().any(|row| row.program == program) {
            self.feed(Feed(HopKind::Copy, Ends::Any, Ends::Any));
        }
    }

    /// Of a function of level F: what it measured here, and what it measures by itself.
    fn function(&mut self, function: FunctionId) {
        let by = |row: &&HopRow| match row.evidence {
            Evidence::Measured(probe) => feeds::is_of(probe, function),
            _ => false,
        };
        let measured = self.rows.iter().filter(by).map(name);
        self.names.extend(measured);
        for feed in feeds::of_function(function) {
            self.feed(feed);
        }
    }

    /// Of lost records of this kind.
    fn lost(&mut self, name: &str, lost: u64, table: &CallTable, calls: &[(u16, u64)]) {
        let kind = KIND_NAMES.iter().position(|known| *known == name);
        let kind = kind.and_then(|kind| u8::try_from(kind).ok()).unwrap_or(0);
        if !matches!(kind, kind::SYSCALL | kind::SYSCALL_FILE) {
            return self.feeds(feeds::lost(kind));
        }
        for (nr, _) in calls {
            self.call(*nr, table);
        }
        let told = calls
            .iter()
            .fold(0, |sum: u64, (_, n)| sum.saturating_add(*n));
        if told < lost {
            self.feeds(ANY);
        }
    }

    /// Of a call that was missed, or of which a part was.
    fn call(&mut self, nr: u16, table: &CallTable) {
        let Some(shape) = table.call(nr).and_then(|info| info.shape) else {
            return;
        };
        for feed in of_shape(shape) {
            self.feed(feed);
        }
    }

    /// Of calls of which nothing is known: like those that were seen, if any were.
    fn like_those_seen(&mut self) {
        let seen = self.rows.iter().filter(|row| !row.deferred);
        let by_calls = seen.filter(|row| matches!(row.kind, HopKind::Copy | HopKind::Share));
        self.names.extend(by_calls.map(name));
    }

    /// Of what the trace says of itself.
    fn noticed(&mut self, notice: &Notice) {
        match notice {
            Notice::UnsizedMessages(_) => self.feeds(feeds::MESSAGES),
            Notice::UnsizedReflinks(_) => self.feeds(feeds::REFLINKS),
            Notice::UnknownMeasures(_) => self.feeds(feeds::lost(kind::COPY)),
            Notice::Scattered(_) => self.feeds(feeds::lost(kind::DIRTY)),
            Notice::NoEnd
            | Notice::Recording(
                Warning::Gap { .. }
                | Warning::CutOff { .. }
                | Warning::Io { .. }
                | Warning::Undecodable { .. },
            ) => self.feeds(ANY),
            Notice::FailedRequests(_)
            | Notice::LeftRunning(_)
            // What was asked for is counted, which may be more.
            | Notice::Untold(_)
            | Notice::BreakpointsOff { .. }
            | Notice::Skipped { .. }
            | Notice::Stopped
            | Notice::Again(_)
            | Notice::Recording(Warning::Header | Warning::Trailing { .. })
            | Notice::Part(_)
            | Notice::OfProcess(_)
            | Notice::FromMain
            | Notice::InRegion(_)
            | Notice::NotThere(_)
            | Notice::Unended(..)
            | Notice::Unbegun(..)
            | Notice::OddMark(..)
            | Notice::Foreign(_) => {}
        }
    }
}

/// What calls of a shape may move, by the rules.
fn of_shape(shape: Shape) -> BTreeSet<Feed> {
    let ends = |end: End| match end {
        End::User => Ends::User,
        End::Zeros => Ends::Zero,
        End::Random | End::Queue => Ends::Kernel,
        End::First | End::Second => Ends::Any,
    };
    let rules = RULES
        .iter()
        .filter(|rule| rule.moves.contains(&shape.moves));
    let steps = rules.flat_map(|rule| rule.does.steps());
    // Zeros are what few calls read.
    let usual = steps.filter(|step| step.0 != HopKind::Fill);
    let feed = |Step(kind, ..): &Step| Feed(*kind, ends(shape.from), ends(shape.to));
    usual.map(feed).collect()
}

#[cfg(test)]
mod tests;
