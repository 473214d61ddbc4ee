//! A part of a recording: what happened between two times, what one process did, what was done in a region
//! of the program's own.
//!
//! What things are (processes, paths, stacks, devices) is told once, mostly before the part: records that
//! do are taken from there, too. Which blocks hold any of what is wanted stands in their headers, so the others are
//! not unpacked.
//!
//! The record that begins the trace says what the part is: what follows is a trace of its own, and whatever
//! reads it needs to know nothing else.

mod chosen;
mod main;

use std::path::Path;

use tracer_ebpf::kind;

use self::chosen::{Choice, Chosen};
pub(super) use self::main::Found;
pub use self::main::InMain;
use super::RecordError;
use super::format::{BlockHeader, Format, kind_bit};
use crate::decode::{decode, encode_meta};
use crate::event::{Event, META, Meta, Only, Start};
use crate::regions::Regions;

/// Kinds that tell what something is, not what happened.
const CONTEXT: [u8; 5] = [
    kind::FORK,
    kind::EXEC,
    kind::NAME,
    kind::STACK,
    kind::CALLED_FROM,
];

/// Times since the start of a recording, ns: from the first up to, but without, the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: u64,
    pub to: u64,
}

impl Span {
    /// What all of the parts leave; `None` if none of them says a time.
    pub fn of(parts: &[Only]) -> Option<Self> {
        let mut parts = parts.iter().filter(|only| only.is_timed()).peekable();
        parts.peek()?;
        let all = Self {
            from: 0,
            to: u64::MAX,
        };
        Some(parts.fold(all, |span, only| Self {
            from: span.from.max(only.from_ns.unwrap_or(0)),
            to: span.to.min(only.to_ns.unwrap_or(u64::MAX)),
        }))
    }
}

impl Only {
    fn is_timed(&self) -> bool {
        self.from_ns.is_some() || self.to_ns.is_some()
    }
}

/// What is read of a recording, or all. It learns when the recording starts from its first records,
/// so that neither the size of blocks nor the part that is asked for moves its zero.
#[derive(Debug, Default)]
pub struct Part {
    only: Only,
    /// It is not all.
    partial: bool,
    span: Option<Span>,
    chosen: Option<Chosen>,
    /// When the trace was started ([`Start::monotonic_ns`](crate::event::Start::monotonic_ns)); if nothing says so, the time of its first record.
    start: Option<u64>,
    /// Whether what follows says that it is a part.
    said: bool,
}

/// What becomes of a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    Inside,
    /// It is not of the part, and only tells what something is.
    Context,
    Outside,
    /// These records stand for it.
    Instead(Vec<Vec<u8>>),
}

/// What is wanted of a recording, where only the recording itself tells what that is.
#[derive(Clone, Debug)]
pub struct Wanted {
    only: Only,
    in_main: InMain,
}

impl Wanted {
    /// Looks the recording through ([`Reader::look_through`](super::Reader::look_through)) if it has to. `path` is
    /// what errors call it.
    ///
    /// # Errors
    /// If it cannot be opened, or nothing in it is known to come from `main`.
    pub fn of_recording(
        only: &Only,
        path: &Path,
        look_through: impl FnOnce() -> Result<InMain, RecordError>,
    ) -> Result<Self, RecordError> {
        let mut only = only.clone();
        if !only.from_main {
            let in_main = InMain::default();
            return Ok(Self { only, in_main });
        }
        let in_main = look_through()?;
        let Some(since) = in_main.since else {
            return Err(RecordError::NoMain {
                path: path.to_owned(),
                stacks: in_main.any,
            });
        };
        let from = only.from_ns.unwrap_or(0).max(since);
        only.from_ns = Some(from).filter(|from| *from > 0);
        Ok(Self { only, in_main })
    }

    /// To read it once.
    pub fn part(&self) -> Part {
        Part::new(self.only.clone(), &self.in_main)
    }
}

impl Part {
    /// What is wanted of records that come only once; what they did from `main` on is not known then.
    pub fn of(only: &Only) -> Self {
        Self::new(only.clone(), &InMain::default())
    }

    fn new(only: Only, in_main: &InMain) -> Self {
        let span = Span::of(std::slice::from_ref(&only));
        let chosen = Chosen::of(&only, in_main);
        Self {
            partial: span.is_some() || chosen.is_some(),
            only,
            span,
            chosen,
            start: None,
            said: false,
        }
    }

    /// Whether this is not all.
    #[inline]
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// The regions that were met so far, if any is asked for: its name, and all.
    pub fn regions(&self) -> Option<(&str, &Regions)> {
        let (name, chosen) = (self.only.region.as_deref()?, self.chosen.as_ref()?);
        Some((name, chosen.regions()))
    }

