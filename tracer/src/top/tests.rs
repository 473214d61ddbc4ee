//! Readings that were never made: what becomes of them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytehop_core::arch::{Arch, uring};
use bytehop_core::model::HopKind;
use bytehop_core::top::conclude::{Context, row};
use bytehop_core::top::group::{CallKey, Group, Snapshot};
use bytehop_core::top::{Amount, Frame, Lost, More, Row, What, Who};
use tracer_ebpf::{Count, CountKey, FileRef, OPERATION, Proc, TopCell, bio, count, how};

use super::sampler::{Sampler, Seen};
use crate::device::{Hardware, Sysfs};

const FILE: u16 = 1;
const PIPE: u16 = 2;
const TCP: u16 = 3;
const MIB: u64 = 1 << 20;

fn files() -> HashMap<u16, FileRef> {
    let file = FileRef {
        mode: 0o100001,
        magic: 0xEF53,
        ..FileRef::NONE
    };
    let pipe = FileRef {
        mode: 0o010001,
        ..FileRef::NONE
    };
    let tcp = FileRef {
        mode: 0o140001,
        family: 2,
        sock_type: 1,
        protocol: 6,
        ..FileRef::NONE
    };
    HashMap::from([(FILE, file), (PIPE, pipe), (TCP, tcp)])
}

fn context() -> Context {
    Context {
        arch: Arch::X86_64,
        hardware: Box::new(Hardware::new(Sysfs::at("/nonexistent"))),
        faults: true,
        receives: true,
        missing: Vec::new(),
    }
}

/// Calls of a name.
fn calls(name: &str, class: u16, class2: u16, calls: u64, bytes: u64) -> (CallKey, TopCell) {
    let key = CallKey {
        nr: Arch::X86_64.syscall_number(name).expect("a call"),
        how: 0,
        class,
        class2,
    };
    let cell = TopCell {
        calls,
        errors: 0,
        bytes,
    };
    (key, cell)
}

fn counted(what: u16, flags: u16, id: u32, count: u64, bytes: u64) -> (CountKey, Count) {
    (CountKey { what, flags, id }, Count { count, bytes })
}

fn group<const N: usize, const M: usize>(
    calls: [(CallKey, TopCell); N],
    counts: [(CountKey, Count); M],
) -> Group {
    Group {
        calls: HashMap::from(calls),
        counts: HashMap::from(counts),
    }
}

fn concluded(group: &Group) -> Row {
    row(group, &files(), &Lost::default(), &mut context())
}

fn measured(bytes: u64) -> Amount {
    Amount {
        bytes,
        inferred: 0,
        more: More::Nothing,
    }
}

fn inferred(bytes: u64) -> Amount {
    Amount {
        inferred: bytes,
        ..measured(bytes)
    }
}

#[test]
fn calls_are_concluded_by_their_rules() {
    let row = concluded(&group(
        [
            calls("read", FILE, 0, 10, MIB),
            calls("read", 0, 0, 2, 0),
            calls("write", PIPE, 0, 1, 100),
            calls("splice", FILE, PIPE, 4, 4 * MIB),
        ],
        [counted(count::FAULT, 2, 0, 7, 0)],
    ));
    assert_eq!(row.calls, 17);
    assert_eq!(row.crossings(), 2 * 17 + 2 * 7);
    assert_eq!(row.copied, inferred(MIB + 100));
    assert_eq!(row.shared, inferred(4 * MIB));
    assert!(row.dma.is_none() && row.filled.is_none());
    let names: Vec<_> = row
        .syscalls
        .iter()
        .map(|c| (c.name.as_str(), c.calls))
        .collect();
    assert_eq!(names, [("read", 12), ("splice", 4), ("write", 1)]);
}

/// What is received is measured where a probe copies it, so that no rule says it again, not even in
/// an interval in which nothing else was received.
#[test]
fn received_once() {
    let received = group([calls("recvfrom", TCP, 0, 1, 500)], []);
    assert!(concluded(&received).copied.is_none());
    let row = concluded(&group([], [counted(count::SKB, 0, 1, 1, 500)]));
    assert_eq!(row.copied, measured(500));
    // It came in by another interface than loopback: perhaps by DMA.
    let row = concluded(&group([], [counted(count::SKB, 0, 2, 1, 500)]));
    assert_eq!(row.dma.more, More::UpTo(500));
    let blind = &mut Context {
        receives: false,
        ..context()
    };
    assert_eq!(
        bytehop_core::top::conclude::row(&received, &files(), &Lost::default(), blind).copied,
        inferred(500)
    );
}

