//! Level B: within its budget and beyond, and on a process that runs already.

use std::io::Write;
use std::process::Stdio;

use crate::fixture::fixture;
use crate::harness::{
    BYTEHOP, Scratch, Verb, command, eventually, not_run, output, serial, trace_with, wait,
};
use crate::summary::Summary;

/// Whether the kernel gives level B; says so where it does not.
fn is_given(test: &str) -> bool {
    let output = output(command(&[BYTEHOP, "doctor", "--json"])).expect(0);
    let doctor: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    let given = doctor["level"] == "B";
    if !given {
        not_run(test, "this kernel does not give level B");
    }
    given
}

/// Bytes of the page cache that were seen copied by breakpoints; all are those that the calls returned,
/// but for `others`, of a pipe.
#[track_caller]
fn by_breakpoints(summary: &Summary, others: &[u8]) -> u64 {
    let returned = summary.bytes_of("pread64") + summary.bytes_of("read");
    summary.assert_read(returned - others.len() as u64);
    let hops = summary.hops("copy", "page_cache", "user").into_iter();
    let hops = hops.filter(|hop| hop["probe"] == "bp:_copy_to_iter");
    hops.map(|hop| hop["bytes"].as_u64().expect("bytes")).sum()
}

const CALLS: u64 = 20_000;
const SIZE: u64 = 4096;

/// The summary of a fixture that reads a cached file often.
fn reading(scratch: &Scratch, options: &[&str], budget: &str) -> Summary {
    let data = scratch.file("data", 1 << 20);
    let words = fixture(&["pread", &CALLS.to_string(), &SIZE.to_string(), &data]);
    let options = [&["--breakpoint-budget", budget], options].concat();
    let trace = trace_with(Verb::Run, &options, &words);
    trace.output.expect(0);
    trace.summary
}

#[test]
#[ignore = "root"]
fn off_beyond_their_budget() {
    let _serial = serial();
    if !is_given("breakpoints::off_beyond_their_budget") {
        return;
    }
    let scratch = Scratch::new();
    let told = |summary: &Summary| {
        let warnings = summary.list("/warnings").iter();
        let mut texts = warnings.filter_map(|warning| warning.as_str());
        texts.any(|text| text.contains("breakpoints were taken off"))
    };
    // Beyond it: the rest is measured at functions, and no byte is missing or counted twice.
    let summary = reading(&scratch, &[], "500");
    let hit = by_breakpoints(&summary, b"");
    assert!(told(&summary), "{:#}", summary.0);
    assert!(
        (250 * SIZE..CALLS * SIZE / 2).contains(&hit),
        "{hit}: {:#}",
        summary.0["hops"]
    );
    assert_eq!(summary.list("/disagreements").len(), 0, "{:#}", summary.0);
    // Whoever asks for level B has it to the end, and so has who stays within the budget.
    for (options, budget) in [(&["--level", "B"][..], "500"), (&[], "1000000")] {
        let summary = reading(&scratch, options, budget);
        let hit = by_breakpoints(&summary, b"");
        assert!(!told(&summary), "{:#}", summary.0["warnings"]);
        assert_eq!(hit, summary.read_bytes());
    }
}

/// What lets the process go on, for a child and for itself.
const LINES: &[u8] = b"child\nitself\n";

/// A process that runs already, and what it becomes.
#[test]
#[ignore = "root"]
fn on_a_process_that_runs() {
    let _serial = serial();
    if !is_given("breakpoints::on_a_process_that_runs") {
        return;
    }
    let scratch = Scratch::new();
    let data = scratch.file("data", 1 << 20);
    let json = scratch.path("summary");
    let words = fixture(&["pread", "1000", &SIZE.to_string(), &data]).join(" ");
    let script = format!("read line; {words}; read line; exec {words}");
    let mut shell = command(&["sh", "-c", &script]);
    let mut shell = shell.stdin(Stdio::piped()).spawn().expect("a shell");
    let mut stdin = shell.stdin.take().expect("stdin");
    let pid = shell.id().to_string();
    let line = [
        BYTEHOP,
        "attach",
        "--no-tui",
        "-p",
        &pid,
        "--json",
        "--summary",
        &json,
    ];
    let mut tracer = command(&line);
    let mut tracer = tracer.stderr(Stdio::piped()).spawn().expect("bytehop");
    // It gives up its rights when all probes are there, and the process is traced.
    eventually("it is traced", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", tracer.id()));
        status.is_ok_and(|text| text.contains("CapBnd:\t0000000000000000"))
    });
    stdin.write_all(LINES).expect("it reads");
    wait(&mut shell);
    wait(&mut tracer);
    let text = std::fs::read_to_string(&json).expect("a summary");
    let summary = Summary::parse(&text);
    assert_eq!(summary.text("/level"), "B");
    assert_eq!(summary.calls_of("pread64") / 1000, 2);
    // A byte at a time; the call for the first began before we came.
    assert!(by_breakpoints(&summary, &LINES[1..]) >= 2 * 1000 * SIZE);
    assert_eq!(summary.list("/disagreements").len(), 0, "{:#}", summary.0);
}
