use tracer_ebpf::kind;

use super::*;
use crate::catalogue::{ProbeId, RuleId};
use crate::histogram::Histogram;
use crate::model::Place;

fn row(kind: HopKind, from: Place, to: Place) -> HopRow {
    HopRow {
        kind,
        from,
        to,
        count: 1,
        bytes: 4096,
        evidence: Evidence::Inferred(RuleId::ReadReturnsCopied),
        deferred: false,
        engine: None,
        cpu_ns: None,
        sizes: Histogram::default(),
        times: Histogram::default(),
    }
}

/// A run that read a file from a disk, sent it, and touched memory.
fn run() -> Summary {
    use HopKind::{Copy, Dma, Fill};
    let disk = || Place::Device("vda".to_owned());
    Summary {
        hops: vec![
            row(Dma, disk(), Place::PageCache),
            row(Dma, Place::PageCache, disk()),
            row(Copy, Place::PageCache, Place::User),
            row(Copy, Place::User, Place::Socket),
            row(Fill, Place::Zero, Place::User),
        ],
        ..Summary::default()
    }
}

fn nr(name: &str) -> u16 {
    Arch::X86_64.syscall_number(name).expect("a call")
}

#[derive(Default)]
struct Cause<'a> {
    missing: &'a [&'a str],
    skipped: &'a [&'a str],
    /// Kind, how many, of them calls by name.
    lost: &'a [(u8, u64)],
    lost_calls: &'a [(&'a str, u64)],
    cut: [Cut; 2],
    notices: Vec<Notice>,
}

/// The totals that these causes mark in `summary`.
fn of(mut summary: Summary, cause: Cause<'_>) -> Vec<String> {
    let text = |name: &&str| (String::from(*name), "EPERM".to_owned());
    summary.missing_probes = cause.missing.iter().map(text).collect();
    summary.lost_by_kind = cause
        .lost
        .iter()
        .map(|(kind, n)| (KIND_NAMES[usize::from(*kind)].to_owned(), *n))
        .collect();
    summary.warnings = cause.notices;
    let skipped: Vec<_> = cause
        .skipped
        .iter()
        .map(|p| (String::from(*p), 3))
        .collect();
    let lost_calls: Vec<_> = cause.lost_calls.iter().map(|(c, n)| (nr(c), *n)).collect();
    let [begin, end] = &cause.cut;
    let causes = Causes {
        arch: Arch::X86_64,
        skipped: &skipped,
        lost_calls: &lost_calls,
        cut: [begin, end],
        unknown: &[],
    };
    mark(&mut summary, &causes);
    summary.at_least
}

const NONE: [&str; 0] = [];
const DISK: [&str; 2] = ["dma device:vda->page_cache", "dma page_cache->device:vda"];
const CALLS: [&str; 4] = [
    "copy",
    "copy page_cache->user",
    "copy user->socket",
    "share",
];

#[test]
fn a_whole_run_has_no_such_total() {
    assert_eq!(of(run(), Cause::default()), NONE);
}

#[test]
fn a_hook_that_is_absent() {
    let absent = |hook: &str| {
        of(
            run(),
            Cause {
                missing: &[hook],
                ..Cause::default()
            },
        )
    };
    assert_eq!(absent("tp:block_rq_complete"), DISK);
    assert_eq!(absent("tp:mm_page_alloc"), ["fill zero->user"]);
    assert_eq!(absent("tp:writeback_dirty_folio"), [DISK[1]]);
    assert_eq!(absent("tp:net_dev_start_xmit"), ["dma"]);
    assert_eq!(absent("field rq_len"), DISK);
    // Rules stand in, or it feeds no number of bytes.
    for hook in [
        "tp:skb_copy_datagram_iovec",
        "fexit:filemap_read",
        "tp:sched_switch",
        "functions (level F)",
        "breakpoints (level B)",
        "bp:_copy_to_iter",
        "of tomorrow",
    ] {
        assert_eq!(absent(hook), NONE, "{hook}");
    }
    // No ring, no requests.
    assert_eq!(absent("tp:io_uring_complete"), NONE);
    let mut ring = run();
    ring.syscalls.push(crate::model::SyscallRow {
        name: "io_uring_enter".to_owned(),
        ..Default::default()
    });
    let cause = Cause {
        missing: &["tp:io_uring_complete"],
        ..Cause::default()
    };
    assert_eq!(of(ring, cause), CALLS);
}

