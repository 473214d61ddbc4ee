//! Summaries made by hand, as real runs give them.

use crate::catalogue::{Method, ProbeId, RuleId, Subject, Tracepoint};
use crate::event::{DeviceClass, Engine};
use crate::histogram::Histogram;
use crate::ledger::{Ledger, OpenRow, Unaccounted};
use crate::model::{
    Claim, ContextSwitches, Crossings, DeviceRow, Disagreement, Evidence, HopKind, HopRow,
    IoTotals, Known, PageFaults, Place, ProcessRow, Summary, SyscallRow, Waits,
};
use crate::notice::Notice;
use crate::record::Warning;

/// How a row is known: a probe, or a rule after a `rule:`.
fn row(kind: HopKind, from: Place, to: Place, count: u64, bytes: u64, by: &str) -> HopRow {
    let evidence = match by.strip_prefix("rule:") {
        Some(rule) => Evidence::Inferred(RuleId::of_name(rule).expect("a rule")),
        None => Evidence::Measured(ProbeId::of_label(by).expect("a probe")),
    };
    HopRow {
        kind,
        from,
        to,
        count,
        bytes,
        evidence,
        deferred: false,
        engine: None,
        cpu_ns: None,
        sizes: alike(count, bytes / count.max(1)),
        times: Histogram::default(),
    }
}

/// So many of one value.
fn alike(count: u64, value: u64) -> Histogram {
    let mut histogram = Histogram::default();
    (0..count).for_each(|_| histogram.add(value));
    histogram
}

fn dma(from: Place, to: Place, count: u64, bytes: u64, engine: Engine) -> HopRow {
    HopRow {
        engine: Some(engine),
        times: alike(count, 120_000),
        ..row(HopKind::Dma, from, to, count, bytes, "tp:block_rq_complete")
    }
}

fn call(name: &str, calls: u64, errors: u64, bytes: u64) -> SyscallRow {
    SyscallRow {
        name: name.into(),
        calls,
        errors,
        bytes,
        time_ns: calls * 1_700 + bytes / 12,
        time_evidence: Known::Measured,
        sizes: alike(if bytes > 0 { calls } else { 0 }, bytes / calls.max(1)),
        times: alike(calls, 1_700),
    }
}

fn device(
    name: &str,
    class: DeviceClass,
    engine: Engine,
    driver: &str,
    read: u64,
    write: u64,
) -> DeviceRow {
    DeviceRow {
        name: name.into(),
        class,
        engine,
        driver: driver.into(),
        read_bytes: read,
        write_bytes: write,
        mapped_bytes: 0,
    }
}

fn run(command: &[&str], calls: u64, faults: u64) -> Summary {
    Summary {
        schema: 1,
        bytehop: "0.1.0".into(),
        kernel: "6.12.95+deb12-amd64".into(),
        arch: "x86_64".into(),
        level: "T".into(),
        command: command.iter().map(|arg| (*arg).to_owned()).collect(),
        exit_status: Some(0),
        duration_ns: 1_234_567,
        crossings: Crossings {
            total: 2 * (calls + faults),
            syscall: 2 * calls,
            page_fault: 2 * faults,
            interrupt: Some(6),
        },
        page_faults: PageFaults {
            minor: faults + 3,
            major: 1,
            mapped_pages: faults * 9,
            user: faults,
        },
        ..Summary::default()
    }
}

const START: [(&str, u64, u64, u64); 8] = [
    ("execve", 1, 0, 0),
    ("brk", 3, 0, 0),
    ("mmap", 9, 0, 0),
    ("access", 1, 1, 0),
    ("openat", 3, 0, 0),
    ("newfstatat", 3, 0, 0),
    ("mprotect", 3, 0, 0),
    ("munmap", 1, 0, 0),
];

fn calls(own: &[(&str, u64, u64, u64)]) -> Vec<SyscallRow> {
    own.iter()
        .chain(&START)
        .map(|(name, n, errors, bytes)| call(name, *n, *errors, *bytes))
        .collect()
}

fn loader() -> Vec<HopRow> {
    vec![
        row(
            HopKind::Map,
            Place::PageCache,
            Place::User,
            38,
            684 << 10,
            "tp:mm_filemap_map_pages",
        ),
        row(
            HopKind::Fill,
            Place::Zero,
            Place::User,
            33,
            132 << 10,
            "rule:first-touch-zeroed",
        ),
        row(
            HopKind::Copy,
            Place::PageCache,
            Place::User,
            7,
            28 << 10,
            "rule:private-file-write-copied",
        ),
    ]
}

