//! Calls on the same descriptor, one after the other: small ones that a buffer would join, reads all over a
//! file, and reads of what had been read before.

use std::collections::{BTreeMap, HashMap};

use super::SMALL;
use super::data::{Step, Way};
use super::end::{End, Id, Site};
use crate::reconstruct::Call;

/// Calls that followed each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Small {
    pub calls: u64,
    pub bytes: u64,
    /// Each would be one call.
    pub runs: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scattered {
    pub calls: u64,
    pub bytes: u64,
    /// Calls that had to wait.
    pub waits: u64,
}

/// Shorter runs are nobody's loop.
const RUN: u64 = 8;

/// The call before.
#[derive(Clone, Copy, Debug)]
struct Before {
    name: &'static str,
    id: Id,
    bytes: u64,
    /// What it had asked for, if that is known.
    asked: Option<u64>,
    /// Position in the file behind it.
    end: Option<u64>,
    waits: u64,
    /// The run that it is in: calls, and their bytes.
    run: u64,
    run_bytes: u64,
}

/// Calls on a descriptor that move nothing: they go with the next read, and what was read again last.
#[derive(Clone, Copy, Debug, Default)]
struct Around {
    calls: u64,
    again: Option<Id>,
}

/// What was read of a file, and what of that again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cover {
    /// Begin and end of what was read, without overlaps.
    ranges: BTreeMap<u64, u64>,
    /// Too many ranges to be kept.
    scattered: bool,
    /// Bytes of the file that were read, and those read again, in so many calls; copied by the CPU for it.
    pub once: u64,
    pub again: u64,
    pub again_calls: u64,
    pub again_copied: u64,
    /// Calls that did nothing but make it possible: `open`, `lseek`, `close`.
    pub again_around: u64,
    pub site: Site,
}

/// Ranges of a file that are remembered.
const RANGES: usize = 4096;
/// Files.
const FILES: usize = 4096;

impl Cover {
    /// Adds a range; how much of it had been read.
    fn add(&mut self, start: u64, end: u64) -> u64 {
        let (mut from, mut to, mut overlap) = (start, end, 0);
        let touching: Vec<(u64, u64)> = {
            let below = self.ranges.range(..=end).rev();
            let touching = below.take_while(|(_, e)| **e >= start);
            touching.map(|(s, e)| (*s, *e)).collect()
        };
        for (s, e) in touching {
            overlap += e.min(end).saturating_sub(s.max(start));
            from = from.min(s);
            to = to.max(e);
            self.ranges.remove(&s);
        }
        self.ranges.insert(from, to);
        self.scattered |= self.ranges.len() > RANGES;
        self.once = self.once.saturating_add(end - start - overlap);
        overlap
    }

    /// It was read more than once, and all of that is known.
    pub fn is_known(&self) -> bool {
        !self.scattered && self.again > 0
    }
}

