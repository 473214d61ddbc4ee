//! What the kernel's counters tell (`bytehop stat`, `top`): from sums of alike calls to hops.
//!
//! No record is sent, so there is no order, no call with its parts, and no thread: what a rule
//! concludes from sums is here, and what needs more is left out (which call a request belongs to,
//! what a page fault mapped, whose pages were written back).

mod account;
mod hops;
mod unknown;

use std::collections::HashMap;

use tracer_ebpf::{Count, CountKey, FileRef, MSG_FLAGS, OPERATION, StatCell, bio, count, sysinfo};

use crate::arch::{Arch, uring};
use crate::at_least::{self, Causes};
use crate::event::{self, End, Lost, Start};
use crate::model::{
    ContextSwitches, Cost, Crossings, IoTotals, Known, PageFaults, RequestRow, Summary, SyscallRow,
    Waits,
};
use crate::notice::Notice;
use crate::reconstruct::requests::Made;
use crate::rules::{
    CallTable, Class, Does, Facts, FileKind, MSG_TRUNC, Move, Shape, Size, conclude,
};

pub use hops::{Concluded, Hardware, conclude_hops};
pub use unknown::unknown;

/// Alike calls: of one number, on alike files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calls {
    /// Number of the call, or [`OPERATION`] and an operation of io_uring or Linux AIO.
    pub nr: u16,
    /// The descriptors.
    pub file: Option<FileRef>,
    pub file2: Option<FileRef>,
    /// `MSG_*` flags, where they were looked at.
    pub msg_flags: u32,
    pub cell: StatCell,
}

/// The `MSG_*` flags that bits of [`tracer_ebpf::how`] stand for.
pub fn msg_flags(how: u16) -> u32 {
    let set = MSG_FLAGS.iter().filter(|(_, bit)| how & bit != 0);
    set.fold(0, |all, (flag, _)| all | flag)
}

impl Calls {
    /// How they move bytes; `None`: not at all.
    pub fn shape(&self, table: &CallTable) -> Option<Shape> {
        match self.nr & OPERATION {
            0 => table.call(self.nr)?.shape,
            _ => table.operation(self.nr),
        }
    }

    /// What the rules are asked with.
    pub fn facts(&self, shape: Shape, arch: Arch) -> Facts {
        let class = |file: &Option<FileRef>| file.as_ref().map(|f| Class::of(f, arch));
        let (first, second) = (class(&self.file), class(&self.file2));
        let unnamed = |first| shape.unnamed(first).filter(|_| self.nr & OPERATION != 0);
        let second = second.or_else(|| first.and_then(unnamed));
        let facts = Facts::new(shape, first, second);
        // Of a message that was cut the number is no size, but where an argument limits it. Of streams that flag
        // throws away what is returned: a rule knows.
        let cut = self.msg_flags & MSG_TRUNC != 0
            && shape.moves == Move::Recv
            && !matches!(shape.size, Size::AtMost(_))
            && facts.from.kind != FileKind::Tcp;
        Facts {
            msg_flags: self.msg_flags,
            cut,
            ..facts
        }
    }
}

impl Calls {
    /// Whether their results count bytes that went nowhere, or did not fit.
    fn are_no_sizes(&self, table: &CallTable, arch: Arch) -> bool {
        let Some(shape) = self.shape(table).filter(|_| self.msg_flags != 0) else {
            return false;
        };
        let facts = self.facts(shape, arch);
        let discards = conclude(&facts).is_some_and(|rule| rule.does == Does::Discards);
        facts.cut || discards && shape.moves == Move::Recv
    }
}

/// What the counters held at the end, summed over CPUs.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    pub calls: Vec<Calls>,
    /// Everything else.
    pub counts: Vec<(CountKey, Count)>,
    /// What is in none of them.
    pub lost: Lost,
    /// Programs that the kernel skipped, and how often.
    pub skipped: Vec<(String, u64)>,
    /// What counting took, where that was wanted.
    pub cost: Option<event::Cost>,
}

impl Counters {
    /// Sums what `select` picks.
    pub fn sum(&self, what: u16, select: impl Fn(&CountKey) -> bool) -> Count {
        let picked = self
            .counts
            .iter()
            .filter(|(key, _)| key.what == what && select(key));
        let mut sum = Count::default();
        picked.for_each(|(_, c)| sum += *c);
        sum
    }
}

