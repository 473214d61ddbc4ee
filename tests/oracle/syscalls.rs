//! System call counts, by name, against `strace -f -c`.

use std::collections::BTreeSet;

use crate::fixture::fixture;
use crate::harness::{Scratch, VERBS, Verb, command, output, serial, trace};
use crate::summary::Counts;

/// Names whose number differs from one run to the next, tracer or no tracer, with the reason.
type Varying<'a> = &'a [(&'a str, &'a str)];

const STEADY: Varying = &[];

/// What `strace -f -c` counts of a program that ends with 0.
#[track_caller]
pub fn strace(words: &[impl AsRef<str>]) -> Counts {
    strace_ending(0, words)
}

/// The same of one that ends with another status.
#[track_caller]
pub fn strace_ending(status: i32, words: &[impl AsRef<str>]) -> Counts {
    let file = tempfile::NamedTempFile::new().expect("temporary file");
    let path = file.path().to_str().expect("UTF-8");
    let mut line = vec![
        "strace",
        "-f",
        "-c",
        "-U",
        "name,calls,errors",
        "-o",
        path,
        "--",
    ];
    line.extend(words.iter().map(AsRef::as_ref));
    output(command(&line)).expect(status);
    let table = std::fs::read_to_string(path).expect("strace's table");
    // What strace has to say besides may come first; a heading and a rule; rows, the errors left blank if there are
    // none; a rule and the total.
    let is_rule = |line: &&str| line.starts_with('-');
    let rows = table.lines().skip_while(|line| !is_rule(line)).skip(1);
    let rows = rows.take_while(|line| !is_rule(line));
    let counts: Counts = rows
        .map(|row| {
            let mut columns = row.split_whitespace();
            let name = columns.next().expect("a name").to_owned();
            let mut number = || columns.next().map_or(0, |n| n.parse().expect("a number"));
            (name, (number(), number()))
        })
        .collect();
    assert!(!counts.is_empty(), "strace wrote no table:\n{table}");
    counts
}

/// Requires that every verb counts what strace counts: exactly for most names.
/// Names in `varying` must be seen by both, or by both not in every run.
#[track_caller]
fn agree(words: &[impl AsRef<str>], varying: Varying) {
    // Where nothing varies, once a verb says it all.
    let (few, many) = if varying.is_empty() {
        (2, VERBS.len())
    } else {
        (3, 2 * VERBS.len())
    };
    let straced: Vec<Counts> = (0..few).map(|_| strace(words)).collect();
    let traced: Vec<(Verb, Counts)> = VERBS
        .iter()
        .cycle()
        .take(many)
        .map(|verb| (*verb, trace(*verb, words).counts()))
        .collect();
    let runs = || {
        straced
            .iter()
            .chain(traced.iter().map(|(_, counts)| counts))
    };
    let names: BTreeSet<&String> = runs().flat_map(Counts::keys).collect();
    for name in names {
        let range = |runs: &mut dyn Iterator<Item = &Counts>| {
            let numbers: Vec<_> = runs
                .map(|counts| *counts.get(name).unwrap_or(&(0, 0)))
                .collect();
            (
                *numbers.iter().min().expect("runs"),
                *numbers.iter().max().expect("runs"),
            )
        };
        let expected = range(&mut straced.iter());
        if varying.iter().any(|(varies, _)| varies == name) {
            let found = range(&mut traced.iter().map(|(_, counts)| counts));
            let possible =
                expected.0.0 == 0 || found.0.0 == 0 || (expected.1.0 > 0 && found.1.0 > 0);
            assert!(possible, "{name}: strace {expected:?}, bytehop {found:?}");
            continue;
        }
        assert_eq!(expected.0, expected.1, "{name}: strace's own runs differ");
        for (verb, counts) in &traced {
            let found = *counts.get(name).unwrap_or(&(0, 0));
            assert_eq!(
                found, expected.0,
                "{name} (calls, errors): {verb:?} against strace"
            );
        }
    }
}

/// Timing decides how the reader and the writer of a pipe or socket meet.
const RENDEZVOUS: &str = "a reader may find part of what is on its way";

#[test]
#[ignore = "root"]
fn fixture_workloads() {
    let _serial = serial();
    let scratch = Scratch::new();
    let (file, new) = (scratch.file("file", 1 << 20), scratch.path("new"));
    let (f, n) = (file.as_str(), new.as_str());
    let steady: &[&[&str]] = &[
        &["noop"],
        &["pread", "1000", "4096", f],
        &["read-loop", "64K", f],
        &["write", "1M", "64K", n, "--fsync"],
        &["copy", "64K", f, n],
        &["close-reuse", f],
        &["sendfile-loopback", "1M", "64K", f],
        &["udp", "100", "1000"],
        &["unix", "100", "4096"],
        &["pipe-pair", "1M", "4096"],
        &["vmsplice", "10", "64K"],
        &["tee", "10", "4096"],
        &["cow-fork", "100"],
        &["spin-getppid", "10000"],
        &["fork-tree", "2", "3"],
        &["signal-self", "100"],
        &["uring-read", "1M", "64K", f],
    ];
    for words in steady {
        agree(&fixture(words), STEADY);
    }
}

