//! One truth: what primitives measured (level B) takes the place of what the functions around them did
//! (level F), and either the place of what rules conclude. All are compared.

use std::collections::HashSet;

use tracer_ebpf::{Copied, FileRef, flag, moved, primitive};

use super::found::Found;
use super::tally::{At, Moved};
use super::threads::Open;
use super::{Part, Reconstructor, Setup, Sink, hop};
use crate::catalogue::{FunctionId, PrimitiveId, ProbeId, RuleId, Subject, functions, primitives};
use crate::model::{CallId, Claim, Evidence, HopKind};
use crate::rules::measure::{self, Alone, MEASURES, Measure, Proves};
use crate::rules::{Facts, FileKind, Move, Rule, Shape, Size, Step};

/// What a rule expected of io_uring requests, and what was found, by [`Measure::subject`]: requests are
/// carried out at other times and by other threads, so only the sums can be compared.
#[derive(Debug, Default)]
pub struct Requests(Vec<(Subject, Option<RuleId>, u64, u64)>);

impl Requests {
    fn row(&mut self, subject: Subject) -> &mut (Subject, Option<RuleId>, u64, u64) {
        let known = self.0.iter().position(|row| row.0 == subject);
        let index = known.unwrap_or_else(|| {
            self.0.push((subject, None, 0, 0));
            self.0.len() - 1
        });
        &mut self.0[index]
    }

    /// What differs: subject, rule, expected, found.
    pub fn differences(&self) -> impl Iterator<Item = (Subject, RuleId, u64, u64)> {
        let rows = self.0.iter().copied();
        rows.filter_map(|(subject, rule, expected, found)| {
            (expected != found).then_some((subject, rule?, expected, found))
        })
    }
}

/// The function of a probe's label: `filemap_read` of `fexit:filemap_read`.
fn function(label: &str) -> &str {
    label.split_once(':').map_or(label, |(_, name)| name)
}

/// Bits of the rows of [`MEASURES`] whose probes are attached, in whatever way.
pub fn attached(probes: &[String]) -> u64 {
    let names: HashSet<_> = probes.iter().map(|probe| function(probe)).collect();
    let has = |row: &Measure| match row.probe {
        // Whichever of its functions the kernel has.
        ProbeId::Primitive(name) => primitives::TABLE
            .iter()
            .filter(|primitive| primitive.names.contains(&name))
            .flat_map(|primitive| primitive.names)
            .any(|name| names.contains(name.function())),
        probe => names.contains(function(probe.label())),
    };
    let bits = MEASURES.iter().enumerate();
    bits.filter(|(_, row)| has(row))
        .fold(0, |bits, (i, _)| bits | 1 << i)
}

/// As evidence names who measured.
#[derive(Debug, Default)]
pub struct Labels {
    primitives: [Option<PrimitiveId>; primitive::COUNT],
    /// Functions that kprobes stand in for.
    kprobes: Vec<FunctionId>,
}

pub fn labels(probes: &[String]) -> Labels {
    let mut labels = Labels::default();
    for (id, label) in (0..).zip(&mut labels.primitives) {
        *label = primitives::watched(id, probes);
    }
    let rows = functions::TABLE.iter();
    let kprobes = rows.filter(|row| probes.iter().any(|probe| probe == row.kprobe_label));
    labels.kprobes = kprobes.map(|row| row.id).collect();
    labels
}

impl Labels {
    /// Of what was found in a call.
    pub fn of(&self, found: &Found, row: &Measure) -> ProbeId {
        if found.by != primitive::NONE {
            let watched = self
                .primitives
                .get(usize::from(found.by))
                .copied()
                .flatten();
            return watched.map_or(row.probe, ProbeId::Primitive);
        }
        match row.probe {
            ProbeId::Function(id) if self.kprobes.contains(&id) => ProbeId::Kprobe(id),
            probe => probe,
        }
    }
}

