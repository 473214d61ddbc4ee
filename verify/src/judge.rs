//! What a trace shows of each path, and whether that is what happened.

use std::collections::HashMap;

use bytehop_core::catalogue::{FunctionId, ProbeId, RuleId, Tracepoint};
use bytehop_core::model::{CallId, Evidence, Hop, HopKind, Known, Place};
use bytehop_core::reconstruct::{Call, Sink, What};
use serde::Serialize;

use crate::scene::{BEGIN, Done, END, MARK, page};
use crate::table::{Bytes, Expect, FEW_PAGES, Row, Spot};

/// The kernel's own count of what devices bounce: where they do, it comes with every DMA.
const BOUNCE: Evidence = Evidence::tracepoint(Tracepoint::swiotlb_bounced);

/// Hops of one path that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    pub kind: HopKind,
    pub from: String,
    pub to: String,
    pub bytes: u64,
    pub evidence: Known,
    /// Its probe or rule.
    pub by: &'static str,
    #[serde(skip)]
    known: Evidence,
    #[serde(skip)]
    ends: (Spot, Spot),
    /// In page faults that were not on the path's memory.
    #[serde(skip)]
    aside: bool,
}

/// Sorts the hops of a trace by path.
#[derive(Default)]
pub struct Judge {
    /// By number of the run.
    seen: HashMap<usize, Vec<Seen>>,
    regions: HashMap<usize, (u64, u64)>,
    /// The run that is under way.
    open: Option<usize>,
    /// Which call belongs to which run; those of none, too: a late hop may be theirs.
    calls: HashMap<CallId, Option<usize>>,
}

impl Judge {
    /// For the programs that said this of themselves.
    pub fn new(done: &[Done]) -> Self {
        let regions = done
            .iter()
            .filter_map(|done| Some((done.run, done.region?)));
        Self {
            regions: regions.collect(),
            ..Self::default()
        }
    }

    /// Compares a path with what its program did.
    pub fn verdict(&self, row: &Row, done: &Done) -> Verdict {
        let seen = self.seen.get(&done.run);
        let seen = seen.map_or(&[][..], Vec::as_slice);
        let ways = row.ways.iter().map(|way| compare(way, seen, done));
        // The way that fits best.
        let best = ways.min_by_key(|verdict| {
            let wrong = verdict.hops.iter().filter(|hop| !hop.exact).count();
            wrong + verdict.unexpected.len()
        });
        best.unwrap_or_default()
    }

    /// Whether a hop outside page faults is none of the path's: where page faults are looked at, pages that
    /// the kernel itself touches, in a call or between two, are none of the program's.
    fn touched_by_kernel(&self, path: usize, hop: &Hop) -> bool {
        let page = hop.kind != HopKind::Dma && hop.to == Place::User;
        page && self.regions.contains_key(&path)
    }

    pub(crate) fn add(&mut self, path: usize, hop: &Hop, aside: bool) {
        let new = Seen {
            kind: hop.kind,
            from: hop.from.to_string(),
            to: hop.to.to_string(),
            bytes: hop.bytes,
            evidence: hop.evidence.known(),
            by: hop.evidence.by(),
            known: hop.evidence,
            ends: (spot(&hop.from), spot(&hop.to)),
            aside,
        };
        let seen = self.seen.entry(path).or_default();
        let same = |old: &&mut Seen| {
            Seen {
                bytes: 0,
                ..(*old).clone()
            } == Seen {
                bytes: 0,
                ..new.clone()
            }
        };
        match seen.iter_mut().find(same) {
            Some(old) => old.bytes += new.bytes,
            None => seen.push(new),
        }
    }
}

