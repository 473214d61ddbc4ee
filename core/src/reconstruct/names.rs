//! Sums by name: which file, socket, device, process, thread and cgroup each hop belongs to.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use tracer_ebpf::{FileRef, named};

use super::paths::Paths;
use super::tally::{At, Devices, Key, Moved, Object, Processes, Rows};
use crate::arch::Arch;
use crate::event::{Name, Start};
use crate::model::{ByName, End, NamedHop, NamedRow, Thing};
use crate::regions::Region;

/// Files and sockets, and threads, that have a row of their own.
const OBJECTS_MAX: usize = 1 << 16;
const THREADS_MAX: usize = 1 << 14;
/// Sockets have inodes of a file system of their own; a packet names only the inode.
const SOCKETS: u32 = u32::MAX;

/// `OVERLAYFS_SUPER_MAGIC`
const OVERLAY: u32 = 0x794c_7630;

const S_IFMT: u16 = 0o170_000;
const S_IFSOCK: u16 = 0o140_000;

/// The sums of one thing.
#[derive(Debug, Default)]
pub struct Tally {
    calls: u64,
    time: u64,
    /// Of regions: faults taken in user mode.
    pub faults: u64,
    /// Hops that begin in it, that end in it, and where that makes no difference.
    from: Rows,
    to: Rows,
    all: Rows,
}

impl Tally {
    /// A hop of its own.
    pub fn add(&mut self, moved: &Moved) {
        self.all.add(moved);
    }

    pub fn call(&mut self, time: u64) {
        self.calls += 1;
        self.time = self.time.saturating_add(time);
    }

    fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.time = self.time.saturating_add(other.time);
        self.all.merge(&other.all);
    }

    fn is_empty(&self) -> bool {
        self.calls == 0
            && self.faults == 0
            && [&self.from, &self.to, &self.all]
                .iter()
                .all(|rows| rows.is_empty())
    }

    fn row(&self, thing: Thing, devices: &Devices) -> NamedRow {
        let part = |rows: &Rows, end| {
            let rows = rows.finish(devices).into_iter();
            rows.map(move |hop| NamedHop { end, hop })
                .collect::<Vec<_>>()
        };
        let mut hops = part(&self.all, None);
        hops.extend(part(&self.from, Some(End::From)));
        hops.extend(part(&self.to, Some(End::To)));
        NamedRow {
            thing,
            calls: self.calls,
            time_ns: self.time,
            hops,
        }
    }
}

/// Sums by process.
#[derive(Debug, Default)]
struct Processed {
    known: Vec<Tally>,
    /// Of processes nobody knows: their index is [`usize::MAX`].
    nobody: Tally,
}

impl Processed {
    fn of(&mut self, process: usize) -> &mut Tally {
        if process == usize::MAX {
            return &mut self.nobody;
        }
        if self.known.len() <= process {
            self.known.resize_with(process + 1, Tally::default);
        }
        &mut self.known[process]
    }

    fn merge(&mut self, other: &Self) {
        for (process, tally) in other.known.iter().enumerate() {
            self.of(process).merge(tally);
        }
        self.nobody.merge(&other.nobody);
    }

    fn sum(&self) -> Tally {
        let mut sum = Tally::default();
        let tallies = self.known.iter().chain([&self.nobody]);
        tallies.for_each(|tally| sum.merge(tally));
        sum
    }
}

/// What is known of a socket besides its inode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Socket {
    family: u16,
    kind: u16,
    protocol: u16,
}

