//! The sums as a [`Summary`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use tracer_ebpf::{OPERATION, kind};

use super::sums::{Calls, Sums};
use super::{Reconstructor, Setup, account, interrupts};
use crate::arch::{Arch, uring};
use crate::at_least::{self, Causes};
use crate::catalogue::primitives::{self, Work};
use crate::catalogue::{Method, RuleId, Subject};
use crate::event::{End, Only, Sampled, Start};
use crate::ledger::{Ledger, OpenRow, Unaccounted};
use crate::model::{
    Claim, CpuTime, Crossings, Estimate, FunctionTime, HopKind, Interrupt, InterruptRow, Known,
    ProcessRow, Summary, SyscallRow,
};
use crate::notice::Notice;
use crate::record::{NotThere, Span};
use crate::regions::{Region, Regions};
use crate::rules::measure;

impl Setup {
    /// Name of a call; 32-bit ones are numbers of the other table.
    pub(super) fn name(&self, compat: bool, nr: u16) -> Cow<'_, str> {
        if compat {
            let table = match self.arch {
                Arch::X86_64 => "i386",
                Arch::Aarch64 => "arm",
            };
            return Cow::Owned(format!("{table}_{nr}"));
        }
        match self.table.call(nr) {
            Some(info) => Cow::Borrowed(info.name.as_ref()),
            None => self.arch.syscall_name(nr),
        }
    }
}

impl Reconstructor {
    /// The sums over what was pushed so far.
    pub fn summary(&self) -> Summary {
        let Self {
            setup,
            dirty,
            raw,
            bdev,
            names,
            regions,
            sums,
            looped,
            ..
        } = self;
        let part = &setup.start.part;
        let chosen = part.iter().any(Only::is_of_calls);
        let marked = regions.finish(sums.end.as_ref().map(|end| end.monotonic_ns));
        let dirty_pages = dirty.pages(|inode| !bdev.contains(&inode.0) || raw.contains(&inode));
        let syscalls = 2 * sums.syscalls;
        let page_fault = 2 * sums.faults.user;
        let end = sums.end.clone().unwrap_or_default();
        let lost_of = |kind: u8| {
            sums.lost
                .by_kind
                .get(usize::from(kind))
                .copied()
                .unwrap_or(0)
        };

        let mut warnings = Vec::new();
        for (n, notice) in [
            (sums.failed_io, Notice::FailedRequests as fn(u64) -> Notice),
            (sums.unsized_messages, Notice::UnsizedMessages),
            (sums.unsized_reflinks, Notice::UnsizedReflinks),
            (sums.untold, Notice::Untold),
            (sums.unknown_measures, Notice::UnknownMeasures),
            (dirty.dropped, Notice::Scattered),
        ] {
            if n > 0 {
                warnings.push(notice(n));
            }
        }
        if end.reason == "exit" && !end.still_running.is_empty() {
            warnings.push(Notice::LeftRunning(end.still_running.len() as u64));
        }
        probe_warnings(sums, setup.start.monotonic_ns, &mut warnings);
        let span = Span::of(part).map(|span| span.up_to(&setup.start, &end, self.last));
        part_warnings(part, span, &mut warnings);
        not_there(part, &marked, &sums.processes.rows(), &mut warnings);
        region_warnings(regions, &marked, part, &mut warnings);
        let mut by_name = names.finish(&sums.devices, &sums.processes, &setup.start);
        by_name.regions = names.regions(&marked, &sums.devices, chosen);
        let mut by_process = sums.processes.rows();
        // Others were only told of.
        by_process.retain(|row| !chosen || row.syscalls + row.user_faults + row.copied > 0);

        let mut differences = sums.differences.clone();
        let (expected, found) = sums.late_copies;
        if expected != found && expected > 0 {
            let claim = Claim::Rule(RuleId::ZerocopyLateCopy);
            differences.add(Subject::LateCopies, claim, expected, found);
        }
        // Requests from before tracing are carried out under it, without a record of their own.
        let whole = !setup.start.attached && lost_of(kind::URING) == 0;
        for (subject, rule, expected, found) in sums.requests.differences().filter(|_| whole) {
            differences.add_requests(subject, Claim::Rule(rule), expected, found);
        }
        let mut differences = differences.into_rows();
        // What was lost explains these.
        let lost_parts = lost_of(kind::EXTRA) + lost_of(kind::FAULT) + lost_of(kind::COPY);
        differences.retain(|_| lost_parts == 0);
        for found in &mut differences {
            let skipped = sums.skipped.iter().map(|(program, _)| program);
            let theirs = skipped.filter(|program| measure::rests_on(found.what, program));
            found.skipped = theirs.cloned().collect();
        }

        let never: BTreeMap<_, u64> = sums
            .never_returned
            .iter()
            .map(|(&(compat, nr), &n)| (setup.name(compat, nr).into_owned(), n))
            .collect();
        let lost_calls: BTreeMap<_, u64> = sums
            .lost_calls
            .iter()
            .map(|(&nr, &n)| (setup.name(false, nr).into_owned(), n))
            .collect();

        let plain = (0u16..)
            .zip(&sums.calls)
            .map(|(nr, calls)| ((false, nr), calls));
        let others = sums.other_calls.iter().map(|(key, calls)| (*key, calls));
        let rows = plain.chain(others).filter(|(_, calls)| calls.calls > 0);
        let mut rows: Vec<_> = rows
            .map(|((compat, nr), calls)| row(setup, compat, nr, calls))
            .collect();
        rows.sort_by(|a, b| {
            (b.bytes, b.calls)
                .cmp(&(a.bytes, a.calls))
                .then_with(|| a.name.cmp(&b.name))
        });

        let mut summary = Summary {
            schema: 1,
            ledger: ledger(setup, sums),
            at_least: Vec::new(),
            hops: sums.rows.finish(&sums.devices),
            devices: sums
                .devices
                .rows(looped.payload(|socket| names.transport(socket))),
            bytehop: setup.start.bytehop.clone(),
            kernel: setup.start.kernel.clone(),
            arch: setup.start.arch.clone(),
            level: setup.start.level.clone(),
            command: setup.start.command.clone(),
            exit_status: end.exit_status.or(sums.leader_exit),
            duration_ns: duration(part, span, &marked).unwrap_or(end.duration_ns),
            lost_events: sums.lost.total(),
            lost_by_kind: sums.lost.named(),
            lost_calls: lost_calls.into_iter().collect(),
            crossings: Crossings {
                total: syscalls + page_fault,
                syscall: syscalls,
                page_fault,
                interrupt: setup.irqs.then_some(2 * sums.irqs_user),
            },
            context_switches: sums.switches,
            syscalls: rows,
            requests: sums.made.rows(),
            page_faults: sums.faults,
            disagreements: differences,
            by_process,
            by_name,
            never_returned: never.into_iter().collect(),
            waits: sums.waits.clone(),
            metadata_io: sums.metadata,
            unattributed: sums.unattributed,
            untied_arrivals: self.arrivals.untied,
            interrupts: interrupts(sums),
            dirty_bytes: dirty_pages.saturating_mul(setup.page),
            cpu_ns: end.cpu_ns,
            cpu_time: sums.sampled.as_ref().map(cpu_time),
            cost: sums.cost.clone(),
            missing_probes: setup.start.missing.clone(),
            warnings,
        };
        let lost_calls: Vec<_> = sums.lost_calls.iter().map(|(nr, n)| (*nr, *n)).collect();
        let causes = Causes {
            arch: setup.arch,
            skipped: &sums.skipped,
            lost_calls: &lost_calls,
            cut: [&setup.start.cut, &end.cut],
            unknown: &[],
        };
        at_least::mark(&mut summary, &causes);
        summary
    }
}