#[test]
fn a_program_that_the_kernel_skipped() {
    let skipped = |program: &str| {
        of(
            run(),
            Cause {
                skipped: &[program],
                ..Cause::default()
            },
        )
    };
    let calls = [
        "copy",
        "copy page_cache->user",
        "copy user->socket",
        "fill zero->user",
        "share",
    ];
    assert_eq!(skipped("sys_exit"), calls);
    assert_eq!(skipped("sys_enter_again"), calls);
    assert_eq!(skipped("block_bio_complete"), DISK);
    assert_eq!(skipped("skb_copy_datagram_iovec"), ["copy socket->user"]);
    assert_eq!(
        skipped("filemap_read"),
        ["copy page_cache->kernel", "copy page_cache->user"]
    );
    assert_eq!(skipped("pipe_read_in"), ["copy pipe->user"]);
    assert_eq!(
        skipped("vfs_clone_file_range"),
        ["share page_cache->page_cache"]
    );
    assert_eq!(skipped("copy_to_iter"), CALLS[..3]);
    assert_eq!(skipped("sched_switch"), NONE);
    // The row that the function itself measured, wherever it is.
    let mut sent = run();
    sent.hops.push(HopRow {
        evidence: Evidence::Measured(ProbeId::Function(FunctionId::skb_splice_from_iter)),
        ..row(HopKind::Share, Place::PageCache, Place::Socket)
    });
    let cause = Cause {
        skipped: &["skb_splice_from_iter"],
        ..Cause::default()
    };
    assert!(of(sent, cause).contains(&"share page_cache->socket".to_owned()));
}

#[test]
fn lost_records_of_a_kind() {
    let lost = |kind: u8| {
        of(
            run(),
            Cause {
                lost: &[(kind, 2)],
                ..Cause::default()
            },
        )
    };
    assert_eq!(lost(kind::BLOCK), DISK);
    assert_eq!(lost(kind::DIRTY), [DISK[1]]);
    assert_eq!(lost(kind::XMIT), ["dma"]);
    assert_eq!(
        lost(kind::FAULT),
        [
            "copy page_cache->user",
            "copy user->user",
            "fill zero->user",
            "map"
        ]
    );
    assert_eq!(lost(kind::SWITCH), NONE);
    assert_eq!(lost(0).len(), 10, "of no known kind: any");
    // Calls that were lost are known by number.
    let calls = |lost_calls: &[(&str, u64)], n| {
        of(
            run(),
            Cause {
                lost: &[(kind::SYSCALL_FILE, n)],
                lost_calls,
                ..Cause::default()
            },
        )
    };
    assert_eq!(calls(&[("futex", 5)], 5), NONE);
    assert_eq!(calls(&[("read", 5)], 5), ["copy page_cache->user"]);
    assert_eq!(calls(&[("sendfile", 1), ("futex", 1)], 2), CALLS);
    assert!(calls(&[("futex", 5)], 6).contains(&"dma device:vda->page_cache".to_owned()));
}

#[test]
fn a_call_that_was_cut() {
    let cut = |calls: &[&str], unknown| {
        let mut cut = Cut {
            unknown,
            ..Cut::default()
        };
        calls.iter().for_each(|name| cut.add(nr(name)));
        cut
    };
    let at = |begin, end| {
        of(
            run(),
            Cause {
                cut: [begin, end],
                ..Cause::default()
            },
        )
    };
    assert_eq!(at(cut(&["epoll_wait", "futex"], 0), Cut::default()), NONE);
    assert_eq!(
        at(cut(&["pread64"], 0), Cut::default()),
        ["copy page_cache->user"]
    );
    assert_eq!(
        at(Cut::default(), cut(&["sendto"], 0)),
        ["copy user->socket", "share"]
    );
    // Whatever it was, it was like the others.
    assert_eq!(at(cut(&[], 1), Cut::default()), CALLS[1..3]);
    let idle = of(
        Summary::default(),
        Cause {
            cut: [cut(&[], 1), Cut::default()],
            ..Cause::default()
        },
    );
    assert_eq!(idle, NONE);
    let read_of_an_idle_run = of(
        Summary::default(),
        Cause {
            cut: [cut(&["read"], 0), Cut::default()],
            ..Cause::default()
        },
    );
    assert_eq!(read_of_an_idle_run, ["copy"]);
}

#[test]
fn what_the_trace_says_of_itself() {
    let said = |notice| {
        of(
            run(),
            Cause {
                notices: vec![notice],
                ..Cause::default()
            },
        )
    };
    assert_eq!(
        said(Notice::UnsizedMessages(2)),
        ["copy socket->user", "copy user->socket"]
    );
    assert_eq!(
        said(Notice::UnsizedReflinks(2)),
        ["share page_cache->page_cache"]
    );
    assert_eq!(said(Notice::Scattered(2)), [DISK[1]]);
    assert_eq!(said(Notice::Stopped), NONE);
    // A recording that is damaged, found after the sums were made.
    let mut damaged = run();
    damaged.warn(Notice::from(Warning::Gap {
        offset: 1,
        bytes: 2,
        blocks: 1,
        records: 9,
    }));
    assert_eq!(damaged.at_least.len(), 10);
    assert!(HopKind::ALL.iter().all(|kind| damaged.is_at_least(*kind)));
    assert!(damaged.hops.iter().all(|row| damaged.is_row_at_least(row)));
}

#[test]
fn every_kind_of_hop_is_told_by_its_word() {
    let mut summary = run();
    summary.at_least = vec!["copy page_cache->user".to_owned(), "map".to_owned()];
    let marked = HopKind::ALL.map(|kind| summary.is_at_least(kind));
    assert_eq!(marked, [true, false, false, true, false]);
    let rows: Vec<_> = summary
        .hops
        .iter()
        .map(|row| summary.is_row_at_least(row))
        .collect();
    assert_eq!(rows, [false, false, true, false, false]);
}