#[test]
fn flags_and_operations() {
    let (mut key, cell) = calls("sendto", TCP, 0, 3, 3000);
    key.how = how::ZEROCOPY;
    let row = concluded(&group([(key, cell)], []));
    assert_eq!(row.shared, inferred(3000));
    assert_eq!((row.copied.bytes, row.copied.more), (0, More::UpTo(3000)));
    let key = CallKey {
        nr: OPERATION | u16::from(uring::opcode("read").expect("an operation")),
        class: FILE,
        ..CallKey::default()
    };
    let row = concluded(&group([(key, cell)], []));
    assert_eq!(row.copied, inferred(3000));
    assert_eq!(row.syscalls[0].name, "io_uring:read");
    // A request is no call, and crosses nothing.
    assert_eq!(row.crossings(), 0);
    let (mut key, cell) = calls("read", 0, 0, 5, 0);
    key.how = how::COMPAT;
    let row = concluded(&group([(key, cell)], []));
    assert_eq!((row.crossings(), row.copied.more), (10, More::Unbounded));
}

/// What counters cannot tell is not 0.
#[test]
fn not_known() {
    let row = concluded(&group(
        [calls("recvmmsg", 0, 0, 1, 0), calls("read", 9, 0, 1, 77)],
        [
            counted(count::FRESH, 0, 0, 5, 5 * 4096),
            counted(count::CACHED, 0, 0, 3, 3 * 4096),
            counted(count::FRESH, 1, 0, 1, 2 * MIB),
        ],
    ));
    let what: Vec<_> = row
        .unknown
        .iter()
        .map(|u| (u.what, u.count, u.up_to))
        .collect();
    assert_eq!(
        what,
        [
            (What::UnknownFiles, 1, Some(77)),
            (What::Messages, 1, None),
            (What::FreshPages, 2, Some(8192)),
            (What::LargePages, 1, Some(2 * MIB)),
        ]
    );
    assert_eq!((row.copied.bytes, row.copied.more), (0, More::Unbounded));
    assert_eq!(row.filled.more, More::UpTo(2 * MIB));
    assert!(row.dma.is_none() && !row.is_idle());
}

#[test]
fn disks() {
    let write = (bio::WRITE | bio::FILE) as u16;
    let row = concluded(&group(
        [],
        [
            counted(count::BLOCK, bio::FILE as u16, 8 << 20, 2, MIB),
            counted(
                count::BLOCK,
                write | count::BLOCK_ELSEWHERE,
                8 << 20,
                1,
                4096,
            ),
            counted(
                count::BLOCK,
                (bio::BDEV | bio::META) as u16,
                8 << 20,
                1,
                512,
            ),
        ],
    ));
    assert_eq!(row.dma, measured(MIB + 4096));
    assert_eq!(row.metadata_io.read_bytes, 512);
    assert!(row.hops.iter().all(|hop| hop.kind == HopKind::Dma));
    assert!(row.hops.iter().any(|hop| hop.deferred));
}

const A: Proc = Proc { tgid: 10, start: 1 };
const B: Proc = Proc { tgid: 11, start: 2 };

fn snapshot<const N: usize>(groups: [(Proc, Group); N]) -> Snapshot {
    Snapshot {
        names: HashMap::from([(A, "a".to_owned()), (B, "b".to_owned())]),
        groups: HashMap::from(groups),
        files: files(),
        ..Snapshot::default()
    }
}

fn read(n: u64) -> Group {
    group([calls("read", FILE, 0, n, n * 1000)], [])
}

fn alive(who: &[Proc]) -> impl Fn(Proc) -> Option<Seen> {
    |proc| {
        who.contains(&proc).then(|| Seen {
            name: format!("p{}", proc.tgid),
            yours: true,
            ..Seen::default()
        })
    }
}

fn of(frame: &Frame, proc: Proc) -> Option<(String, bool, u64)> {
    let row = frame
        .rows
        .iter()
        .find(|row| row.who == Who::Process(proc))?;
    Some((row.name.clone(), row.ended, row.calls))
}

