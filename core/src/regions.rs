//! Regions that a program marks itself: from a mark that begins one to the mark that ends it.
//!
//! A mark is a path below [`named::MARKS`] that a call of the program looked for in vain: `begin/NAME`, `end/NAME`,
//! or `end` for the last one begun. A region is a thread's. What the thread starts meanwhile (threads, processes)
//! is in it, too, until the region ends. Regions may be nested, cross each other, and come again.
//!
//! Which calls are inside is told by their numbers, so that what completes after its call is in the call's
//! regions. The calls that mark are in none of their own.
//!
//! Memory is bounded: by threads that were in a region, and what is kept of each.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracer_ebpf::named;

use crate::event::{Event, Name};

/// Regions with a name of their own; the others share one.
const REGIONS_MAX: usize = 4096;
/// Regions that a thread can be in at once.
const DEPTH_MAX: usize = 256;
/// So many entries and exits are remembered of a thread.
const SPANS_MAX: usize = 1 << 17;
/// What those beyond [`REGIONS_MAX`] are called.
const OTHERS: &str = "(others)";

/// One region, summed over all its passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    pub name: String,
    /// How often it was begun.
    pub passes: u64,
    /// From begin to end, summed over passes and threads; one in another of the same name counts once.
    pub time_ns: u64,
    /// Passes that ended with their thread, or with the trace.
    pub unended: u64,
    /// Ends without a beginning.
    pub unbegun: u64,
}

/// From one begin to its end.
#[derive(Debug)]
struct Pass {
    region: u32,
    begin: u64,
    /// [`u64::MAX`]: not over.
    end: AtomicU64,
}

/// A pass that a thread is in: its own, or that of whoever started it.
#[derive(Clone, Debug)]
struct Within {
    pass: Arc<Pass>,
    own: bool,
}

/// What is known of a thread that was in a region.
#[derive(Debug, Default)]
struct Thread {
    within: Vec<Within>,
    /// From which call on it was in which regions.
    spans: VecDeque<(u32, u32)>,
    /// The last call of which that is decided.
    seen: u32,
}

/// Which calls are in which regions. See the module.
#[derive(Debug)]
pub struct Regions {
    regions: Vec<Region>,
    by_name: HashMap<String, u32>,
    threads: HashMap<u32, Thread>,
    /// Sets of regions; the first is empty.
    sets: Vec<Vec<u32>>,
    by_set: HashMap<Vec<u32>, u32>,
    /// Marks that say nothing, and the first of them.
    odd: (u64, String),
    /// What is counted lies between these times.
    window: (u64, u64),
    last: u64,
}

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark<'a> {
    Begin(&'a str),
    /// Of the last one begun, if it has no name.
    End(Option<&'a str>),
}

impl<'a> Mark<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let mark = path.strip_prefix(named::MARKS)?.trim_end_matches('/');
        match mark.split_once('/') {
            Some(("begin", name)) => Some(Self::Begin(name)),
            Some(("end", name)) => Some(Self::End(Some(name))),
            None if mark == "end" => Some(Self::End(None)),
            _ => None,
        }
    }
}

impl Default for Regions {
    fn default() -> Self {
        Self {
            regions: Vec::new(),
            by_name: HashMap::new(),
            threads: HashMap::new(),
            sets: Vec::new(),
            by_set: HashMap::new(),
            odd: (0, String::new()),
            window: (0, u64::MAX),
            last: 0,
        }
    }
}

impl Region {
    /// One more pass, as far as it lies in the window; `again`: in another of the same name.
    fn add(&mut self, pass: &Pass, end: u64, again: bool, window: (u64, u64)) {
        if end < window.0 {
            return;
        }
        self.passes += 1;
        if !again {
            let time = end.min(window.1).saturating_sub(pass.begin.max(window.0));
            self.time_ns = self.time_ns.saturating_add(time);
        }
    }
}

impl Regions {
    /// Counts only what lies between these times.
    pub fn within(&mut self, from: u64, to: u64) {
        self.window = (from, to);
    }

    /// Whether any region was begun.
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// The regions, in the order in which they were first named.
    pub fn all(&self) -> &[Region] {
        &self.regions
    }

    /// Marks that say nothing, and the first of them.
    pub fn odd(&self) -> Option<(u64, &str)> {
        (self.odd.0 > 0).then_some((self.odd.0, &self.odd.1))
    }

    /// Number of a region.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// Marks, who starts whom, and who becomes another: before [`Self::at`] is asked of the same event.
    pub fn learn(&mut self, event: &Event) {
        match event {
            Event::Name(name) => self.name(name),
            Event::Fork(fork) if fork.traced != 0 => {
                let head = &fork.head;
                self.at(head.tid, head.seq, head.ts);
                self.fork(head.tid, fork.child_tid, head.ts);
            }
            Event::Exec(exec) => self.exec(exec.head.tid, exec.head.seq),
            _ => {}
        }
    }

