use std::collections::HashMap;
use std::time::Duration;

use tracer_ebpf::{Count, CountKey, FileRef, Proc, TopCell, count};

use super::{Column, View, line, table};
use crate::arch::Arch;
use crate::counters::NoHardware;
use crate::event::Start;
use crate::i18n::Lang;
use crate::report::Style;
use crate::top::conclude::{Context, row};
use crate::top::group::{CallKey, Group};
use crate::top::{Frame, Lost, More, Row, Who};

/// A program that reads a file, and touches memory.
fn frame() -> Frame {
    let file = FileRef {
        mode: 0o100001,
        magic: 0xEF53,
        ..FileRef::NONE
    };
    let key = CallKey {
        nr: Arch::X86_64.syscall_number("read").expect("a call"),
        class: 1,
        ..CallKey::default()
    };
    let cell = TopCell {
        calls: 1000,
        errors: 0,
        bytes: 3 << 20,
    };
    let counted = |what, count, bytes| {
        let key = CountKey {
            what,
            flags: 0,
            id: 0,
        };
        (key, Count { count, bytes })
    };
    let group = Group {
        calls: HashMap::from([(key, cell)]),
        counts: HashMap::from([
            counted(count::ZEROED, 3, 12288),
            counted(count::FRESH, 1, 4096),
            counted(count::FAULT, 10, 0),
        ]),
    };
    let mut context = Context {
        arch: Arch::X86_64,
        hardware: Box::new(NoHardware),
        faults: true,
        receives: true,
        missing: Vec::new(),
    };
    let files = HashMap::from([(1, file)]);
    let reader = Row {
        who: Who::Process(Proc { tgid: 42, start: 7 }),
        name: "reader".into(),
        command: "./reader \x1b[31m big.bin".into(),
        ..row(&group, &files, &Lost::default(), &mut context)
    };
    let idle = Row {
        who: Who::Process(Proc { tgid: 1, start: 1 }),
        name: "init".into(),
        ..row(&Group::default(), &files, &Lost::default(), &mut context)
    };
    Frame {
        round: 1,
        realtime_ns: 5,
        interval: Duration::from_secs(2),
        total: false,
        rows: vec![idle, reader],
        lost: Lost {
            skipped: 2,
            ..Lost::default()
        },
    }
}

#[test]
fn text() {
    let style = Style::default();
    let text = table(&frame(), &View::default(), &[], &style);
    assert_eq!(
        text,
        "\
bytehop top · per second over 2.00 s · 1 of 2 processes active · level T
2 events not seen: their probe was busy
     pid  cross/s faults/s  copied/s     DMA/s by ref./s  zeroed/s process
      42    1,010        5 ⇢1.50MiB+                          6KiB reader
⇢ some of it inferred by a rule; + there may be more; ? not known; blank: none
"
    );
    let style = Style {
        lang: Lang::Zh,
        width: 120,
        ascii: true,
        ..style
    };
    let frame = Frame {
        total: true,
        ..frame()
    };
    let text = table(&frame, &View::default(), &[], &style);
    assert!(
        text.contains("~>3MiB+") && text.contains("12.0KiB"),
        "{text}"
    );
    // Nothing of a command line acts on the terminal.
    assert!(
        text.contains("./reader") && !text.contains('\x1b'),
        "{text}"
    );
    assert!(
        text.lines()
            .all(|line| crate::report::layout::width(line) <= 120)
    );
}

#[test]
fn json() {
    let frame = frame();
    let view = View::default();
    let value = line(&frame, &view.rows(&frame), &Start::default());
    assert_eq!(value["interval_ns"], 2_000_000_000u64);
    assert_eq!(value["lost"]["skipped"], 2);
    let rows = value["processes"].as_array().expect("rows");
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(
        (row["pid"].as_u64(), row["comm"].as_str()),
        (Some(42), Some("reader"))
    );
    assert_eq!(row["crossings"]["total"], 2020);
    assert_eq!(row["crossings"]["page_fault"], 20);
    assert_eq!(row["copied"]["bytes"], 3 << 20);
    assert_eq!(row["copied"]["inferred_bytes"], 3 << 20);
    assert_eq!(row["copied"]["at_most"], (3 << 20) + 4096);
    assert_eq!(row["filled"]["at_most"], 12288);
    assert_eq!(row["unknown"][0]["what"], "fresh_pages");
    let hops = row["hops"].as_array().expect("hops");
    let rule = hops
        .iter()
        .find(|hop| hop["kind"] == "copy")
        .expect("a copy");
    assert_eq!(rule["rule"], "read-returns-copied");
    assert!(rule.get("probe").is_none());
    assert_eq!(row["syscalls"][0]["calls"], 1000);
}

#[test]
fn columns_by_name() {
    for column in Column::ALL {
        assert_eq!(column.key().parse(), Ok(column));
    }
    assert!("size".parse::<Column>().is_err());
}

#[test]
fn the_smallest_first() {
    let frame = frame();
    let view = View {
        reverse: true,
        idle: true,
        ..View::default()
    };
    let names: Vec<_> = view
        .rows(&frame)
        .iter()
        .map(|row| row.name.clone())
        .collect();
    assert_eq!(names, ["reader", "init"]);
}

#[path = "../../../tests/common/python.rs"]
mod python;
#[path = "../../../tests/common/schema.rs"]
mod schema;

/// `docs/schema/top.schema.json` describes every kind of row.
#[test]
fn lines_follow_their_schema() {
    let mut frame = frame();
    let busy = frame.rows[0].clone();
    for who in [Who::Kernel, Who::Ended(3), Who::Others(7)] {
        frame.rows.push(Row {
            who,
            ..busy.clone()
        });
    }
    frame.rows[1].faults = None;
    frame.rows[1].ended = true;
    for (row, more) in frame
        .rows
        .iter_mut()
        .zip([More::Nothing, More::UpTo(9), More::Unbounded])
    {
        row.copied.more = more;
    }
    let rows: Vec<&Row> = frame.rows.iter().collect();
    let start = Start {
        missing: vec![("rss_stat".into(), "not here".into())],
        ..Start::default()
    };
    let dir = tempfile::tempdir().expect("a directory");
    let text = line(&frame, &rows, &start).to_string();
    std::fs::write(dir.path().join("top.jsonl"), text).expect("written");
    schema::follows(dir.path());
}
