//! Calls on the same descriptor, one after the other: small ones that a buffer would join, reads all over a
//! file, and reads of what had been read before.

use std::collections::{BTreeMap, HashMap};

use super::SMALL;
use super::data::{Step, Way};
use super::end::{End, Id};
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
}

/// The call before.
#[derive(Clone, Copy, Debug)]
struct Before {
    name: &'static str,
    id: Id,
    bytes: u64,
    /// It got all that it had asked for.
    full: bool,
    /// Position in the file behind it.
    end: Option<u64>,
    waits: u64,
    counted: bool,
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
    pub stack: Option<u64>,
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
    positions: HashMap<(u32, u64), u64>,
    /// Waits of a thread.
    waits: HashMap<u32, u64>,
    pub small: BTreeMap<(&'static str, End, Option<u64>), Small>,
    pub scattered: BTreeMap<(&'static str, End, Option<u64>), Scattered>,
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
                self.positions.insert(at(ret), 0);
                self.before.remove(&at(ret));
            }
            "lseek" => {
                self.positions.insert(at(args[0]), ret);
                self.before.remove(&at(args[0]));
            }
            // Who shares a position may move it.
            "close" | "dup" | "dup2" | "dup3" | "fsync" | "fdatasync" => {
                if !name.ends_with("sync") {
                    self.positions.remove(&at(args[0]));
                }
                self.before.remove(&at(args[0]));
            }
            _ => {}
        }
    }

    pub fn forget(&mut self, tgid: u32) {
        self.before.retain(|(process, _), _| *process != tgid);
        self.positions.retain(|(process, _), _| *process != tgid);
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
            stack,
            ..
        } = *step;
        let key = (call.tgid, args[0]);
        let named = data.position(args);
        let position = named.or_else(|| self.positions.get(&key).copied());
        let behind = position.map(|at| at.saturating_add(bytes));
        if named.is_none()
            && let (Some(behind), Some(at)) = (behind, self.positions.get_mut(&key))
        {
            *at = behind;
        }
        let waits = self.waits.get(&call.id.tid).copied().unwrap_or_default();
        let asked = data.buffer(args).map(|(_, len)| len);
        let mut now = Before {
            name: data.name,
            id,
            bytes,
            full: asked == Some(bytes),
            end: behind,
            waits,
            counted: false,
        };
        let before = self.before.get(&key).copied();
        let before = before.filter(|before| before.name == data.name && before.id == id);
        let goes_on = before.is_some_and(|before| match named {
            Some(at) => before.end == Some(at),
            None => true,
        });
        if let Some(before) = before.filter(|_| goes_on) {
            let joined = bytes < SMALL
                && before.bytes < SMALL
                && (data.way == Way::Out || before.full)
                // Between two messages the other side had its turn.
                && (end.is_file() || before.waits == waits);
            if joined {
                let small = self.small.entry((data.name, end, stack)).or_default();
                if !before.counted {
                    small.calls += 1;
                    small.bytes = small.bytes.saturating_add(before.bytes);
                    small.runs += 1;
                }
                small.calls += 1;
                small.bytes = small.bytes.saturating_add(bytes);
                now.counted = true;
            }
        } else if before.is_some() && named.is_some() && end.is_file() && bytes >= SMALL {
            let all = self.scattered.entry((data.name, end, stack)).or_default();
            all.calls += 1;
            all.bytes = all.bytes.saturating_add(bytes);
        }
        self.before.insert(key, now);
        if end.is_file() {
            self.cover((call.tgid, id), step, position);
        }
    }

    fn cover(&mut self, key: (u32, Id), step: &Step<'_>, position: Option<u64>) {
        let Step {
            bytes,
            copied,
            stack,
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
        if overlap > 0 {
            cover.again = cover.again.saturating_add(overlap);
            cover.again_calls += u64::from(overlap == bytes);
            cover.again_copied = cover.again_copied.saturating_add(copied.min(overlap));
            cover.stack = stack.or(cover.stack);
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
