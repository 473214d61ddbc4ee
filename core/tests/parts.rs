//! Parts of recordings (`--from`, `--to`): together they are the whole, and blocks that are passed over
//! change nothing.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use bytehop_core::annotate::Annotator;
use bytehop_core::arch::Arch;
use bytehop_core::compare::compare;
use bytehop_core::event::Only;
use bytehop_core::i18n::Lang;
use bytehop_core::model::{HopKind, Place, Summary, Thing};
use bytehop_core::reconstruct::{NoSink, summarise};
use bytehop_core::record::{
    Events, Look, NotThere, Part, Reader, RecordError, Span, Wanted, Writer,
};
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

fn only(span: Option<Span>) -> Only {
    Only {
        from_ns: span.map(|span| span.from).filter(|from| *from > 0),
        to_ns: span.map(|span| span.to),
        ..Only::default()
    }
}

fn summary(file: &[u8], span: Option<Span>) -> Summary {
    let reader = Reader::new(std::io::Cursor::new(file), Path::new(NAME)).expect("a recording");
    let events = Events::new(reader).only(Part::of(&only(span)));
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

fn part(file: &[u8], only: &Only) -> Part {
    let again = || Ok(Reader::new(file, Path::new(NAME))?.look_through());
    let wanted = Wanted::of_recording(only, Path::new(NAME), again);
    wanted.expect("it is there").part()
}

/// What `bytehop cut` writes.
fn cut(file: &[u8], only: &Only) -> Vec<u8> {
    let read = || {
        let mut reader = Reader::new(std::io::Cursor::new(file), Path::new(NAME)).expect("opened");
        reader.only(part(file, only));
        reader
    };
    let mut out = Vec::new();
    let writer = Writer::new(&mut out, Path::new("cut.bhop")).expect("written");
    let look = Look::at(&mut read(), only);
    look.write(&mut read(), writer).expect("written");
    out
}

fn summed_up(file: &[u8], only: &Only) -> Summary {
    let reader = Reader::new(std::io::Cursor::new(file), Path::new(NAME)).expect("a recording");
    summarise(
        Events::new(reader).only(part(file, only)),
        Arch::X86_64,
        &mut NoSink,
    )
}

fn annotated(file: &[u8], only: &Only) -> String {
    let reader = Reader::new(std::io::Cursor::new(file), Path::new(NAME)).expect("a recording");
    let mut annotator = Annotator::default();
    summarise(
        Events::new(reader).only(part(file, only)),
        Arch::X86_64,
        &mut annotator,
    );
    report::annotation_json(&annotator.finish(), None).to_string()
}

/// Processes of a recording, those with most calls first.
fn processes(summary: &Summary) -> Vec<u32> {
    let mut rows: Vec<_> = summary.by_process.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.syscalls));
    let mut pids: Vec<u32> = rows.iter().map(|row| row.pid).collect();
    pids.dedup();
    pids
}

/// A recording that was cut says what the whole says of the same part: numbers and lines.
#[test]
fn what_is_cut_out_is_the_part() {
    let all = Only::default();
    let (mut smaller, mut several) = (0, 0);
    for path in recordings() {
        let name = path.display();
        let file = std::fs::read(&path).expect("a recording");
        let whole = summed_up(&file, &all);
        let length = whole.duration_ns;
        let pids = processes(&whole);
        several += usize::from(pids.len() > 1);
        let (from_ns, to_ns) = (Some(length / 3), Some(length / 3 * 2));
        let mut parts = vec![
            Only {
                to_ns,
                ..Only::default()
            },
            Only {
                from_ns,
                to_ns,
                ..Only::default()
            },
        ];
        for pid in pids.iter().take(3) {
            let pid = Some(*pid);
            parts.push(Only {
                pid,
                ..Only::default()
            });
            parts.push(Only {
                pid,
                from_ns,
                ..Only::default()
            });
        }
        for only in parts {
            let out = cut(&file, &only);
            let (part, same) = (summed_up(&out, &all), summed_up(&file, &only));
            assert_eq!(
                report::json_string(&part),
                report::json_string(&same),
                "{name}: {only:?}"
            );
            assert_eq!(
                annotated(&out, &all),
                annotated(&file, &only),
                "{name}: {only:?}"
            );
            smaller += usize::from(out.len() < file.len());
            // And a part of the part is the same as both at once.
            if only.pid.is_some() && only.from_ns.is_none() {
                let again = Only {
                    from_ns,
                    to_ns,
                    ..Only::default()
                };
                let both = Only {
                    pid: only.pid,
                    ..again.clone()
                };
                let twice = counts(&summed_up(&cut(&out, &again), &all));
                assert_eq!(twice, counts(&summed_up(&file, &both)), "{name}: {only:?}");
            }
        }
    }
    assert!(smaller > 100 && several > 20, "{smaller}, {several}");
}

