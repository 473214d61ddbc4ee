//! Sums: hops, devices and processes.

use std::collections::HashMap;

use crate::catalogue::Subject;
use crate::event::{Device, DeviceClass, Engine};
use crate::histogram::Histogram;
use crate::model::{
    Claim, DeviceRow, Disagreement, Evidence, Hop, HopKind, HopRow, Interrupt, Place, ProcessRow,
};

/// [`Place`] without its string: devices are indices into [`Devices`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    User,
    PageCache,
    Shmem,
    Pipe,
    Socket,
    Kernel,
    Zero,
    Disk(usize),
    Nic(usize),
}

impl From<&Place> for At {
    /// Devices never come this way: rules know no devices.
    fn from(place: &Place) -> Self {
        match place {
            Place::User => At::User,
            Place::PageCache => At::PageCache,
            Place::Shmem => At::Shmem,
            Place::Pipe => At::Pipe,
            Place::Socket => At::Socket,
            Place::Kernel | Place::Device(_) | Place::Nic(_) => At::Kernel,
            Place::Zero => At::Zero,
        }
    }
}

/// What makes hops one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub kind: HopKind,
    pub from: At,
    pub to: At,
    pub by: Evidence,
    pub deferred: bool,
}

/// A file or socket that a hop begins or ends in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Object(pub(super) u32);

impl Object {
    /// Not known (yet).
    pub const NONE: Self = Self(0);
    /// Several, and nobody knows which bytes are whose.
    pub const MANY: Self = Self(u32::MAX);
}

/// A hop, before it is handed out.
#[derive(Clone, Copy, Debug)]
pub struct Moved {
    pub key: Key,
    pub bytes: u64,
    pub count: u64,
    pub ts: u64,
    pub dur: u64,
    /// Of a transfer: how the kernel was told of its end.
    pub interrupt: Option<Interrupt>,
    /// The files or sockets that it begins and ends in, as far as they are known.
    pub of: [Object; 2],
}

impl Moved {
    /// Operations of one kind, at no time of their own and of no file that is known.
    pub fn sum(key: Key, count: u64, bytes: u64) -> Self {
        Self {
            key,
            bytes,
            count,
            ts: 0,
            dur: 0,
            interrupt: None,
            of: [Object::NONE; 2],
        }
    }
}

/// A device, and what it did.
#[derive(Debug)]
struct Known {
    device: Device,
    read: u64,
    written: u64,
    /// Of these, bytes that were seen to be mapped for DMA.
    mapped: u64,
    /// The program's bytes met it.
    met: bool,
}

impl Known {
    fn new(device: Device) -> Self {
        Self {
            device,
            read: 0,
            written: 0,
            mapped: 0,
            met: false,
        }
    }
}

/// The devices of a trace.
#[derive(Debug, Default)]
pub struct Devices(Vec<Known>);

impl Devices {
    /// Takes a classification; a later one replaces an earlier.
    pub fn learn(&mut self, device: &Device) {
        let same = |old: &Device| {
            (old.class, old.id) == (device.class, device.id)
                && (old.class == DeviceClass::Block || old.name == device.name)
        };
        match self.0.iter_mut().find(|known| same(&known.device)) {
            Some(known) => known.device = device.clone(),
            None => self.0.push(Known::new(device.clone())),
        }
    }

    /// Index of a device; one that was never classified gets `name`.
    pub fn find(&mut self, class: DeviceClass, id: u32, name: impl FnOnce() -> String) -> usize {
        let is = |known: &Known| (known.device.class, known.device.id) == (class, id);
        self.0.iter().position(is).unwrap_or_else(|| {
            let name = name();
            self.new_one(class, id, name)
        })
    }

    /// Index of a network interface: its number may be another's, too, in another network namespace. Of one
    /// without a name the number has to do.
    pub fn interface(&mut self, id: u32, name: String) -> usize {
        let is = |known: &Known| {
            let device = &known.device;
            let named = name.is_empty() || device.name == name;
            (device.class, device.id) == (DeviceClass::Net, id) && named
        };
        let known = self.0.iter().position(is);
        known.unwrap_or_else(|| self.new_one(DeviceClass::Net, id, name))
    }

    fn new_one(&mut self, class: DeviceClass, id: u32, name: String) -> usize {
        let engine = if name == "lo" {
            Engine::Software
        } else {
            Engine::Unknown
        };
        let (driver, bus) = (String::new(), String::new());
        self.0.push(Known::new(Device {
            class,
            name,
            id,
            engine,
            driver,
            bus,
        }));
        self.0.len() - 1
    }

    pub fn engine(&self, index: usize) -> Engine {
        self.0
            .get(index)
            .map_or(Engine::Unknown, |known| known.device.engine)
    }

    pub fn driver(&self, index: usize) -> &str {
        self.0.get(index).map_or("", |known| &known.device.driver)
    }