/// Sums by name.
#[derive(Debug)]
pub struct Names {
    paths: Paths,
    /// By file system and inode; the first is nobody's.
    objects: Vec<((u32, u64), Socket, Tally)>,
    known: HashMap<(u32, u64), u32>,
    last: ((u32, u64), u32),
    /// Files of overlays, by inode: pages that are mapped belong to the file below, which has the same number.
    overlaid: HashMap<u64, u32>,
    /// Both ends of sockets.
    ends: HashMap<u64, (String, String)>,
    other_files: Tally,
    other_sockets: Tally,
    devices: Vec<Tally>,
    /// What a thread did, its process did: processes' sums are made of these in the end.
    threads: Vec<(u32, usize, Tally)>,
    by_tid: HashMap<u32, usize>,
    last_thread: (u32, usize),
    /// Of threads beyond those that have a row, by process.
    other_threads: Processed,
    /// By the number that [`crate::regions`] gives.
    regions: Vec<Tally>,
}

impl Names {
    pub fn new(arch: Arch, start: &Start) -> Self {
        Self {
            paths: Paths::new(arch, start),
            objects: vec![((0, 0), Socket::default(), Tally::default())],
            known: HashMap::new(),
            last: ((0, 0), 0),
            overlaid: HashMap::new(),
            ends: HashMap::new(),
            other_files: Tally::default(),
            other_sockets: Tally::default(),
            devices: Vec::new(),
            threads: Vec::new(),
            by_tid: HashMap::new(),
            last_thread: (0, 0),
            other_threads: Processed::default(),
            regions: Vec::new(),
        }
    }

    pub fn paths(&mut self) -> &mut Paths {
        &mut self.paths
    }

    /// What the kernel told of a name.
    pub fn name(&mut self, name: &Name) {
        match name.what {
            named::SOCKET if self.ends.len() < OBJECTS_MAX => {
                if let Some(ends) = ends(&name.path) {
                    self.ends.insert(name.ino, ends);
                }
            }
            _ => self.paths.name(name),
        }
    }

    /// A file, by file system and inode.
    pub fn file(&mut self, dev: u32, ino: u64) -> Object {
        match ino {
            0 => Object::NONE,
            ino => self.object((dev, ino)),
        }
    }

    pub fn socket(&mut self, ino: u64) -> Object {
        self.file(SOCKETS, ino)
    }

    /// Family and kind of a socket; 0 where no descriptor of it was seen.
    pub fn transport(&self, ino: u64) -> (u16, u16) {
        let index = self.known.get(&(SOCKETS, ino));
        let object = index.and_then(|index| self.objects.get(*index as usize));
        object.map_or((0, 0), |(_, socket, _)| (socket.family, socket.kind))
    }

    /// What a descriptor is.
    pub fn of(&mut self, file: &FileRef) -> Object {
        if file.mode & S_IFMT != S_IFSOCK {
            let object = self.file(file.dev, file.ino);
            if file.magic == OVERLAY && self.overlaid.len() < OBJECTS_MAX {
                self.overlaid.insert(file.ino, file.dev);
            }
            return object;
        }
        let object = self.socket(file.ino);
        if let Some((_, socket, _)) = self.objects.get_mut(object.0 as usize) {
            (socket.family, socket.kind, socket.protocol) =
                (file.family, file.sock_type, file.protocol);
        }
        object
    }

    fn object(&mut self, inode: (u32, u64)) -> Object {
        if self.last.0 == inode {
            return Object(self.last.1);
        }
        let index = match self.known.get(&inode) {
            Some(index) => *index,
            None if self.objects.len() > OBJECTS_MAX => return Object::MANY,
            None => {
                let index = self.objects.len() as u32;
                self.objects
                    .push((inode, Socket::default(), Tally::default()));
                self.known.insert(inode, index);
                index
            }
        };
        self.last = (inode, index);
        Object(index)
    }