const MIB: u64 = 1 << 20;

/// `cat` of a file that was not in the page cache.
pub fn cat_cold() -> Summary {
    let mut hops = loader();
    hops.push(row(
        HopKind::Copy,
        Place::PageCache,
        Place::User,
        8,
        MIB,
        "rule:read-returns-copied",
    ));
    hops.push(row(
        HopKind::Copy,
        Place::User,
        Place::Pipe,
        8,
        MIB,
        "rule:write-copied",
    ));
    let disk = Place::Device("vda".into());
    hops.push(dma(
        disk,
        Place::PageCache,
        9,
        1_179_648,
        Engine::Paravirtual,
    ));
    Summary {
        hops,
        syscalls: calls(&[
            ("read", 10, 0, MIB + 832),
            ("write", 8, 0, MIB),
            ("close", 5, 0, 0),
            ("fadvise64", 1, 0, 0),
        ]),
        ledger: Ledger::of(2 * MIB + 832, Vec::new()),
        never_returned: vec![("exit_group".into(), 1)],
        context_switches: ContextSwitches {
            voluntary: 4,
            involuntary: 1,
        },
        waits: Waits {
            count: 4,
            time_ns: 6_100_000,
            device_ns: 5_800_000,
        },
        devices: vec![device(
            "vda",
            DeviceClass::Block,
            Engine::Paravirtual,
            "virtio_blk",
            1_179_648,
            0,
        )],
        metadata_io: IoTotals {
            read_requests: 2,
            read_bytes: 8192,
            ..IoTotals::default()
        },
        cpu_ns: Some(1_900_000),
        duration_ns: 12_400_000,
        ..run(&["cat", "big.bin"], 47, 62)
    }
}

/// `sendfile` to a client on the same machine, the file on an NVMe disk.
pub fn sendfile_loopback() -> Summary {
    let share = row(
        HopKind::Share,
        Place::PageCache,
        Place::Socket,
        18,
        64 * MIB,
        "rule:sendfile-shared",
    );
    let disk = dma(
        Place::Device("nvme0n1".into()),
        Place::PageCache,
        512,
        64 * MIB,
        Engine::Hardware,
    );
    let lo = HopRow {
        evidence: Evidence::tracepoint(Tracepoint::net_dev_start_xmit),
        deferred: true,
        ..dma(
            Place::Socket,
            Place::Nic("lo".into()),
            1100,
            64 * MIB + 72_600,
            Engine::Software,
        )
    };
    Summary {
        hops: vec![share, lo, disk],
        syscalls: calls(&[
            ("sendfile", 18, 0, 64 * MIB),
            ("accept4", 2, 1, 0),
            ("socket", 1, 0, 0),
            ("listen", 1, 0, 0),
        ]),
        never_returned: vec![("accept4".into(), 1)],
        devices: vec![
            device(
                "nvme0n1",
                DeviceClass::Block,
                Engine::Hardware,
                "nvme",
                64 * MIB,
                0,
            ),
            device(
                "lo",
                DeviceClass::Net,
                Engine::Software,
                "",
                0,
                64 * MIB + 72_600,
            ),
        ],
        exit_status: Some(130),
        duration_ns: 2_345_000_000,
        missing_probes: vec![(
            "tp:rss_stat".into(),
            "Linux 6.1 does not pass the member".into(),
        )],
        ..run(
            &[
                "./sendfile-server",
                "--port",
                "8080",
                "--root",
                "/srv/a directory with a long name/files/of/the/day",
            ],
            46,
            0,
        )
    }
}

/// `write` and `fsync`, and more that stays dirty.
pub fn write_fsync() -> Summary {
    let disk = || Place::Device("sda".into());
    let later = HopRow {
        deferred: true,
        ..dma(Place::PageCache, disk(), 3, 786_432, Engine::Unknown)
    };
    Summary {
        hops: vec![
            row(
                HopKind::Copy,
                Place::User,
                Place::PageCache,
                256,
                MIB,
                "rule:write-copied",
            ),
            row(
                HopKind::Fill,
                Place::Zero,
                Place::User,
                35,
                140 << 10,
                "rule:first-touch-zeroed",
            ),
            dma(Place::PageCache, disk(), 1, 262_144, Engine::Unknown),
            later,
        ],
        syscalls: calls(&[("write", 256, 0, MIB), ("fsync", 1, 0, 0)]),
        dirty_bytes: 256 << 10,
        metadata_io: IoTotals {
            write_requests: 3,
            write_bytes: 12_288,
            ..IoTotals::default()
        },
        unattributed: IoTotals {
            read_requests: 1,
            read_bytes: 4096,
            write_requests: 2,
            write_bytes: 16_384,
        },
        devices: vec![device(
            "sda",
            DeviceClass::Block,
            Engine::Unknown,
            "sd",
            0,
            MIB,
        )],
        waits: Waits {
            count: 3,
            time_ns: 41_000_000,
            device_ns: 40_200_000,
        },
        context_switches: ContextSwitches {
            voluntary: 3,
            involuntary: 0,
        },
        disagreements: vec![Disagreement {
            what: Subject::Written,
            by_requests: false,
            expected: MIB,
            found: MIB - 4096,
            claim: Claim::Rule(RuleId::WriteCopied),
            skipped: Vec::new(),
        }],
        ..run(&["./copy", "--fsync", "out.bin"], 281, 35)
    }
}

