//! Bytes that came in and went out again from the same memory.
//!
//! Where a call names its buffer, a write continues a read only if it sends the very bytes that the read left
//! there: same address, nothing skipped, not read over since. Where buffers stand in memory that no probe
//! reads (`writev`), lengths must agree, but for a small header before the bytes.
//!
//! What the program does with the bytes in between is not seen. The time for it is: a program that could have
//! looked at each of them (a checksum, compression) is told nothing.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::data::{Step, Way};
use super::end::{End, Id, Site};

/// Both ends of what was read and then written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ends {
    pub from: End,
    pub to: End,
    /// The file system of both can share extents between them.
    pub shareable: bool,
    /// The other end was opened with `O_APPEND`.
    pub append: bool,
}

/// A call that would have done without the copies, and failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tried {
    pub call: &'static str,
    pub errno: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pair {
    /// Reads and writes.
    pub reads: u64,
    pub writes: u64,
    /// Stretches of the file that went out whole: each is one call if the kernel passes it on.
    pub runs: u64,
    pub bytes: u64,
    /// Bytes that the CPU copied in the reads and in the writes.
    pub copied_in: u64,
    pub copied_out: u64,
    /// Bytes that the program had time to look at.
    pub looked: u64,
    pub tried: Option<Tried>,
}

/// One end as a call has it.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    pub end: End,
    /// Of any kind of file.
    pub id: Id,
    pub shareable: bool,
    pub append: bool,
    pub direct: bool,
}

/// What a read left in memory.
#[derive(Clone, Copy, Debug)]
struct Filled {
    side: Side,
    at: u64,
    position: Option<u64>,
    len: u64,
    /// Bytes that went out again.
    next: u64,
    reads: u64,
    copied: u64,
    since: Since,
}

/// When a thread came back from a read: its clock, and the time it had been off the CPU.
#[derive(Clone, Copy, Debug, Default)]
struct Since {
    tid: u32,
    at: u64,
    off: u64,
}

/// Reads into memory whose address is not known, not written on yet.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    side: Side,
    position: Option<u64>,
    bytes: u64,
    reads: u64,
    copied: u64,
    since: Since,
    sent: Sent,
}

/// What went out of it so far, through one end: that it was all of it shows only at the end.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    to: Option<Id>,
    bytes: u64,
    writes: u64,
    copied: u64,
}

/// Bytes of a read that writes send on.
#[derive(Clone, Copy, Debug)]
struct Came {
    side: Side,
    position: Option<u64>,
    bytes: u64,
    reads: u64,
    writes: u64,
    /// By reads, and by writes.
    copied: [u64; 2],
    since: Since,
}

/// Of a file: where its bytes went last, and where in both files that ended.
#[derive(Clone, Copy, Debug)]
struct Last {
    to: Id,
    ends: [Option<u64>; 2],
    pair: (Ends, Site),
}

enum Went {
    All(Came),
    Part(Waiting),
}

impl Waiting {
    /// Some of it went out, and more than a full socket holds back did not: it is not sent on as it was.
    fn lags(&self) -> bool {
        self.sent.to.is_some() && self.bytes.saturating_sub(self.sent.bytes) > BACKLOG
    }

    /// A write that may be of these bytes: all of them, but for a header before them, or a part, as much as a
    /// full socket takes.
    fn went(mut self, side: Side, bytes: u64, copied: u64) -> Option<Went> {
        let sent = &mut self.sent;
        if sent.to.is_some_and(|to| to != side.id) {
            return None;
        }
        sent.to = Some(side.id);
        sent.bytes = sent.bytes.saturating_add(bytes);
        sent.writes += 1;
        sent.copied = sent.copied.saturating_add(copied);
        let slack = if side.end.is_socket() { HEADER } else { 0 };
        if sent.bytes < self.bytes {
            return Some(Went::Part(self));
        }
        (sent.bytes <= self.bytes.saturating_add(slack)).then_some(Went::All(Came {
            side: self.side,
            position: self.position,
            bytes: self.bytes,
            reads: self.reads,
            writes: sent.writes,
            copied: [self.copied, sent.copied],
            since: self.since,
        }))
    }
}

#[derive(Debug, Default)]
struct Thread {
    off: u64,
    waiting: Option<Waiting>,
}

