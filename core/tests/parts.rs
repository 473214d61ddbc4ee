//! Parts of recordings (`--from`, `--to`): together they are the whole, and blocks that are passed over
//! change nothing.

mod common;

use std::path::Path;

use bytehop_core::arch::Arch;
use bytehop_core::model::Summary;
use bytehop_core::reconstruct::{NoSink, summarise};
use bytehop_core::record::{Events, Reader, Span, Writer};
use bytehop_core::report;
use common::recordings;

const NAME: &str = "part.bhop";

/// The same records in the format of today, in small blocks.
fn rewritten(path: &Path) -> Vec<u8> {
    let mut reader = Reader::open(path).expect("a recording");
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, Path::new(NAME)).expect("written");
    let mut records = 0;
    while let Some(record) = reader.next_record() {
        writer.record(record).expect("written");
        records += 1;
        if records % 40 == 0 {
            writer.flush().expect("written");
        }
    }
    writer.finish().expect("written");
    file
}

fn summary(file: &[u8], span: Option<Span>) -> Summary {
    let reader = Reader::new(std::io::Cursor::new(file), Path::new(NAME)).expect("a recording");
    let events = Events::new(reader).within(span);
    summarise(events, Arch::X86_64, &mut NoSink)
}

/// Calls, and faults taken in user mode.
fn counts(summary: &Summary) -> (u64, u64) {
    let calls = summary.syscalls.iter().map(|row| row.calls).sum();
    (calls, summary.page_faults.user)
}

/// When each call and each such fault happened, from the lines of the whole recording: `ts` counted from the start's.
fn times(file: &[u8]) -> [Vec<u64>; 2] {
    let reader = Reader::new(file, Path::new(NAME)).expect("a recording");
    let mut lines = report::Lines::new(Arch::X86_64);
    let (mut zero, mut times) = (0, [Vec::new(), Vec::new()]);
    for event in Events::new(reader) {
        for line in lines.event(&event).split(|byte| *byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<serde_json::Value>(line) else {
                continue;
            };
            let number = |key: &str| line[key].as_u64().unwrap_or_default();
            let mut flags = line["flags"].as_array().into_iter().flatten();
            let at = number("ts").saturating_sub(zero);
            match line["event"].as_str().expect("each line has one") {
                "start" => zero = number("monotonic_ns"),
                "syscall" => times[0].push(at),
                "fault" if !flags.any(|flag| flag == "kernel") => times[1].push(at),
                _ => {}
            }
        }
    }
    times
}

#[test]
fn parts_are_the_whole() {
    for path in recordings() {
        let name = path.display();
        let one = std::fs::read(&path).expect("a recording");
        let two = rewritten(&path);
        let whole = summary(&one, None);
        assert_eq!(
            report::json_string(&whole),
            report::json_string(&summary(&two, None)),
            "{name}"
        );
        let all = Span {
            from: 0,
            to: u64::MAX,
        };
        let length = summary(&two, Some(all)).duration_ns;
        // Most of the calls come late, long after tracing began: where there are calls on both sides.
        let times = times(&one);
        let mut calls = times[0].clone();
        calls.sort_unstable();
        let call = |n: usize| calls.get(n).copied().unwrap_or_default();
        let mut ends = [
            0,
            call(calls.len() / 3),
            call(calls.len() / 2),
            length.max(2) - 1,
            u64::MAX,
        ];
        ends.sort_unstable();
        let mut sum = (0, 0);
        for ends in ends.windows(2).filter(|ends| ends[0] < ends[1]) {
            let span = Span {
                from: ends[0],
                to: ends[1],
            };
            let (part, same) = (summary(&two, Some(span)), summary(&one, Some(span)));
            assert_eq!(
                report::json_string(&part),
                report::json_string(&same),
                "{name}: {span:?}"
            );
            let (calls, faults) = counts(&part);
            let of = |times: &Vec<u64>| {
                let within = |at: &&u64| (span.from..span.to).contains(*at);
                times.iter().filter(within).count() as u64
            };
            assert_eq!(
                [calls, faults],
                times.each_ref().map(of),
                "{name}: {span:?}"
            );
            sum = (sum.0 + calls, sum.1 + faults);
        }
        assert_eq!(sum, counts(&whole), "{name}");
    }
}