impl Sink for Judge {
    fn call(&mut self, call: &Call<'_>, hops: &[Hop]) {
        let region = self.open.and_then(|path| self.regions.get(&path)).copied();
        let mut aside = false;
        match call.what {
            What::Syscall {
                name: "fcntl",
                args,
                ..
            } if args[1] as i32 == MARK => {
                let index = (args[2] & 0xFFFF) as usize;
                match args[2] >> 16 {
                    BEGIN => self.open = Some(index),
                    END => self.open = None,
                    _ => {}
                }
            }
            What::Fault { addr, .. } => {
                aside = !region.is_some_and(|(start, len)| (start..start + len).contains(&addr));
            }
            What::Syscall { .. } => {}
        }
        self.calls.insert(call.id, self.open);
        if let Some(path) = self.open {
            let in_call = !matches!(call.what, What::Fault { .. });
            for hop in hops {
                let touched = in_call && self.touched_by_kernel(path, hop);
                self.add(path, hop, aside && by_fault(hop) || touched);
            }
        }
    }

    fn late_hop(&mut self, call: CallId, hop: &Hop) {
        // A kernel thread's requests are in no call of the program.
        let path = *self.calls.get(&call).unwrap_or(&self.open);
        if let Some(path) = path {
            self.add(path, hop, self.touched_by_kernel(path, hop));
        }
    }
}

/// Whether a page fault itself can have done this. What a request of io_uring receives on the way back to
/// user mode stands in the fault that came last, wherever that was, and is the path's all the same.
fn by_fault(hop: &Hop) -> bool {
    let pages = |place: &Place| {
        matches!(
            place,
            Place::User | Place::PageCache | Place::Shmem | Place::Zero
        )
    };
    match hop.kind {
        HopKind::Fill | HopKind::Map | HopKind::Dma => true,
        HopKind::Copy => pages(&hop.from) && pages(&hop.to),
        HopKind::Share => false,
    }
}

fn spot(place: &Place) -> Spot {
    match place {
        Place::User => Spot::User,
        Place::PageCache => Spot::Cache,
        Place::Shmem => Spot::Shmem,
        Place::Pipe => Spot::Pipe,
        Place::Socket => Spot::Socket,
        Place::Device(_) => Spot::Disk,
        Place::Nic(_) => Spot::Nic,
        Place::Zero => Spot::Zero,
        Place::Kernel => Spot::Kernel,
    }
}

/// One path in one trace.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    pub hops: Vec<Found>,
    /// Bytes that were said to move, but did not.
    pub unexpected: Vec<Seen>,
}

/// One hop that had to be seen.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    pub kind: HopKind,
    pub from: &'static str,
    pub to: &'static str,
    /// What happened; at least, if the kernel adds to it.
    pub payload: u64,
    pub bytes: u64,
    pub exact: bool,
    /// How its bytes are known, each way once; nothing where nothing was seen.
    pub evidence: Vec<Known>,
    pub by: Vec<&'static str>,
}

impl Verdict {
    pub fn exact(&self) -> bool {
        self.unexpected.is_empty() && self.hops.iter().all(|hop| hop.exact)
    }

    /// Every byte was seen by a probe.
    pub fn measured(&self) -> bool {
        self.hops
            .iter()
            .all(|hop| hop.evidence == [Known::Measured])
    }
}

/// The function that copies a page on write measured it.
fn is_cow(known: Evidence) -> bool {
    use FunctionId::{copy_mc_to_kernel, copy_user_highpage};
    use ProbeId::{Function, Kprobe};
    matches!(
        known,
        Evidence::Measured(Function(by) | Kprobe(by)) if matches!(by, copy_mc_to_kernel | copy_user_highpage)
    )
}

/// Whether a hop is of a rule for devices that are only software.
fn is_software(known: Evidence) -> bool {
    use RuleId::{LoopByReference, SoftwareDeviceCopied, ZramCompressed};
    matches!(
        known,
        Evidence::Inferred(SoftwareDeviceCopied | ZramCompressed | LoopByReference)
    )
}

/// What a path's device hands on to the device below it is that device's own way: it comes on top.
fn handed_on(seen: &[Seen]) -> Vec<bool> {
    let disk = |seen: &Seen| match seen.ends {
        (Spot::Disk, _) => Some(seen.from.clone()),
        (_, Spot::Disk) => Some(seen.to.clone()),
        _ => None,
    };
    let software = seen.iter().filter(|hop| is_software(hop.known));
    let software: Vec<_> = software.filter_map(disk).collect();
    let below = |hop: &Seen| disk(hop).is_some_and(|disk| !software.contains(&disk));
    let below = |hop| !software.is_empty() && below(hop);
    seen.iter().map(below).collect()
}