/// A shell pipeline.
pub fn pipeline() -> Summary {
    let process = |pid, comm: &str, ppid, syscalls, copied| ProcessRow {
        pid,
        comm: comm.into(),
        ppid,
        syscalls,
        user_faults: syscalls / 2,
        copied,
    };
    let mut hops = loader();
    hops.push(row(
        HopKind::Copy,
        Place::PageCache,
        Place::User,
        321,
        40 * MIB,
        "rule:read-returns-copied",
    ));
    hops.push(row(
        HopKind::Copy,
        Place::User,
        Place::Pipe,
        620,
        40 * MIB,
        "rule:write-copied",
    ));
    hops.push(row(
        HopKind::Copy,
        Place::Pipe,
        Place::User,
        1240,
        40 * MIB,
        "rule:read-returns-copied",
    ));
    hops.push(row(
        HopKind::Copy,
        Place::User,
        Place::User,
        91,
        364 << 10,
        "rule:cow-fault-copied",
    ));
    let mut syscalls = calls(&[
        ("read", 1561, 0, 80 * MIB),
        ("write", 621, 0, 40 * MIB),
        ("clone", 3, 0, 0),
        ("wait4", 4, 1, 0),
        ("pipe2", 2, 0, 0),
        ("dup2", 4, 0, 0),
    ]);
    syscalls.extend((0..14).map(|i| call(&format!("rt_sig{i}"), 14 - i, 0, 0)));
    Summary {
        hops,
        syscalls,
        by_process: vec![
            process(4711, "sh", None, 214, 512 << 10),
            process(4712, "cat", Some(4711), 983, 80 * MIB),
            process(4713, "tr", Some(4711), 1322, 40 * MIB),
            process(4714, "wc", Some(4711), 88, 64 << 10),
        ],
        waits: Waits {
            count: 230,
            time_ns: 91_000_000,
            device_ns: 0,
        },
        context_switches: ContextSwitches {
            voluntary: 230,
            involuntary: 12,
        },
        duration_ns: 61_200_000,
        ..run(&["sh", "-c", "cat big.bin | tr a b | wc -l"], 2607, 402)
    }
}

/// The same `cat` through a ring buffer that was too small, and a recording cut off.
pub fn lossy() -> Summary {
    let lost_by_kind = [
        ("syscall_file", 1200),
        ("syscall", 34),
        ("block", 7),
        ("switch", 2),
    ];
    let mut summary = Summary {
        lost_events: 1243,
        lost_by_kind: lost_by_kind.map(|(kind, n)| (kind.to_owned(), n)).to_vec(),
        warnings: vec![Notice::Recording(Warning::CutOff {
            offset: 81_920,
            bytes: 0,
            records: 0,
        })],
        exit_status: None,
        ledger: Ledger::of(
            2 * MIB + 832,
            vec![OpenRow {
                call: "read".into(),
                bytes: 65_536,
                count: 1,
                why: Unaccounted::NoDevice,
            }],
        ),
        at_least: vec!["dma device:vda->page_cache".into()],
        ..cat_cold()
    };
    summary
        .hops
        .retain(|hop| hop.kind != HopKind::Copy && hop.kind != HopKind::Dma);
    summary.hops.push(HopRow {
        evidence: Evidence::Estimated(Method::CpuClock),
        ..row(
            HopKind::Fill,
            Place::Zero,
            Place::User,
            5,
            20_480,
            "tp:mm_page_alloc",
        )
    });
    summary
}

/// `true`.
pub fn empty() -> Summary {
    let mut hops = loader();
    hops.retain(|hop| hop.kind != HopKind::Copy);
    Summary {
        hops,
        syscalls: calls(&[]),
        never_returned: vec![("exit_group".into(), 1)],
        ..run(&["true"], 25, 57)
    }
}