impl Setup {
    /// The attached rows that measure such a step; `fault`: of a page fault, or populating a mapping.
    fn covering(
        &self,
        kind: HopKind,
        from: FileKind,
        to: FileKind,
        fault: bool,
    ) -> impl Iterator<Item = &'static Measure> {
        let mut bits = self.measures;
        // At level T no bit is set: this is asked for every call that moves bytes.
        let attached = std::iter::from_fn(move || {
            let i = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
            bits &= bits - 1;
            MEASURES.get(i)
        });
        attached.filter(move |row| row.in_faults() == fault && row.covers(kind, from, to))
    }

    /// Whether nothing was moved if this row was silent.
    fn proves(&self, row: &Measure, magic: u32) -> bool {
        match row.proves {
            Proves::Always => true,
            Proves::On(magics) => magics.contains(&magic),
            Proves::Faults => self.faults.rss,
            Proves::Never => false,
        }
    }
}

/// The place that stands for a kind of file in the table of measurements.
pub fn kind_of(at: At) -> FileKind {
    match at {
        At::User => FileKind::User,
        At::PageCache => FileKind::RegularFile,
        At::Shmem => FileKind::Shmem,
        At::Pipe => FileKind::Pipe,
        At::Socket => FileKind::OtherSocket,
        At::Zero => FileKind::DevZero,
        At::Kernel | At::Disk(_) | At::Nic(_) => FileKind::Pseudo,
    }
}

/// A step that a rule concluded.
pub struct Expected {
    pub rule: RuleId,
    pub kind: HopKind,
    /// What it is between, and where the bytes are.
    pub between: (FileKind, FileKind),
    pub at: (At, At),
    /// `None` if the call does not tell.
    pub bytes: Option<u64>,
    pub fault: bool,
    /// `s_magic` of the file that is read or written.
    pub magic: u32,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No probe looks there, or silence means nothing: the rule stands.
    Unmeasured,
    /// These bytes were found.
    Measured(u64),
    /// The probe would have told: nothing was moved.
    Refuted,
}

impl Reconstructor {
    /// Puts what was measured in the place of a rule's step, as hops.
    pub(super) fn measure(
        &mut self,
        expected: &Expected,
        found: &mut [Found],
        ts: u64,
        moved: &mut Vec<Moved>,
    ) -> Outcome {
        let Expected {
            kind, between, at, ..
        } = *expected;
        let (mut sum, mut subject, mut proven) = (0u64, None, false);
        for row in self
            .setup
            .covering(kind, between.0, between.1, expected.fault)
        {
            subject = subject.or(Some(row.subject));
            proven |= self.setup.proves(row, expected.magic);
            let labels = &self.setup.labels;
            let mut add = |m: &mut Found| {
                m.used = true;
                sum = sum.saturating_add(m.bytes);
                let one = hop(
                    kind,
                    at.0,
                    at.1,
                    Evidence::Measured(labels.of(m, row)),
                    m.bytes,
                );
                let count = m.count;
                moved.push(Moved { count, ts, ..one });
            };
            found
                .iter_mut()
                .filter(|m| m.what == row.what && !m.used)
                .for_each(&mut add);
        }
        let Some(subject) = subject else {
            return Outcome::Unmeasured;
        };
        if sum == 0 && (!proven || expected.bytes.is_none()) {
            return Outcome::Unmeasured;
        }
        // How many pages a fault maps is no rule's claim.
        let exact = kind != HopKind::Map || sum == 0;
        if let Some(bytes) = expected.bytes
            && bytes != sum
            && exact
        {
            self.sums
                .differences
                .add(subject, Claim::Rule(expected.rule), bytes, sum);
        }
        match sum {
            0 => Outcome::Refuted,
            _ => Outcome::Measured(sum),
        }
    }

