//! A process that runs already: seen from then on, left as it was afterwards.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{SigHandler, Signal, kill};
use nix::unistd::Pid;

use crate::fixture::fixture;
use crate::harness::{
    BYTEHOP, Scratch, code, command, compiled, eventually, not_run, output, report, serial, wait,
};
use crate::summary::Summary;

/// A program that reads a byte of a file every few milliseconds, until it is killed.
struct Reader(Child);

const LOOP: &str = "
import os, threading, time
fd = os.open('/etc/passwd', os.O_RDONLY)
def work():
    while True:
        os.pread(fd, 1, 0)
        time.sleep(0.002)
for _ in range(3): threading.Thread(target=work).start()
print(flush=True)
";

impl Reader {
    fn start() -> Self {
        let mut python = command(&["/usr/bin/python3", "-I", "-S", "-c", LOOP]);
        let mut child = python.stdout(Stdio::piped()).spawn().expect("python");
        let mut line = [0];
        let mut stdout = child.stdout.take().expect("stdout");
        std::io::Read::read_exact(&mut stdout, &mut line).expect("python says that it runs");
        Self(child)
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    fn runs(&mut self) -> bool {
        self.0.try_wait().expect("wait").is_none()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All threads are seen, calls that began before included; the process goes on.
#[track_caller]
fn check(summary: &Summary, reader: &mut Reader) {
    let preads = summary.calls_of("pread64");
    assert!((3..3000).contains(&preads), "{preads} in a second");
    // Threads that were asleep when tracing began, or when it ended.
    assert!(summary.calls_of("clock_nanosleep").abs_diff(preads) <= 6);
    assert_eq!(summary.number("/lost_events"), 0);
    assert!(reader.runs(), "the process was ended");
}

/// CPU time of all threads of a process so far, as the scheduler counts it, ns.
fn cpu_time(pid: &str) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
    let times = threads.map(|thread| {
        let stat = thread.expect("a thread").path().join("schedstat");
        let stat = std::fs::read_to_string(stat).expect("its times");
        let on_cpu = stat.split(' ').next().expect("a number");
        on_cpu.parse::<u64>().expect("ns")
    });
    times.sum()
}

#[test]
#[ignore = "root"]
fn for_a_time() {
    let _serial = serial();
    let scratch = Scratch::new();
    let json = scratch.path("summary");
    let mut reader = Reader::start();
    let pid = reader.pid();
    let line = [
        BYTEHOP,
        "attach",
        "--no-tui",
        "-p",
        &pid,
        "-d",
        "1",
        "--json",
        "--summary",
        &json,
    ];
    let before = cpu_time(&pid);
    let output = output(command(&line)).expect(0);
    let most = cpu_time(&pid) - before;
    let summary = Summary::read(&json, &output);
    check(&summary, &mut reader);
    // It was traced for a part of the time between.
    let cpu = summary.number("/cpu_ns");
    assert!((1..=most).contains(&cpu), "{cpu} of {most}");
}

#[test]
#[ignore = "root"]
fn with_a_recording() {
    let _serial = serial();
    let scratch = Scratch::new();
    let recording = scratch.path("recording");
    let mut reader = Reader::start();
    let pid = reader.pid();
    output(command(&[
        BYTEHOP, "record", "-o", &recording, "-p", &pid, "-d", "1",
    ]))
    .expect(0);
    check(&report(&recording), &mut reader);
}

/// A process that ends while it is traced ends the trace.
#[test]
#[ignore = "root"]
fn until_it_ends() {
    let _serial = serial();
    let scratch = Scratch::new();
    let json = scratch.path("summary");
    let words = fixture(&["sleep", "4000"]);
    let mut sleeper = Command::new(&words[0])
        .args(&words[1..])
        .spawn()
        .expect("fixture");
    let pid = sleeper.id().to_string();
    let output = output(command(&[
        BYTEHOP,
        "attach",
        "--no-tui",
        "-p",
        &pid,
        "--json",
        "--summary",
        &json,
    ]));
    let summary = Summary::read(&json, &output);
    assert!(sleeper.wait().expect("wait").success());
    // The call that it slept in began before the trace, and is none of its calls.
    assert_eq!(summary.calls(), 0, "{}", output.stderr);
    assert_eq!(summary.list("/never_returned")[0][0], "exit_group");
}

#[test]
#[ignore = "root"]
fn no_such_process() {
    let _serial = serial();
    let output = output(command(&[BYTEHOP, "attach", "--no-tui", "-p", "4194305"]));
    assert_ne!(output.code(), 0);
    assert!(output.stderr.contains("4194305"), "{}", output.stderr);
}

/// Beside two hundred threads that never rest: on time, with a summary; what was not read is counted.
#[test]
#[ignore = "root"]
fn busy_threads() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(program) = compiled(&scratch, "busy", BUSY) else {
        return not_run("attach::busy_threads", "no gcc here");
    };
    let busy = command(&[&program, "200"]).spawn().expect("busy");
    let mut busy = Reader(busy);
    eventually("two hundred threads", || threads(busy.0.id()) == 201);
    let json = scratch.path("summary");
    for _ in 0..3 {
        let line = [
            BYTEHOP,
            "attach",
            "--no-tui",
            "-p",
            &busy.pid(),
            "-d",
            "1",
            "--json",
            "--summary",
            &json,
        ];
        let output = output(command(&line)).expect(0);
        assert!(output.stderr.contains("201 threads"), "{}", output.stderr);
        let summary = Summary::read(&json, &output);
        assert!(summary.calls_of("pread64") > 0);
        // Of the kernel's clock, from the first moment traced to the last.
        let took = summary.number("/duration_ns");
        assert!((1_000_000_000..3_000_000_000).contains(&took), "{took}");
    }
    assert!(busy.runs());
}

const BUSY: &str = r#"
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static void *work(void *none) {
    char bytes[4096];
    int file = open("/etc/services", O_RDONLY);
    for (;;)
        pread(file, bytes, sizeof bytes, 0);
    return none;
}
int main(int argc, char **argv) {
    pthread_t thread;
    for (int i = atoi(argv[1]); i > 0; i--)
        pthread_create(&thread, NULL, work, NULL);
    pause();
}
"#;

fn threads(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

/// However it is asked to end, also while it loads, and also where shells have it ignore Ctrl-C.
#[test]
#[ignore = "root"]
fn ended_by_a_signal() {
    let _serial = serial();
    let scratch = Scratch::new();
    let json = scratch.path("summary");
    let reader = Reader::start();
    for round in 0..24u64 {
        let signal = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP][round as usize % 3];
        std::fs::write(&json, "").expect("an empty file");
        let line = [
            BYTEHOP,
            "attach",
            "--no-tui",
            "-p",
            &reader.pid(),
            "-q",
            "--json",
            "--summary",
            &json,
        ];
        let mut attach = command(&line);
        if round % 2 == 1 {
            // SAFETY: sets a disposition, no handler; async-signal-safe.
            unsafe {
                attach.pre_exec(|| {
                    nix::sys::signal::signal(Signal::SIGINT, SigHandler::SigIgn)?;
                    Ok(())
                })
            };
        }
        let mut attach = attach.spawn().expect("bytehop");
        let pid = Pid::from_raw(attach.id() as i32);
        eventually("it holds signals back", || holds(attach.id(), signal));
        std::thread::sleep(Duration::from_millis(30 * (round / 2)));
        kill(pid, signal).expect("it runs");
        assert_eq!(code(wait(&mut attach)), 128 + signal as i32);
        let text = std::fs::read_to_string(&json).expect("a summary");
        assert_eq!(
            Summary::parse(&text).number("/schema"),
            1,
            "{signal}: {text}"
        );
    }
}

/// Whether a process blocks a signal.
fn holds(pid: u32, signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal as u64 - 1) & 1 == 1)
}

