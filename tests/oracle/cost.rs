//! `--cost`: how often the probes ran against what the kernel's own tracer (`perf stat -a`) counts, and that nothing
//! is measured before and after.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{
    BYTEHOP, Output, Scratch, VERBS, Verb, command, eventually, not_run, output, report, serial,
    trace, wait,
};
use crate::summary::Summary;

/// 200,000 calls.
const WORK: [&str; 5] = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=100000"];
const CALLS: u64 = 200_000;

/// Counts the calls of the whole machine while a command runs.
const PERF: [&str; 7] = [
    "perf",
    "stat",
    "-a",
    "-x,",
    "-e",
    "raw_syscalls:sys_enter",
    "-o",
];

/// What `perf` counted while it ran `words`; `None`: it could not.
fn perf(scratch: &Scratch, words: &[&str]) -> (Output, Option<u64>) {
    let table = scratch.path("perf");
    let line = [&PERF[..], &[table.as_str(), "--"], words].concat();
    let output = output(command(&line));
    let table = fs::read_to_string(table).unwrap_or_default();
    let row = table
        .lines()
        .find(|row| row.contains("raw_syscalls:sys_enter"));
    let count = row.and_then(|row| row.split(',').next()?.parse().ok());
    (output, count)
}

/// `sys_enter`'s row.
#[track_caller]
fn sys_enter(summary: &Summary) -> &Value {
    let mut probes = summary.list("/cost/probes").iter();
    let found = probes.find(|row| row["probe"] == "sys_enter");
    found.unwrap_or_else(|| panic!("no sys_enter in {}", summary.0["cost"]))
}

#[test]
#[ignore = "root"]
fn each_call_is_a_run_of_its_probe() {
    let _serial = serial();
    let scratch = Scratch::new();
    let has_perf =
        command(&["perf", "--version"]).output().is_ok() && perf(&scratch, &["true"]).1.is_some();
    let processors = thread_count();
    for verb in VERBS {
        let (json, recording) = (scratch.path("summary"), scratch.path("recording"));
        let mut line = vec![BYTEHOP];
        match verb {
            Verb::Run => line.extend(["run", "--no-tui"]),
            Verb::Stat => line.push("stat"),
            Verb::Record => line.extend(["record", "-o", &recording]),
        }
        line.extend(["--cost", "--json", "--summary", &json, "--"]);
        line.extend(WORK);
        let began = Instant::now();
        let (output, machine) = match has_perf {
            true => perf(&scratch, &line),
            false => (output(command(&line)), None),
        };
        let elapsed = began.elapsed();
        let summary = Summary::read(&json, &output.expect(0));

        // Runs are of every process of the machine: no fewer than the program's own calls, no more than perf
        // saw of all, for longer.
        let row = sys_enter(&summary);
        let number = |key: &str| row[key].as_u64().expect("a number");
        let (runs, calls) = (number("runs"), summary.calls());
        assert!(calls >= CALLS, "{verb:?}: {calls}");
        let most = machine.unwrap_or(u64::MAX);
        assert!(
            (calls..=most.saturating_add(summary.skipped("sys_enter")))
                .contains(&(runs + summary.skipped("sys_enter"))),
            "{verb:?}: {runs} runs, {calls} calls, {machine:?} of the machine"
        );

        // Each took time, all together no more than there was.
        assert!(number("time_ns") >= runs, "{verb:?}: {row}");
        let time = Duration::from_nanos(summary.number("/cost/time_ns"));
        assert!(time < elapsed * processors, "{verb:?}: {time:?}");
        let sum = |key: &str| -> u64 {
            let rows = summary.list("/cost/probes").iter();
            rows.map(|row| row[key].as_u64().expect("a number")).sum()
        };
        for key in ["time_ns", "runs"] {
            assert_eq!(
                sum(key),
                summary.number(&format!("/cost/{key}")),
                "{verb:?}"
            );
        }
        if verb == Verb::Record {
            assert_eq!(report(&recording).0["cost"], summary.0["cost"]);
        }
    }
    if !has_perf {
        not_run(
            "cost::each_call_is_a_run_of_its_probe",
            "perf cannot count system calls here: runs have no upper bound",
        );
    }
}

fn thread_count() -> u32 {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(count).expect("a small number")
}

#[test]
#[ignore = "root"]
fn who_does_not_ask_is_told_nothing() {
    let _serial = serial();
    for verb in VERBS {
        let summary = trace(verb, &["true"]);
        assert_eq!(summary.0.get("cost"), None, "{verb:?}");
    }
}

/// How often the programs that a process holds ran while the kernel counted.
fn runs(pid: u32) -> u64 {
    let held = fs::read_dir(format!("/proc/{pid}/fdinfo")).expect("descriptors");
    let held = held.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    let count = |text: String| -> Option<u64> {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix("run_cnt:"))?;
        value.trim().parse().ok()
    };
    held.filter_map(count).sum()
}

#[test]
#[ignore = "root"]
fn the_kernel_counts_no_longer_than_asked() {
    let _serial = serial();
    let scratch = Scratch::new();
    let ready = scratch.path("ready");
    let script = "touch \"$0\"; while [ -e \"$0\" ]; do sleep 0.05; done";
    let mut other = command(&[BYTEHOP, "stat", "--", "sh", "-c", script, &ready])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("bytehop");
    eventually("the other one traces", || {
        fs::exists(&ready).unwrap_or(false)
    });
    let before = runs(other.id());
    output(command(
        &[&[BYTEHOP, "stat", "--cost", "--"], &WORK[..]].concat(),
    ))
    .expect(0);
    let while_asked = runs(other.id());
    output(command(&WORK)).expect(0);
    let after = runs(other.id());
    fs::remove_file(&ready).expect("removed");
    wait(&mut other);
    assert_eq!(before, 0, "without --cost nothing is counted");
    assert!(while_asked >= CALLS, "{while_asked}");
    assert_eq!(after, while_asked, "counted after the end");
}