    /// The tally of a place's object, if the place is of files or sockets.
    fn at(&mut self, at: At, object: Object) -> Option<&mut Tally> {
        let socket = match at {
            At::PageCache | At::Shmem => false,
            At::Socket => true,
            At::Disk(index) | At::Nic(index) => {
                if self.devices.len() <= index {
                    self.devices.resize_with(index + 1, Tally::default);
                }
                return self.devices.get_mut(index);
            }
            _ => return None,
        };
        let found = self.objects.get_mut(object.0 as usize);
        let found =
            found.filter(|(inode, ..)| object != Object::NONE && (inode.0 == SOCKETS) == socket);
        Some(match (found, socket) {
            (Some((_, _, tally)), _) => tally,
            (None, true) => &mut self.other_sockets,
            (None, false) => &mut self.other_files,
        })
    }

    /// Adds a hop of a thread.
    pub fn add(&mut self, process: usize, tid: u32, moved: &Moved) {
        let Key { from, to, .. } = moved.key;
        if let Some(tally) = self.at(from, moved.of[0]) {
            tally.from.add(moved);
        }
        if let Some(tally) = self.at(to, moved.of[1]) {
            tally.to.add(moved);
        }
        self.of_thread(process, tid).all.add(moved);
    }

    /// Counts a call of a thread, on up to two files.
    pub fn call(&mut self, process: usize, tid: u32, on: [Object; 2], time: u64) {
        for (i, object) in on.iter().enumerate() {
            let again = i == 1 && on[0] == on[1];
            if *object != Object::NONE
                && !again
                && let Some((_, _, tally)) = self.objects.get_mut(object.0 as usize)
            {
                tally.call(time);
            }
        }
        self.of_thread(process, tid).call(time);
    }

    /// The sums of a region.
    pub fn region(&mut self, region: u32) -> &mut Tally {
        let region = region as usize;
        if self.regions.len() <= region {
            self.regions.resize_with(region + 1, Tally::default);
        }
        &mut self.regions[region]
    }

    /// The table of regions; `partial`: those that nothing was seen of are not in it.
    pub fn regions(&self, regions: &[Region], devices: &Devices, partial: bool) -> Vec<NamedRow> {
        let none = Tally::default();
        let rows = regions.iter().enumerate().filter_map(|(number, region)| {
            let tally = self.regions.get(number).unwrap_or(&none);
            let there = region.passes > 0 && !(partial && tally.is_empty());
            let thing = Thing::Region {
                region: region.name.clone(),
                passes: region.passes,
                duration_ns: region.time_ns,
                user_faults: tally.faults,
            };
            there.then(|| tally.row(thing, devices))
        });
        rows.collect()
    }

    /// The sums of a thread, or of all of its process that have no row.
    fn of_thread(&mut self, process: usize, tid: u32) -> &mut Tally {
        let thread = self.thread(process, tid);
        match self.threads.get_mut(thread) {
            Some((_, _, tally)) => tally,
            None => self.other_threads.of(process),
        }
    }

    /// Index of a thread; of one that is gone, too.
    fn thread(&mut self, process: usize, tid: u32) -> usize {
        if self.last_thread.0 == tid && tid != 0 {
            return self.last_thread.1;
        }
        let index = match self.by_tid.get(&tid) {
            Some(index) => *index,
            None => {
                if self.threads.len() >= THREADS_MAX {
                    return usize::MAX;
                }
                self.threads.push((tid, process, Tally::default()));
                self.by_tid.insert(tid, self.threads.len() - 1);
                self.threads.len() - 1
            }
        };
        self.last_thread = (tid, index);
        index
    }

    /// A thread with this number begins: whatever had it is another.
    pub fn born(&mut self, tid: u32) {
        self.by_tid.remove(&tid);
        self.last_thread = (0, 0);
    }

    fn path(&self, dev: u32, ino: u64) -> Option<&str> {
        let above = || self.paths.get((*self.overlaid.get(&ino)?, ino));
        self.paths.get((dev, ino)).or_else(above)
    }

