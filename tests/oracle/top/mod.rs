//! `bytehop top`: every process apart, and what each did is what it is known to do.

use std::collections::BTreeSet;
use std::fs::File;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

mod sum;

use sum::{Sum, number};

use crate::fixture::{Report, fixture};
use crate::harness::{
    BYTEHOP, Scratch, code, command, disk_of, eventually, evict, output, serial, wait,
};
use crate::leftovers::Objects;
use crate::syscalls::strace;
use crate::tmux::Tmux;

const N: u64 = 4 << 20;

/// A `top` that counts.
pub struct Top {
    child: Child,
    out: String,
}

impl Top {
    /// Starts it, and waits for its first line: from then on nothing is missed.
    pub fn start(scratch: &Scratch, options: &[&str]) -> Self {
        let out = scratch.path("top.jsonl");
        let mut line = vec![BYTEHOP, "top", "--json", "-d", "0.2"];
        line.extend(options);
        let mut command = command(&line);
        command.stdout(File::create(&out).expect("a file"));
        let child = command.stderr(Stdio::inherit()).spawn().expect("bytehop");
        let top = Self { child, out };
        eventually("the first table", || !top.lines().is_empty());
        top
    }

    /// The tables so far.
    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.out).expect("its output");
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let parsed = whole.lines().map(serde_json::from_str);
        parsed.collect::<Result<_, _>>().expect("lines of JSON")
    }

    /// Ends it as Ctrl-C does, once it has shown what there was until now.
    pub fn finish(mut self) -> Vec<Value> {
        let shown = self.lines().len();
        eventually("two more tables", || self.lines().len() >= shown + 2);
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT).expect("kill");
        assert_eq!(code(wait(&mut self.child)), 130);
        let lines = self.lines();
        for line in &lines {
            assert_eq!(line["lost"]["calls"], 0, "{}", line["lost"]);
            assert_eq!(line["lost"]["counts"], 0, "{}", line["lost"]);
        }
        lines
    }
}

/// Runs a workload of the fixture; its process id.
fn run(words: &[&str]) -> u32 {
    let mut child = begin(words);
    let pid = child.id();
    assert!(wait(&mut child).success());
    pid
}

fn begin(words: &[&str]) -> Child {
    // With the environment that it has under strace.
    command(&fixture(words)).spawn().expect("the fixture")
}

/// Calls by name are strace's, bytes are those of the payload, and the process need not live to see
/// a table.
#[test]
#[ignore = "root"]
fn a_known_payload() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", N as usize);
    let words = ["pread", "64", "64K", &file];
    let expected = strace(&fixture(&words));
    let top = Top::start(&scratch, &[]);
    let pid = run(&words);
    let loader = run(&["noop"]);
    let ourselves = top.child.id();
    let lines = top.finish();
    let sum = Sum::of(&lines, pid);
    let loader = Sum::of(&lines, loader);
    assert!(sum.ended, "it was not said to have ended");
    assert!(
        sum.names
            .last()
            .is_some_and(|name| name.starts_with("bytehop-fixture")),
        "{sum:#?}"
    );
    for (name, (calls, _)) in &expected {
        // Before execve the process makes calls of its own, and the last one does not return.
        let found = sum.calls.get(name).map_or(0, |(calls, _)| *calls);
        match name.as_str() {
            "exit_group" => assert_eq!(found, 0),
            "read" | "pread64" | "openat" | "mmap" | "execve" | "brk" => {
                assert_eq!(found, *calls, "{name}");
            }
            _ => assert!(found >= *calls, "{name}: {found}, strace {calls}"),
        }
    }
    let all: u64 = sum.calls.values().map(|(calls, _)| calls).sum();
    assert_eq!(sum.crossings["syscall"], 2 * all);
    assert_eq!(
        sum.crossings["total"],
        sum.crossings["syscall"] + sum.crossings["page_fault"]
    );
    assert_eq!(sum.of_payload("pread64", &loader), (64, N));
    // All that was read was copied, nothing twice.
    assert_eq!(sum.moved("copy", "page_cache", "user"), sum.read());
    assert_eq!(sum.moved("copy", "page_cache", "user") - loader.read(), N);
    let us = |row: &Value| row["pid"] == ourselves;
    let mut rows = lines
        .iter()
        .flat_map(|line| line["processes"].as_array().expect("rows"));
    assert!(!rows.any(us), "we are in our own table");
}

