//! `bytehop stat`: the kernel's counters, and the summary that follows from them.
//!
//! No record is sent, so there is no order, no call with its parts, and no thread: what a rule
//! concludes from sums is here, and what needs more is left out (which call a request belongs to,
//! what a page fault mapped, whose pages were written back).

mod hops;

use std::collections::HashMap;

use aya::maps::{HashMap as BpfHashMap, PerCpuArray, PerCpuHashMap};
use tracer_ebpf::{
    CELL_FIRST, Count, CountKey, FileRef, OPERATION, StatCell, StatKey, bio, count, sysinfo,
};

use crate::arch::Arch;
use crate::device::Sysfs;
use crate::event::{End, Lost, Start};
use crate::load::{LoadError, Probes, wire};
use crate::model::{ContextSwitches, Crossings, IoTotals, PageFaults, Summary, SyscallRow, Waits};
use crate::reconstruct::skipped;
use crate::rules::{CallTable, Class, Facts, Shape};

/// Alike calls: of one number, on alike files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calls {
    /// Number of the call, or [`OPERATION`] and an operation of io_uring.
    pub nr: u16,
    /// The descriptors.
    pub file: Option<FileRef>,
    pub file2: Option<FileRef>,
    /// `MSG_*` flags, where they were looked at.
    pub msg_flags: u32,
    pub cell: StatCell,
}

impl Calls {
    /// How they move bytes; `None`: not at all.
    pub fn shape(&self, table: &CallTable) -> Option<Shape> {
        match self.nr & OPERATION {
            0 => table.call(self.nr)?.shape,
            _ => table.operation(self.nr as u8),
        }
    }

