//! A process that runs already: seen from then on, left as it was afterwards.

use std::process::{Child, Command, Stdio};

use crate::fixture::fixture;
use crate::harness::{BYTEHOP, Scratch, command, output, report, serial};
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
    let output = output(command(&line)).expect(0);
    check(&Summary::read(&json, &output), &mut reader);
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