/// Each interval has what was added in it; a process that ends is shown once more, and then counts
/// with those that have ended.
#[test]
fn interval_by_interval() {
    let begun = Instant::now();
    let at = |s| begun + Duration::from_secs(s);
    let mut sampler = Sampler::with(context(), begun);
    sampler.take(
        snapshot([(A, read(5)), (B, read(1))]),
        at(1),
        alive(&[A, B]),
    );
    assert_eq!(of(&sampler.frame(false), A), Some(("p10".into(), false, 5)));

    // B has ended after the last table.
    let ended = sampler.ended_by_now(alive(&[A]));
    assert_eq!(ended, [B]);
    sampler.take(snapshot([(A, read(5)), (B, read(4))]), at(3), alive(&[A]));
    let frame = sampler.frame(false);
    assert_eq!((frame.round, frame.interval), (2, Duration::from_secs(2)));
    assert_eq!(of(&frame, B), Some(("b".into(), true, 3)));
    // A does nothing, and is still there.
    assert_eq!(of(&frame, A), Some(("p10".into(), false, 0)));
    assert_eq!(of(&sampler.frame(true), B), Some(("b".into(), true, 4)));
    let gone = sampler.let_go(&ended);
    assert_eq!(gone.iter().map(|(proc, _)| *proc).collect::<Vec<_>>(), [B]);

    // One that ends and did nothing since is shown once more, too.
    let mut quiet = Sampler::with(context(), begun);
    quiet.take(snapshot([(B, read(1))]), at(1), alive(&[B]));
    quiet.take(snapshot([(B, read(1))]), at(2), alive(&[]));
    assert_eq!(of(&quiet.frame(false), B), Some(("b".into(), true, 0)));

    // Its number is used again, and something is written back for it.
    let new = Proc { start: 9, ..B };
    sampler.take(
        snapshot([
            (A, read(7)),
            (new, read(2)),
            (B, group([], [counted(count::SKB, 0, 1, 1, 9)])),
        ]),
        at(4),
        alive(&[A, new]),
    );
    let frame = sampler.frame(false);
    assert_eq!(of(&frame, A), Some(("p10".into(), false, 2)));
    assert_eq!(of(&frame, new), Some(("p11".into(), false, 2)));
    assert_eq!(of(&frame, B), Some(("b".into(), true, 0)));
    let total = sampler.frame(true);
    assert_eq!(total.interval, Duration::from_secs(4));
    assert_eq!(of(&total, A), Some(("p10".into(), false, 7)));
    let gone = total
        .rows
        .iter()
        .find(|row| row.who == Who::Ended(1))
        .expect("a row");
    assert_eq!(gone.calls, 4);
}

/// Who may not see everything has one row for the rest, of which no name, call or device is told; and what
/// was once not theirs stays so.
#[test]
fn the_rest_is_one_row() {
    const C: Proc = Proc { tgid: 12, start: 3 };
    let begun = Instant::now();
    let at = |s| begun + Duration::from_secs(s);
    let theirs = |yours: &[Proc]| {
        let yours = yours.to_vec();
        move |proc: Proc| {
            Some(Seen {
                yours: yours.contains(&proc),
                ..alive(&[proc])(proc).unwrap()
            })
        }
    };
    let mut sampler = Sampler::with(context(), begun).for_caller();
    let others = |frame: &Frame| {
        let mut rows = frame.rows.iter();
        let row = rows.find(|row| matches!(row.who, Who::Others(_))).unwrap();
        assert!(row.hops.is_empty() && row.syscalls.is_empty() && row.name.is_empty());
        (row.who, row.calls)
    };
    let kernel = group([], [counted(count::SKB, 0, 1, 1, 9)]);
    let readings = |n| {
        snapshot([
            (A, read(n)),
            (B, read(n)),
            (C, read(n)),
            (Proc::KERNEL, kernel.clone()),
        ])
    };
    sampler.take(readings(5), at(1), theirs(&[A, C]));
    let frame = sampler.frame(false);
    assert_eq!(of(&frame, A), Some(("p10".into(), false, 5)));
    assert_eq!(frame.rows.len(), 3, "A, C and the rest");
    assert_eq!(others(&frame), (Who::Others(1), 5));

    // A has become a program of others' and is back.
    sampler.take(readings(6), at(2), theirs(&[C]));
    assert_eq!(others(&sampler.frame(false)), (Who::Others(2), 2));
    sampler.take(readings(8), at(3), theirs(&[A, C]));
    let frame = sampler.frame(false);
    assert_eq!(of(&frame, A), None);
    assert_eq!(others(&frame), (Who::Others(2), 4));

    // What ends counts on where it was.
    let _ = sampler.let_go(&[B, C]);
    let total = sampler.frame(true);
    assert_eq!(others(&total), (Who::Others(1), 16));
    let ended = total.rows.iter().find(|row| row.who == Who::Ended(1));
    assert_eq!(ended.map(|row| row.calls), Some(8));
}

/// Whatever counters say, sums neither overflow nor fail.
#[test]
fn the_largest_numbers() {
    let most = group(
        [
            calls("read", FILE, 0, 1, u64::MAX),
            calls("write", FILE, 0, 1, u64::MAX),
        ],
        [
            counted(count::FRESH, 0, 0, 1, u64::MAX),
            counted(count::ZEROED, 0, 0, 1, u64::MAX),
        ],
    );
    let mut both = most.clone();
    both.merge(&most);
    let row = concluded(&both);
    assert_eq!(row.copied.bytes, u64::MAX);
    let _ = row.crossings();
}
