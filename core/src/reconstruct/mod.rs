//! From events to calls and hops, and to the [`Summary`] of a run.
//!
//! [`Reconstructor::push`] takes the events of a trace in their order. The parts of a call (page
//! cache insertions, block requests, packets …) come before the call's own record and wait for it in
//! [`threads::Open`]; then [`rules`](crate::rules) conclude what no probe saw, and the call goes to
//! the [`Sink`] with its hops. What completes after its call is tied to it by number, and write-back
//! by the pages that the call made dirty ([`crate::dirty`]).
//!
//! Pure: no I/O, no clock. Any sequence of events is accepted: what does not fit together makes the
//! result less complete, never an error. Memory is bounded by what is open: live threads, their
//! parts of calls, dirty ranges, distinct rows.

pub(crate) mod account;
mod again;
mod arrivals;
mod aside;
pub(crate) mod blocks;
mod faults;
mod found;
mod holes;
mod interrupts;
pub(crate) mod io;
mod lengths;
mod measured;
mod names;
mod packets;
mod paths;
pub(crate) mod requests;
mod sink;
mod stacked;
mod summary;
mod sums;
mod syscalls;
pub(crate) mod tally;
mod tasks;
#[cfg(test)]
mod tests;
mod threads;

pub use sink::{Call, File, NoSink, Sink, What, Within};

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{Read, Seek};

use tracer_ebpf::{Dirty, Extra, Head, kind, named};

use crate::arch::Arch;
use crate::catalogue::{RuleId, Tracepoint};
use crate::dirty::DirtyPages;
use crate::event::{End, Event, Meta, Start};
use crate::model::{CallId, Evidence, Hop, HopKind, Summary};
use crate::notice::Notice;
use crate::record::{Events, Span};
use crate::regions::Regions;
use crate::rules::CallTable;
use crate::rules::fault::FaultProbes;
use io::Context;
use names::Names;
use sums::Sums;
use tally::{At, Key, Moved};
use threads::{Open, Threads};

/// Reads a recording from its beginning to its end, or to where it is damaged: the summary says so then. The
/// sink gets all calls and hops.
pub fn summarise<R: Read + Seek>(
    mut events: Events<R>,
    arch: Arch,
    sink: &mut impl Sink,
) -> Summary {
    let mut reconstructor = Reconstructor::new(arch);
    for event in events.by_ref() {
        reconstructor.push(&event, sink);
    }
    reconstructor.drain(sink);
    let mut summary = reconstructor.finish();
    for damage in events.warnings() {
        summary.warn(damage.into());
    }
    summary
}

/// Pages zeroed by the allocator.
const PAGE_ALLOC: Evidence = Evidence::tracepoint(Tracepoint::mm_page_alloc);

/// Sockets that are remembered.
const SOCKETS_MAX: usize = 4096;

/// Without one of these hooks nothing is known of the others' interrupts.
const HANDLERS: [Tracepoint; 5] = [
    Tracepoint::irq_handler_entry,
    Tracepoint::irq_handler_exit,
    Tracepoint::softirq_raise,
    Tracepoint::softirq_entry,
    Tracepoint::softirq_exit,
];

/// What the trace says about itself, and tables made from it.
struct Setup {
    arch: Arch,
    table: &'static CallTable,
    page: u64,
    start: Start,
    faults: FaultProbes,
    /// `skb_copy_datagram_iovec` is attached.
    skb: bool,
    /// Which functions measure: bits of [`measured::attached`].
    measures: u64,
    /// As evidence names who measured.
    labels: measured::Labels,
    /// Interrupts are seen.
    irqs: bool,
    /// It is seen what is done in them.
    handlers: bool,
}

