//! What counters cannot tell.

use tracer_ebpf::{OPERATION, count};

use super::hops::untold;
use super::{Calls, Counters};
use crate::arch::Arch;
use crate::catalogue::Certainty;
use crate::rules::{CallTable, Class, FileKind, Fs, Move, Size, conclude as rule_of};
use crate::unknown::{Unknown, What};

/// Index of the loopback interface, in every network namespace (`LOOPBACK_IFINDEX`, include/net/flow.h).
const LOOPBACK: u32 = 1;

/// What of all this counters cannot tell.
pub fn unknown(counters: &Counters, arch: Arch) -> Vec<Unknown> {
    let table = CallTable::of(arch);
    let mut found: Vec<Unknown> = Vec::new();
    let mut add = |what, count: u64, up_to: Option<u64>| {
        if count == 0 {
            return;
        }
        match found.iter_mut().find(|unknown| unknown.what == what) {
            Some(known) => {
                known.count += count;
                known.up_to = known.up_to.zip(up_to).map(|(a, b)| a.saturating_add(b));
            }
            None => found.push(Unknown { what, count, up_to }),
        }
    };
    for calls in &counters.calls {
        let done = calls.cell.calls.saturating_sub(calls.cell.errors);
        let info = table.call(calls.nr).filter(|_| calls.nr & OPERATION == 0);
        let Some(shape) = calls.shape(table) else {
            continue;
        };
        // Which of these calls move bytes their arguments tell.
        let argued = match shape.moves {
            // Extents, or the pages of userfaultfd.
            Move::Clone => Some(calls.is_on(arch, |class| match class.kind {
                FileKind::RegularFile => class.fs == Fs::Reflink,
                kind => kind == FileKind::AnonInode,
            })),
            Move::RecvZc if info.is_some() => {
                Some(calls.is_on(arch, |class| class.kind == FileKind::Tcp))
            }
            // What is mapped the page faults tell.
            Move::Populate => Some(false),
            _ => None,
        };
        if let Some(argued) = argued {
            add(What::Arguments, if argued { done } else { 0 }, None);
            continue;
        }
        // Whether `ptrace` moved a word its arguments tell: one at most, in two steps.
        if matches!(shape.moves, Move::Peek | Move::Poke) {
            add(What::Undecided, done, Some(done.saturating_mul(16)));
            continue;
        }
        if info.is_some() && matches!(shape.size, Size::Unknown | Size::Arg(_)) {
            add(What::Messages, done, None);
            continue;
        }
        if calls.cell.bytes == 0 {
            continue;
        }
        let facts = calls.facts(shape, arch);
        if untold(calls, shape, &facts) {
            add(What::Undecided, done, Some(calls.cell.bytes));
            continue;
        }
        match rule_of(&facts).map(|rule| rule.id.certainty()) {
            Some(Certainty::Undecided) => add(What::Undecided, done, Some(calls.cell.bytes)),
            Some(Certainty::UpTo) => add(What::ZeroCopySends, done, Some(calls.cell.bytes)),
            Some(Certainty::Known) => {}
            None => {
                let directory = [facts.from.kind, facts.to.kind].contains(&FileKind::Directory);
                if !directory {
                    add(What::UnknownFiles, done, Some(calls.cell.bytes));
                }
            }
        }
    }
    let pages = |what, large: bool| counters.sum(what, |key| (key.flags == 1) == large);
    for (large, what) in [(false, What::FreshPages), (true, What::LargePages)] {
        let (fresh, cached) = (pages(count::FRESH, large), pages(count::CACHED, large));
        let bytes = fresh.bytes.saturating_sub(cached.bytes);
        add(what, fresh.count.saturating_sub(cached.count), Some(bytes));
    }
    let received = counters.sum(count::SKB, |key| key.id > LOOPBACK);
    add(What::Received, received.count, Some(received.bytes));
    let faults =
        [count::FAULT, count::RUSAGE_FAULTS].map(|what| counters.sum(what, |_| true).count);
    add(What::Faults, faults.into_iter().max().unwrap_or(0), None);
    let requests = counters.sum(count::BLOCK_UNKNOWN, |_| true);
    add(What::Requests, requests.count, Some(requests.bytes));
    found
}

impl Calls {
    /// Whether they were on such a file.
    fn is_on(&self, arch: Arch, wanted: impl Fn(Class) -> bool) -> bool {
        let class = self.file.as_ref().map(|file| Class::of(file, arch));
        // `top` looks no descriptor of these up.
        class.is_none_or(wanted)
    }
}
