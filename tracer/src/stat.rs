//! `bytehop stat`: the kernel's counters, and the summary that follows from them.
//!
//! No record is sent, so there is no order, no call with its parts, and no thread: what a rule
//! concludes from sums is here, and what needs more is left out (which call a request belongs to,
//! what a page fault mapped, whose pages were written back).

use std::collections::HashMap;

use aya::maps::{HashMap as BpfHashMap, PerCpuArray, PerCpuHashMap};
use tracer_ebpf::{
    CELL_FIRST, Count, CountKey, FileRef, OPERATION, StatCell, StatKey, bio, count, sysinfo,
};

use crate::arch::Arch;
use crate::device::Sysfs;
use crate::event::{Device, DeviceClass, End, Engine, Start};
use crate::load::{LoadError, Probes, wire};
use crate::model::{
    ContextSwitches, Crossings, HopKind, HopRow, IoTotals, PageFaults, Summary, SyscallRow, Waits,
};
use crate::reconstruct::blocks::PASS_ON;
use crate::reconstruct::io::{Context, Moves, classify};
use crate::reconstruct::tally::{At, By, Devices, Key, Moved, Rows};
use crate::rules::{
    CallTable, Class, Facts, FileKind, ISSUED_REQUEST, SOFTWARE_DEVICE, Shape, conclude,
};

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
}

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
        let classes: BpfHashMap<_, WireFile, u32> = probes.map("CLASSES")?.try_into()?;
        let mut files = HashMap::new();
        for entry in classes.iter() {
            let (WireFile(file), class) = entry?;
            files.insert(class, file);
        }
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
                let file = |class: u16| files.get(&u32::from(class)).copied();
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
                sum.count += c.count;
                sum.bytes += c.bytes;
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
        Ok(Self { calls, counts: all })
    }

    /// Sums what `select` picks.
    pub fn sum(&self, what: u16, select: impl Fn(&CountKey) -> bool) -> Count {
        let picked = self
            .counts
            .iter()
            .filter(|(key, _)| key.what == what && select(key));
        picked.fold(Count::default(), |sum, (_, c)| Count {
            count: sum.count + c.count,
            bytes: sum.bytes + c.bytes,
        })
    }
}

/// The summary of a run that was only counted.
///
/// # Errors
/// If a map cannot be read.
pub fn summary(probes: &Probes, start: &Start, end: &End) -> Result<Summary, LoadError> {
    let counters = Counters::read(probes)?;
    Ok(conclude_all(&counters, start, end, &Sysfs::host()))
}

/// What of the machine's devices counters meet, looked up once.
#[derive(Debug)]
pub struct Hardware {
    sysfs: Sysfs,
    disks: HashMap<u32, Device>,
    /// By number, and whether the kernel said that there is no hardware.
    interfaces: HashMap<(u32, bool), Device>,
}

impl Hardware {
    pub fn new(sysfs: Sysfs) -> Self {
        Self {
            sysfs,
            disks: HashMap::new(),
            interfaces: HashMap::new(),
        }
    }

    fn disk(&mut self, id: u32) -> &Device {
        let sysfs = &self.sysfs;
        self.disks.entry(id).or_insert_with(|| sysfs.block(id))
    }

    fn interface(&mut self, id: u32, no_parent: bool) -> &Device {
        let sysfs = &self.sysfs;
        self.interfaces.entry((id, no_parent)).or_insert_with(|| {
            let name = interface_name(id);
            let device = sysfs.net(&name, id);
            match no_parent && device.engine != Engine::Software {
                false => device,
                // The number is another one's in another network namespace.
                true => sysfs.net_without_hardware(&format!("if{id}"), id),
            }
        })
    }
}

/// Where bytes went, as counters tell it.
#[derive(Debug)]
pub struct Concluded {
    pub hops: Vec<HopRow>,
    pub devices: Devices,
    pub metadata: IoTotals,
}