/// From counters to the summary; pure but for the names of devices.
pub fn conclude_all(
    counters: &Counters,
    start: &Start,
    end: &End,
    hardware: &mut dyn Hardware,
) -> Summary {
    let arch = Arch::from_name(&start.arch)
        .or(Arch::host())
        .unwrap_or(Arch::X86_64);
    let received = counters.sum(count::SKB, |_| true).count > 0;
    let Concluded {
        hops,
        ledger,
        devices,
        metadata,
    } = conclude_hops(counters, arch, hardware, received);
    let syscalls = syscall_rows(counters, arch);
    let made: u64 = syscalls.iter().map(|row| row.calls).sum();
    let user = counters.sum(count::FAULT, |_| true).count;
    let switches = |voluntary| counters.sum(count::SWITCH, |key| key.flags == voluntary);
    let irqs = counters.sum(count::IRQ, |key| key.flags == 1).count;
    let faults = |major| {
        counters
            .sum(count::RUSAGE_FAULTS, |key| key.flags == major)
            .count
    };
    let dirty = counters.sum(count::DIRTY, |_| true).bytes;
    let untold = counters.sum(count::UNTOLD, |_| true).count;
    let untold = (untold > 0).then_some(Notice::Untold(untold)).into_iter();
    let skipped = counters.skipped.iter().map(Notice::skipped);
    let mut summary = Summary {
        schema: 1,
        bytehop: start.bytehop.clone(),
        kernel: start.kernel.clone(),
        arch: start.arch.clone(),
        level: start.level.clone(),
        command: start.command.clone(),
        exit_status: end.exit_status,
        duration_ns: end.duration_ns,
        crossings: Crossings {
            total: 2 * made + 2 * user,
            syscall: 2 * made,
            page_fault: 2 * user,
            interrupt: Some(2 * irqs),
        },
        context_switches: ContextSwitches {
            voluntary: switches(1).count,
            involuntary: switches(0).count,
        },
        syscalls,
        requests: requests(counters, arch),
        page_faults: PageFaults {
            minor: faults(0),
            major: faults(1),
            mapped_pages: 0,
            user,
        },
        hops,
        ledger,
        waits: Waits {
            count: switches(1).count,
            time_ns: switches(1).bytes,
            device_ns: 0,
        },
        metadata_io: metadata,
        unattributed: unattributed(counters),
        dirty_bytes: dirty.saturating_sub(written_back(counters)),
        devices: devices.rows((0, 0)),
        cpu_ns: end.cpu_ns,
        cost: counters.cost.as_ref().map(Cost::from),
        missing_probes: start.missing.clone(),
        lost_events: counters.lost.total(),
        lost_by_kind: counters.lost.named(),
        lost_calls: counters
            .lost
            .named_calls(|nr| arch.syscall_name(nr).into_owned()),
        warnings: untold.chain(skipped).collect(),
        ..Summary::default()
    };
    let causes = Causes {
        arch,
        skipped: &counters.skipped,
        lost_calls: &counters.lost.calls,
        cut: [&start.cut, &end.cut],
        unknown: &unknown(counters, arch),
    };
    at_least::mark(&mut summary, &causes);
    summary
}

/// Block I/O of which no more is known than that the program caused it.
fn unattributed(counters: &Counters) -> IoTotals {
    let sum = |write| {
        counters.sum(count::BLOCK_UNKNOWN, |key| {
            (u32::from(key.flags) & bio::WRITE != 0) == write
        })
    };
    let (read, write) = (sum(false), sum(true));
    IoTotals {
        read_requests: read.count,
        read_bytes: read.bytes,
        write_requests: write.count,
        write_bytes: write.bytes,
    }
}

/// Bytes of file pages that went to a device.
fn written_back(counters: &Counters) -> u64 {
    let both = (bio::WRITE | bio::FILE) as u16;
    counters
        .sum(count::BLOCK, |key| key.flags & both == both)
        .bytes
}

/// Name of a call, or of an operation of io_uring.
pub(crate) fn call_name(nr: u16, arch: Arch) -> String {
    match nr & OPERATION {
        0 => arch.syscall_name(nr).into_owned(),
        _ => uring::request_name(nr),
    }
}

/// What was asked of io_uring and Linux AIO, by operation.
pub(crate) fn requests(counters: &Counters, arch: Arch) -> Vec<RequestRow> {
    let table = CallTable::of(arch);
    let mut made = Made::default();
    for Calls { nr, cell, .. } in counters.calls.iter().filter(|c| c.nr & OPERATION != 0) {
        let sized = table.operation(*nr).is_some();
        made.counted(*nr, cell.calls, if sized { cell.bytes } else { 0 });
    }
    let refused = counters.counts.iter();
    for (key, c) in refused.filter(|(key, _)| key.what == count::REFUSED) {
        made.refused(key.id as u16, u32::from(key.flags), c.count);
    }
    made.rows()
}