    /// Takes a name, if it is a mark.
    fn name(&mut self, name: &Name) {
        if name.what != named::MARK {
            return;
        }
        let (tid, seq, ts) = (name.head.tid, name.head.seq, name.head.ts);
        self.last = self.last.max(ts);
        match Mark::of(&name.path) {
            Some(Mark::Begin(name)) => {
                let region = self.number(name);
                self.threads.entry(tid).or_default();
                self.at(tid, seq, ts);
                self.begin(tid, region, ts);
            }
            Some(Mark::End(name)) => {
                self.end(tid, name, ts);
                self.at(tid, seq, ts);
            }
            None => {
                self.odd.0 += 1;
                if self.odd.1.is_empty() {
                    self.odd.1.clone_from(&name.path);
                }
            }
        }
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(region) = self.by_name.get(name) {
            return *region;
        }
        let name = match self.regions.len() < REGIONS_MAX {
            true => name,
            false => OTHERS,
        };
        if let Some(region) = self.by_name.get(name) {
            return *region;
        }
        let region = self.regions.len() as u32;
        self.regions.push(Region {
            name: name.to_owned(),
            ..Region::default()
        });
        self.by_name.insert(name.to_owned(), region);
        region
    }

    fn begin(&mut self, tid: u32, region: u32, ts: u64) {
        let Some(thread) = self.threads.get_mut(&tid) else {
            return;
        };
        let over = (thread.within.len() >= DEPTH_MAX).then(|| thread.within.remove(0));
        thread.within.push(Within {
            pass: Arc::new(Pass {
                region,
                begin: ts,
                end: AtomicU64::new(u64::MAX),
            }),
            own: true,
        });
        if let Some(over) = over.filter(|over| over.own) {
            self.unended(tid, &over, ts);
        }
    }

    fn end(&mut self, tid: u32, name: Option<&str>, ts: u64) {
        // Those without a name of their own are ended as they were begun.
        let region = name.map(|name| self.number(name));
        let within = self.threads.get_mut(&tid).and_then(|thread| {
            let is = |within: &Within| region.is_none_or(|region| within.pass.region == region);
            let at = thread.within.iter().rposition(is)?;
            Some(thread.within.remove(at))
        });
        match (within, region) {
            (Some(within), _) if within.own => self.over(tid, &within, ts),
            // Whoever began it is still in it.
            (Some(_), _) => {}
            (None, Some(region)) => self.regions[region as usize].unbegun += 1,
            (None, None) => {
                self.odd.0 += 1;
                if self.odd.1.is_empty() {
                    self.odd.1 = format!("{}end", named::MARKS);
                }
            }
        }
    }

    /// A pass is over.
    fn over(&mut self, tid: u32, within: &Within, ts: u64) {
        let pass = &within.pass;
        pass.end.store(ts, Ordering::Relaxed);
        let again = self.threads.get(&tid).is_some_and(|thread| {
            let same = |other: &Within| other.own && other.pass.region == pass.region;
            thread.within.iter().any(same)
        });
        if let Some(region) = self.regions.get_mut(pass.region as usize) {
            region.add(pass, ts, again, self.window);
        }
    }

    fn unended(&mut self, tid: u32, within: &Within, ts: u64) {
        if let Some(region) = self.regions.get_mut(within.pass.region as usize) {
            region.unended += 1;
        }
        self.over(tid, within, ts);
    }

    /// A thread starts another, or a process.
    fn fork(&mut self, tid: u32, child: u32, ts: u64) {
        if self.is_empty() {
            return;
        }
        // Whatever had this number is gone.
        self.threads.remove(&child);
        let Some(thread) = self.threads.get(&tid) else {
            return;
        };
        let still = |within: &&Within| within.pass.end.load(Ordering::Relaxed) > ts;
        let within = thread.within.iter().filter(still);
        let within: Vec<_> = within
            .map(|within| Within {
                pass: within.pass.clone(),
                own: false,
            })
            .collect();
        if !within.is_empty() {
            let thread = Thread {
                within,
                ..Thread::default()
            };
            self.threads.insert(child, thread);
        }
    }

    /// A thread that executes may take over another's number, and brings its own calls' numbers along.
    fn exec(&mut self, tid: u32, seq: u32) {
        if let Some(thread) = self.threads.get_mut(&tid)
            && !later(seq, thread.seen)
            && seq != thread.seen
        {
            let set = thread.spans.back().map_or(0, |span| span.1);
            thread.spans.clear();
            thread.spans.push_back((seq, set));
            thread.seen = seq;
        }
    }

