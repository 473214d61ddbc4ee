//! From counters of a process to its row: the rules of `stat`, and what they leave open.

use std::collections::HashMap;

use tracer_ebpf::{FileRef, OPERATION, count, kind};

use super::group::Group;
use super::{Amount, CallRow, Lost, More, Row, Unknown, What, Who};
use crate::arch::Arch;
use crate::at_least::{self, Causes};
use crate::counters::{
    Calls, Concluded, Counters, Hardware, call_name, conclude_hops, requests, unknown,
};
use crate::event::{Cut, KIND_NAMES};
use crate::model::{Evidence, HopKind, HopRow, Summary, SyscallRow};

/// How calls of 32-bit programs are listed.
const OTHER_TABLE: &str = "32-bit";

/// What is the same for every row.
pub struct Context {
    pub arch: Arch,
    pub hardware: Box<dyn Hardware>,
    /// The hooks on user page faults, on copies out of sockets are attached.
    pub faults: bool,
    pub receives: bool,
    /// Hooks that are not, with the reason.
    pub missing: Vec<(String, String)>,
}

/// The row of one process; `files`: what the classes mean.
pub fn row(
    group: &Group,
    files: &HashMap<u16, FileRef>,
    lost: &Lost,
    context: &mut Context,
) -> Row {
    let (others, failed) = group.of_other_table();
    let counters = group.counters(files);
    let Concluded {
        hops,
        ledger,
        metadata,
        ..
    } = conclude_hops(
        &counters,
        context.arch,
        context.hardware.as_mut(),
        context.receives,
    );
    let mut unknown = unknown(&counters, context.arch);
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
            ..CallRow::default()
        });
    }
    syscalls.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.name.cmp(&b.name)));
    let calls = counters.calls.iter().filter(|c| c.nr & OPERATION == 0);
    let (calls, errors) = calls.fold((others, failed), |(calls, errors), c| {
        (calls + c.cell.calls, errors + c.cell.errors)
    });
    let amount = |kind| amount(kind, &hops, &unknown);
    // What faults mapped is in no column, pages for copies are counted apart, and calls that might share but hardly
    // ever do would mark every row.
    let at_least = at_least(&hops, &syscalls, &unknown, lost, context);
    Row {
        who: Who::Kernel,
        name: String::new(),
        command: String::new(),
        cgroup: String::new(),
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
        unknown: unknown
            .into_iter()
            .filter(|u| !matches!(u.what, What::Faults | What::Arguments))
            .collect(),
        ledger,
        at_least,
        metadata_io: metadata,
    }
}

/// Totals that may be too small.
fn at_least(
    hops: &[HopRow],
    syscalls: &[CallRow],
    unknown: &[Unknown],
    lost: &Lost,
    context: &Context,
) -> Vec<String> {
    let named = |row: &CallRow| SyscallRow {
        name: row.name.clone(),
        ..SyscallRow::default()
    };
    let missed = |n: u64, kind: u8| (n > 0).then(|| (KIND_NAMES[usize::from(kind)].to_owned(), n));
    let lost_by_kind = [
        missed(lost.calls.saturating_add(lost.descriptors), kind::SYSCALL),
        // Of which counter is not known.
        missed(lost.counts.saturating_add(lost.skipped), 0),
    ];
    let mut summary = Summary {
        hops: hops.to_vec(),
        syscalls: syscalls.iter().map(named).collect(),
        missing_probes: context.missing.clone(),
        lost_by_kind: lost_by_kind.into_iter().flatten().collect(),
        ..Summary::default()
    };
    let none = Cut::default();
    let causes = Causes {
        arch: context.arch,
        skipped: &[],
        lost_calls: &[],
        cut: [&none, &none],
        unknown,
    };
    at_least::mark(&mut summary, &causes);
    summary.at_least
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
    let requests = requests(counters, arch);
    let named = rows.into_iter().map(|(nr, row)| {
        let name = call_name(nr, arch);
        let known = requests.iter().find(|row| row.name == name);
        CallRow {
            errnos: known.map_or(Vec::new(), |row| row.errnos.clone()),
            name,
            ..row
        }
    });
    named.collect()
}