    /// Whether a block may hold something that is wanted. Every block has to be shown, in their order.
    pub fn needs(&self, header: &BlockHeader) -> bool {
        let Some((from, to)) = self.times() else {
            return true;
        };
        if header.format == Format::One || header.kinds & kind_bit(META) != 0 {
            return true;
        }
        let context = CONTEXT.iter().fold(0, |bits, kind| bits | kind_bit(*kind));
        let before = header.min_ts < from && header.kinds & context != 0;
        before || header.min_ts < to && header.max_ts >= from
    }

    /// What becomes of a record. Every record of the needed blocks has to be shown, in their order.
    pub fn next(&mut self, record: &[u8]) -> Place {
        if !self.is_partial() {
            return Place::Inside;
        }
        let Some(&kind) = record.first() else {
            return Place::Inside;
        };
        if kind == META {
            return self.meta(record);
        }
        let Some(ts) = time_of(record) else {
            return Place::Inside;
        };
        let start = *self.start.get_or_insert(ts);
        let place = self.place(kind, ts, record);
        if self.said {
            return place;
        }
        // The record that begins the trace is missing.
        self.said = true;
        let mut records = vec![begun(start, &self.only)];
        match place {
            Place::Inside | Place::Context => records.push(record.to_vec()),
            Place::Outside => {}
            Place::Instead(others) => records.extend(others),
        }
        Place::Instead(records)
    }

    fn place(&mut self, kind: u8, ts: u64, record: &[u8]) -> Place {
        let (from, to) = self.times().unwrap_or((0, u64::MAX));
        let tells = CONTEXT.contains(&kind);
        if ts >= to || (ts < from && !tells) {
            return Place::Outside;
        }
        let choice = match &mut self.chosen {
            // Where a thread's next calls come from is told of one that is wanted, and of one that may be yet.
            Some(chosen) => match chosen.takes(record) {
                Choice::No if kind == kind::CALLED_FROM && self.only.is_of_processes() => {
                    return Place::Outside;
                }
                choice => choice,
            },
            None => Choice::Yes,
        };
        match choice {
            Choice::Yes if ts >= from => Place::Inside,
            Choice::Pieces(pieces) => Place::Instead(pieces),
            _ if tells => Place::Context,
            _ => Place::Outside,
        }
    }

    /// Records that are not the kernel's.
    fn meta(&mut self, record: &[u8]) -> Place {
        match decode(record) {
            Ok(Event::Meta(Meta::Start(start))) => {
                if start.monotonic_ns > 0 && self.start.is_none() {
                    self.start = Some(start.monotonic_ns);
                }
                if let Some(chosen) = &mut self.chosen {
                    chosen.begins(&start);
                }
                self.said = true;
                let whole = || begun(start.monotonic_ns, &self.only);
                Place::Instead(vec![said(record, &self.only).unwrap_or_else(whole)])
            }
            // They are of the whole.
            Ok(Event::Meta(Meta::Sampled(_) | Meta::Cost(_))) => Place::Outside,
            _ => Place::Inside,
        }
    }

    /// From when until when, by the recording's clock.
    fn times(&self) -> Option<(u64, u64)> {
        let (span, start) = (self.span?, self.start?);
        let at = |time| start.saturating_add(time);
        // Nothing is before the beginning.
        let from = if span.from == 0 { 0 } else { at(span.from) };
        Some((from, at(span.to)))
    }
}

/// The record that begins a trace, with one more part; what else it has, it keeps, known or not.
fn said(record: &[u8], only: &Only) -> Option<Vec<u8>> {
    let mut json: serde_json::Value = serde_json::from_slice(record.get(1..)?).ok()?;
    let parts = json.as_object_mut()?.entry("part");
    let parts = parts.or_insert_with(|| serde_json::json!([]));
    parts.as_array_mut()?.push(serde_json::to_value(only).ok()?);
    let mut said = vec![META];
    serde_json::to_writer(&mut said, &json).ok()?;
    Some(said)
}

/// One that begins a trace of which nothing else is known.
fn begun(monotonic_ns: u64, only: &Only) -> Vec<u8> {
    let start = Start {
        monotonic_ns,
        part: vec![only.clone()],
        ..Start::default()
    };
    let mut record = Vec::new();
    encode_meta(&Meta::Start(start), &mut record);
    record
}