#[derive(Debug, Default)]
pub struct Runs {
    /// By process and descriptor.
    before: HashMap<(u32, u64), Before>,
    around: HashMap<(u32, u64), Around>,
    /// Waits of a thread.
    waits: HashMap<u32, u64>,
    pub small: BTreeMap<(&'static str, End, Site), Small>,
    pub scattered: BTreeMap<(&'static str, End, Site), Scattered>,
    pub covers: HashMap<(u32, Id), Cover>,
}

impl Runs {
    /// Any call has ended: what it says of positions and of waiting.
    pub fn ended(&mut self, call: &Call<'_>, name: &str, args: &[u64; 6], ret: i64) {
        if call.waited > 0 {
            *self.waits.entry(call.id.tid).or_default() += 1;
        }
        let Ok(ret) = u64::try_from(ret) else { return };
        let at = |fd| (call.tgid, fd);
        match name {
            "open" | "openat" | "openat2" | "creat" => {
                self.before.remove(&at(ret));
                let (calls, again) = (1, None);
                self.around.insert(at(ret), Around { calls, again });
            }
            // The end of the file.
            "read" | "fstat" | "fadvise64" if ret == 0 => self.beside(at(args[0])),
            "lseek" => {
                self.before.remove(&at(args[0]));
                self.beside(at(args[0]));
            }
            "close" => {
                self.before.remove(&at(args[0]));
                let around = self.around.remove(&at(args[0])).unwrap_or_default();
                let again = around.again.map(|id| (call.tgid, id));
                if let Some(cover) = again.and_then(|again| self.covers.get_mut(&again)) {
                    cover.again_around += around.calls + 1;
                }
            }
            "dup" | "dup2" | "dup3" | "fsync" | "fdatasync" => {
                self.before.remove(&at(args[0]));
            }
            _ => {}
        }
    }

    fn beside(&mut self, key: (u32, u64)) {
        if let Some(around) = self.around.get_mut(&key) {
            around.calls += 1;
        }
    }

    pub fn forget(&mut self, tgid: u32) {
        self.before.retain(|(process, _), _| *process != tgid);
        self.around.retain(|(process, _), _| *process != tgid);
    }

    pub fn forget_thread(&mut self, tid: u32) {
        self.waits.remove(&tid);
    }

    /// A call moved bytes from or to this file.
    pub fn moved(&mut self, step: &Step<'_>, end: End, id: Id) {
        let Step {
            call,
            data,
            args,
            bytes,
            position,
            site,
            ..
        } = *step;
        let key = (call.tgid, args[0]);
        let named = data.position(args);
        let waits = self.waits.get(&call.id.tid).copied().unwrap_or_default();
        let mut now = Before {
            name: data.name,
            id,
            bytes,
            asked: data.buffer(args).map(|(_, len)| len),
            end: position.map(|at| at.saturating_add(bytes)),
            waits,
            run: 1,
            run_bytes: bytes,
        };
        let before = self.before.get(&key).copied();
        let before = before.filter(|before| before.name == data.name && before.id == id);
        let goes_on = before.is_some_and(|before| match named {
            Some(at) => before.end == Some(at),
            None => true,
        });
        if let Some(before) = before.filter(|_| goes_on) {
            let full = before.asked == Some(before.bytes);
            // A message's length, then the message: no loop.
            let framed = !end.is_file() && now.asked != before.asked;
            let joined = bytes < SMALL
                && before.bytes < SMALL
                && (data.way == Way::Out || (full && !framed))
                // Between two messages the other side had its turn.
                && (end.is_file() || before.waits == waits);
            if joined {
                now.run += before.run;
                now.run_bytes = now.run_bytes.saturating_add(before.run_bytes);
            }
            let (calls, moved, runs) = match now.run {
                _ if !joined => (0, 0, 0),
                RUN => (RUN, now.run_bytes, 1),
                run if run > RUN => (1, bytes, 0),
                _ => (0, 0, 0),
            };
            if calls > 0 {
                let small = self.small.entry((data.name, end, site)).or_default();
                small.calls += calls;
                small.bytes = small.bytes.saturating_add(moved);
                small.runs += runs;
            }
        } else if before.is_some() && named.is_some() && end.is_file() && bytes >= SMALL {
            let all = self.scattered.entry((data.name, end, site)).or_default();
            all.calls += 1;
            all.bytes = all.bytes.saturating_add(bytes);
            all.waits += u64::from(call.waited > 0);
        }
        self.before.insert(key, now);
        if end.is_file() {
            self.cover((call.tgid, id), step);
        }
    }

    fn cover(&mut self, key: (u32, Id), step: &Step<'_>) {
        let Step {
            bytes,
            copied,
            position,
            site,
            ..
        } = *step;
        if step.data.way == Way::Out {
            // What was written is worth another read.
            if let Some(cover) = self.covers.get_mut(&key) {
                cover.ranges.clear();
            }
            return;
        }
        let Some(at) = position else { return };
        if self.covers.len() >= FILES && !self.covers.contains_key(&key) {
            return;
        }
        let cover = self.covers.entry(key).or_default();
        if cover.scattered {
            return;
        }
        let overlap = cover.add(at, at.saturating_add(bytes));
        let around = self.around.entry((key.0, step.args[0])).or_default();
        let calls = std::mem::take(&mut around.calls);
        around.again = (overlap == bytes).then_some(key.1);
        if overlap > 0 {
            cover.again_around += calls;
            cover.again = cover.again.saturating_add(overlap);
            cover.again_calls += u64::from(overlap == bytes);
            cover.again_copied = cover.again_copied.saturating_add(copied.min(overlap));
            cover.site = site;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_is_counted_once() {
        let mut cover = Cover::default();
        for (start, end, overlap) in [
            (0, 10, 0),
            (20, 30, 0),
            (10, 20, 0),
            (0, 30, 30),
            (25, 40, 5),
            (50, 60, 0),
            (35, 55, 10),
        ] {
            assert_eq!(cover.add(start, end), overlap, "{start}..{end}");
        }
        assert_eq!(cover.ranges, BTreeMap::from([(0, 60)]));
        assert_eq!(cover.once, 60);
    }
}