    /// What was measured without any rule: hops of their own, and disagreements if `claim` should have
    /// known.
    pub(super) fn unexpected(
        &mut self,
        found: &[Found],
        claim: Option<Claim>,
        requests: bool,
        ts: u64,
        moved: &mut Vec<Moved>,
    ) {
        for m in found.iter().filter(|m| !m.used && m.bytes > 0) {
            let Some(row) = measure::of(m.what) else {
                continue;
            };
            // A pipe inside the kernel is no place; but io_uring has no call that uses one.
            if row.alone == Alone::Nothing && !requests {
                continue;
            }
            let mut row = row;
            // Registered buffers are the program's memory, though the iterator does not say so.
            if requests {
                let user = match m.what {
                    moved::FILE_READ_KERNEL => moved::FILE_READ,
                    moved::SHMEM_READ_KERNEL => moved::SHMEM_READ,
                    moved::WRITE_KERNEL => moved::WRITE,
                    moved::SHMEM_WRITE_KERNEL => moved::SHMEM_WRITE,
                    moved::IOMAP_WRITE_KERNEL => moved::IOMAP_WRITE,
                    moved::BTRFS_WRITE_KERNEL => moved::BTRFS_WRITE,
                    moved::TO_KERNEL => moved::TO_USER,
                    moved::FROM_KERNEL => moved::FROM_USER,
                    moved::INTO_PAGES_KERNEL => moved::INTO_PAGES,
                    other => other,
                };
                row = measure::of(user).unwrap_or(row);
                if row.alone != Alone::Nothing {
                    let sum = &mut self.sums.requests.row(row.subject).3;
                    *sum = sum.saturating_add(m.bytes);
                }
            }
            let (from, to) = (At::from(&row.at.0), At::from(&row.at.1));
            let by = Evidence::Measured(self.setup.labels.of(m, row));
            let one = hop(row.kind, from, to, by, m.bytes);
            moved.push(Moved {
                count: m.count,
                ts,
                ..one
            });
            if let Some(claim) = claim
                && row.alone == Alone::Hop
                && !requests
            {
                self.sums.differences.add(row.subject, claim, 0, m.bytes);
            }
        }
    }

    /// Applies a rule to a call: what was measured is taken from there.
    #[expect(clippy::too_many_arguments, reason = "all that is known of one call")]
    pub(super) fn apply_measured(
        &mut self,
        rule: &'static Rule,
        shape: Shape,
        facts: &Facts,
        (bytes, count): (u64, u64),
        file: Option<&FileRef>,
        found: &mut [Found],
        ts: u64,
        moved: &mut Vec<Moved>,
    ) -> Outcome {
        share_the_rest(found, facts, bytes);
        let mut outcome = Outcome::Unmeasured;
        for &Step(kind, from, to) in rule.does.steps() {
            let (Some(source), Some(target)) = (facts.place(from), facts.place(to)) else {
                continue;
            };
            let at = (At::from(&source), At::from(&target));
            let expected = Expected {
                rule: rule.id,
                kind,
                between: (facts.kind(from), facts.kind(to)),
                at,
                bytes: (shape.size != Size::Unknown).then_some(bytes),
                fault: shape.moves == Move::Populate,
                magic: file.map_or(0, |file| file.magic),
            };
            // userfaultfd copies by itself, which no probe sees.
            let this = match shape.moves {
                Move::FaultCopy | Move::FaultZero => Outcome::Unmeasured,
                _ => self.measure(&expected, found, ts, moved),
            };
            if this == Outcome::Unmeasured && (shape.size != Size::Unknown || count > 0) {
                let one = hop(kind, at.0, at.1, Evidence::Inferred(rule.id), bytes);
                moved.push(Moved { count, ts, ..one });
            }
            if outcome == Outcome::Unmeasured {
                outcome = this;
            }
        }
        outcome
    }

    /// Takes over a step of an io_uring request, if a probe measures such; see [`Requests`].
    pub(super) fn expect_of_request(
        &mut self,
        rule: &'static Rule,
        facts: &Facts,
        file: &FileRef,
        bytes: u64,
    ) -> bool {
        let mut taken = false;
        for &Step(kind, from, to) in rule.does.steps() {
            let (from, to) = (facts.kind(from), facts.kind(to));
            let mut rows = self.setup.covering(kind, from, to, false);
            if let Some(row) = rows.find(|row| row.may_see(file.magic)) {
                let sum = self.sums.requests.row(row.subject);
                sum.1 = Some(rule.id);
                sum.2 = sum.2.saturating_add(bytes);
                taken = true;
            }
        }
        taken
    }