/// From counters to hops; pure but for the names of devices. Copies out of sockets that a probe counts
/// (`measured_receive`) are left to it.
pub fn conclude_hops(
    counters: &Counters,
    arch: Arch,
    hardware: &mut Hardware,
    measured_receive: bool,
) -> Concluded {
    let table = CallTable::of(arch);
    let mut rows = Rows::default();
    let mut devices = Devices::default();
    calls(counters, arch, table, measured_receive, &mut rows);
    let received = counters.sum(count::SKB, |_| true);
    if received.bytes > 0 {
        rows.add(&moved(
            HopKind::Copy,
            At::Socket,
            At::User,
            By::Probe("tp:skb_copy_datagram_iovec"),
            received,
        ));
    }
    let zeroed = counters.sum(count::ZEROED, |_| true);
    if zeroed.bytes > 0 {
        rows.add(&moved(
            HopKind::Fill,
            At::Zero,
            At::User,
            By::Probe("tp:mm_page_alloc"),
            zeroed,
        ));
    }
    let metadata = block_io(counters, hardware, &mut rows, &mut devices);
    for (key, c) in counters
        .counts
        .iter()
        .filter(|(key, _)| key.what == count::XMIT)
    {
        let device = hardware.interface(key.id, key.flags & count::XMIT_NO_PARENT != 0);
        devices.learn(device);
        let i = devices.interface(key.id, device.name.clone());
        devices.met(i, false, c.bytes);
        if device.engine != Engine::Software {
            rows.add(&moved(
                HopKind::Dma,
                At::Socket,
                At::Nic(i),
                By::Probe("tp:net_dev_start_xmit"),
                *c,
            ));
        }
    }
    Concluded {
        hops: rows.finish(&devices),
        devices,
        metadata,
    }
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
        ..Summary::default()
    }
}

fn moved(kind: HopKind, from: At, to: At, by: By, c: Count) -> Moved {
    let key = Key {
        kind,
        from,
        to,
        by,
        deferred: false,
    };
    Moved {
        key,
        bytes: c.bytes,
        count: c.count,
        ts: 0,
        dur: 0,
    }
}

/// What the rules conclude from sums of alike calls.
fn calls(
    counters: &Counters,
    arch: Arch,
    table: &CallTable,
    measured_receive: bool,
    rows: &mut Rows,
) {
    for alike in &counters.calls {
        let cell = &alike.cell;
        let done = cell.calls - cell.errors;
        let Some(shape) = alike.shape(table) else {
            continue;
        };
        let facts = alike.facts(shape, arch);
        let Some(rule) = conclude(&facts) else {
            continue;
        };
        if cell.bytes == 0 || done == 0 {
            continue;
        }
        for step in rule.steps {
            let (Some(from), Some(to)) = (facts.place(step.1), facts.place(step.2)) else {
                continue;
            };
            let (from, to) = (At::from(&from), At::from(&to));
            let seen = measured_receive
                && (from, to) == (At::Socket, At::User)
                && facts.from.kind != FileKind::Udp;
            if !seen {
                let c = Count {
                    count: done,
                    bytes: cell.bytes,
                };
                rows.add(&moved(step.0, from, to, By::Rule(rule.name), c));
            }
        }
    }
}

/// Hops of block devices; returns what was metadata.
fn block_io(
    counters: &Counters,
    hardware: &mut Hardware,
    rows: &mut Rows,
    devices: &mut Devices,
) -> IoTotals {
    let mut metadata = IoTotals::default();
    for (key, c) in counters
        .counts
        .iter()
        .filter(|(key, _)| key.what == count::BLOCK)
    {
        let bits = u32::from(key.flags);
        let write = bits & bio::WRITE != 0;
        let device = hardware.disk(key.id);
        if PASS_ON.contains(&device.driver.as_str()) {
            continue;
        }
        devices.learn(device);
        let i = devices.find(DeviceClass::Block, key.id, || device.name.clone());
        // Memory outside the page cache: the program's, as direct I/O has it.
        let context = Context {
            user_memory: true,
            ..Context::default()
        };
        let Moves::Payload { memory, deferred } = classify(bits & 0xff, context) else {
            let (requests, bytes) = match write {
                true => (&mut metadata.write_requests, &mut metadata.write_bytes),
                false => (&mut metadata.read_requests, &mut metadata.read_bytes),
            };
            *requests += c.count;
            *bytes += c.bytes;
            continue;
        };
        devices.met(i, !write, c.bytes);
        let (kind, by) = match device.engine {
            Engine::Software => (HopKind::Copy, By::Rule(SOFTWARE_DEVICE)),
            _ if key.flags & count::BLOCK_UNSEEN != 0 => (HopKind::Dma, By::Rule(ISSUED_REQUEST)),
            _ => (HopKind::Dma, By::Probe("tp:block_rq_complete")),
        };
        let (from, to) = if write {
            (memory, At::Disk(i))
        } else {
            (At::Disk(i), memory)
        };
        let mut hop = moved(kind, from, to, by, *c);
        hop.key.deferred = deferred;
        rows.add(&hop);
    }
    metadata
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

fn interface_name(ifindex: u32) -> String {
    let name = nix::net::if_::if_indextoname(ifindex)
        .ok()
        .and_then(|n| n.into_string().ok());
    name.unwrap_or_else(|| format!("if{ifindex}"))
}