/// Turns the events of one trace into calls, hops and a summary.
pub struct Reconstructor {
    setup: Setup,
    threads: Threads,
    dirty: DirtyPages<CallId>,
    /// Write-back of pages that nobody is known to have made dirty, yet.
    orphans: VecDeque<(u64, threads::Io)>,
    holes: holes::Holes,
    /// Inodes of block devices that the program itself writes to.
    raw: HashSet<(u32, u64)>,
    /// File systems whose inodes are block devices: their dirty pages are metadata.
    bdev: HashSet<u32>,
    /// What was asked of devices that hand it on, and what these asked of others.
    stacked: stacked::Stacked,
    by_reference: packets::ByReference,
    looped: packets::Looped,
    /// Packets that no call has taken yet.
    arrivals: arrivals::Arrivals,
    /// Interfaces that processes sent through, by process and number.
    nics: HashMap<(u32, u32), usize>,
    /// Sockets whose sends the kernel encrypts.
    tls: HashSet<u64>,
    /// What calls came to, for those that are alike.
    again: again::Remembered,
    /// Packet sockets that send out of a ring in shared memory.
    rings: HashSet<u64>,
    /// Some socket had `SO_ZEROCOPY` set.
    zerocopy_on: bool,
    names: Names,
    /// What the program marked itself.
    regions: Regions,
    /// Not all of the trace comes: what tells of the whole is no measure for it.
    partial: bool,
    /// The latest time that a record told.
    last: u64,
    sums: Sums,
    /// The current call's hops, and the same for the sink: kept for their memory.
    moved: Vec<Moved>,
    hops: Vec<Hop>,
}

impl Setup {
    fn new(arch: Arch, start: Start) -> Self {
        let has = |hook: Tracepoint| {
            let label = arch.label(hook);
            // A trace that lists no hooks at all was not made by the loader: assume the best.
            start.probes.is_empty() || start.probes.iter().any(|probe| probe == label)
        };
        Self {
            arch,
            table: CallTable::of(arch),
            page: if start.page_size == 0 {
                4096
            } else {
                u64::from(start.page_size)
            },
            faults: FaultProbes {
                rss: has(Tracepoint::rss_stat) && tells_rss(&start.kernel),
                filemap: has(Tracepoint::mm_filemap_fault),
            },
            skb: has(Tracepoint::skb_copy_datagram_iovec),
            measures: measured::attached(&start.probes),
            labels: measured::labels(&start.probes),
            irqs: has(Tracepoint::irq_handler_entry),
            handlers: HANDLERS.into_iter().all(has),
            start,
        }
    }
}

/// Whether `rss_stat` tells every change: before Linux 6.2 threads gathered theirs and told them in
/// batches (commit f1a7941243c1), which cannot be asked of a recording in any other way.
fn tells_rss(release: &str) -> bool {
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor) >= (6, 2),
        _ => true,
    }
}

/// Where a part of a call belongs.
enum Part {
    /// To the call that is open in this slot.
    Open(usize),
    /// After its call, or outside any.
    Late(usize),
}

impl Reconstructor {
    /// For a trace made on `arch`; a [`Meta::Start`] that says otherwise wins.
    pub fn new(arch: Arch) -> Self {
        Self {
            setup: Setup::new(arch, Start::default()),
            threads: Threads::default(),
            dirty: DirtyPages::default(),
            orphans: VecDeque::new(),
            holes: holes::Holes::default(),
            raw: HashSet::new(),
            bdev: HashSet::new(),
            stacked: stacked::Stacked::default(),
            by_reference: packets::ByReference::default(),
            looped: packets::Looped::default(),
            arrivals: arrivals::Arrivals::default(),
            nics: HashMap::new(),
            tls: HashSet::new(),
            again: again::Remembered::default(),
            rings: HashSet::new(),
            zerocopy_on: false,
            names: Names::new(arch, &Start::default()),
            regions: Regions::default(),
            partial: false,
            last: 0,
            sums: Sums::default(),
            moved: Vec::new(),
            hops: Vec::new(),
        }
    }

