//! A million calls: nothing is lost, and what is lost is counted.

use crate::fixture::fixture;
use crate::harness::{Scratch, Verb, serial, trace, trace_with};

const COUNT: u64 = 1_000_000;

#[test]
#[ignore = "root"]
fn a_million_calls_are_all_there() {
    let _serial = serial();
    let scratch = Scratch::new();
    let words = fixture(&["pread", "1000000", "1", &scratch.file("file", 4096)]);
    let base = trace(Verb::Stat, &fixture(&["noop"]));
    for verb in [Verb::Stat, Verb::Record] {
        let summary = trace(verb, &words);
        assert_eq!(summary.number("/lost_events"), 0, "{verb:?}");
        assert_eq!(
            summary.calls_of("pread64"),
            COUNT + base.calls_of("pread64"),
            "{verb:?}"
        );
        assert_eq!(
            summary.bytes_of("pread64"),
            COUNT + base.bytes_of("pread64"),
            "{verb:?}"
        );
    }
}

/// With a buffer that cannot hold them: captured + lost = made.
#[test]
#[ignore = "root"]
fn losses_are_exact() {
    let _serial = serial();
    let scratch = Scratch::new();
    let words = fixture(&["pread", "1000000", "1", &scratch.file("file", 4096)]);
    let made = trace(Verb::Stat, &words).calls();
    for verb in [Verb::Run, Verb::Record] {
        let traced = trace_with(verb, &["--buffer-size", "64K"], &words);
        let output = traced.output.expect(0);
        let summary = traced.summary;
        let lost = summary.number("/lost_events");
        assert!(lost > 0, "{verb:?}: the buffer was not too small after all");
        let lost_by_kind = summary.list("/lost_by_kind").iter();
        let lost_calls: u64 = lost_by_kind
            .filter(|row| {
                row[0]
                    .as_str()
                    .is_some_and(|kind| kind.starts_with("syscall"))
            })
            .map(|row| row[1].as_u64().expect("a number"))
            .sum();
        assert_eq!(
            summary.calls() + lost_calls,
            made,
            "{verb:?}: captured + lost; lost {lost} in all"
        );
        assert!(lost >= lost_calls);
        assert!(output.stdout.is_empty(), "{verb:?}");
    }
}

/// A loss is said where people look.
#[test]
#[ignore = "root"]
fn losses_are_shown() {
    let _serial = serial();
    let scratch = Scratch::new();
    let words = fixture(&["pread", "1000000", "1", &scratch.file("file", 4096)]);
    let mut line = vec![
        crate::harness::BYTEHOP,
        "run",
        "--no-tui",
        "--buffer-size",
        "4K",
        "--",
    ];
    line.extend(words.iter().map(String::as_str));
    let output = crate::harness::output(crate::harness::command(&line)).expect(0);
    assert!(output.stderr.contains("lost"), "{}", output.stderr);
}