#[test]
#[ignore = "root"]
fn fixture_threads() {
    let _serial = serial();
    agree(&fixture(&["threads", "4", "1000"]), THREADS);
}

/// What glibc's threads do depends on how they overlap.
const THREADS: Varying = &[
    ("futex", "contention depends on timing"),
    (
        "mmap",
        "a new thread takes over the stack of one that has ended",
    ),
    (
        "mprotect",
        "the guard page of a new stack; an arena grows as threads overlap",
    ),
    (
        "munmap",
        "an arena's alignment depends on where ASLR put it",
    ),
    ("madvise", "the stack of an ended thread is kept or not"),
    (
        "rt_sigprocmask",
        "glibc masks signals around the end of a thread in some interleavings",
    ),
];

#[test]
#[ignore = "root"]
fn cat() {
    let _serial = serial();
    let scratch = Scratch::new();
    agree(&["cat", &scratch.file("file", 3 << 20)], STEADY);
}

#[test]
#[ignore = "root"]
fn cp() {
    let _serial = serial();
    let scratch = Scratch::new();
    let from = scratch.file("from", 3 << 20);
    let to = scratch.file("to", 0);
    agree(&["cp", &from, &to], STEADY);
}

#[test]
#[ignore = "root"]
fn dd() {
    let _serial = serial();
    let scratch = Scratch::new();
    let from = format!("if={}", scratch.file("from", 1 << 20));
    let to = format!("of={}", scratch.file("to", 0));
    agree(
        &["dd", &from, &to, "bs=4096", "status=none", "conv=fsync"],
        STEADY,
    );
}

#[test]
#[ignore = "root"]
fn shell_pipeline_with_forks() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", 2000);
    let script = format!(
        "for i in 1 2 3; do cat '{file}' | tr a b | wc -c; done; ls -l /proc/self/fd; exit 0"
    );
    agree(
        &["sh", "-c", &script],
        &[
            ("read", RENDEZVOUS),
            (
                "clone",
                "a signal that arrives meanwhile makes the kernel begin it again",
            ),
            ("wait4", "the shell reaps one child or two at a time"),
            (
                "rt_sigreturn",
                "a SIGCHLD that arrives while the shell waits interrupts it or not",
            ),
        ],
    );
}

#[test]
#[ignore = "root"]
fn python_with_threads() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", 1 << 20);
    let program = scratch.path("threads.py");
    let text = format!(
        r#"
import os, threading
everyone = threading.Barrier(4)
def work():
    everyone.wait()
    fd = os.open({file:?}, os.O_RDONLY)
    for i in range(200):
        os.pread(fd, 4096, i * 4096)
        os.getppid()
    os.close(fd)
    everyone.wait()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"#
    );
    std::fs::write(&program, text).expect("write the program");
    agree(&["/usr/bin/python3", "-I", "-S", &program], PYTHON);
}

/// Python adds to [`THREADS`] its own lock.
const PYTHON: Varying = &[
    (
        "futex",
        "the interpreter's lock is handed over as timing has it",
    ),
    ("mmap", "arenas of the allocator, as threads overlap"),
    ("mprotect", "arenas of the allocator, as threads overlap"),
    (
        "munmap",
        "an arena's alignment depends on where ASLR put it",
    ),
    ("madvise", "the stack of an ended thread is kept or not"),
    (
        "rt_sigprocmask",
        "glibc masks signals around the end of a thread in some interleavings",
    ),
];

/// A call that fails counts as an error, whatever the error.
#[test]
#[ignore = "root"]
fn errors() {
    let _serial = serial();
    agree(
        &["sh", "-c", "cat /nonexistent /proc/self/mem /; exit 0"],
        STEADY,
    );
}

/// Calls in which a thread ends do not return: its own end, its process's, and by a signal.
#[test]
#[ignore = "root"]
fn killed_in_a_call() {
    let _serial = serial();
    let asleep = "
import os, threading, time
for _ in range(5): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
time.sleep(0.3)
os._exit(0)
";
    agree(&["/usr/bin/python3", "-I", "-S", "-c", asleep], PYTHON);
    agree(
        &[
            "sh",
            "-c",
            "sleep 60 & sleep 0.2; kill -KILL $!; wait; exit 0",
        ],
        SIGNALS,
    );
    agree(&["sh", "-c", "timeout 0.2 sleep 60; exit 0"], SIGNALS);
}

const SIGNALS: Varying = &[
    (
        "rt_sigreturn",
        "it \"fails\" where the call that was interrupted did",
    ),
    ("wait4", "the shell is interrupted while it waits, or not"),
    (
        "rt_sigsuspend",
        "the shell is interrupted while it waits, or not",
    ),
    (
        "rt_sigprocmask",
        "the shell is interrupted while it waits, or not",
    ),
];