    /// Takes the next event.
    pub fn push<S: Sink>(&mut self, event: &Event, sink: &mut S) {
        if let Some(head) = event.head() {
            self.last = self.last.max(head.ts);
            if matches!(event, Event::Name(_) | Event::Fork(_) | Event::Exec(_)) {
                self.regions.learn(event);
            }
            if !self.regions.is_empty() {
                self.regions.at(head.tid, head.seq, head.ts);
            }
        }
        match event {
            Event::Syscall { call, file } => self.syscall(call, file.as_ref(), sink),
            Event::Extra(extra) => self.extra(extra, sink),
            Event::Fault(fault) => self.fault(fault, sink),
            Event::Block(block) => self.block(block, sink),
            Event::Xmit(xmit) => self.xmit(xmit, sink),
            Event::Arrival(arrival) => self.arrival(arrival, sink),
            Event::Uring(uring) => self.uring(uring, sink),
            Event::Switch(switch) => self.switch(switch, sink),
            Event::Fork(fork) => self.fork(fork, sink),
            Event::Exec(exec) => self.exec(exec, sink),
            Event::Exit(exit) => self.exit(exit, sink),
            Event::Name(name) => {
                self.names.name(name);
                // Consumers know files by what they were opened as.
                if name.what == named::OPENED {
                    sink.name(name);
                }
            }
            Event::Dirty(dirty) => self.dirtied(dirty, sink),
            Event::Copied(copied) => self.copied(copied, sink),
            Event::CalledFrom(from) => sink.called_from(from),
            Event::Stack(_) => {}
            Event::Meta(meta) => self.meta(meta, sink),
        }
    }

    /// Hands out the parts of calls whose own record never came: nothing more will be pushed.
    pub fn drain<S: Sink>(&mut self, sink: &mut S) {
        for tid in self.threads.ids() {
            if let Some(slot) = self.threads.find(tid) {
                self.close(slot, sink);
            }
        }
        self.never_taken(sink);
    }

    /// The sums over all that was pushed. A sink that wants the last hops too calls
    /// [`Self::drain`] before.
    pub fn finish(mut self) -> Summary {
        self.drain(&mut NoSink);
        // Of a million threads, what was open takes as much memory as what is told of them.
        self.threads = Threads::default();
        let mut summary = self.summary();
        if self.sums.end.is_none() {
            summary.warn(Notice::NoEnd);
        }
        summary
    }

    /// The thread of a record, created if it is new.
    fn thread(&mut self, tid: u32, tgid: u32) -> usize {
        match self.threads.find(tid) {
            Some(slot) => slot,
            None => {
                let process = self.sums.processes.find(tgid);
                self.threads.insert(tid, process, false)
            }
        }
    }

    /// Opens the call that a part belongs to, unless it has ended.
    fn part<S: Sink>(&mut self, head: &Head, sink: &mut S) -> Part {
        let slot = self.thread(head.tid, head.tgid);
        if self.threads.at(slot).is_late(head.seq) {
            return Part::Late(slot);
        }
        if self.threads.open_seq(slot) != head.seq {
            // The record of the call before was lost.
            self.close(slot, sink);
            if self.threads.too_many_open() {
                self.drain(sink);
            }
            self.threads.open(slot).seq = head.seq;
        }
        Part::Open(slot)
    }

    /// Takes the parts of the call `seq`, which has ended; parts of earlier calls are handed out.
    fn take_open<S: Sink>(&mut self, slot: usize, seq: u32, sink: &mut S) -> Box<Open> {
        if self.threads.open_seq(slot) != seq {
            self.close(slot, sink);
        }
        self.threads.at(slot).done = seq;
        self.threads.take_open(slot)
    }

    /// Hands out the parts of a call whose own record never came.
    fn close<S: Sink>(&mut self, slot: usize, sink: &mut S) {
        if self.threads.open_seq(slot) == 0 {
            return;
        }
        let mut open = self.threads.take_open(slot);
        let thread = self.threads.at(slot);
        let id = CallId {
            tid: thread.tid,
            seq: open.seq,
        };
        let process = thread.process;
        let async_io = self.sums.processes.has_async_io(process);
        let context = Context::of_call(None, async_io, None, None);
        self.nearest(&mut open);
        let mut moved = std::mem::take(&mut self.moved);
        moved.clear();
        self.parts(&open, context, &mut moved);
        let inner = self.inner_faults(&mut open, 0);
        self.unexpected(&open.found, None, false, 0, &mut moved);
        moved.extend(inner);
        for hop in &moved {
            self.late(id, process, hop, sink);
        }
        self.moved = moved;
        self.threads.put_back(open);
    }