#[derive(Debug, Default)]
struct Process {
    filled: VecDeque<Filled>,
    tried: VecDeque<(Tried, [Option<Id>; 2])>,
    last: HashMap<Id, Last>,
}

/// Buffers of a process that are remembered.
const BUFFERS: usize = 64;
/// Attempts of a process that are remembered.
const ATTEMPTS: usize = 32;
/// A protocol's header before a file's bytes, at most.
const HEADER: u64 = 1024;
/// What waits for room in a socket, at most.
const BACKLOG: u64 = 256 << 10;
/// Time that a program takes between two calls anyway, ns.
const BETWEEN: u64 = 4_000;
/// Bytes that a CPU can look at in a nanosecond, at most.
const LOOKS: u64 = 8;

#[derive(Debug, Default)]
pub struct Flow {
    processes: HashMap<u32, Process>,
    threads: HashMap<u32, Thread>,
    pub pairs: BTreeMap<(Ends, Site), Pair>,
}

impl Flow {
    /// A thread was off the CPU.
    pub fn off(&mut self, tid: u32, ns: u64) {
        let thread = self.threads.entry(tid).or_default();
        thread.off = thread.off.saturating_add(ns);
    }

    /// A process has other memory now, or none.
    pub fn forget(&mut self, tgid: u32) {
        self.processes.remove(&tgid);
    }

    pub fn forget_thread(&mut self, tid: u32) {
        self.threads.remove(&tid);
    }

    /// A call that would have done without the copies failed.
    pub fn failed(&mut self, tgid: u32, tried: Tried, ends: [Option<Id>; 2]) {
        let all = &mut self.processes.entry(tgid).or_default().tried;
        if !all.contains(&(tried, ends)) {
            if all.len() == ATTEMPTS {
                all.pop_front();
            }
            all.push_back((tried, ends));
        }
    }

    /// A read found the end of a file: one of the reads that go if the kernel passes the file on.
    pub fn at_end(&mut self, tgid: u32, id: Id) {
        let process = self.processes.get_mut(&tgid);
        let last = process.and_then(|process| process.last.remove(&id));
        if let Some(pair) = last.and_then(|last| self.pairs.get_mut(&last.pair)) {
            pair.reads += 1;
        }
    }

    /// A call moved bytes from or to this side.
    pub fn moved(&mut self, step: &Step<'_>, side: Side) {
        match step.data.way {
            Way::In => self.came(step, side),
            Way::Out => self.went(step, side),
        }
    }

    fn came(&mut self, step: &Step<'_>, side: Side) {
        let Step {
            call,
            data,
            args,
            bytes,
            copied,
            position,
            ..
        } = *step;
        let thread = self.threads.entry(call.id.tid).or_default();
        let since = Since {
            tid: call.id.tid,
            at: call.ts.saturating_add(call.dur),
            off: thread.off,
        };
        let waiting = Waiting {
            side,
            position,
            bytes,
            reads: 1,
            copied,
            since,
            sent: Sent::default(),
        };
        thread.waiting = Some(match thread.waiting {
            Some(before) if before.side.id == side.id && !before.lags() => Waiting {
                position: before.position,
                bytes: before.bytes.saturating_add(bytes),
                reads: before.reads + 1,
                copied: before.copied.saturating_add(copied),
                sent: before.sent,
                ..waiting
            },
            _ => waiting,
        });
        let Some((at, _)) = data.buffer(args) else {
            return;
        };
        let end = at.saturating_add(bytes);
        let filled = &mut self.processes.entry(call.tgid).or_default().filled;
        // What is read over is gone.
        filled.retain(|old| old.at >= end || old.at.saturating_add(old.len) <= at);
        let goes_on = filled.back_mut().filter(|old| {
            old.at.saturating_add(old.len) == at
                && old.next == 0
                && old.side.id == side.id
                && behind(old.position, old.len) == position
        });
        if let Some(old) = goes_on {
            old.len = old.len.saturating_add(bytes);
            old.reads += 1;
            old.copied = old.copied.saturating_add(copied);
            old.since = since;
            return;
        }
        if filled.len() == BUFFERS {
            filled.pop_front();
        }
        filled.push_back(Filled {
            side,
            at,
            position,
            len: bytes,
            next: 0,
            reads: 1,
            copied,
            since,
        });
    }

