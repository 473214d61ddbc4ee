//! What reading a recording costs, for `valgrind --tool=callgrind` and a stopwatch: makes recordings of known
//! size, and does one thing with one.
//!
//! ```text
//! offline make-calls N FILE     N reads of a file by one thread
//! offline make-threads N FILE   N threads with one call each
//! offline make-hostile N FILE   N bytes of headers that claim 16 MiB each
//! offline read|decode|reconstruct|jsonl FILE
//! offline write FILE            what `read` does, and a recording of it again, in memory
//! ```

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::exit;

use bytehop_core::arch::Arch;
use bytehop_core::decode::encode;
use bytehop_core::event::{Event, FileRef, Head, Meta, Start, Syscall};
use bytehop_core::reconstruct::{NoSink, Reconstructor};
use bytehop_core::record::format::{BlockHeader, CODEC_LZ4, FileHeader, Format, MAX_RAW, VERSION};
use bytehop_core::record::{Reader, Writer, open_events};
use bytehop_core::report;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn call(tid: u32, seq: u32, ts: u64) -> Event {
    let head = Head {
        tid,
        tgid: tid,
        seq,
        ts,
        ..Head::default()
    };
    let call = Syscall {
        head,
        // As even as times are.
        dur: 400 + u64::from(seq.wrapping_mul(0x9e37_79b1) >> 26),
        ret: 4096,
        args: [3, 0x7f00_0000_0000, 4096, 0, 0, 0],
    };
    let file = FileRef {
        ino: 99,
        dev: 8 << 20,
        magic: 0xef53,
        mode: 0o100_644,
        ..FileRef::default()
    };
    Event::Syscall {
        call,
        file: Some(file),
    }
}

fn make(path: &Path, n: u32, tid: impl Fn(u32) -> u32) -> Outcome {
    let mut writer = Writer::create(path)?;
    let start = Start {
        arch: "x86_64".into(),
        kernel: "6.12.0".into(),
        page_size: 4096,
        ..Start::default()
    };
    writer.meta(&Meta::Start(start))?;
    let mut record = Vec::new();
    for i in 0..n {
        record.clear();
        let tid = tid(i);
        let seq = if tid == 7 { i + 1 } else { 1 };
        encode(&call(tid, seq, u64::from(i) * 1000), &mut record);
        writer.record(&record)?;
    }
    writer.finish()?;
    Ok(())
}

fn hostile(path: &Path, n: u32) -> Outcome {
    let mut bytes = FileHeader {
        version: VERSION,
        codec: CODEC_LZ4,
        id: 1,
    }
    .encode()
    .to_vec();
    for number in 0..n / Format::Two.header() as u32 {
        let header = BlockHeader {
            format: Format::Two,
            id: 1,
            number,
            records: 1,
            raw_len: MAX_RAW as u32,
            stored_len: MAX_RAW as u32,
            ..BlockHeader::default()
        };
        header.encode(&mut bytes);
    }
    Ok(std::fs::write(path, bytes)?)
}

fn read(path: &Path) -> Outcome {
    let mut reader = Reader::open(path)?;
    let mut records = 0u64;
    while reader.next_record().is_some() {
        records += 1;
    }
    println!("{records} records, {} warnings", reader.warnings().len());
    Ok(())
}

fn write(path: &Path) -> Outcome {
    let mut reader = Reader::open(path)?;
    let mut writer = Writer::new(Vec::new(), path)?;
    while let Some(record) = reader.next_record() {
        writer.record(record)?;
    }
    println!("{} bytes", writer.finish()?.bytes);
    Ok(())
}

fn reconstruct(path: &Path) -> Outcome {
    let mut reconstructor = Reconstructor::new(Arch::X86_64);
    for event in open_events(path)? {
        reconstructor.push(&event, &mut NoSink);
    }
    println!("{} crossings", reconstructor.finish().crossings.total);
    Ok(())
}

fn jsonl(path: &Path) -> Outcome {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut lines = report::Lines::new(Arch::X86_64);
    for event in open_events(path)? {
        out.write_all(lines.event(&event))?;
    }
    out.write_all(lines.finish())?;
    Ok(out.flush()?)
}

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["make-calls", n, file] => make(Path::new(file), n.parse()?, |_| 7),
        ["make-threads", n, file] => make(Path::new(file), n.parse()?, |i| i + 100),
        ["make-hostile", n, file] => hostile(Path::new(file), n.parse()?),
        ["read", file] => read(Path::new(file)),
        ["write", file] => write(Path::new(file)),
        ["decode", file] => {
            println!("{} events", open_events(Path::new(file))?.count());
            Ok(())
        }
        ["reconstruct", file] => reconstruct(Path::new(file)),
        ["jsonl", file] => jsonl(Path::new(file)),
        _ => {
            eprintln!("see the head of core/examples/offline.rs");
            exit(2);
        }
    }
}