type Way = (String, String, String, bool);

/// Bytes and operations by the way that they took.
fn ways(summary: &Summary) -> BTreeMap<Way, (u64, u64)> {
    let mut ways = BTreeMap::new();
    for hop in &summary.hops {
        let place = |place: &Place| serde_json::to_string(place).expect("JSON");
        let way = (
            format!("{:?}", hop.kind),
            place(&hop.from),
            place(&hop.to),
            hop.deferred,
        );
        let sum: &mut (u64, u64) = ways.entry(way).or_default();
        *sum = (sum.0 + hop.bytes, sum.1 + hop.count);
    }
    ways
}

/// What was done from `main` on is of the whole, cut out or not; without stacks that is an error.
#[test]
fn from_main_on_is_a_part() {
    let (mut with, mut without, mut less) = (0, 0, 0);
    let only = Only {
        from_main: true,
        ..Only::default()
    };
    for path in recordings() {
        let name = path.display();
        let file = std::fs::read(&path).expect("a recording");
        let again = || Ok(Reader::new(&file[..], Path::new(NAME))?.look_through());
        match Wanted::of_recording(&only, Path::new(NAME), again) {
            Err(RecordError::NoMain { stacks, .. }) => {
                assert!(!stacks, "{name}");
                without += 1;
                continue;
            }
            wanted => drop(wanted.expect("opened")),
        }
        with += 1;
        let (whole, part) = (summed_up(&file, &Only::default()), summed_up(&file, &only));
        let (all, some) = (counts(&whole), counts(&part));
        assert!(0 < some.0 && some.0 <= all.0 && some.1 <= all.1, "{name}");
        less += usize::from(some.0 < all.0);
        let out = cut(&file, &only);
        let same = summed_up(&out, &Only::default());
        assert_eq!(
            report::json_string(&same),
            report::json_string(&part),
            "{name}"
        );
        // It begins with `main` already.
        assert_eq!(counts(&summed_up(&out, &only)), some, "{name}");
    }
    assert!(
        with > 7 && less > 7 && without > 0,
        "{with}, {less}, {without}"
    );
}

/// Processes share out the whole, what a worker writes back later included: each has what its calls caused.
#[test]
fn processes_are_the_whole() {
    let (mut several, mut deferred) = (0, 0);
    for path in recordings() {
        let name = path.display();
        let file = std::fs::read(&path).expect("a recording");
        let whole = summed_up(&file, &Only::default());
        let mut pids = processes(&whole);
        pids.sort_unstable();
        pids.dedup();
        let (mut sum, mut calls): (BTreeMap<Way, (u64, u64)>, _) = (BTreeMap::new(), (0, 0));
        for pid in &pids {
            let only = Only {
                pid: Some(*pid),
                ..Only::default()
            };
            let part = summed_up(&file, &only);
            for (way, (bytes, count)) in ways(&part) {
                let known = sum.entry(way).or_default();
                *known = (known.0 + bytes, known.1 + count);
            }
            let of = counts(&part);
            calls = (calls.0 + of.0, calls.1 + of.1);
        }
        assert_eq!(calls, counts(&whole), "{name}");
        assert_eq!(sum, ways(&whole), "{name}");
        several += usize::from(pids.len() > 1);
        deferred += usize::from(pids.len() > 1 && sum.keys().any(|way| way.3));
    }
    assert!(several > 20 && deferred > 0, "{several}, {deferred}");
}

/// Recordings of `marks.c` and `marks.sh` beside them, which mark regions.
fn marked() -> Vec<(&'static str, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regions");
    ["c.bhop", "sh.bhop"]
        .map(|name| (name, std::fs::read(folder.join(name)).expect("a recording")))
        .to_vec()
}