/// Two processes of one program are two rows, also while both run.
#[test]
#[ignore = "root"]
fn two_at_once() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", N as usize);
    let top = Top::start(&scratch, &[]);
    let mut some = begin(&["pread", "30000", "4K", &file]);
    let mut many = begin(&["pread", "20000", "8K", &file]);
    assert!(wait(&mut some).success() && wait(&mut many).success());
    let loader = run(&["noop"]);
    let lines = top.finish();
    let loader = Sum::of(&lines, loader);
    let mut missing = 0;
    for (child, calls, size) in [(&some, 30_000, 4096), (&many, 20_000, 8192)] {
        let sum = Sum::of(&lines, child.id());
        let (told, bytes) = sum.of_payload("pread64", &loader);
        assert_eq!(bytes, told * size);
        assert_eq!(
            sum.moved("copy", "page_cache", "user") - loader.read(),
            bytes
        );
        assert!(told <= calls, "{told} of {calls}");
        missing += calls - told;
    }
    // A kernel that runs probes preemptibly (7.2) skips some, and says how many.
    let skipped = lines
        .last()
        .map_or(0, |line| sum::number(&line["lost"]["skipped"]));
    assert!(missing <= skipped, "{missing} missing, {skipped} skipped");
}

/// What a disk did is put down to who caused it, write-back too.
#[test]
#[ignore = "root"]
fn disks() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", N as usize);
    let new = scratch.path("new");
    let device = format!("device:{}", disk_of(&file));
    let top = Top::start(&scratch, &[]);
    evict(&file);
    let reader = run(&["pread", "64", "64K", &file]);
    let writer = run(&["write", "4M", "64K", &new, "--fsync"]);
    // Written back on behalf of someone else.
    let dirtier = run(&["write", "4M", "64K", &scratch.path("later")]);
    let later = File::open(scratch.path("later")).expect("its file");
    later.sync_all().expect("sync");
    let lines = top.finish();
    let slack = 256 << 10;
    let sum = Sum::of(&lines, reader);
    let read = sum.moved("dma", &device, "page_cache");
    // Readahead may bring more than was asked for; the program itself may have to be read.
    assert!((N..=N + 4 * slack).contains(&read), "{read}");
    for pid in [writer, dirtier] {
        let sum = Sum::of(&lines, pid);
        assert_eq!(sum.calls["write"].1, N);
        assert_eq!(sum.moved("copy", "user", "page_cache"), N);
        let written = sum.moved("dma", "page_cache", &device);
        assert!((N..=N + slack).contains(&written), "{written}");
    }
}

/// Page faults are the kernel's own count; pages that are touched first are zeroed.
#[test]
#[ignore = "root"]
fn page_faults() {
    let _serial = serial();
    let scratch = Scratch::new();
    let report = scratch.path("report");
    let top = Top::start(&scratch, &[]);
    let pid = run(&["anon-touch", "1000", "--report", &report]);
    let sum = Sum::of(&top.finish(), pid);
    let minor = Report::read(&report).end("min_flt");
    let faults = sum.crossings["page_fault"] / 2;
    // getrusage counts those in kernel mode, too, and those before our report's end only.
    assert!(
        (1000..=minor + 100).contains(&faults),
        "{faults} of {minor}"
    );
    assert!(
        (1000 * 4096..2000 * 4096).contains(&sum.filled),
        "{}",
        sum.filled
    );
}

/// References are no copies, and requests of io_uring are told like calls.
#[test]
#[ignore = "root"]
fn other_ways() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", N as usize);
    let top = Top::start(&scratch, &[]);
    let splicer = run(&["splice-loopback", "4M", "64K", &file]);
    let mut ring = begin(&["uring-read", "4M", "64K", &file]);
    let has_ring = wait(&mut ring).success();
    let mut again = begin(&["uring-multishot", "100", "1000", "udp"]);
    let goes_on = wait(&mut again).success();
    let lines = top.finish();
    let sum = Sum::of(&lines, splicer);
    assert_eq!(sum.moved("share", "page_cache", "pipe"), N);
    assert_eq!(sum.moved("share", "pipe", "socket"), N);
    // What its child receives is measured where it happens; the rules leave it alone.
    let rows = lines
        .iter()
        .flat_map(|line| line["processes"].as_array().expect("rows"));
    let ours = |row: &&Value| {
        row["comm"]
            .as_str()
            .is_some_and(|name| name.starts_with("bytehop-fixture"))
    };
    let pids: BTreeSet<u64> = rows.filter(ours).map(|row| number(&row["pid"])).collect();
    let pids = pids.iter().map(|pid| *pid as u32);
    let sums = pids.filter(|pid| *pid != again.id());
    let sums = sums.map(|pid| Sum::of(&lines, pid));
    let received: u64 = sums.map(|sum| sum.moved("copy", "socket", "user")).sum();
    assert_eq!(received, N);
    if has_ring {
        let sum = Sum::of(&lines, ring.id());
        assert_eq!(sum.calls["io_uring:read"], (64, N));
        assert_eq!(sum.moved("copy", "page_cache", "user"), sum.read() + N);
    }
    if has_ring {
        // The last of its completions is the one that it was cancelled with.
        assert!(goes_on);
        let sum = Sum::of(&lines, again.id());
        assert_eq!(sum.calls["io_uring:recv"], (101, 100_000));
    }
}

