//! Where in the order of all calls those of a thread are: marks, from which one looks on.

use std::collections::HashMap;

/// A call of a thread.
#[derive(Clone, Copy)]
struct Mark {
    seq: u32,
    index: u32,
}

#[derive(Default)]
struct Thread {
    marks: Vec<Mark>,
    /// Calls since the last mark.
    since: u32,
    /// Index of the last call.
    last: u32,
}

#[derive(Default)]
pub struct Threads(HashMap<u32, Thread>);

/// Calls of a thread, and calls of all threads, between two marks at most.
const OWN: u32 = 64;
const ALL: u32 = 1024;

impl Threads {
    /// Takes the next call of a thread, and its index.
    pub fn push(&mut self, tid: u32, seq: u32, index: u32) {
        let thread = self.0.entry(tid).or_default();
        let due = thread.marks.last().is_none_or(|mark| {
            thread.since >= OWN || index.saturating_sub(mark.index) >= ALL || seq < mark.seq
        });
        if due {
            thread.marks.push(Mark { seq, index });
            thread.since = 0;
        }
        thread.since += 1;
        thread.last = index;
    }

    /// Between which indices a call lies, if it is there.
    pub fn stretch(&self, tid: u32, seq: u32) -> Option<(u32, u32)> {
        let thread = self.0.get(&tid)?;
        let after = thread.marks.partition_point(|mark| mark.seq <= seq);
        let from = thread.marks.get(after.checked_sub(1)?)?.index;
        let to = thread
            .marks
            .get(after)
            .map_or(thread.last + 1, |mark| mark.index);
        Some((from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_lies_in_a_short_stretch() {
        let mut threads = Threads::default();
        let mut calls = Vec::new();
        for index in 0..20_000u32 {
            // Two threads that are busy, one that is rarely there.
            let tid = if index % 900 == 0 { 3 } else { index % 2 + 1 };
            let seq = 5 + calls.iter().filter(|(t, _)| *t == tid).count() as u32 % 100_000;
            threads.push(tid, seq, index);
            calls.push((tid, seq));
        }
        for (index, (tid, seq)) in (0u32..).zip(&calls) {
            let (from, to) = threads.stretch(*tid, *seq).expect("a stretch");
            assert!(from <= index && index < to, "{tid} {seq}");
            assert!(to - from <= 2 * ALL);
        }
        assert_eq!(threads.stretch(1, 0), None);
        assert_eq!(threads.stretch(9, 9), None);
    }
}