    /// The tables.
    pub fn finish(&self, devices: &Devices, processes: &Processes, start: &Start) -> ByName {
        let unnamed = || Thing::Unnamed { unnamed: true };
        let (mut files, mut sockets) = (Vec::new(), Vec::new());
        for ((dev, ino), socket, tally) in self.objects.iter().filter(|(.., t)| !t.is_empty()) {
            if *dev == SOCKETS {
                let ends = self
                    .ends
                    .get(ino)
                    .filter(|(local, peer)| !local.is_empty() || !peer.is_empty());
                let thing = Thing::Socket {
                    protocol: protocol(*socket),
                    local: ends.map(|ends| ends.0.clone()),
                    peer: ends
                        .map(|ends| ends.1.clone())
                        .filter(|peer| !peer.is_empty()),
                    inode: *ino,
                };
                sockets.push(tally.row(thing, devices));
            } else {
                // Pipes and the like are no files that one can name.
                let row = tally.row(
                    Thing::File {
                        path: self.path(*dev, *ino).map(str::to_owned),
                        device: format!("{}:{}", dev >> 20, dev & 0xf_ffff),
                        inode: *ino,
                    },
                    devices,
                );
                if !row.hops.is_empty() {
                    files.push(row);
                }
            }
        }
        for (rest, rows) in [
            (&self.other_files, &mut files),
            (&self.other_sockets, &mut sockets),
        ] {
            if !rest.is_empty() {
                rows.push(rest.row(unnamed(), devices));
            }
        }
        let named = |(index, tally): (usize, &Tally)| {
            let device = devices.name(index).to_owned();
            (!tally.is_empty()).then(|| tally.row(Thing::Device { device }, devices))
        };
        let by_device = self.devices.iter().enumerate().filter_map(named).collect();
        let comms = processes.rows();
        let of = |process: usize| comms.get(process).map(|row| (row.pid, row.comm.clone()));
        let mut by_process = Vec::new();
        let mut sums = Processed::default();
        for (_, process, tally) in &self.threads {
            sums.of(*process).merge(tally);
        }
        sums.merge(&self.other_threads);
        let mut cgroups: Vec<(String, Tally)> = Vec::new();
        for (index, tally) in sums.known.iter().enumerate().filter(|(_, t)| !t.is_empty()) {
            let Some((pid, comm)) = of(index) else {
                continue;
            };
            by_process.push(tally.row(Thing::Process { pid, comm }, devices));
            let Some(cgroup) = cgroup(index, &comms, start) else {
                continue;
            };
            match cgroups.iter_mut().find(|(known, _)| *known == cgroup) {
                Some((_, sum)) => sum.merge(tally),
                None => {
                    let mut sum = Tally::default();
                    sum.merge(tally);
                    cgroups.push((cgroup, sum));
                }
            }
        }
        let mut threads = Vec::new();
        for (tid, process, tally) in self.threads.iter().filter(|(.., t)| !t.is_empty()) {
            let thing = match of(*process) {
                Some((pid, comm)) => Thing::Thread {
                    tid: *tid,
                    pid,
                    comm,
                },
                None => unnamed(),
            };
            threads.push(tally.row(thing, devices));
        }
        let others = self.other_threads.sum();
        if !others.is_empty() {
            threads.push(others.row(unnamed(), devices));
        }
        if !sums.nobody.is_empty() {
            by_process.push(sums.nobody.row(unnamed(), devices));
            if !cgroups.is_empty() {
                cgroups.push((String::new(), Tally::default()));
            }
        }
        let cgroups = cgroups.iter().map(|(cgroup, tally)| match cgroup.as_str() {
            "" => sums.nobody.row(unnamed(), devices),
            _ => tally.row(
                Thing::Cgroup {
                    cgroup: cgroup.clone(),
                },
                devices,
            ),
        });
        let mut by_name = ByName {
            files,
            sockets,
            devices: by_device,
            processes: by_process,
            cgroups: cgroups.collect(),
            threads,
            regions: Vec::new(),
        };
        for table in [
            &mut by_name.files,
            &mut by_name.sockets,
            &mut by_name.devices,
            &mut by_name.processes,
            &mut by_name.threads,
            &mut by_name.cgroups,
        ] {
            table.sort_by(|a, b| {
                let order = |row: &NamedRow| (row.bytes(), row.calls);
                order(b).cmp(&order(a)).then_with(|| a.thing.cmp(&b.thing))
            });
        }
        by_name
    }
}