/// Children that run already are traced too, or named.
#[test]
#[ignore = "root"]
fn children() {
    let _serial = serial();
    let scratch = Scratch::new();
    let json = scratch.path("summary");
    let script = "(while :; do sleep 0.01; done) & echo $!; wait";
    let mut shell = command(&["sh", "-c", script]);
    let mut shell = shell.stdout(Stdio::piped()).spawn().expect("sh");
    let mut line = String::new();
    let stdout = shell.stdout.take().expect("stdout");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("a number");
    let child: u64 = line.trim().parse().expect("a number");
    let shell = Reader(shell);
    for (option, follows) in [("--follow-forks", true), ("--no-follow", false)] {
        let line = [
            BYTEHOP,
            "attach",
            "--no-tui",
            option,
            "-p",
            &shell.pid(),
            "-d",
            "0.5",
            "--json",
            "--summary",
            &json,
        ];
        let output = output(command(&line)).expect(0);
        assert!(
            output.stderr.contains(&format!("sh ({child})")),
            "{}",
            output.stderr
        );
        assert_eq!(
            !output.stderr.contains("not traced"),
            follows,
            "{}",
            output.stderr
        );
        let summary = Summary::read(&json, &output);
        let rows = summary.list("/by_process");
        let row = rows.iter().find(|row| row["pid"] == child);
        assert_eq!(
            row.is_some_and(|row| row["comm"] == "sh"),
            follows,
            "{rows:?}"
        );
        assert_eq!(summary.calls_of("execve") > 2, follows);
    }
    let _ = kill(Pid::from_raw(child as i32), Signal::SIGKILL);
}