fn region(name: &str) -> Only {
    Only {
        region: Some(name.to_owned()),
        ..Only::default()
    }
}

/// Each row of the table says what the part says that is only this region, cut out or not.
#[test]
fn a_region_is_what_its_row_says() {
    let mut rows = Vec::new();
    for (name, file) in marked() {
        let whole = summed_up(&file, &Only::default());
        assert_eq!(whole.warnings, [], "{name}");
        for row in &whole.by_name.regions {
            let Thing::Region {
                region: of,
                passes,
                duration_ns,
                user_faults,
            } = &row.thing
            else {
                panic!("{row:?}");
            };
            let only = region(of);
            let part = summed_up(&file, &only);
            assert_eq!(counts(&part), (row.calls, *user_faults), "{name}: {of}");
            assert_eq!(part.duration_ns, *duration_ns, "{name}: {of}");
            let mut hops: Vec<_> = row.hops.iter().map(|named| named.hop.clone()).collect();
            let mut all = part.hops.clone();
            // Of how large each was, only a whole part tells.
            for hop in hops.iter_mut().chain(&mut all) {
                (hop.sizes, hop.times) = Default::default();
            }
            hops.sort_by_key(|hop| format!("{hop:?}"));
            all.sort_by_key(|hop| format!("{hop:?}"));
            assert_eq!(hops, all, "{name}: {of}");
            let out = cut(&file, &only);
            let same = summed_up(&out, &Only::default());
            assert_eq!(
                report::json_string(&same),
                report::json_string(&part),
                "{name}: {of}"
            );
            let bytes: u64 = all
                .iter()
                .filter(|hop| hop.kind == HopKind::Copy && hop.to == Place::PageCache)
                .map(|hop| hop.bytes)
                .sum();
            rows.push((of.clone(), *passes, bytes));
        }
    }
    // As the programs wrote them: 3 × 4 blocks of 64 KiB; /bin/bash, copied once; a number.
    let is = |n: usize, name: &str, passes: u64, bytes: u64| {
        assert_eq!(rows[n], (name.to_owned(), passes, bytes));
    };
    is(0, "load", 3, 12 << 16);
    is(1, "store", 12, 12 << 16);
    is(2, "copy", 1, 1_265_648);
    assert_eq!((rows[3].0.as_str(), rows[3].1), ("count", 1));
    assert_eq!(rows.len(), 4);
}

#[test]
fn a_region_that_is_not_there_is_said() {
    let (_, file) = marked().swap_remove(0);
    let part = summed_up(&file, &region("nix"));
    assert_eq!(counts(&part), (0, 0));
    let said: Vec<_> = part
        .warnings
        .iter()
        .map(|notice| notice.words(Lang::En))
        .collect();
    let none = "no region nix in this recording; there are: load, store";
    assert!(said.iter().any(|line| line == none), "{said:?}");
    let only = region("nix");
    let mut reader = Reader::new(std::io::Cursor::new(&file), Path::new(NAME)).expect("opened");
    reader.only(Part::of(&only));
    let all = vec!["load".to_owned(), "store".to_owned()];
    let none = NotThere::Region("nix".to_owned(), all);
    assert_eq!(Look::at(&mut reader, &only).not_there(&only), Some(none));
}

/// Two runs' regions stand beside each other.
#[test]
fn regions_are_compared() {
    let [(_, c), (_, sh)] = marked().try_into().expect("two");
    let (a, b) = (
        summed_up(&c, &Only::default()),
        summed_up(&sh, &Only::default()),
    );
    let both = compare(&a, &b);
    let names: Vec<_> = both
        .regions
        .iter()
        .map(|change| change.region.as_str())
        .collect();
    assert_eq!(names, ["load", "store", "copy", "count"]);
    let store = both.regions[1].a.expect("in it");
    assert_eq!(
        (store.passes, store.copied, store.crossings),
        (12, 12 << 16, 24)
    );
    assert_eq!((both.regions[1].b, both.regions[2].a), (None, None));
    for (lang, has) in [(Lang::En, "not in it"), (Lang::Zh, "没有进入")] {
        let style = report::Style {
            lang,
            ..report::Style::default()
        };
        let text = report::comparison(&a, &b, ["a", "b"], &style);
        assert!(text.contains("store") && text.contains(has), "{text}");
    }
}