/// Both ends of a socket, from what the kernel told; the first is the program's.
fn ends(text: &str) -> Option<(String, String)> {
    let byte = |i: usize| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..named::ENDS).map(byte).collect();
    let bytes = bytes?;
    let port = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let address = |at: usize| -> Option<IpAddr> {
        Some(match bytes[0] {
            6.. => {
                let six: [u8; 16] = bytes[at..at + 16].try_into().ok()?;
                IpAddr::from(six).to_canonical()
            }
            _ => {
                let four: [u8; 4] = bytes[at..at + 4].try_into().ok()?;
                IpAddr::from(four)
            }
        })
    };
    let text = |address: IpAddr, port: u16| match port {
        0 => String::new(),
        port => SocketAddr::new(address, port).to_string(),
    };
    Some((
        text(address(6)?, port(2)),
        text(address(22)?, port(4).swap_bytes()),
    ))
}

/// The cgroup that a process was in when tracing began, or that one of its parents was in.
fn cgroup(mut index: usize, rows: &[crate::model::ProcessRow], start: &Start) -> Option<String> {
    // Parents appear before their children.
    loop {
        let row = rows.get(index)?;
        if let Some((_, cgroup)) = start.there.cgroups.iter().find(|(pid, _)| *pid == row.pid) {
            return Some(cgroup.clone());
        }
        let parent = row.ppid?;
        index = rows
            .get(..index)?
            .iter()
            .rposition(|row| row.pid == parent)?;
    }
}

/// As `ss` names it.
fn protocol(socket: Socket) -> String {
    const UNIX: u16 = 1;
    const INET: u16 = 2;
    const INET6: u16 = 10;
    const NETLINK: u16 = 16;
    const PACKET: u16 = 17;
    const VSOCK: u16 = 40;
    let name = match (socket.family, socket.protocol, socket.kind) {
        (INET | INET6, 6, _) => "tcp",
        (INET | INET6, 17, _) => "udp",
        (INET | INET6, 262, _) => "mptcp",
        (INET | INET6, ..) => "inet",
        (UNIX, ..) => "unix",
        (NETLINK, ..) => "netlink",
        (PACKET, ..) => "packet",
        (VSOCK, ..) => "vsock",
        (0, ..) => "",
        (family, ..) => return format!("family {family}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_beyond_those_with_a_row_are_counted_together() {
        let mut names = Names::new(Arch::X86_64, &Start::default());
        for tid in 0..=THREADS_MAX as u32 {
            assert!(names.other_threads.sum().is_empty());
            names.call(0, tid, [Object::NONE; 2], 1);
        }
        assert!(!names.other_threads.sum().is_empty());
    }

    #[test]
    fn both_ends_of_a_socket() {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let mut four = [0u8; 38];
        four[..6].copy_from_slice(&[2, 0, 0x90, 0x1f, 0xd4, 0x31]);
        four[6..10].copy_from_slice(&[127, 0, 0, 1]);
        four[22..26].copy_from_slice(&[10, 0, 0, 7]);
        let told = |local: &str, peer: &str| Some((local.to_owned(), peer.to_owned()));
        assert_eq!(ends(&hex(&four)), told("127.0.0.1:8080", "10.0.0.7:54321"));
        let mut six = [0u8; 38];
        six[..6].copy_from_slice(&[10, 0, 0x50, 0, 0, 0]);
        six[21] = 1;
        assert_eq!(ends(&hex(&six)), told("[::1]:80", ""));
        assert_eq!(ends("zz"), None);
        assert_eq!(ends("ää"), None);
    }
}