    /// What a primitive copied inside a function: both told. The primitive is nearer to the bytes.
    pub(super) fn nearest(&mut self, open: &mut Open) {
        let found = &mut open.found;
        // What a tracepoint announces is a hop of its own.
        if open.extra.is_some_and(|extra| extra.skb_copied > 0) {
            let announced = found.iter_mut().filter(|m| m.what == moved::PACKET_READ);
            announced.for_each(|m| m.used = true);
        }
        for i in 0..found.len() {
            let near = found[i];
            if near.by == primitive::NONE {
                continue;
            }
            let around = |m: &Found| m.what == near.what && m.by == primitive::NONE;
            let Some(at) = found.iter().position(around) else {
                continue;
            };
            if let Some(row) = measure::of(near.what)
                && found[at].bytes != near.bytes
            {
                let around = self.setup.labels.of(&found[at], row);
                let bytes = found[at].bytes;
                self.sums
                    .differences
                    .add(row.subject, Claim::Probe(around), bytes, near.bytes);
            }
            found[at].used = true;
        }
    }

    /// Whether a kind of [`moved`] is measured.
    pub(super) fn measures(&self, what: u16) -> bool {
        let row = MEASURES.iter().position(|row| row.what == what);
        row.is_some_and(|i| self.setup.measures & 1 << i != 0)
    }

    /// A late copy that a rule expects, where they are measured.
    pub(super) fn expect_late_copy(&mut self, bytes: u64) {
        let expected = &mut self.sums.late_copies.0;
        *expected = expected.saturating_add(bytes);
    }

    fn copied_late(&mut self, bytes: u64) {
        let found = &mut self.sums.late_copies.1;
        *found = found.saturating_add(bytes);
    }

    pub(super) fn copied<S: Sink>(&mut self, copied: &Copied, sink: &mut S) {
        let head = &copied.head;
        let found = Found {
            what: copied.what,
            by: copied.primitive,
            bytes: copied.bytes,
            count: u64::from(copied.count),
            used: false,
        };
        let io_thread = head.flags & flag::IO_THREAD != 0;
        if found.what != moved::SIZE && measure::of(found.what).is_none() {
            self.sums.unknown_measures += 1;
        }
        if let moved::DUMPED | moved::IOMAP_DUMPED | moved::BTRFS_DUMPED = found.what {
            let slot = self.thread(head.tid, head.tgid);
            self.threads.at(slot).dumped = true;
        }
        let part = self.part(head, sink);
        let over = matches!(part, Part::Late(_));
        match part {
            Part::Open(slot) if !io_thread => self.threads.open(slot).found(found),
            Part::Open(slot) | Part::Late(slot) => {
                let thread = self.threads.at(slot);
                let (id, process) = (
                    CallId {
                        tid: thread.tid,
                        seq: head.seq,
                    },
                    thread.process,
                );
                let late = found.what == moved::LATE_COPY;
                if late {
                    self.copied_late(found.bytes);
                }
                // A thread goes on with its requests as it leaves the kernel, whichever call it leaves
                // (`task_work_run`, called by `exit_to_user_mode_loop`).
                let requests = io_thread || over && self.sums.processes.has_async_io(process);
                let mut moved = Vec::new();
                self.unexpected(&[found], None, requests, head.ts, &mut moved);
                for hop in &mut moved {
                    hop.key.deferred = io_thread || late;
                    self.late(id, process, hop, sink);
                }
            }
        }
    }
}

/// `copy_file_range` tells how many bytes it dealt with: what was not copied in it was shared.
fn share_the_rest(found: &mut [Found], facts: &Facts, returned: u64) {
    let copies = |m: &&Found| {
        !m.used
            && measure::of(m.what).is_some_and(|row| row.kind == HopKind::Copy && !row.in_faults())
    };
    let copied = found
        .iter()
        .filter(copies)
        .fold(0, |sum: u64, m| sum.saturating_add(m.bytes));
    let remote = facts.from.is_remote() || facts.to.is_remote();
    for m in found.iter_mut().filter(|m| m.what == moved::COPY_RANGE) {
        let shareable = facts.to.kind == FileKind::RegularFile && !remote && !facts.to.direct;
        m.bytes = if shareable {
            // On overlayfs the function calls itself for the file below: both told.
            m.bytes.min(returned).saturating_sub(copied)
        } else {
            0
        };
        m.used |= m.bytes == 0;
    }
}
