//! What is told of the counters: families of numbers, as OpenMetrics and OTLP both have them.

use bytehop_core::i18n::Lang;
use bytehop_core::model::Known;
use bytehop_core::unknown::What;

use crate::rows::{Counted, Group, KINDS, Rows, Totals};

/// What is told once.
#[derive(Clone, Debug, Default)]
pub struct About {
    pub bytehop: String,
    pub kernel: String,
    pub arch: String,
    pub level: String,
    pub host: String,
    /// Hooks that this kernel did not give, with the reason.
    pub missing: Vec<(String, String)>,
    /// Of the help texts.
    pub lang: Lang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    /// Of so-called things, as OTLP writes it.
    Things(&'static str),
    /// Shown in seconds.
    Nanoseconds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    /// Always 1: what is told stands in the labels.
    Info,
}

/// Numbers of one meaning.
#[derive(Debug)]
pub struct Family {
    /// Without unit and without `_total`.
    pub name: &'static str,
    pub unit: Unit,
    pub kind: Kind,
    pub help: [&'static str; 2],
    pub points: Vec<Point>,
}

#[derive(Debug)]
pub struct Point {
    pub labels: Vec<(&'static str, String)>,
    pub value: u64,
    /// It was zero then, ns since 1970.
    pub since_ns: u64,
}

/// Names and texts of the kinds of hops, in the order of [`KINDS`].
const BYTES: [(&str, [&str; 2]); KINDS.len()] = [
    (
        "copied",
        [
            "Bytes that the CPU copied in the kernel.",
            "CPU 在内核里拷贝的字节。",
        ],
    ),
    (
        "dma",
        [
            "Bytes that devices moved by DMA.",
            "设备用 DMA 传输的字节。",
        ],
    ),
    (
        "shared",
        [
            "Bytes passed on as references to pages.",
            "以页的引用传递的字节。",
        ],
    ),
    (
        "filled",
        [
            "Bytes of pages zeroed for the program.",
            "为程序清零的页的字节。",
        ],
    ),
];

type Count = (
    &'static str,
    &'static str,
    [&'static str; 2],
    fn(&Totals) -> u64,
);

const COUNTS: [Count; 3] = [
    (
        "crossings",
        "crossing",
        [
            "Changes between user and kernel mode: 2 for each system call that returned and each page fault in user mode.",
            "用户态与内核态之间的切换：每次返回的系统调用、每次用户态缺页各计 2 次。",
        ],
        |totals| totals.crossings,
    ),
    (
        "syscalls",
        "call",
        ["System calls that returned.", "已返回的系统调用。"],
        |totals| totals.calls,
    ),
    (
        "syscall_errors",
        "call",
        [
            "System calls that returned an error.",
            "返回错误的系统调用。",
        ],
        |totals| totals.errors,
    ),
];

const FAULTS: Count = (
    "page_faults",
    "fault",
    ["Page faults in user mode.", "用户态缺页。"],
    |totals| totals.faults,
);

/// All that is told.
pub fn families(rows: &Rows, about: &About) -> Vec<Family> {
    let mut all = vec![info(about)];
    for (i, (name, help)) in BYTES.into_iter().enumerate() {
        all.push(Family {
            name,
            unit: Unit::Bytes,
            kind: Kind::Counter,
            help,
            points: bytes(rows, i),
        });
    }
    let faults = rows.faults_are_known().then_some(FAULTS);
    for (name, thing, help, of) in COUNTS.into_iter().chain(faults) {
        let points = rows.groups().map(|(group, counted)| Point {
            labels: labels(rows, group),
            value: of(&counted.totals),
            since_ns: counted.since_ns,
        });
        all.push(Family {
            name,
            unit: Unit::Things(thing),
            kind: Kind::Counter,
            help,
            points: points.collect(),
        });
    }
    all.extend(what_is_not_told(rows, about));
    all
}

fn info(about: &About) -> Family {
    let labels = [
        ("version", &about.bytehop),
        ("kernel", &about.kernel),
        ("arch", &about.arch),
        ("level", &about.level),
    ];
    Family {
        name: "build",
        unit: Unit::Things("1"),
        kind: Kind::Info,
        help: [
            "What counts, and on which kernel.",
            "由哪个版本计数，在哪个内核上。",
        ],
        points: vec![Point {
            labels: labels.map(|(label, value)| (label, value.clone())).to_vec(),
            value: 1,
            since_ns: 0,
        }],
    }
}

/// Measured and inferred bytes are series of their own: a sum of both carries no evidence.
fn bytes(rows: &Rows, kind: usize) -> Vec<Point> {
    let of = |(group, counted): (&Group, &Counted)| {
        let [measured, inferred] = counted.totals.bytes[kind];
        [(Known::Measured, measured), (Known::Inferred, inferred)].map(|(known, value)| {
            let mut labels = labels(rows, group);
            labels.push(("evidence", known.word().to_owned()));
            Point {
                labels,
                value,
                since_ns: counted.since_ns,
            }
        })
    };
    rows.groups().flat_map(of).collect()
}

fn labels(rows: &Rows, group: &Group) -> Vec<(&'static str, String)> {
    let mut labels = vec![("what", group.what().to_owned())];
    labels.extend(
        group
            .name()
            .map(|name| (rows.key().label(), name.to_owned())),
    );
    labels
}

fn what_is_not_told(rows: &Rows, about: &About) -> [Family; 5] {
    let lost = rows.lost();
    let point = |kind: &str, value| Point {
        labels: vec![("kind", kind.to_owned())],
        value,
        since_ns: rows.begun_ns(),
    };
    let counter = |name, unit, help, points| Family {
        name,
        unit,
        kind: Kind::Counter,
        help,
        points,
    };
    [
        counter(
            "uncounted",
            Unit::Things("event"),
            [
                "What happened, and has bytes that no counter here tells (docs/top.md).",
                "发生过、但其字节不在任何计数器里的事（docs/zh/top.md）。",
            ],
            rows.unknown()
                .map(|(what, n)| point(name(what), n))
                .collect(),
        ),
        counter(
            "lost",
            Unit::Things("event"),
            [
                "What found no room in the kernel's tables, or was not seen because a probe was busy.",
                "内核中的表放不下、或因探针正忙而没有看到的事件。",
            ],
            vec![
                point("calls", lost.calls),
                point("counts", lost.counts),
                point("descriptors", lost.descriptors),
                point("skipped", lost.skipped),
            ],
        ),
        counter(
            "lost_calls",
            Unit::Bytes,
            [
                "Bytes that calls returned which found no room in the kernel's table.",
                "内核中的表放不下的调用所返回的字节。",
            ],
            vec![Point {
                labels: Vec::new(),
                value: lost.bytes,
                since_ns: rows.begun_ns(),
            }],
        ),
        Family {
            name: "missing_probe",
            unit: Unit::Things("1"),
            kind: Kind::Gauge,
            help: [
                "1 for each hook that this kernel did not give: what it measures is in no counter.",
                "此内核没有提供的挂接点，每个为 1：由它测量的不在任何计数器里。",
            ],
            points: about
                .missing
                .iter()
                .map(|(probe, why)| Point {
                    labels: vec![("probe", probe.clone()), ("reason", why.clone())],
                    value: 1,
                    since_ns: 0,
                })
                .collect(),
        },
        Family {
            name: "last_reading_timestamp",
            unit: Unit::Nanoseconds,
            kind: Kind::Gauge,
            help: [
                "When the kernel's counters were read last.",
                "最近一次读取内核计数器的时间。",
            ],
            points: vec![Point {
                labels: Vec::new(),
                value: rows.now_ns(),
                since_ns: 0,
            }],
        },
    ]
}

/// As JSON has it.
fn name(what: What) -> &'static str {
    match what {
        What::FreshPages => "fresh_pages",
        What::LargePages => "large_pages",
        What::Messages => "messages",
        What::UnknownFiles => "unknown_files",
        What::Undecided => "undecided",
        What::ZeroCopySends => "zero_copy_sends",
        What::OtherTable => "other_table",
        What::Received => "received",
        What::Requests => "requests",
        What::Faults => "faults",
        What::Arguments => "arguments",
    }
}
