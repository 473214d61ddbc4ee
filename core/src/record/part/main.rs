//! What programs did from their `main` on: before it, the loader and the language's runtime are at work.
//!
//! The stacks of calls tell. A recording is looked through once for those that were in `main`, since what they mean
//! is told after the calls that came from them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tracer_ebpf::kind;

use super::time_of;
use crate::decode::decode;
use crate::event::{Event, META, Meta, Source, Start};

/// How `main` is called where a stack names it: by the linker for C, C++ and Rust; by Go.
const NAMES: [&str; 2] = ["main", "main.main"];

/// Stacks that are in `main`, or in what it called.
#[derive(Clone, Debug, Default)]
pub struct InMain {
    stacks: Arc<HashSet<u64>>,
    /// When the first call from one of them was made, counted as [`Only::from_ns`](crate::event::Only::from_ns).
    pub(super) since: Option<u64>,
    /// Whether any call's stack is known at all.
    pub(super) any: bool,
}

/// What is being learned of them, from all records of a recording in their order.
#[derive(Default)]
pub(in crate::record) struct Found {
    sources: Vec<Source>,
    /// Executable files that were started.
    programs: HashSet<String>,
    /// Where each thread's calls come from, and when the first from there was made.
    now: HashMap<u32, u64>,
    first: HashMap<u64, u64>,
    /// When the trace began, as [`Part`](super::Part) takes it.
    start: Option<u64>,
    attached: bool,
}

impl Found {
    pub(in crate::record) fn take(&mut self, record: &[u8]) {
        if let Some(ts) = time_of(record) {
            self.start.get_or_insert(ts);
        }
        match record.first() {
            Some(&META) => match decode(record) {
                Ok(Event::Meta(Meta::Source(source))) => self.sources.push(source),
                Ok(Event::Meta(Meta::Start(start))) => {
                    if start.monotonic_ns > 0 {
                        self.start.get_or_insert(start.monotonic_ns);
                    }
                    self.attached |= start.attached;
                }
                _ => {}
            },
            Some(&kind::CALLED_FROM) => {
                if let Ok(Event::CalledFrom(from)) = decode(record) {
                    self.now.insert(from.head.tid, from.id);
                }
            }
            Some(&kind::NAME) => match decode(record) {
                // `execve`: see `name_of_program` in tracer-ebpf.
                Ok(Event::Name(name)) if name.fd < 0 => {
                    self.programs.insert(name.path);
                }
                _ => {}
            },
            Some(&(kind::SYSCALL | kind::SYSCALL_FILE | kind::FAULT)) => {
                let tid = record.get(4..).and_then(<[u8]>::first_chunk);
                if let (Some(tid), Some(ts)) = (tid, time_of(record))
                    && let Some(id) = self.now.get(&u32::from_le_bytes(*tid))
                {
                    // A fault within a call is told before the call, which began earlier.
                    let first = self.first.entry(*id).or_insert(ts);
                    *first = ts.min(*first);
                }
            }
            _ => {}
        }
    }

    pub(in crate::record) fn finish(self) -> InMain {
        let mut best: HashMap<&str, Sign> = HashMap::new();
        let signs: Vec<_> = self
            .sources
            .iter()
            .map(|source| (source.id, self.sign(source)))
            .collect();
        for (module, sign) in signs.iter().filter_map(|(_, sign)| *sign) {
            let best = best.entry(module).or_insert(sign);
            *best = sign.max(*best);
        }
        let is_in = |sign: &Option<(&str, Sign)>| {
            sign.is_some_and(|(module, sign)| best.get(module) == Some(&sign))
        };
        let stacks: HashSet<_> = signs
            .iter()
            .filter(|(_, sign)| is_in(sign))
            .map(|(id, _)| *id)
            .collect();
        let first = stacks.iter().filter_map(|id| self.first.get(id)).min();
        let since = first.map(|first| first.saturating_sub(self.start.unwrap_or(0)));
        // What ran before it was traced was in its `main` all the time.
        let since = if self.attached { Some(0) } else { since };
        InMain {
            stacks: stacks.into(),
            since,
            any: !self.sources.is_empty(),
        }
    }

    /// How a stack shows that it is in the `main` of a program, and of which.
    fn sign<'a>(&self, source: &'a Source) -> Option<(&'a str, Sign)> {
        let frames = &source.frames;
        if let Some(frame) = frames
            .iter()
            .find(|frame| NAMES.contains(&frame.function.as_str()))
        {
            return Some((&frame.module, Sign::Named));
        }
        if let Some(frame) = source.own.and_then(|own| frames.get(own)) {
            return Some((&frame.module, Sign::Own));
        }
        // The outermost function starts the program; what it calls is the program's own.
        let (_, called) = frames.split_last()?;
        let of_program = called
            .iter()
            .find(|frame| self.programs.contains(&frame.module))?;
        Some((&of_program.module, Sign::Program))
    }
}

/// Of one program only the best counts: its `main` may have no name, its lines may not be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    /// A function of the executable file called others.
    Program,
    /// A line of the program's own.
    Own,
    /// A function called `main`.
    Named,
}

/// Which processes have come to their `main`.
#[derive(Debug)]
pub(super) struct Main {
    stacks: Arc<HashSet<u64>>,
    inside: HashSet<u32>,
}