fn compare(way: &[Expect], seen: &[Seen], done: &Done) -> Verdict {
    // Neither expected nor stray.
    let mut used = handed_on(seen);
    let mut hops = Vec::new();
    for expect in way {
        let (payload, more) = match expect.bytes {
            Bytes::All => (done.payload, 0),
            Bytes::Times(n) => (n * done.payload, 0),
            Bytes::Accounted => (done.read_bytes, 0),
            Bytes::Resent => (done.payload, done.resent),
            Bytes::AndPages => (done.payload, FEW_PAGES * page() as u64),
            Bytes::AtLeast => (done.payload, u64::MAX),
            Bytes::Maybe => (0, u64::MAX),
        };
        let mut found = Found {
            kind: expect.kind,
            from: expect.from.name(),
            to: expect.to.name(),
            payload,
            bytes: 0,
            exact: false,
            evidence: Vec::new(),
            by: Vec::new(),
        };
        for (hop, used) in seen.iter().zip(&mut used) {
            let aside = hop.aside && expect.bytes != Bytes::Accounted;
            if *used || aside || !expect.fits(hop) {
                continue;
            }
            *used = true;
            found.bytes += hop.bytes;
            if !found.evidence.contains(&hop.evidence) {
                found.evidence.push(hop.evidence);
            }
            if !found.by.contains(&hop.by) {
                found.by.push(hop.by);
            }
        }
        found.exact = (payload..=payload.saturating_add(more)).contains(&found.bytes);
        if expect.bytes != Bytes::Maybe {
            hops.push(found);
        }
    }
    // Pages that a call or the stack needed are no payload; whatever else was moved, was not.
    let stray = |hop: &Seen| {
        let moves = matches!(hop.kind, HopKind::Copy | HopKind::Dma | HopKind::Share);
        // A page of the program's that the kernel had to copy before it could write to it.
        let cow = hop.ends == (Spot::User, Spot::User) && is_cow(hop.known);
        moves && !cow && hop.known != BOUNCE && !hop.aside && hop.bytes > 0
    };
    let unexpected = seen.iter().zip(used);
    let unexpected = unexpected.filter(|(hop, used)| !used && stray(hop));
    Verdict {
        hops,
        unexpected: unexpected.map(|(hop, _)| hop.clone()).collect(),
    }
}

impl Expect {
    fn fits(&self, hop: &Seen) -> bool {
        // A block device that is only software has no DMA: a CPU does its work.
        let by_cpu = self.kind == HopKind::Dma && is_software(hop.known);
        let kind = hop.kind == self.kind || by_cpu;
        kind && hop.ends == (self.from, self.to)
    }
}

impl Spot {
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Cache => "page_cache",
            Self::Shmem => "shmem",
            Self::Pipe => "pipe",
            Self::Socket => "socket",
            Self::Disk => "device",
            Self::Nic => "nic",
            Self::Zero => "zero",
            Self::Kernel => "kernel",
        }
    }
}

/// A hop that was measured.
#[cfg(test)]
pub(crate) fn hop(kind: HopKind, from: Place, to: Place, bytes: u64) -> Hop {
    Hop {
        kind,
        from,
        to,
        bytes,
        count: 1,
        evidence: Evidence::tracepoint(Tracepoint::sys_exit),
        deferred: false,
        engine: None,
        interrupt: None,
        ts: 0,
        dur: 0,
    }
}

#[cfg(test)]
mod tests {
    use bytehop_core::model::{CallId, Hop, HopKind, Place};
    use bytehop_core::reconstruct::{Call, Sink, What, Within};

    use super::{Judge, hop};
    use crate::scene::Done;
    use crate::table::PATHS;