    /// A thread is gone, and with it its regions.
    pub fn exit(&mut self, tid: u32, ts: u64) {
        let Some(thread) = self.threads.get_mut(&tid) else {
            return;
        };
        let plain = thread.spans.iter().all(|span| span.1 == 0);
        // The outermost of a name goes last: it tells the time.
        while let Some(within) = self.threads.get_mut(&tid).and_then(|t| t.within.pop()) {
            if within.own {
                self.unended(tid, &within, ts);
            }
        }
        // Of others, something may still be to come.
        if plain {
            self.threads.remove(&tid);
        }
    }

    /// The regions as they are if nothing more comes; `end`: when the trace ended, if that is known.
    pub fn finish(&self, end: Option<u64>) -> Vec<Region> {
        let mut regions = self.regions.clone();
        let end = end.unwrap_or(self.last);
        for thread in self.threads.values() {
            let mut named = Vec::new();
            for within in thread.within.iter().filter(|within| within.own) {
                let number = within.pass.region;
                if let Some(region) = regions.get_mut(number as usize) {
                    region.unended += 1;
                    region.add(&within.pass, end, named.contains(&number), self.window);
                    named.push(number);
                }
            }
        }
        regions
    }

    /// The regions that a call, or a part of one, is in: to be asked of every record, in their order.
    pub fn at(&mut self, tid: u32, seq: u32, ts: u64) -> &[u32] {
        if self.is_empty() {
            return &[];
        }
        self.last = self.last.max(ts);
        let Some(thread) = self.threads.get_mut(&tid) else {
            return &[];
        };
        if seq != 0 && !later(seq, thread.seen) && !thread.spans.is_empty() {
            return self.of(tid, seq);
        }
        // What others began may be over.
        let over = |within: &Within| !within.own && within.pass.end.load(Ordering::Relaxed) <= ts;
        thread.within.retain(|within| !over(within));
        let mut set: Vec<u32> = thread.within.iter().map(|w| w.pass.region).collect();
        set.sort_unstable();
        set.dedup();
        let number = intern(&mut self.sets, &mut self.by_set, set);
        if seq != 0 {
            thread.seen = seq;
            if thread.spans.back().is_none_or(|span| span.1 != number) {
                if thread.spans.len() >= SPANS_MAX {
                    thread.spans.pop_front();
                }
                thread.spans.push_back((seq, number));
            }
        }
        self.set(number)
    }

    /// The regions that a call was in, as [`Self::at`] had decided.
    pub fn of(&self, tid: u32, seq: u32) -> &[u32] {
        let Some(thread) = self.threads.get(&tid) else {
            return &[];
        };
        if seq == 0 {
            return thread.spans.back().map_or(&[], |span| self.set(span.1));
        }
        let after = thread
            .spans
            .partition_point(|(from, _)| seq == *from || later(seq, *from));
        match after.checked_sub(1).and_then(|at| thread.spans.get(at)) {
            Some((_, set)) => self.set(*set),
            None => &[],
        }
    }

    fn set(&self, number: u32) -> &[u32] {
        self.sets.get(number as usize).map_or(&[], Vec::as_slice)
    }
}

fn intern(sets: &mut Vec<Vec<u32>>, by_set: &mut HashMap<Vec<u32>, u32>, set: Vec<u32>) -> u32 {
    if let Some(number) = by_set.get(&set) {
        return *number;
    }
    if sets.is_empty() {
        sets.push(Vec::new());
        by_set.insert(Vec::new(), 0);
        if set.is_empty() {
            return 0;
        }
    }
    let number = sets.len() as u32;
    by_set.insert(set.clone(), number);
    sets.push(set);
    number
}

/// Whether a call comes after another: numbers wrap around.
fn later(seq: u32, than: u32) -> bool {
    seq.wrapping_sub(than).cast_signed() > 0
}

#[cfg(test)]
mod tests {
    use tracer_ebpf::Head;

    use super::*;

    fn mark(regions: &mut Regions, tid: u32, seq: u32, what: &str) {
        let head = Head {
            tid,
            seq,
            ts: u64::from(seq) * 10,
            ..Head::default()
        };
        regions.name(&Name {
            head,
            ino: 0,
            dev: 0,
            fd: -1,
            what: named::MARK,
            path: format!("{}{what}", named::MARKS),
        });
    }

    fn at(regions: &mut Regions, tid: u32, seq: u32) -> Vec<String> {
        let set = regions.at(tid, seq, u64::from(seq) * 10).to_vec();
        let name = |region: &u32| regions.all()[*region as usize].name.clone();
        set.iter().map(name).collect()
    }