    /// The hops that need no rule: zeroed pages, copies out of sockets, block I/O, packets.
    fn parts(&mut self, open: &Open, context: Context, moved: &mut Vec<Moved>) {
        let zeroed = open.extra.as_ref().map_or(0, |extra| extra.zeroed);
        if zeroed > 0 {
            moved.push(hop(HopKind::Fill, At::Zero, At::User, PAGE_ALLOC, zeroed));
        }
        let copied = open.extra.as_ref().map_or(0, |extra| extra.skb_copied);
        let known = match context.peeks {
            // Which device brought them is told of the call that takes them.
            true => u64::MAX,
            false => {
                let took = open.took.iter();
                let known = took.map(|took| self.brought(*took, copied, open.began, moved));
                known.fold(0, u64::saturating_add)
            }
        };
        if let Some(extra) = open.extra.as_ref().filter(|_| copied > 0) {
            self.received(extra, known, &open.found, moved);
        }
        for io in &open.ios {
            self.request(io, context, moved);
        }
        moved.extend_from_slice(&open.hops);
    }

    fn regions_of(&self, tid: u32, seq: u32) -> Within<'_> {
        Within::new(self.regions.all(), self.regions.of(tid, seq))
    }

    /// Adds a hop to the sums.
    fn add(&mut self, process: usize, id: CallId, moved: &Moved) {
        self.sums.rows.add_one(moved);
        self.sums.interrupts.add(moved);
        self.names.add(process, id.tid, moved);
        for region in self.regions.of(id.tid, id.seq) {
            self.names.region(*region).add(moved);
        }
        if moved.key.kind == HopKind::Copy
            && let Some(process) = self.sums.processes.get(process)
        {
            process.row.copied = process.row.copied.saturating_add(moved.bytes);
        }
    }

    /// Adds a hop that comes after its call, and hands it out.
    fn late<S: Sink>(&mut self, id: CallId, process: usize, moved: &Moved, sink: &mut S) {
        self.add(process, id, moved);
        self.sums.account.late(id, moved);
        if S::WANTED {
            sink.late_hop(id, &self.sums.devices.hop(moved));
        }
    }

    /// Adds the hops of a call, and makes them ready for the sink.
    fn add_all<S: Sink>(&mut self, process: usize, id: CallId, moved: &[Moved]) {
        for hop in moved {
            self.add(process, id, hop);
        }
        if S::WANTED {
            self.hops.clear();
            self.hops
                .extend(moved.iter().map(|moved| self.sums.devices.hop(moved)));
        }
    }

    fn extra<S: Sink>(&mut self, extra: &Extra, sink: &mut S) {
        let slot = self.thread(extra.head.tid, extra.head.tgid);
        self.count_faults(slot, u64::from(extra.min_flt), u64::from(extra.maj_flt));
        self.sums.irqs_user += u64::from(extra.irqs_user);
        match self.part(&extra.head, sink) {
            Part::Open(slot) => self.threads.open(slot).extra = Some(*extra),
            Part::Late(slot) => {
                // At the end of a thread, outside any call.
                let open = Open {
                    extra: Some(*extra),
                    ..Open::default()
                };
                let thread = self.threads.at(slot);
                let (id, process) = (
                    CallId {
                        tid: thread.tid,
                        seq: 0,
                    },
                    thread.process,
                );
                let mut moved = Vec::new();
                self.parts(&open, Context::default(), &mut moved);
                for hop in &moved {
                    self.late(id, process, hop, sink);
                }
            }
        }
    }

    /// All devices have told what they moved: what direct reads left to them and nobody moved was a hole. Where
    /// a device may have told in vain, nothing is concluded.
    fn fill_holes<S: Sink>(&mut self, sink: &mut S) {
        let holes = self.sums.account.holes();
        let lost = self.sums.lost.by_kind.iter().any(|n| *n > 0);
        if lost || !self.sums.skipped.is_empty() {
            return;
        }
        // Of a part, requests may have come before it, or after.
        if !self.partial {
            self.fill_pages(sink);
        }
        let by = Evidence::Inferred(RuleId::DirectHoleFilled);
        for (id, process, bytes) in holes {
            let hole = hop(HopKind::Fill, At::Zero, At::User, by, bytes);
            self.late(id, process, &hole, sink);
        }
    }

    fn dirtied<S: Sink>(&mut self, dirty: &Dirty, sink: &mut S) {
        let head = &dirty.head;
        let inode = (dirty.dev, dirty.ino);
        let pages = u64::from(dirty.pages);
        let owner = CallId {
            tid: head.tid,
            seq: head.seq,
        };
        self.dirty
            .insert(inode, dirty.index, pages, owner, head.tgid);
        match self.part(head, sink) {
            Part::Open(slot) => self.threads.open(slot).dirty(inode, pages),
            Part::Late(slot) if head.seq == 0 => {
                let thread = self.threads.at(slot);
                thread.dirtied = thread.dirtied.saturating_add(pages);
            }
            Part::Late(_) => {}
        }
    }

    fn meta<S: Sink>(&mut self, meta: &Meta, sink: &mut S) {
        match meta {
            Meta::Start(start) => {
                let arch = Arch::from_name(&start.arch).unwrap_or(self.setup.arch);
                if start.attached {
                    self.sums.processes.rename(start.pid, start.comm.as_bytes());
                    for (pid, comm) in &start.children {
                        self.sums.processes.rename(*pid, comm.as_bytes());
                    }
                }
                self.partial = !start.part.is_empty();
                if let Some(span) = Span::of(&start.part) {
                    let at = |time| start.monotonic_ns.saturating_add(time);
                    self.regions.within(at(span.from), at(span.to));
                }
                self.setup = Setup::new(arch, start.clone());
                self.again.forget();
                self.names = Names::new(arch, start);
            }
            Meta::Device(device) => self.sums.devices.learn(device),
            Meta::Lost(lost) => {
                let sums = &mut self.sums.lost.by_kind;
                sums.resize(
                    sums.len()
                        .max(lost.by_kind.len())
                        .min(kind::COUNT.max(sums.len())),
                    0,
                );
                for (kind, n) in lost.by_kind.iter().enumerate() {
                    // A kind that a later version made counts as unknown.
                    let known = if kind < sums.len() { kind } else { 0 };
                    if let Some(sum) = sums.get_mut(known) {
                        *sum = sum.saturating_add(*n);
                    }
                }
                for (nr, n) in &lost.calls {
                    let sum = self.sums.lost_calls.entry(*nr).or_default();
                    *sum = sum.saturating_add(*n);
                }
            }
            Meta::Breakpoints(off) => self.sums.breakpoints_off = Some(off.clone()),
            Meta::Skipped(skipped) => self.sums.skipped.clone_from(&skipped.programs),
            Meta::Sampled(_) | Meta::Cost(_) if self.partial => {}
            Meta::Cost(cost) => self.sums.cost = Some(cost.into()),
            Meta::Sampled(sampled) => self.sums.sampled = Some(sampled.clone()),
            Meta::End(end) => {
                self.fill_holes(sink);
                let cpu_ns = end.cpu_ns.filter(|_| !self.partial);
                self.sums.end = Some(End {
                    cpu_ns,
                    ..end.clone()
                });
            }
            Meta::Source(_) | Meta::Module(_) | Meta::Unknown => {}
        }
        sink.meta(meta);
    }
}

/// A hop of one operation, not deferred, at an unknown time.
pub(crate) fn hop(kind: HopKind, from: At, to: At, by: Evidence, bytes: u64) -> Moved {
    let key = Key {
        kind,
        from,
        to,
        by,
        deferred: false,
    };
    Moved::sum(key, 1, bytes)
}