    /// The verdict on `name`, of whose payload of 100 bytes these hops were seen.
    fn exact(name: &str, hops: &[Hop]) -> bool {
        let row = PATHS.iter().find(|row| row.name == name);
        let row = row.expect("a path");
        let mut judge = Judge::default();
        for hop in hops {
            judge.add(0, hop, false);
        }
        let done = Done {
            payload: 100,
            ..Done::default()
        };
        judge.verdict(row, &done).exact()
    }

    #[test]
    fn a_byte_more_or_less_is_wrong() {
        let read = |bytes| hop(HopKind::Copy, Place::PageCache, Place::User, bytes);
        assert!(exact("read-cached", &[read(100)]));
        assert!(exact("read-cached", &[read(60), read(40)]));
        assert!(!exact("read-cached", &[read(99)]));
        assert!(!exact("read-cached", &[read(101)]));
        assert!(!exact("read-cached", &[]));
    }

    /// Two faults of a path that receives by io_uring: on its memory, and elsewhere.
    #[test]
    fn what_was_received_before_a_fault_elsewhere_counts() {
        let done = Done {
            payload: 100,
            region: Some((0x1000, 0x1000)),
            ..Done::default()
        };
        let row = PATHS.iter().find(|row| row.name == "uring-fault");
        let row = row.expect("a path");
        let exact = |second: Hop| {
            let mut judge = Judge::new(std::slice::from_ref(&done));
            judge.open = Some(0);
            judge.add(
                0,
                &hop(HopKind::Copy, Place::User, Place::Socket, 100),
                false,
            );
            let received = hop(HopKind::Copy, Place::Socket, Place::User, 60);
            for (seq, addr, one) in [(1, 0x1800, received), (2, 0x7000, second)] {
                let what = What::Fault {
                    addr,
                    ip: 0,
                    write: true,
                    major: false,
                    file: None,
                };
                let call = Call {
                    open: None,
                    id: CallId { tid: 1, seq },
                    tgid: 1,
                    ts: 0,
                    dur: 0,
                    waited: 0,
                    irqs: 0,
                    bytes: 0,
                    regions: Within::default(),
                    what,
                };
                judge.call(&call, &[one]);
            }
            judge.verdict(row, &done).exact()
        };
        assert!(exact(hop(HopKind::Copy, Place::Socket, Place::User, 40)));
        assert!(!exact(hop(HopKind::Copy, Place::Socket, Place::User, 39)));
        // What a fault does there is none of the path's.
        assert!(!exact(hop(
            HopKind::Copy,
            Place::PageCache,
            Place::User,
            40
        )));
    }

    #[test]
    fn after_a_fork_few_pages_more_are_copied() {
        let read = hop(HopKind::Copy, Place::PageCache, Place::User, 100);
        let copied = |bytes| hop(HopKind::Copy, Place::User, Place::User, bytes);
        let exact = |bytes| exact("read-after-fork", &[read.clone(), copied(bytes)]);
        assert!(exact(100) && exact(100 + 4096) && exact(100 + 4 * 4096));
        assert!(!exact(99) && !exact(100 + 5 * 4096));
    }

    #[test]
    fn what_did_not_happen_is_wrong() {
        let share = hop(HopKind::Share, Place::PageCache, Place::Socket, 100);
        let copy = hop(HopKind::Copy, Place::Socket, Place::User, 100);
        assert!(exact("sendfile-tcp", &[share.clone(), copy.clone()]));
        let dma = hop(HopKind::Dma, Place::Socket, Place::Nic("lo".into()), 100);
        assert!(!exact("sendfile-tcp", &[share, copy, dma]));
    }

    #[test]
    fn the_kernel_may_choose_its_way_but_not_mix_them() {
        let dma = |to| hop(HopKind::Dma, Place::Device("vda".into()), to, 100);
        let copy = hop(HopKind::Copy, Place::PageCache, Place::User, 100);
        assert!(exact("direct-read", &[dma(Place::User)]));
        assert!(exact("direct-read", &[dma(Place::PageCache), copy.clone()]));
        assert!(!exact("direct-read", &[dma(Place::User), copy]));
    }
}