    #[test]
    fn nested_crossing_and_again() {
        let mut regions = Regions::default();
        mark(&mut regions, 7, 1, "begin/a");
        assert_eq!(at(&mut regions, 7, 2), ["a"]);
        mark(&mut regions, 7, 3, "begin/b/c");
        assert_eq!(at(&mut regions, 7, 3), ["a"], "a mark of b is not in b");
        assert_eq!(at(&mut regions, 7, 4), ["a", "b/c"]);
        mark(&mut regions, 7, 5, "end/a");
        assert_eq!(at(&mut regions, 7, 5), ["b/c"]);
        mark(&mut regions, 7, 6, "end");
        assert_eq!(at(&mut regions, 7, 7), [""; 0]);
        mark(&mut regions, 7, 8, "begin/a");
        mark(&mut regions, 7, 9, "begin/a");
        mark(&mut regions, 7, 10, "end/a");
        assert_eq!(at(&mut regions, 7, 11), ["a"]);
        mark(&mut regions, 7, 12, "end/a/");
        assert_eq!(at(&mut regions, 7, 13), [""; 0]);
        // What comes late is where its call was.
        for (seq, set) in [(1, 0), (2, 1), (4, 2), (5, 1), (7, 0), (11, 1), (13, 0)] {
            assert_eq!(regions.of(7, seq).len(), set, "{seq}");
        }
        assert_eq!(at(&mut regions, 8, 4), [""; 0], "another thread");
        let all = regions.finish(None);
        let told = |n: usize| {
            (
                all[n].passes,
                all[n].time_ns,
                all[n].unended + all[n].unbegun,
            )
        };
        assert_eq!((told(0), told(1)), ((3, 40 + 40, 0), (1, 30, 0)));
    }

    #[test]
    fn whoever_is_started_in_it_is_in_it_as_long_as_it_lasts() {
        let mut regions = Regions::default();
        mark(&mut regions, 7, 1, "begin/a");
        regions.fork(7, 8, 15);
        assert_eq!(at(&mut regions, 8, 1), ["a"]);
        assert_eq!(at(&mut regions, 8, 9), ["a"]);
        mark(&mut regions, 7, 10, "end/a");
        assert_eq!(
            at(&mut regions, 8, 9),
            ["a"],
            "a part of a call that was in it"
        );
        assert_eq!(at(&mut regions, 8, 11), [""; 0]);
        regions.fork(7, 9, 120);
        assert_eq!(at(&mut regions, 9, 13), [""; 0]);
        regions.exit(8, 200);
        assert_eq!(regions.of(8, 9).len(), 1, "of a thread that is gone");
        regions.fork(7, 8, 210);
        assert_eq!(
            regions.of(8, 9).len(),
            0,
            "another thread of the same number"
        );
    }

    #[test]
    fn what_is_not_balanced_is_counted() {
        let mut regions = Regions::default();
        mark(&mut regions, 7, 1, "end/a");
        mark(&mut regions, 7, 2, "begin/b");
        mark(&mut regions, 7, 3, "begin/b");
        mark(&mut regions, 7, 4, "nonsense");
        mark(&mut regions, 8, 5, "end");
        mark(&mut regions, 8, 6, "begin/c");
        regions.exit(7, 70);
        regions.at(8, 9, 90);
        let all = regions.finish(None);
        let told: Vec<_> = all
            .iter()
            .map(|r| (r.name.as_str(), r.passes, r.unended, r.unbegun, r.time_ns))
            .collect();
        assert_eq!(
            told,
            [("a", 0, 0, 1, 0), ("b", 2, 2, 0, 50), ("c", 1, 1, 0, 30)]
        );
        assert_eq!(regions.odd().map(|odd| odd.0), Some(2));
    }

    #[test]
    fn as_many_as_there_is_room_for() {
        let mut regions = Regions::default();
        for n in 1..=2 * REGIONS_MAX as u32 {
            mark(&mut regions, 7, 2 * n, &format!("begin/{n}"));
            assert_eq!(at(&mut regions, 7, 2 * n + 1).len(), 1);
            mark(&mut regions, 7, 2 * n + 1, &format!("end/{n}"));
        }
        assert_eq!(regions.all().len(), REGIONS_MAX + 1);
        let all = regions.finish(None);
        assert_eq!(
            all.iter().map(|r| r.passes).sum::<u64>(),
            2 * REGIONS_MAX as u64
        );
        assert!(all.iter().all(|r| r.unended + r.unbegun == 0));
        for n in 0..3 * SPANS_MAX as u32 {
            let what = if n % 2 == 0 { "begin/1" } else { "end/1" };
            mark(&mut regions, 7, 100_000 + n, what);
        }
        assert!(regions.threads[&7].spans.len() <= SPANS_MAX);
        for n in 0..2 * DEPTH_MAX as u32 {
            mark(&mut regions, 9, n + 1, "begin/1");
        }
        assert!(regions.threads[&9].within.len() <= DEPTH_MAX);
    }
}
