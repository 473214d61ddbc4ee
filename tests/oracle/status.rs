//! Exit statuses, and how a trace ends early.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::fixture::fixture;
use crate::harness::{
    BYTEHOP, LIMIT, Scratch, VERBS, code, command, eventually, output, serial, trace_with, wait,
};
use crate::summary::Summary;

#[test]
#[ignore = "root"]
fn the_programs_status_is_passed_on() {
    let _serial = serial();
    for (script, status) in [
        ("exit 0", 0),
        ("exit 3", 3),
        ("exit 125", 125),
        ("exit 255", 255),
        ("kill -KILL $$", 137),
        ("kill -TERM $$", 143),
        ("kill -SEGV $$", 139),
    ] {
        for verb in VERBS {
            let trace = trace_with(verb, &[], &["sh", "-c", script]);
            trace.output.expect(status);
            assert_eq!(
                trace.summary.number("/exit_status"),
                status as u64,
                "{verb:?} {script}"
            );
        }
    }
}

#[test]
#[ignore = "root"]
fn commands_that_cannot_be_run() {
    let _serial = serial();
    let scratch = Scratch::new();
    let recording = scratch.path("recording");
    let not_a_program = scratch.file("not-a-program", 10);
    for (program, status) in [
        ("bytehop-no-such-command", 127),
        ("/nonexistent/command", 127),
        (not_a_program.as_str(), 126),
        ("/etc", 126),
    ] {
        for verb in [
            &["run", "--no-tui"][..],
            &["stat"],
            &["record", "-o", &recording],
        ] {
            let mut line = vec![BYTEHOP];
            line.extend(verb);
            line.extend(["--", program]);
            let output = output(command(&line)).expect(status);
            assert!(
                output.stderr.contains(program),
                "{verb:?}: {}",
                output.stderr
            );
            assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
        }
    }
}

#[test]
fn usage() {
    for words in [
        &["run"][..],
        &["stat"],
        &["record"],
        &["no-such-verb"],
        &["run", "--no-such-option"],
    ] {
        let mut line = vec![BYTEHOP];
        line.extend(words);
        output(command(&line)).expect(2);
    }
}

/// A running trace, in a process group of its own as a shell would have it.
struct Running {
    child: Child,
    summary: String,
    errors: String,
}

fn start(verb: &[&str], scratch: &Scratch, words: &[String]) -> Running {
    let (summary, errors) = (scratch.path("summary.json"), scratch.path("errors"));
    // Left over from the run before; there is none before the first.
    let _ = std::fs::remove_file(&summary);
    let mut line = vec![BYTEHOP];
    line.extend(verb);
    line.extend(["--json", "--summary", &summary, "--"]);
    line.extend(words.iter().map(String::as_str));
    let mut command = command(&line);
    command
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(File::create(&errors).expect("create"));
    Running {
        child: command.spawn().expect("bytehop"),
        summary,
        errors,
    }
}

/// Ctrl-C reaches the whole group from a terminal; a supervisor may signal bytehop alone. Either
/// way the program gets it, once or twice, and the summary is written.
#[test]
#[ignore = "root"]
fn interrupted() {
    let _serial = serial();
    let scratch = Scratch::new();
    let recording = scratch.path("recording");
    let started = scratch.path("started");
    for verb in [
        &["run", "--no-tui"][..],
        &["stat"],
        &["record", "-o", &recording],
    ] {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            for group in [true, false] {
                // The file is there from an earlier turn, or not.
                let _ = std::fs::remove_file(&started);
                let sleep = fixture(&["sleep", "60000"]).join(" ");
                let script = format!(": > '{started}'; exec {sleep}");
                let words = ["sh", "-c", &script].map(str::to_owned);
                let mut running = start(verb, &scratch, &words);
                eventually("the program runs", || {
                    std::fs::exists(&started).expect("exists")
                });
                std::thread::sleep(Duration::from_millis(100));
                let pid = Pid::from_raw(running.child.id() as i32);
                if group {
                    killpg(pid, signal)
                } else {
                    kill(pid, signal)
                }
                .expect("kill");
                let ended = wait(&mut running.child);
                let status = code(ended);
                let errors = std::fs::read_to_string(&running.errors).expect("errors");
                let what = format!("{verb:?} {signal} group {group}: {ended}: {errors}");
                assert_eq!(status, 128 + signal as i32, "{what}");
                let text = std::fs::read_to_string(&running.summary).expect("a summary");
                assert!(!text.is_empty(), "no summary: {what}");
                let summary = Summary::parse(&text);
                assert_eq!(
                    summary.number("/exit_status"),
                    128 + signal as u64,
                    "{what}"
                );
                assert_eq!(summary.calls_of("execve"), 2, "{what}");
            }
        }
    }
}

/// A program that handles Ctrl-C goes on, and so does its trace.
#[test]
#[ignore = "root"]
fn a_program_that_handles_the_signal() {
    let _serial = serial();
    let scratch = Scratch::new();
    let started = scratch.path("started");
    let script = format!("trap 'exit 7' INT; : > '{started}'; while :; do sleep 0.05; done");
    let words = ["sh", "-c", &script].map(str::to_owned);
    let mut running = start(&["run", "--no-tui"], &scratch, &words);
    eventually("the program runs", || {
        std::fs::exists(&started).expect("exists")
    });
    killpg(Pid::from_raw(running.child.id() as i32), Signal::SIGINT).expect("kill");
    assert_eq!(code(wait(&mut running.child)), 7);
    let summary = Summary::parse(&std::fs::read_to_string(&running.summary).expect("a summary"));
    assert_eq!(summary.number("/exit_status"), 7);
}

/// A stopped program (Ctrl-Z) is no reason to end or to spin; it can be continued.
#[test]
#[ignore = "root"]
fn stopped_and_continued() {
    let _serial = serial();
    let scratch = Scratch::new();
    let started = scratch.path("started");
    let script = format!("echo $$ > '{started}'; exec sleep 1");
    let words = ["sh", "-c", &script].map(str::to_owned);
    let mut running = start(&["run", "--no-tui"], &scratch, &words);
    let mut pid = None;
    eventually("the program runs", || {
        let text = std::fs::read_to_string(&started).unwrap_or_default();
        pid = text.trim().parse().ok();
        pid.is_some()
    });
    let pid = Pid::from_raw(pid.expect("a pid"));
    kill(pid, Signal::SIGSTOP).expect("stop");
    std::thread::sleep(Duration::from_millis(300));
    kill(pid, Signal::SIGCONT).expect("continue");
    assert_eq!(code(wait(&mut running.child)), 0);
    assert!(LIMIT > Duration::from_secs(2));
}
