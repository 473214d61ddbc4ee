//! A part of a recording: what happened between two times.
//!
//! What things are (processes, paths, stacks, devices) is told once, mostly before the part: records that
//! do are taken from there, too. Which blocks hold any of what is wanted stands in their headers, so the others are
//! not unpacked.

use tracer_ebpf::kind;

use super::format::{BlockHeader, Format, kind_bit};
use crate::decode::decode;
use crate::event::{Event, META, Meta};

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

/// What is read of a recording: a [`Span`], or all. It learns when the recording starts from its first records,
/// so that neither the size of blocks nor the part that is asked for moves its zero.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part {
    span: Option<Span>,
    /// When the trace was started ([`Start::monotonic_ns`](crate::event::Start::monotonic_ns)); if nothing says so, the time of its first record.
    start: Option<u64>,
    /// The latest time of all blocks so far.
    end: u64,
}

impl Part {
    pub fn of(span: Option<Span>) -> Self {
        Self {
            span,
            ..Self::default()
        }
    }

    /// Whether this is not all.
    pub fn is_partial(&self) -> bool {
        self.span.is_some()
    }

    /// The span, if it is not all, no further than the recording goes.
    pub fn span(&self) -> Option<Span> {
        let length = self.end.saturating_sub(self.start.unwrap_or(self.end));
        self.span.map(|Span { from, to }| Span {
            from: from.min(length),
            to: to.min(length),
        })
    }

    /// Whether a block may hold something that is wanted. Every block has to be shown, in their order.
    pub fn needs(&mut self, header: &BlockHeader) -> bool {
        if header.min_ts <= header.max_ts {
            self.end = self.end.max(header.max_ts);
        }
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

    /// Whether a record is wanted. Every record of the needed blocks has to be shown, in their order.
    #[inline]
    pub fn takes(&mut self, record: &[u8]) -> bool {
        self.next(record) != Place::Outside
    }

    /// Where the next record is.
    #[inline]
    pub(super) fn next(&mut self, record: &[u8]) -> Place {
        if self.span.is_none() {
            return Place::Inside;
        }
        if self.start.is_none() {
            self.start = start_of(record);
        }
        self.place(record)
    }

    fn place(&self, record: &[u8]) -> Place {
        let (Some(&kind), Some((from, to))) = (record.first(), self.times()) else {
            return Place::Inside;
        };
        let Some(ts) = time_of(record) else {
            return Place::Inside;
        };
        match () {
            () if (from..to).contains(&ts) => Place::Inside,
            () if ts < from && CONTEXT.contains(&kind) => Place::Context,
            () => Place::Outside,
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

/// When a record of the kernel happened.
#[inline]
fn time_of(record: &[u8]) -> Option<u64> {
    let ts = record.get(16..).and_then(<[u8]>::first_chunk);
    ts.filter(|_| record[0] < META)
        .map(|ts| u64::from_le_bytes(*ts))
}

/// When the trace was started, as far as a record tells.
fn start_of(record: &[u8]) -> Option<u64> {
    match decode(record) {
        Ok(Event::Meta(Meta::Start(start))) if start.monotonic_ns > 0 => Some(start.monotonic_ns),
        _ => time_of(record),
    }
}

/// Where a record is, seen from a part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Inside,
    /// Before it, and only tells what something is.
    Context,
    Outside,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::decode::{encode, encode_meta};
    use crate::event::{Exec, Head, Start, Syscall};
    use crate::record::{Reader, Writer};

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
                reader.only(span);
                let (mut times, mut metas, mut execs) = (Vec::new(), 0, 0);
                while let Some(record) = reader.next_record() {
                    match decode(record).unwrap() {
                        Event::Meta(_) => metas += 1,
                        Event::Exec(_) => execs += 1,
                        event => times.push((event.head().unwrap().ts - 5000) / 1000),
                    }
                }
                assert_eq!(reader.warnings(), []);
                (times, metas, execs, reader.part().span())
            };
            let span = |from, to| Some(Span { from, to });
            let (all, ..) = read(None);
            assert_eq!(all.len(), 100);
            let us = |n: u64| n * 1000;
            assert_eq!(
                read(span(us(45), us(47))),
                (vec![45, 46], 2, 1, span(us(45), us(47)))
            );
            assert_eq!(read(span(0, us(2))).0, [0, 1]);
            assert_eq!(read(span(0, us(2))).2, 0);
            let rest = read(span(us(98), u64::MAX));
            assert_eq!((rest.0, rest.3), (vec![98, 99], span(us(98), us(99))));
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
        let mut part = Part::of(Some(Span { from: 50, to: 60 }));
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
        assert!(part.takes(&start));
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
        assert_eq!(part.span(), Some(Span { from: 50, to: 60 }));
    }
}
