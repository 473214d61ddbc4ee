//! From counters of a process to its row: the rules of `stat`, and what they leave open.

use std::collections::HashMap;

use tracer_ebpf::{FileRef, OPERATION, count};

use super::group::Group;
use super::{Amount, CallRow, More, Row, Unknown, What, Who};
use crate::arch::Arch;
use crate::catalogue::Certainty;
use crate::counters::{Calls, Concluded, Counters, Hardware, call_name, conclude_hops};
use crate::model::{Evidence, HopKind, HopRow};
use crate::rules::{CallTable, FileKind, Move, Size, conclude as rule_of};

/// Index of the loopback interface, in every network namespace (`LOOPBACK_IFINDEX`, include/net/flow.h).
const LOOPBACK: u32 = 1;
/// How calls of 32-bit programs are listed.
const OTHER_TABLE: &str = "32-bit";

/// What is the same for every row.
pub struct Context {
    pub arch: Arch,
    pub hardware: Box<dyn Hardware>,
    /// The hooks on user page faults, on copies out of sockets are attached.
    pub faults: bool,
    pub receives: bool,
}

/// The row of one process; `files`: what the classes mean.
pub fn row(group: &Group, files: &HashMap<u16, FileRef>, context: &mut Context) -> Row {
    let (others, failed) = group.of_other_table();
    let counters = group.counters(files);
    let Concluded { hops, metadata, .. } = conclude_hops(
        &counters,
        context.arch,
        context.hardware.as_mut(),
        context.receives,
    );
    let mut unknown = unknown(&counters, context);
    let mut syscalls = by_name(&counters, context.arch);
    if others > 0 {
        unknown.push(Unknown {
            what: What::OtherTable,
            count: others,
            up_to: None,
        });
        syscalls.push(CallRow {
            name: OTHER_TABLE.to_owned(),
            calls: others,
            errors: failed,
            bytes: 0,
        });
    }
    syscalls.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.name.cmp(&b.name)));
    let calls = counters.calls.iter().filter(|c| c.nr & OPERATION == 0);
    let (calls, errors) = calls.fold((others, failed), |(calls, errors), c| {
        (calls + c.cell.calls, errors + c.cell.errors)
    });
    let amount = |kind| amount(kind, &hops, &unknown);
    Row {
        who: Who::Kernel,
        name: String::new(),
        command: String::new(),
        ended: false,
        calls,
        errors,
        faults: context
            .faults
            .then(|| counters.sum(count::FAULT, |_| true).count),
        copied: amount(HopKind::Copy),
        dma: amount(HopKind::Dma),
        shared: amount(HopKind::Share),
        filled: amount(HopKind::Fill),
        hops,
        syscalls,
        unknown,
        metadata_io: metadata,
    }
}

fn amount(kind: HopKind, hops: &[HopRow], unknown: &[Unknown]) -> Amount {
    let of_kind = hops.iter().filter(|hop| hop.kind == kind);
    let (bytes, inferred) = of_kind.fold((0u64, 0u64), |(all, inferred), hop| {
        let concluded = match hop.evidence {
            Evidence::Measured(_) => 0,
            Evidence::Inferred(_) | Evidence::Estimated(_) => hop.bytes,
        };
        (
            all.saturating_add(hop.bytes),
            inferred.saturating_add(concluded),
        )
    });
    let more = unknown
        .iter()
        .filter(|unknown| unknown.what.kinds().contains(&kind))
        .map(|unknown| unknown.up_to.map_or(More::Unbounded, More::UpTo));
    Amount {
        bytes,
        inferred,
        more: more.fold(More::Nothing, More::and),
    }
}

fn by_name(counters: &Counters, arch: Arch) -> Vec<CallRow> {
    let mut rows: HashMap<u16, CallRow> = HashMap::new();
    for Calls { nr, cell, .. } in &counters.calls {
        let row = rows.entry(*nr).or_default();
        row.calls += cell.calls;
        row.errors += cell.errors;
        row.bytes = row.bytes.saturating_add(cell.bytes);
    }
    let named = rows.into_iter().map(|(nr, row)| CallRow {
        name: call_name(nr, arch),
        ..row
    });
    named.collect()
}

/// What of all this counters cannot tell.
fn unknown(counters: &Counters, context: &Context) -> Vec<Unknown> {
    let table = CallTable::of(context.arch);
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
        // Which of these calls move bytes their arguments tell, and what they move the page faults.
        if matches!(shape.moves, Move::Populate | Move::Clone) {
            continue;
        }
        if info.is_some() && matches!(shape.size, Size::Unknown | Size::Arg(_)) {
            if shape.moves != Move::RecvZc {
                add(What::Messages, done, None);
            }
            continue;
        }
        if calls.cell.bytes == 0 {
            continue;
        }
        let facts = calls.facts(shape, context.arch);
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
    let requests = counters.sum(count::BLOCK_UNKNOWN, |_| true);
    add(What::Requests, requests.count, Some(requests.bytes));
    found
}