    /// What the rules are asked with.
    pub fn facts(&self, shape: Shape, arch: Arch) -> Facts {
        let class = |file: &Option<FileRef>| file.as_ref().map(|f| Class::of(f, arch));
        Facts {
            msg_flags: self.msg_flags,
            ..Facts::new(shape, class(&self.file), class(&self.file2))
        }
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
}

pub use hops::{Concluded, Hardware, conclude_hops};

wire! {
    WireCell(StatCell);
    WireKey(StatKey);
    WireFile(FileRef);
    WireCountKey(CountKey);
    WireCount(Count);
}

impl Counters {
    /// Reads the maps of `stat`'s programs.
    ///
    /// # Errors
    /// If a map cannot be read.
    pub fn read(probes: &Probes) -> Result<Self, LoadError> {
        let files = classes(probes)?;
        let cells: PerCpuArray<_, WireCell> = probes.map("STAT")?.try_into()?;
        let mut calls = Vec::new();
        let mut take = |cell: u32, key: StatKey| -> Result<(), LoadError> {
            let mut sum = StatCell::default();
            for WireCell(c) in cells.get(&cell, 0)?.iter() {
                sum.calls += c.calls;
                sum.errors += c.errors;
                sum.bytes += c.bytes;
                sum.time += c.time;
                sum.timed += c.timed;
            }
            if sum.calls > 0 {
                let file = |class: u16| files.get(&class).copied();
                calls.push(Calls {
                    nr: key.nr as u16,
                    file: file(key.class),
                    file2: file(key.class2),
                    msg_flags: 0,
                    cell: sum,
                });
            }
            Ok(())
        };
        for nr in 0..CELL_FIRST {
            take(
                nr,
                StatKey {
                    nr,
                    class: 0,
                    class2: 0,
                },
            )?;
        }
        let ids: BpfHashMap<_, WireKey, u32> = probes.map("CELL_IDS")?.try_into()?;
        for entry in ids.iter() {
            let (WireKey(key), cell) = entry?;
            take(cell, key)?;
        }
        let counts: PerCpuHashMap<_, WireCountKey, WireCount> = probes.map("COUNTS")?.try_into()?;
        let mut all = Vec::new();
        for entry in counts.iter() {
            let (WireCountKey(key), values) = entry?;
            let mut sum = Count::default();
            for WireCount(c) in values.iter() {
                sum += *c;
            }
            all.push((key, sum));
        }
        for block in probes.unfinished()? {
            if let Some(key) = block.counter() {
                let c = Count {
                    count: block.requests(),
                    bytes: u64::from(block.bytes),
                };
                all.push((key, c));
            }
        }
        Ok(Self {
            calls,
            counts: all,
            lost: probes.lost()?,
            skipped: probes.skipped(),
        })
    }

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

/// Kinds of files, by the class that the kernel side gave them.
pub(crate) fn classes(probes: &Probes) -> Result<HashMap<u16, FileRef>, LoadError> {
    let classes: BpfHashMap<_, WireFile, u32> = probes.map("CLASSES")?.try_into()?;
    let mut files = HashMap::new();
    for entry in classes.iter() {
        let (WireFile(file), class) = entry?;
        files.insert(class as u16, file);
    }
    Ok(files)
}

/// The summary of a run that was only counted.
///
/// # Errors
/// If a map cannot be read.
pub fn summary(probes: &Probes, start: &Start, end: &End) -> Result<Summary, LoadError> {
    let counters = Counters::read(probes)?;
    Ok(conclude_all(&counters, start, end, &Sysfs::host()))
}

/// From counters to the summary; pure but for the names of devices.
pub fn conclude_all(counters: &Counters, start: &Start, end: &End, sysfs: &Sysfs) -> Summary {
    let arch = Arch::from_name(&start.arch)
        .or(Arch::host())
        .unwrap_or(Arch::X86_64);
    let received = counters.sum(count::SKB, |_| true).count > 0;
    let mut hardware = Hardware::new(sysfs.clone());
    let Concluded {
        hops,
        devices,
        metadata,
    } = conclude_hops(counters, arch, &mut hardware, received);
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
    Summary {
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
        page_faults: PageFaults {
            minor: faults(0),
            major: faults(1),
            mapped_pages: 0,
            user,
        },
        hops,
        waits: Waits {
            count: switches(1).count,
            time_ns: switches(1).bytes,
            device_ns: 0,
        },
        metadata_io: metadata,
        unattributed: unattributed(counters),
        dirty_bytes: dirty.saturating_sub(written_back(counters)),
        devices: devices.rows(),
        cpu_ns: end.cpu_ns,
        missing_probes: start.missing.clone(),
        lost_events: counters.lost.total(),
        lost_by_kind: counters.lost.named(),
        lost_calls: counters
            .lost
            .named_calls(|nr| arch.syscall_name(nr).into_owned()),
        warnings: counters.skipped.iter().map(skipped).collect(),
        ..Summary::default()
    }
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

fn syscall_rows(counters: &Counters, arch: Arch) -> Vec<SyscallRow> {
    let bits = arch.syscall_table();
    let mut by_number: HashMap<u16, SyscallRow> = HashMap::new();
    for Calls { nr, cell, .. } in &counters.calls {
        let row = by_number.entry(*nr).or_insert_with(|| SyscallRow {
            time_evidence: "measured",
            ..SyscallRow::default()
        });
        row.calls += cell.calls;
        row.errors += cell.errors;
        // Of many calls only some were timed: theirs stands for the rest.
        let scaled = u128::from(cell.time) * u128::from(cell.calls) / u128::from(cell.timed.max(1));
        row.time_ns += scaled as u64;
        if cell.timed < cell.calls {
            row.time_evidence = "estimated";
        }
        if bits
            .get(usize::from(*nr))
            .is_some_and(|b| u32::from(*b) & sysinfo::BYTES != 0)
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
        let sysfs = Sysfs::host();
        let summary = conclude_all(&counters, &start, &End::default(), &sysfs);
        assert_eq!(summary.lost_events, 5);
        let named = |name: &str, n| (name.to_owned(), n);
        assert_eq!(summary.lost_by_kind, [named("syscall", 5)]);
        assert_eq!(summary.lost_calls, [named("read", 3), named("write", 2)]);
        assert_eq!(summary.warnings.len(), 1);
        assert!(summary.warnings[0].contains("sys_exit 7 times"));
    }
}