fn syscall_rows(counters: &Counters, arch: Arch) -> Vec<SyscallRow> {
    let (bits, table) = (arch.syscall_table(), CallTable::of(arch));
    let mut by_number: HashMap<u16, SyscallRow> = HashMap::new();
    let calls = counters.calls.iter().filter(|c| c.nr & OPERATION == 0);
    for calls in calls {
        let Calls { nr, cell, .. } = calls;
        let row = by_number.entry(*nr).or_insert_with(|| SyscallRow {
            time_evidence: Known::Measured,
            ..SyscallRow::default()
        });
        row.calls += cell.calls;
        row.errors += cell.errors;
        // Of many calls only some were timed: theirs stands for the rest.
        let scaled = u128::from(cell.time) * u128::from(cell.calls) / u128::from(cell.timed.max(1));
        row.time_ns += scaled as u64;
        if cell.timed < cell.calls {
            row.time_evidence = Known::Estimated;
        }
        if bits
            .get(usize::from(*nr))
            .is_some_and(|b| u32::from(*b) & sysinfo::BYTES != 0)
            && !calls.are_no_sizes(table, arch)
        {
            row.bytes += cell.bytes;
        }
    }
    let named = by_number.into_iter().map(|(nr, row)| SyscallRow {
        name: arch.syscall_name(nr).into_owned(),
        ..row
    });
    let mut rows: Vec<_> = named.collect();
    rows.sort_by(|a, b| {
        (b.bytes, b.calls)
            .cmp(&(a.bytes, a.calls))
            .then_with(|| a.name.cmp(&b.name))
    });
    rows
}

/// For tests whose counters meet no device.
#[cfg(test)]
pub(crate) struct NoHardware;

#[cfg(test)]
impl Hardware for NoHardware {
    fn disk(&mut self, _: u32) -> &crate::event::Device {
        unreachable!()
    }

    fn interface(&mut self, _: u32, _: bool) -> &crate::event::Device {
        unreachable!()
    }
}

#[cfg(test)]
mod tests {
    use tracer_ebpf::kind;

    use super::*;

    /// What the counters lack is said, as in a trace with records.
    #[test]
    fn nothing_is_lost_in_silence() {
        let mut lost = Lost {
            by_kind: vec![0; kind::COUNT],
            calls: vec![(1, 2), (0, 3)],
        };
        lost.by_kind[usize::from(kind::SYSCALL)] = 5;
        let counters = Counters {
            lost,
            skipped: vec![("sys_exit".to_owned(), 7)],
            ..Counters::default()
        };
        let start = Start {
            arch: "x86_64".to_owned(),
            ..Start::default()
        };
        let summary = conclude_all(&counters, &start, &End::default(), &mut NoHardware);
        assert_eq!(summary.lost_events, 5);
        let named = |name: &str, n| (name.to_owned(), n);
        assert_eq!(summary.lost_by_kind, [named("syscall", 5)]);
        assert_eq!(summary.lost_calls, [named("read", 3), named("write", 2)]);
        assert_eq!(
            summary.warnings,
            [Notice::skipped(&("sys_exit".to_owned(), 7))]
        );
    }

    /// Each operation with its own errors, and what was spliced from where.
    #[test]
    fn requests_of_io_uring() {
        let opcode = |name| {
            let opcode = uring::opcode(name).expect("an operation");
            OPERATION | u16::from(opcode)
        };
        let alike = |name, calls, errors, bytes| Calls {
            nr: opcode(name),
            cell: StatCell {
                calls,
                errors,
                bytes,
                ..StatCell::default()
            },
            ..Calls::default()
        };
        let refused = |name, errno, count| {
            let key = CountKey {
                what: count::REFUSED,
                flags: errno,
                id: opcode(name).into(),
            };
            (key, Count { count, bytes: 0 })
        };
        let fifo = FileRef {
            mode: 0o010_600,
            f_flags: 1,
            ..FileRef::NONE
        };
        let file = FileRef {
            mode: 0o100_600,
            magic: 0xEF53,
            ..FileRef::NONE
        };
        let splice = Calls {
            file: Some(fifo),
            file2: Some(file),
            ..alike("splice", 2, 0, 4096)
        };
        let unseen = Calls {
            file: Some(fifo),
            ..alike("splice", 1, 0, 100)
        };
        let counters = Counters {
            calls: vec![
                splice,
                unseen,
                alike("read", 5, 4, 0),
                alike("fsync", 1, 1, 0),
            ],
            counts: vec![
                refused("read", 9, 1),
                refused("read", 11, 3),
                refused("fsync", 22, 1),
            ],
            ..Counters::default()
        };
        let start = Start {
            arch: "x86_64".to_owned(),
            ..Start::default()
        };
        let summary = conclude_all(&counters, &start, &End::default(), &mut NoHardware);
        let rows = summary.requests.iter();
        let rows: Vec<_> = rows
            .map(|row| (row.name.as_str(), row.count, row.errors, row.bytes))
            .collect();
        assert_eq!(
            rows,
            [
                ("io_uring:splice", 3, 0, 4196),
                ("io_uring:read", 5, 4, 0),
                ("io_uring:fsync", 1, 1, 0)
            ]
        );
        let named = |name: &str, n| (name.to_owned(), n);
        assert_eq!(
            summary.requests[1].errnos,
            [named("EAGAIN", 3), named("EBADF", 1)]
        );
        let hop = &summary.hops[0];
        assert_eq!((hop.kind, hop.bytes), (crate::model::HopKind::Share, 4096));
        assert_eq!(summary.ledger.unaccounted, 100);
    }
}