/// When a record of the kernel happened.
#[inline]
fn time_of(record: &[u8]) -> Option<u64> {
    let ts = record.get(16..).and_then(<[u8]>::first_chunk);
    ts.filter(|_| record[0] < META)
        .map(|ts| u64::from_le_bytes(*ts))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::decode::encode;
    use crate::event::{Exec, Head, Syscall};
    use crate::record::{Reader, Writer};

    fn only(span: Option<Span>) -> Only {
        Only {
            from_ns: span.map(|span| span.from),
            to_ns: span.map(|span| span.to),
            ..Only::default()
        }
    }

    fn call(kind: u8, ts: u64) -> Vec<u8> {
        let head = Head {
            tid: 7,
            tgid: 7,
            ts,
            ..Head::default()
        };
        let mut record = Vec::new();
        let event = match kind {
            kind::EXEC => Event::Exec(Exec {
                head,
                ..Exec::default()
            }),
            _ => Event::Syscall {
                call: Syscall {
                    head,
                    ..Syscall::default()
                },
                file: None,
            },
        };
        encode(&event, &mut record);
        record
    }

    /// Ten blocks of ten calls, one every microsecond from 5000 on, an `execve` at the start of the third.
    fn recording(format: Format) -> Vec<u8> {
        let mut file = Vec::new();
        let mut writer = Writer::of_format(&mut file, Path::new("t"), format).unwrap();
        writer.meta(&Meta::Start(Start::default())).unwrap();
        for n in 0..100u64 {
            if n == 20 {
                writer.record(&call(kind::EXEC, 5000 + n * 1000)).unwrap();
            }
            writer
                .record(&call(kind::SYSCALL, 5000 + n * 1000))
                .unwrap();
            if n % 10 == 9 {
                writer.flush().unwrap();
            }
        }
        writer.meta(&Meta::End(Default::default())).unwrap();
        writer.finish().unwrap();
        file
    }

    #[test]
    fn a_part_is_what_happened_in_it_and_what_tells_what_things_are() {
        for format in Format::ALL {
            let file = recording(format);
            let read = |span| {
                let mut reader = Reader::new(&file[..], Path::new("t")).unwrap();
                reader.only(Part::of(&only(span)));
                let (mut times, mut metas, mut execs) = (Vec::new(), 0, 0);
                while let Some(record) = reader.next_record() {
                    match decode(record).unwrap() {
                        Event::Meta(_) => metas += 1,
                        Event::Exec(_) => execs += 1,
                        event => times.push((event.head().unwrap().ts - 5000) / 1000),
                    }
                }
                assert_eq!(reader.warnings(), []);
                (times, metas, execs)
            };
            let span = |from, to| Some(Span { from, to });
            let (all, ..) = read(None);
            assert_eq!(all.len(), 100);
            let us = |n: u64| n * 1000;
            assert_eq!(read(span(us(45), us(47))), (vec![45, 46], 2, 1));
            assert_eq!(read(span(0, us(2))).0, [0, 1]);
            assert_eq!(read(span(0, us(2))).2, 0);
            let rest = read(span(us(98), u64::MAX));
            assert_eq!(rest.0, vec![98, 99]);
            assert_eq!(read(span(us(500), us(600))).0, [0; 0]);
        }
    }

    /// Blocks that hold nothing of it are not unpacked.
    #[test]
    fn other_blocks_are_left_alone() {
        let header = |min_ts, max_ts, kinds: &[u8]| BlockHeader {
            format: Format::Two,
            min_ts,
            max_ts,
            kinds: kinds.iter().fold(0, |bits, kind| bits | kind_bit(*kind)),
            ..BlockHeader::default()
        };
        let mut part = Part::of(&only(Some(Span { from: 50, to: 60 })));
        let mut start = Vec::new();
        encode_meta(
            &Meta::Start(Start {
                monotonic_ns: 1000,
                ..Start::default()
            }),
            &mut start,
        );
        assert!(
            part.needs(&header(7, 9, &[kind::FAULT])),
            "zero is not known yet"
        );
        assert_ne!(part.next(&start), Place::Outside);
        let calls = [kind::SYSCALL, kind::FAULT];
        for (min, max, kinds, wanted) in [
            (1000, 1010, &calls[..], false),
            (1010, 1020, &[kind::SYSCALL, kind::NAME], true),
            (1020, 1050, &calls, true),
            (1050, 1055, &calls, true),
            (1059, 1200, &calls, true),
            (1060, 1200, &calls, false),
            (1060, 1200, &[kind::NAME], false),
            (u64::MAX, 0, &[META], true),
            (u64::MAX, 0, &[99], false),
        ] {
            let header = header(min, max, kinds);
            assert_eq!(part.needs(&header), wanted, "{min} {max} {kinds:?}");
        }
    }
}
