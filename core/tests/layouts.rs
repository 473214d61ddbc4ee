//! Recordings of every layout of the records that there ever was can be opened, and say what they said.
//!
//! `layouts/N.bhop` holds one record of each kind as bytehop wrote it then, each byte different from its
//! neighbours; `layouts/N.txt` is what was read from it. A change of a record's size (a new kind, a new
//! format of recordings) needs the next number: `BYTEHOP_BLESS=1 cargo test -p bytehop-core --test layouts` writes it. No file that is
//! there is ever written again.

use std::fs;
use std::path::{Path, PathBuf};

use bytehop_core::decode::{DecodeError, decode, encode};
use bytehop_core::event::{End, Event, Meta, Start};
use bytehop_core::record::format::VERSION;
use bytehop_core::record::{Reader, Writer, open_events};

/// Longer than any record.
const ROOM: usize = 4096;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layouts")
}

/// The record of each kind, as it is written today.
fn records() -> Vec<Vec<u8>> {
    (1..128u8)
        .filter_map(|kind| {
            let mut bytes: Vec<u8> = (0..ROOM).map(|at| (at * 7 + at / 251) as u8).collect();
            bytes[0] = kind;
            // The length of a path: what follows it, where the record has none.
            bytes[40..44].copy_from_slice(&9u32.to_le_bytes());
            if kind == 12 {
                bytes[48..57].copy_from_slice(b"/tmp/file");
            }
            match decode(&bytes) {
                Err(DecodeError::UnknownKind(_)) => None,
                event => {
                    let mut out = Vec::new();
                    encode(&event.expect("bytes enough"), &mut out);
                    Some(out)
                }
            }
        })
        .collect()
}

fn write(path: &Path) {
    let mut writer = Writer::create(path).expect("a file");
    let start = Start {
        command: vec!["cat".into(), "file".into()],
        ..Start::default()
    };
    writer.meta(&Meta::Start(start)).expect("written");
    for record in records() {
        writer.record(&record).expect("written");
    }
    let end = End {
        exit_status: Some(0),
        ..End::default()
    };
    writer.meta(&Meta::End(end)).expect("written");
    writer.finish().expect("written");
}

/// The records of the kernel in a recording.
fn kernel_records(path: &Path) -> Vec<Vec<u8>> {
    let mut reader = Reader::open(path).expect("a recording");
    let mut records = Vec::new();
    while let Some(record) = reader.next_record() {
        if record[0] < 128 {
            records.push(record.to_vec());
        }
    }
    assert_eq!(reader.warnings(), []);
    records
}

/// The format of a recording.
fn version(path: &Path) -> u16 {
    let bytes = fs::read(path).expect("a recording");
    u16::from_le_bytes([bytes[8], bytes[9]])
}

/// What is read, a line for each event. Later versions add fields and text to this, and take none away.
fn text(path: &Path) -> String {
    let mut events = open_events(path).expect("a recording");
    let lines: Vec<String> = events
        .by_ref()
        .filter(|event| !matches!(event, Event::Meta(_)))
        .map(|event| format!("{event:?}\n"))
        .collect();
    assert_eq!(events.warnings(), [], "{}", path.display());
    lines.concat()
}

/// The fields of a line of [`text`], without what encloses them.
fn fields(line: &str) -> impl Iterator<Item = &str> {
    line.split([',', '{', '}', '(', ')']).map(str::trim)
}

#[test]
fn every_layout_opens() {
    let numbers = 1..;
    let path = |n: u32, end: &str| folder().join(format!("{n}.{end}"));
    let last = numbers
        .take_while(|n| path(*n, "bhop").exists())
        .inspect(|n| {
            let now = text(&path(*n, "bhop"));
            let then = fs::read_to_string(path(*n, "txt")).expect("what was read then");
            assert_eq!(now.lines().count(), then.lines().count(), "layout {n}");
            for (now, then) in now.lines().zip(then.lines()) {
                let mut now_fields = fields(now);
                for field in fields(then) {
                    assert!(
                        now_fields.any(|now| now == field),
                        "layout {n}: {field} of\n{then}\nis not in\n{now}"
                    );
                }
            }
        })
        .last()
        .unwrap_or_default();
    let today = records();
    let last_path = path(last, "bhop");
    if last > 0 && version(&last_path) == VERSION && kernel_records(&last_path) == today {
        return;
    }
    assert!(
        std::env::var_os("BYTEHOP_BLESS").is_some(),
        "records or recordings have a new layout: BYTEHOP_BLESS=1 keeps a recording of it"
    );
    let next = last + 1;
    write(&path(next, "bhop"));
    fs::write(path(next, "txt"), text(&path(next, "bhop"))).expect("written");
}