/// What became of the bytes that calls returned.
fn ledger(setup: &Setup, sums: &Sums) -> Ledger {
    let name = |(compat, nr): account::Which| match nr & OPERATION {
        0 => setup.name(compat, nr).into_owned(),
        _ if nr & !OPERATION == account::ANY => "io_uring".to_owned(),
        _ => uring::request_name(nr),
    };
    let mut open = sums.account.open().into_rows(name);
    // What requests of io_uring moved is measured as a sum.
    for (_, rule, expected, found) in sums.requests.differences() {
        if expected > found {
            open.push(OpenRow {
                call: "io_uring".to_owned(),
                bytes: expected - found,
                count: 1,
                why: Unaccounted::Less(rule),
            });
        }
    }
    Ledger::of(sums.account.returned, open)
}

/// What interrupts told of devices.
fn interrupts(sums: &Sums) -> Vec<InterruptRow> {
    let rows = sums.interrupts.rows().into_iter();
    let row = |(of, device, told): (Interrupt, usize, interrupts::Told)| InterruptRow {
        number: of.number,
        context: of.context,
        device: sums.devices.name(device).to_owned(),
        count: told.count,
        bytes: told.bytes,
        woke: told.woke,
    };
    rows.map(row).collect()
}

/// The CPU time that samples stand for.
fn cpu_time(sampled: &Sampled) -> CpuTime {
    let of = |samples| Estimate::of(samples, sampled.period_ns);
    let functions = sampled.functions.iter().filter_map(|(name, samples)| {
        let work = match primitives::work(name)? {
            Work::Copy => HopKind::Copy,
            Work::Fill => HopKind::Fill,
        };
        let (name, time) = (name.clone(), of(*samples));
        Some(FunctionTime { name, work, time })
    });
    let mut functions: Vec<_> = functions.collect();
    functions.sort_by(|a, b| {
        let samples = |row: &FunctionTime| row.time.samples;
        samples(b)
            .cmp(&samples(a))
            .then_with(|| a.name.cmp(&b.name))
    });
    let sum = |work: HopKind| {
        let rows = functions.iter().filter(|row| row.work == work);
        rows.fold(0, |sum: u64, row| sum.saturating_add(row.time.samples))
    };
    let (copy, fill) = (of(sum(HopKind::Copy)), of(sum(HopKind::Fill)));
    let listed = sampled.functions.iter();
    let kernel = listed.fold(sampled.kernel, |sum, (_, n)| sum.saturating_add(*n));
    CpuTime {
        evidence: Known::Estimated,
        method: Method::CpuClock,
        period_ns: sampled.period_ns,
        samples: sampled.user.saturating_add(kernel),
        user: of(sampled.user),
        kernel: of(kernel),
        copy,
        fill,
        functions,
    }
}