    pub fn name(&self, index: usize) -> &str {
        self.0.get(index).map_or("", |known| &known.device.name)
    }

    /// Counts bytes from (`read`) or to a device.
    pub fn met(&mut self, index: usize, read: bool, bytes: u64) {
        if let Some(known) = self.0.get_mut(index) {
            let sum = match read {
                true => &mut known.read,
                false => &mut known.written,
            };
            *sum = sum.saturating_add(bytes);
            known.met = true;
        }
    }

    /// Of the bytes from or to a device, these were seen to be mapped for DMA.
    pub fn mapped(&mut self, index: usize, bytes: u64) {
        if let Some(known) = self.0.get_mut(index) {
            known.mapped = known.mapped.saturating_add(bytes);
        }
    }

    fn place(&self, at: At) -> Place {
        match at {
            At::User => Place::User,
            At::PageCache => Place::PageCache,
            At::Shmem => Place::Shmem,
            At::Pipe => Place::Pipe,
            At::Socket => Place::Socket,
            At::Kernel => Place::Kernel,
            At::Zero => Place::Zero,
            At::Disk(index) => Place::Device(self.name(index).to_owned()),
            At::Nic(index) => Place::Nic(self.name(index).to_owned()),
        }
    }

    /// The device of a `dma` hop.
    fn engine_of(&self, key: &Key) -> Option<Engine> {
        let device = |at| match at {
            At::Disk(index) | At::Nic(index) => Some(self.engine(index)),
            _ => None,
        };
        device(key.from).or_else(|| device(key.to))
    }

    pub fn hop(&self, moved: &Moved) -> Hop {
        let Moved {
            key,
            bytes,
            count,
            ts,
            dur,
            interrupt,
            ..
        } = *moved;
        Hop {
            kind: key.kind,
            from: self.place(key.from),
            to: self.place(key.to),
            bytes,
            count,
            evidence: key.by,
            deferred: key.deferred,
            engine: self.engine_of(&key),
            interrupt,
            ts,
            dur,
        }
    }

    /// Devices that bytes met, busiest first; to one of them some more were written.
    pub fn rows(&self, (index, more): (usize, u64)) -> Vec<DeviceRow> {
        let met = self.0.iter().enumerate().filter(|(_, known)| known.met);
        let mut rows: Vec<_> = met
            .map(|(at, known)| DeviceRow {
                name: known.device.name.clone(),
                class: known.device.class,
                engine: known.device.engine,
                driver: known.device.driver.clone(),
                read_bytes: known.read,
                write_bytes: match at == index {
                    true => known.written.saturating_add(more),
                    false => known.written,
                },
                mapped_bytes: known.mapped,
            })
            .collect();
        rows.sort_by(|a, b| {
            let bytes = |row: &DeviceRow| row.read_bytes.saturating_add(row.write_bytes);
            bytes(b).cmp(&bytes(a)).then_with(|| a.name.cmp(&b.name))
        });
        rows
    }
}

/// The hop table. There are few distinct rows, so a linear search from the last hit beats hashing.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<(Key, u64, u64)>,
    last: usize,
    /// Sizes and times of the same rows, as far as hops were shown one by one.
    shapes: Vec<[Histogram; 2]>,
}

impl Rows {
    pub fn add(&mut self, moved: &Moved) {
        let Moved {
            key, bytes, count, ..
        } = *moved;
        let hit = self
            .rows
            .get(self.last)
            .is_some_and(|(known, ..)| *known == key);
        if !hit {
            let known = self.rows.iter().position(|(known, ..)| *known == key);
            self.last = known.unwrap_or_else(|| {
                self.rows.push((key, 0, 0));
                self.rows.len() - 1
            });
        }
        if let Some((_, counts, sum)) = self.rows.get_mut(self.last) {
            *counts = counts.saturating_add(count);
            *sum = sum.saturating_add(bytes);
        }
    }