    fn went(&mut self, step: &Step<'_>, side: Side) {
        let Step {
            call,
            data,
            args,
            bytes,
            copied,
            ..
        } = *step;
        let thread = self.threads.entry(call.id.tid).or_default();
        let waiting = thread.waiting.take();
        let off = thread.off;
        let came = match data.buffer(args) {
            Some((at, _)) => self.sent_from(call.tgid, at, (bytes, copied), side.id),
            None => None,
        };
        // A vector hides the buffer.
        let came = match came {
            None if !data.plain => {
                let waiting = waiting.filter(|came| came.side.id != side.id);
                let went = waiting.and_then(|waiting| waiting.went(side, bytes, copied));
                match went {
                    Some(Went::All(came)) => Some(came),
                    Some(Went::Part(left)) => {
                        self.threads.entry(call.id.tid).or_default().waiting = Some(left);
                        return;
                    }
                    None => None,
                }
            }
            came => came,
        };
        let Some(came) = came else {
            return;
        };
        let (from, moved, since) = (came.side, came.bytes, came.since);
        if from.direct || side.direct {
            return;
        }
        let busy = call.ts.saturating_sub(since.at);
        let busy = match since.tid == call.id.tid {
            true => busy.saturating_sub(off.saturating_sub(since.off)),
            false => busy,
        };
        let ends = Ends {
            from: from.end,
            to: side.end,
            shareable: from.shareable && side.shareable && from.id.0 == side.id.0,
            append: side.append,
        };
        let tried = self.tried(call.tgid, from.id, side.id);
        let key = (ends, step.site);
        let last = &mut self.processes.entry(call.tgid).or_default().last;
        let goes_on = last.get(&from.id).is_some_and(|last| {
            let ends = [came.position, step.position];
            last.to == side.id && last.ends == ends && last.pair == key
        });
        if last.len() >= BUFFERS && !last.contains_key(&from.id) {
            last.clear();
        }
        let ends = [behind(came.position, moved), behind(step.position, bytes)];
        let (to, pair) = (side.id, key);
        last.insert(from.id, Last { to, ends, pair });
        let pair = self.pairs.entry(key).or_default();
        pair.runs += u64::from(!goes_on);
        pair.reads += came.reads;
        pair.writes += came.writes;
        pair.bytes = pair.bytes.saturating_add(moved);
        pair.copied_in = pair.copied_in.saturating_add(came.copied[0].min(moved));
        pair.copied_out = pair.copied_out.saturating_add(came.copied[1].min(moved));
        pair.tried = tried.or(pair.tried);
        if busy > BETWEEN + moved / LOOKS {
            pair.looked = pair.looked.saturating_add(moved);
        }
    }

    /// What of a buffer is sent, if it is the next of what a read left there.
    fn sent_from(
        &mut self,
        tgid: u32,
        at: u64,
        (bytes, copied_out): (u64, u64),
        to: Id,
    ) -> Option<Came> {
        let filled = &mut self.processes.get_mut(&tgid)?.filled;
        let mut filled = filled.iter_mut().rev();
        let came = filled.find(|came| {
            came.at.saturating_add(came.next) == at
                && came.len - came.next >= bytes
                && came.side.id != to
        })?;
        let position = behind(came.position, came.next);
        came.next += bytes;
        // Copies and calls of a buffer that goes out in parts count once.
        let copied = came.copied.min(bytes);
        came.copied -= copied;
        Some(Came {
            side: came.side,
            position,
            bytes,
            reads: std::mem::take(&mut came.reads),
            writes: 1,
            copied: [copied, copied_out],
            since: came.since,
        })
    }

    fn tried(&self, tgid: u32, from: Id, to: Id) -> Option<Tried> {
        let all = &self.processes.get(&tgid)?.tried;
        let fits = |id: &Option<Id>| id.is_none_or(|id| id == from || id == to);
        let found = all.iter().rev().find(|(_, ends)| ends.iter().all(fits));
        found.map(|(tried, _)| *tried)
    }
}

/// The position behind so many bytes.
fn behind(position: Option<u64>, bytes: u64) -> Option<u64> {
    position.map(|at| at.saturating_add(bytes))
}