/// Rounds, filters and totals; text for people.
#[test]
#[ignore = "root"]
fn tables() {
    let _serial = serial();
    let scratch = Scratch::new();
    let mut sleeper = begin(&["sleep", "60000"]);
    let pid = sleeper.id().to_string();
    let line = [BYTEHOP, "top", "-d", "0.2", "-n", "2", "--json", "-f", &pid];
    let lines = output(command(&line)).expect(0).stdout;
    assert_eq!(lines.lines().count(), 2, "{lines}");
    kill(Pid::from_raw(sleeper.id() as i32), Signal::SIGKILL).expect("kill");
    wait(&mut sleeper);
    let text = output(command(&[BYTEHOP, "top", "-d", "0.2", "-n", "2"])).expect(0);
    assert_eq!(
        text.stdout.matches("bytehop top").count(),
        2,
        "{}",
        text.stdout
    );
    assert_eq!(text.stdout.matches("cross/s").count(), 2, "{}", text.stdout);
    // Processes that have ended are in the totals.
    let file = scratch.file("file", 1 << 20);
    let top = Top::start(&scratch, &["--total"]);
    for _ in 0..3 {
        run(&["pread", "16", "64K", &file]);
    }
    let lines = top.finish();
    let last = lines.last().expect("a table");
    let rows = last["processes"].as_array().expect("rows");
    let ended = rows
        .iter()
        .find(|row| row["what"] == "ended")
        .expect("a row");
    assert!(number(&ended["processes"]) >= 3);
    assert!(number(&ended["copied"]["bytes"]) >= 3 << 20, "{ended}");
}

/// However it ends, nothing stays in the kernel.
#[test]
#[ignore = "root"]
fn nothing_stays() {
    let _serial = serial();
    let scratch = Scratch::new();
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGKILL,
    ] {
        let mut top = Top::start(&scratch, &[]);
        let objects = Objects::of(top.child.id());
        kill(Pid::from_raw(top.child.id() as i32), signal).expect("kill");
        let status = code(wait(&mut top.child));
        assert_eq!(status, 128 + signal as i32);
        objects.assert_gone(signal.as_str());
    }
    // A reader that has had enough: told at once, not at the next table.
    let line = [BYTEHOP, "top", "--no-tui", "-d", "60"];
    let mut child = command(&line)
        .stdout(Stdio::piped())
        .spawn()
        .expect("bytehop");
    eventually("probes", || !Objects::of(child.id()).is_empty());
    drop(child.stdout.take());
    assert_eq!(code(wait(&mut child)), 0);
}

/// The screen: it shows, obeys, and gives the terminal back.
#[test]
#[ignore = "root"]
fn on_a_terminal() {
    let _serial = serial();
    let Some(tmux) = Tmux::start("top", 80, 24) else {
        return;
    };
    tmux.keys(&[&format!("{BYTEHOP} top -d 0.3; echo status $?"), "Enter"]);
    tmux.wait("cross/s");
    tmux.wait("tmux");
    tmux.keys(&["c"]);
    tmux.wait("▼copied/s");
    tmux.keys(&["t"]);
    tmux.wait("totals of");
    tmux.keys(&["/", "tmux", "Enter"]);
    tmux.wait("filter: tmux");
    tmux.keys(&["Enter"]);
    tmux.wait("bytehop attach -p");
    tmux.resize(20, 5);
    tmux.wait("too small");
    tmux.resize(100, 40);
    tmux.wait("totals of");
    tmux.keys(&["q"]);
    tmux.wait("status 0");
}