    /// Adds one hop, and keeps of what size it was and how long it took.
    pub fn add_one(&mut self, moved: &Moved) {
        self.add(moved);
        if self.shapes.len() <= self.last {
            self.shapes.resize_with(self.last + 1, Default::default);
        }
        if let Some([sizes, times]) = self.shapes.get_mut(self.last) {
            sizes.add(moved.bytes);
            if moved.dur > 0 {
                times.add(moved.dur);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds all of another table.
    pub fn merge(&mut self, other: &Self) {
        for &(key, count, bytes) in &other.rows {
            self.add(&Moved::sum(key, count, bytes));
        }
    }

    /// Most bytes first.
    pub fn finish(&self, devices: &Devices) -> Vec<HopRow> {
        let row = |(index, &(key, count, bytes)): (usize, &(Key, u64, u64))| {
            let [sizes, times] = self.shapes.get(index).cloned().unwrap_or_default();
            let hop = devices.hop(&Moved::sum(key, count, bytes));
            let engine = hop.engine;
            let Hop {
                kind,
                from,
                to,
                deferred,
                ..
            } = hop;
            HopRow {
                kind,
                from,
                to,
                count,
                bytes,
                evidence: key.by,
                deferred,
                engine,
                cpu_ns: None,
                sizes,
                times,
            }
        };
        let mut rows: Vec<_> = self.rows.iter().enumerate().map(row).collect();
        rows.sort_by(|a, b| {
            let order = |r: &HopRow| {
                (
                    r.kind,
                    r.from.clone(),
                    r.to.clone(),
                    match r.evidence {
                        Evidence::Inferred(rule) => Some(rule.name()),
                        Evidence::Measured(_) | Evidence::Estimated(_) => None,
                    },
                    r.deferred,
                )
            };
            b.bytes.cmp(&a.bytes).then_with(|| order(a).cmp(&order(b)))
        });
        rows
    }
}

/// More processes than this share one row.
const PROCESSES_MAX: usize = 16_384;

/// What is kept of a process.
#[derive(Debug, Default)]
pub struct Process {
    pub row: ProcessRow,
    /// It uses io_uring or Linux AIO: direct I/O ends at any time.
    pub async_io: bool,
}

/// The processes of a trace, in the order in which they appeared.
#[derive(Debug, Default)]
pub struct Processes {
    rows: Vec<Process>,
    live: HashMap<u32, usize>,
}

impl Processes {
    /// Index of a live process.
    pub fn find(&mut self, pid: u32) -> usize {
        if let Some(&index) = self.live.get(&pid) {
            return index;
        }
        // The last row stands for all that came too late for one of their own.
        if self.rows.len() > PROCESSES_MAX {
            return PROCESSES_MAX;
        }
        let others = self.rows.len() == PROCESSES_MAX;
        let (pid, comm) = if others { (0, "(others)") } else { (pid, "") };
        let row = ProcessRow {
            pid,
            comm: comm.to_owned(),
            ..ProcessRow::default()
        };
        self.rows.push(Process {
            row,
            async_io: false,
        });
        let index = self.rows.len() - 1;
        if !others {
            self.live.insert(pid, index);
        }
        index
    }

    /// Whether a process, by index, uses io_uring or Linux AIO.
    pub fn has_async_io(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(|process| process.async_io)
    }

    /// A process by index; `None` never happens for an index from [`Self::find`].
    pub fn get(&mut self, index: usize) -> Option<&mut Process> {
        self.rows.get_mut(index)
    }

    /// A child appears, with its parent's name.
    pub fn fork(&mut self, parent: u32, child: u32) {
        let from = self.find(parent);
        let comm = self
            .rows
            .get(from)
            .map(|p| p.row.comm.clone())
            .unwrap_or_default();
        let index = self.find(child);
        if index < PROCESSES_MAX
            && let Some(process) = self.rows.get_mut(index)
        {
            process.row.ppid = (from < PROCESSES_MAX).then_some(parent);
            process.row.comm = comm;
        }
    }

    /// `execve` gave it another name.
    pub fn rename(&mut self, pid: u32, comm: &[u8]) {
        let index = self.find(pid);
        if index < PROCESSES_MAX
            && let Some(process) = self.rows.get_mut(index)
        {
            let name = comm.split(|&byte| byte == 0).next().unwrap_or_default();
            process.row.comm = String::from_utf8_lossy(name).into_owned();
        }
    }

    /// It is gone; its number may be used again.
    pub fn gone(&mut self, pid: u32) {
        self.live.remove(&pid);
    }

    pub fn rows(&self) -> Vec<ProcessRow> {
        self.rows
            .iter()
            .map(|process| process.row.clone())
            .collect()
    }
}

/// Differences, summed by what differs.
#[derive(Clone, Debug, Default)]
pub struct Differences(Vec<Disagreement>);

impl Differences {
    pub fn add(&mut self, what: Subject, claim: Claim, expected: u64, found: u64) {
        self.sum(what, false, claim, expected, found);
    }

    /// The same, of requests of io_uring.
    pub fn add_requests(&mut self, what: Subject, claim: Claim, expected: u64, found: u64) {
        self.sum(what, true, claim, expected, found);
    }

    fn sum(&mut self, what: Subject, by_requests: bool, claim: Claim, expected: u64, found: u64) {
        let same =
            |d: &Disagreement| (d.what, d.by_requests, d.claim) == (what, by_requests, claim);
        let known = self.0.iter().position(same);
        let index = known.unwrap_or_else(|| {
            self.0.push(Disagreement {
                what,
                by_requests,
                expected: 0,
                found: 0,
                claim,
                skipped: Vec::new(),
            });
            self.0.len() - 1
        });
        if let Some(sum) = self.0.get_mut(index) {
            sum.expected = sum.expected.saturating_add(expected);
            sum.found = sum.found.saturating_add(found);
        }
    }

    pub fn into_rows(self) -> Vec<Disagreement> {
        self.0
    }
}
