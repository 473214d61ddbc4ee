//! The reader in `docs/recording.md`, another program in another language, reads what we read.

use std::fs;
use std::path::Path;
use std::process::Command;

use bytehop_core::decode::encode;
use bytehop_core::event::{Event, FileRef, Head, Meta, Start, Switch, Syscall};
use bytehop_core::record::format::Format;
use bytehop_core::record::{Reader, Writer};

const PYTHON: &str = "python3";

/// The program in the documents: the same in both languages.
fn program() -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let program = |name: &str| {
        let text = fs::read_to_string(docs.join(name)).expect("a document");
        let (_, rest) = text.split_once("```python\n").expect("a program");
        rest.split_once("```").expect("its end").0.to_owned()
    };
    let english = program("recording.md");
    assert_eq!(english, program("zh/recording.md"));
    english
}

/// A record of several threads, with what the packing treats apart: runs, noise, tails and kinds that nobody knows.
fn record(n: u64) -> Vec<u8> {
    let noise = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let head = Head {
        nr: (noise >> 60) as u16,
        tid: 100 + (n / 7 % 3) as u32,
        tgid: 100 + (n / 7 % 2) as u32,
        seq: n as u32,
        ts: 1_000_000 + 900 * n + (noise >> 58),
        ..Head::default()
    };
    let mut bytes = Vec::new();
    if n % 50 == 49 {
        bytes.extend([77; 30]);
        return bytes;
    }
    let call = Syscall {
        head,
        dur: noise >> 54,
        ret: if n.is_multiple_of(11) { -11 } else { 4096 },
        args: [n % 4, u64::MAX - n, 4096, n << 40, 0, noise],
    };
    let file = FileRef {
        ino: (1 << 33) | (n % 4),
        ..FileRef::default()
    };
    let event = match n % 9 {
        8 => Event::Switch(Switch {
            head,
            off: noise,
            ..Switch::default()
        }),
        7 => Event::Syscall { call, file: None },
        _ => Event::Syscall {
            call,
            file: Some(file),
        },
    };
    encode(&event, &mut bytes);
    bytes.resize(bytes.len() + usize::from(n % 13 == 12), 5);
    bytes
}

fn write(path: &Path, format: Format) {
    let file = fs::File::create(path).expect("a file");
    let mut writer = Writer::of_format(file, path, format).expect("written");
    let start = Start {
        command: vec!["cat".into()],
        ..Start::default()
    };
    writer.meta(&Meta::Start(start)).expect("written");
    for n in 0..3000 {
        writer.record(&record(n)).expect("written");
        if n % 1000 == 999 {
            writer.flush().expect("written");
        }
    }
    // Equal to the last: too dense for columns.
    for _ in 0..5000 {
        writer.record(&record(0)).expect("written");
    }
    writer.finish().expect("written");
}

/// The kernel's records, as the program prints them.
fn lines(path: &Path) -> Vec<String> {
    let mut reader = Reader::open(path).expect("a recording");
    let (mut lines, mut number) = (Vec::new(), 0);
    while let Some(record) = reader.next_record() {
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
        if let (1..128, Some((head, rest))) = (record[0], record.split_first_chunk::<24>()) {
            let int = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| head[at + i]));
            let ts = u64::from(int(20)) << 32 | u64::from(int(16));
            let nr = u16::from_le_bytes([head[2], head[3]]);
            let (kind, flags, tid, tgid) = (head[0], head[1], int(4), int(8));
            let (seq, rest) = (int(12), hex(rest));
            lines.push(format!(
                "{number} {kind} {flags} {nr} {tid} {tgid} {seq} {ts} {rest}"
            ));
        }
        number += 1;
    }
    lines
}

#[test]
fn the_reader_in_the_document_reads_what_we_read() {
    if Command::new(PYTHON).arg("-c").arg("").output().is_err() {
        not_run("python3 is missing");
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let script = dir.path().join("reader.py");
    fs::write(&script, program()).expect("written");
    for format in Format::ALL {
        let path = dir.path().join("t.bhop");
        write(&path, format);
        let run = Command::new(PYTHON).arg(&script).arg(&path).output();
        let out = run.expect("it runs");
        let error = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{error}");
        let text = String::from_utf8(out.stdout).expect("text");
        let theirs: Vec<&str> = text.lines().filter(|line| !line.contains('{')).collect();
        let ours = lines(&path);
        assert!(ours.len() > 7000);
        assert!(theirs == ours, "{format:?}");
    }
}

/// Says that this was not tested.
fn not_run(reason: &str) {
    use std::io::Write;
    let name = "the_reader_in_the_document_reads_what_we_read";
    if let Some(list) = std::env::var_os("BYTEHOP_NOT_RUN")
        && let Ok(mut list) = fs::OpenOptions::new().append(true).create(true).open(list)
    {
        let _ = writeln!(list, "{name}: {reason}");
    }
}