impl Main {
    pub(super) fn of(stacks: &InMain) -> Self {
        Self {
            stacks: Arc::clone(&stacks.stacks),
            inside: HashSet::new(),
        }
    }

    pub(super) fn begins(&mut self, start: &Start) {
        // What ran before it was traced is in its `main`.
        if start.attached {
            self.inside.insert(start.pid);
            self.inside
                .extend(start.children.iter().map(|child| child.0));
        }
    }

    /// Whether a process is in its `main`, or beyond.
    pub(super) fn has(&self, tgid: u32) -> bool {
        self.inside.contains(&tgid)
    }

    /// Takes the next record of the kernel.
    pub(super) fn learn(&mut self, record: &[u8]) {
        match record.first() {
            Some(&kind::CALLED_FROM) => {
                if let Ok(Event::CalledFrom(from)) = decode(record)
                    && self.stacks.contains(&from.id)
                {
                    self.inside.insert(from.head.tgid);
                }
            }
            Some(&kind::FORK) => {
                if let Ok(Event::Fork(fork)) = decode(record)
                    && self.has(fork.head.tgid)
                {
                    self.inside.insert(fork.child_tgid);
                }
            }
            Some(&kind::EXEC) => {
                if let Ok(Event::Exec(exec)) = decode(record) {
                    self.inside.remove(&exec.head.tgid);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{encode, encode_meta};
    use crate::event::{CalledFrom, Exec, Fork, Frame, Head, Syscall};

    const LOADER: u64 = 1;
    const STARTED: u64 = 2;
    const MAIN: u64 = 3;

    fn head(tgid: u32, ts: u64) -> Head {
        Head {
            tid: tgid,
            tgid,
            ts,
            ..Head::default()
        }
    }

    fn record(event: Event) -> Vec<u8> {
        let mut record = Vec::new();
        encode(&event, &mut record);
        record
    }

    fn from(tgid: u32, id: u64) -> Vec<u8> {
        let head = head(tgid, 0);
        record(Event::CalledFrom(CalledFrom { head, id }))
    }

    fn call(tgid: u32, ts: u64) -> Vec<u8> {
        let call = Syscall {
            head: head(tgid, ts),
            ..Syscall::default()
        };
        record(Event::Syscall { call, file: None })
    }

    fn source(id: u64, frames: &[(&str, &str)], own: Option<usize>) -> Vec<u8> {
        let frame = |&(function, module): &(&str, &str)| Frame {
            function: function.to_owned(),
            module: module.to_owned(),
            ..Frame::default()
        };
        let frames = frames.iter().map(frame).collect();
        let mut record = Vec::new();
        encode_meta(&Meta::Source(Source { id, frames, own }), &mut record);
        record
    }

    fn start(attached: bool) -> Start {
        Start {
            pid: 7,
            attached,
            monotonic_ns: 1000,
            ..Start::default()
        }
    }

    fn found(sources: &[Vec<u8>]) -> InMain {
        let mut found = Found::default();
        let mut meta = Vec::new();
        encode_meta(&Meta::Start(start(false)), &mut meta);
        found.take(&meta);
        for record in [
            from(7, LOADER),
            call(7, 1100),
            from(7, STARTED),
            call(7, 1200),
            from(7, MAIN),
            // Within a call that began at 1300.
            call(7, 1350),
            call(7, 1300),
        ] {
            found.take(&record);
        }
        sources.iter().for_each(|record| found.take(record));
        found.finish()
    }

    #[test]
    fn main_is_the_best_that_a_program_shows() {
        let loader = source(LOADER, &[("dl_main", "/lib/ld.so")], None);
        let started = [
            ("init", "/bin/p"),
            ("start", "/lib/libc.so"),
            ("_start", "/bin/p"),
        ];
        // A line of its own before `main`: a constructor.
        let started = source(STARTED, &started, Some(0));
        let named = [
            ("read", "/lib/libc.so"),
            ("main", "/bin/p"),
            ("_start", "/bin/p"),
        ];
        let named = source(MAIN, &named, None);
        let all = found(&[loader.clone(), started.clone(), named]);
        assert_eq!((all.since, all.stacks.len()), (Some(300), 1));
        // Without that name, the line is what there is.
        let all = found(&[loader.clone(), started]);
        assert_eq!(all.since, Some(200));
        let none = found(&[loader]);
        assert_eq!((none.since, none.any), (None, true));
        assert!(!found(&[]).any);
    }

    #[test]
    fn a_process_is_in_main_until_it_becomes_another_program() {
        let stacks = InMain {
            stacks: Arc::new(HashSet::from([MAIN])),
            ..InMain::default()
        };
        let mut main = Main::of(&stacks);
        main.begins(&start(false));
        main.learn(&from(7, LOADER));
        assert!(!main.has(7));
        main.learn(&from(7, MAIN));
        main.learn(&record(Event::Fork(Fork {
            head: head(7, 1400),
            child_tid: 8,
            child_tgid: 8,
            ..Fork::default()
        })));
        assert!(main.has(7) && main.has(8));
        main.learn(&record(Event::Exec(Exec {
            head: head(8, 1500),
            ..Exec::default()
        })));
        assert!(main.has(7) && !main.has(8));
        let mut attached = Main::of(&InMain::default());
        attached.begins(&start(true));
        assert!(attached.has(7));
    }
}