impl Span {
    /// No further than the trace goes.
    fn up_to(self, start: &Start, end: &End, last: u64) -> Self {
        let end = match end.monotonic_ns {
            0 => last,
            end => end,
        };
        let length = end.saturating_sub(start.monotonic_ns);
        Self {
            from: self.from.min(length),
            to: self.to.min(length),
        }
    }
}

/// How long a part is: the time in its region, or between its bounds.
fn duration(part: &[Only], span: Option<Span>, marked: &[Region]) -> Option<u64> {
    let region = part.iter().rev().find_map(|only| only.region.as_ref());
    match region {
        Some(name) => {
            let of = marked.iter().find(|region| region.name == *name);
            Some(of.map_or(0, |region| region.time_ns))
        }
        None => span.map(|span| span.to.saturating_sub(span.from)),
    }
}

/// What of the trace this is.
fn part_warnings(part: &[Only], span: Option<Span>, warnings: &mut Vec<Notice>) {
    warnings.extend(span.map(Notice::Part));
    for only in part {
        warnings.extend(only.pid.map(Notice::OfProcess));
        warnings.extend(only.region.clone().map(Notice::InRegion));
        warnings.extend(only.from_main.then_some(Notice::FromMain));
    }
}

/// What was asked for in vain.
fn not_there(
    part: &[Only],
    marked: &[Region],
    processes: &[ProcessRow],
    warnings: &mut Vec<Notice>,
) {
    for only in part {
        let pid = only
            .pid
            .filter(|pid| processes.iter().all(|row| row.pid != *pid));
        warnings.extend(pid.map(|pid| NotThere::Process(pid).into()));
        if let Some(name) = &only.region
            && marked.iter().all(|region| region.name != *name)
        {
            let all = marked.iter().map(|region| region.name.clone()).collect();
            warnings.push(NotThere::Region(name.clone(), all).into());
        }
    }
}

/// Marks that do not fit together: of the regions that are shown.
fn region_warnings(
    regions: &Regions,
    marked: &[Region],
    part: &[Only],
    warnings: &mut Vec<Notice>,
) {
    // Beyond a part's bounds there may be the other mark.
    if Span::of(part).is_some() {
        return;
    }
    let wanted = |region: &&Region| {
        let other = |only: &Only| {
            only.region
                .as_ref()
                .is_some_and(|name| *name != region.name)
        };
        !part.iter().any(other)
    };
    for region in marked.iter().filter(wanted) {
        let Region {
            name,
            unended,
            unbegun,
            ..
        } = region;
        if *unended > 0 {
            warnings.push(Notice::Unended(name.clone(), *unended));
        }
        if *unbegun > 0 {
            warnings.push(Notice::Unbegun(name.clone(), *unbegun));
        }
    }
    if let Some((n, path)) = regions.odd() {
        warnings.push(Notice::OddMark(path.to_owned(), n));
    }
}

/// What happened to the probes on the way.
fn probe_warnings(sums: &Sums, begun: u64, warnings: &mut Vec<Notice>) {
    if let Some(off) = &sums.breakpoints_off {
        warnings.push(Notice::BreakpointsOff {
            hits: off.hits,
            ms: off.monotonic_ns.saturating_sub(begun) / 1_000_000,
        });
    }
    warnings.extend(sums.skipped.iter().map(Notice::skipped));
}

fn row(setup: &Setup, compat: bool, nr: u16, calls: &Calls) -> SyscallRow {
    SyscallRow {
        name: setup.name(compat, nr).into_owned(),
        calls: calls.calls,
        errors: calls.errors,
        bytes: calls.bytes,
        time_ns: calls.time,
        time_evidence: Known::Measured,
        sizes: calls.sizes.clone(),
        times: calls.times.clone(),
    }
}
