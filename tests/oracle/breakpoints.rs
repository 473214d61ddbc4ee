//! Level B: breakpoints on a process that runs already, and taken off where they are hit too often.

use std::collections::BTreeSet;

use crate::attach::{Reader, attach};
use crate::fixture::fixture;
use crate::harness::{Scratch, Verb, not_run, serial, trace, trace_with};
use crate::summary::Summary;

/// Who told of what calls copied out of the page cache: the kinds of probes, if they were all measured.
#[track_caller]
fn told(summary: &Summary) -> BTreeSet<&str> {
    let hops = summary.hops("copy", "page_cache", "user").into_iter();
    let reads = hops.filter(|hop| {
        !hop["probe"]
            .as_str()
            .is_some_and(|p| p.contains("_to_kernel"))
    });
    let probes = reads.map(|hop| {
        assert_eq!(hop["evidence"], "measured", "{hop}");
        hop["probe"]
            .as_str()
            .expect("a probe")
            .split(':')
            .next()
            .expect("its kind")
    });
    probes.collect()
}

/// Whether this kernel gives level B.
fn offered(summary: &Summary, test: &str) -> bool {
    let offered = summary.text("/level") == "B";
    if !offered {
        not_run(test, "this kernel gives no level B");
    }
    offered
}

#[test]
#[ignore = "root"]
fn over_budget_they_are_taken_off_and_the_numbers_stay() {
    let _serial = serial();
    let scratch = Scratch::new();
    const CALLS: u64 = 20_000;
    let file = scratch.file("file", (CALLS * 512) as usize);
    let base = trace(Verb::Record, &fixture(&["noop"])).read_bytes();
    let words = fixture(&["pread", &CALLS.to_string(), "512", &file]);
    let traced = trace_with(Verb::Record, &["--breakpoint-budget", "500"], &words);
    let summary = &traced.summary;
    if !offered(
        summary,
        "over_budget_they_are_taken_off_and_the_numbers_stay",
    ) {
        return;
    }
    let warnings = summary.list("/warnings");
    let said = |warning: &&serde_json::Value| {
        warning
            .as_str()
            .is_some_and(|text| text.contains("breakpoints were taken off"))
    };
    assert_eq!(warnings.iter().filter(said).count(), 1, "{warnings:?}");
    summary.assert_read(CALLS * 512 + base);
    assert_eq!(told(summary), BTreeSet::from(["bp", "fexit"]));
    assert!(
        summary.list("/disagreements").is_empty(),
        "{:?}",
        summary.list("/disagreements")
    );

    let forced = trace_with(
        Verb::Record,
        &["--level", "B", "--breakpoint-budget", "500"],
        &words,
    );
    forced.summary.assert_read(CALLS * 512 + base);
    assert_eq!(told(&forced.summary), BTreeSet::from(["bp"]));
}

#[test]
#[ignore = "root"]
fn a_process_that_runs_already_is_measured() {
    let _serial = serial();
    let scratch = Scratch::new();
    let mut reader = Reader::start();
    let summary = attach(&scratch, &reader);
    if !offered(&summary, "a_process_that_runs_already_is_measured") {
        return;
    }
    assert!(reader.runs(), "the process was ended");
    // A byte each.
    let bytes = summary.bytes_of("pread64");
    assert!(bytes > 3, "{bytes} bytes in a second");
    summary.assert_read(bytes);
    assert!(told(&summary).contains("bp"));
    let near: u64 = summary
        .hops("copy", "page_cache", "user")
        .iter()
        .filter(|hop| hop["probe"] == "bp:_copy_to_iter")
        .map(|hop| hop["bytes"].as_u64().expect("bytes"))
        .sum();
    // Three calls may have been under way when the breakpoints were set.
    assert!(near <= bytes && bytes - near <= 3, "{near} of {bytes}");
}
