//! Recordings survive SIGKILL, full disks and damage; readers never panic.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::fixture::fixture;
use crate::harness::{BYTEHOP, Output, Scratch, command, output, report, serial, wait};

/// A small deterministic generator (xorshift): which moments and bytes to try.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn record(recording: &str, words: &[String]) -> Command {
    let mut line = vec![BYTEHOP, "record", "-o", recording, "--"];
    line.extend(words.iter().map(String::as_str));
    let mut command = command(&line);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn report_on(recording: &str) -> Output {
    let output = output(command(&[BYTEHOP, "report", "--json", recording]));
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    output
}

/// A recording of some variety to damage.
fn sample(scratch: &Scratch) -> String {
    let recording = scratch.path("sample");
    let file = scratch.file("file", 1 << 20);
    let words = fixture(&["sendfile-loopback", "1M", "64K", &file]);
    assert!(wait(&mut record(&recording, &words).spawn().expect("bytehop")).success());
    recording
}

#[test]
#[ignore = "root"]
fn sigkill_at_any_moment() {
    let _serial = serial();
    let scratch = Scratch::new();
    let recording = scratch.path("recording");
    let mut random = Random(0x5eed);
    let started = scratch.path("started");
    for _ in 0..16 {
        // There are none before the first turn.
        let _ = (fs::remove_file(&recording), fs::remove_file(&started));
        // Ends by itself, should it outlive its tracer.
        let spin = fixture(&["spin-getppid", "8000000"]).join(" ");
        let words = ["sh", "-c", &format!(": > '{started}'; exec {spin}")].map(str::to_owned);
        let mut child = record(&recording, &words).spawn().expect("bytehop");
        std::thread::sleep(Duration::from_millis(random.below(3000)));
        let ran = fs::metadata(&started).and_then(|file| file.modified()).ok();
        let ran = ran.and_then(|began| began.elapsed().ok());
        child.kill().expect("kill");
        child.wait().expect("wait");
        if !fs::exists(&recording).expect("exists") {
            assert!(
                ran.is_none(),
                "no recording of a program that ran for {ran:?}"
            );
            continue;
        }
        let output = report_on(&recording).expect(0);
        let summary = crate::summary::Summary::parse(&output.stdout);
        // At most the last second is lost.
        if ran.is_some_and(|ran| ran > Duration::from_millis(1300)) {
            assert!(summary.calls_of("getppid") > 0, "nothing after {ran:?}");
        }
    }
}

#[test]
#[ignore = "root"]
fn cut_anywhere() {
    let _serial = serial();
    let scratch = Scratch::new();
    let whole = fs::read(sample(&scratch)).expect("read");
    let whole_calls = report(&scratch.path("sample")).calls();
    let cut = scratch.path("cut");
    let mut random = Random(0xc07);
    let length = whole.len() as u64;
    let places = (0..64.min(length)).chain((0..150).map(|_| random.below(length)));
    for at in places {
        fs::write(&cut, &whole[..at as usize]).expect("write");
        let output = report_on(&cut);
        match output.code() {
            0 => {
                let summary = crate::summary::Summary::parse(&output.stdout);
                assert!(summary.calls() <= whole_calls, "cut at {at}");
                let warned = !summary.list("/warnings").is_empty() || !output.stderr.is_empty();
                assert!(warned, "cut at {at} of {length} without a warning");
            }
            4 => assert!(at < 4096, "cut at {at} of {length}: {}", output.stderr),
            other => panic!("cut at {at}: status {other}: {}", output.stderr),
        }
    }
}

#[test]
#[ignore = "root"]
fn damaged_anywhere() {
    let _serial = serial();
    let scratch = Scratch::new();
    let whole = fs::read(sample(&scratch)).expect("read");
    let damaged = scratch.path("damaged");
    let mut random = Random(0xbad);
    for _ in 0..200 {
        let mut bytes = whole.clone();
        let at = random.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << random.below(8);
        fs::write(&damaged, &bytes).expect("write");
        let output = report_on(&damaged);
        assert!(
            matches!(output.code(), 0 | 4),
            "byte {at}: {}: {}",
            output.code(),
            output.stderr
        );
        if output.code() == 0 {
            let summary = crate::summary::Summary::parse(&output.stdout);
            let warned = !summary.list("/warnings").is_empty() || !output.stderr.is_empty();
            assert!(warned, "byte {at} is wrong, and nobody says so");
        }
    }
}

#[test]
fn foreign_files() {
    for path in ["/etc/passwd", "/bin/true", BYTEHOP] {
        let output = report_on(path).expect(4);
        assert_eq!(
            output.stderr.trim_end().lines().count(),
            1,
            "{}",
            output.stderr
        );
        assert!(output.stderr.contains(path), "{}", output.stderr);
        assert!(output.stdout.is_empty());
    }
}

/// A file system of its own, unmounted at the end.
struct Mount(String);

impl Drop for Mount {
    fn drop(&mut self) {
        // Nothing more can be done about it here.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
#[ignore = "root"]
fn full_disk() {
    let _serial = serial();
    let scratch = Scratch::new();
    let dir = scratch.path("small");
    fs::create_dir(&dir).expect("mkdir");
    output(command(&[
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "size=128k",
        "tmpfs",
        &dir,
    ]))
    .expect(0);
    let mount = Mount(dir);
    let recording = format!("{}/recording", mount.0);
    let own = scratch.path("report.json");
    // Offsets differ from call to call, so that it does not compress away.
    let file = scratch.file("file", 16 << 20);
    let words = fixture(&["pread", "1000000", "16", &file, "--report", &own]);
    let mut line = vec![BYTEHOP, "record", "-o", &recording, "--"];
    line.extend(words.iter().map(String::as_str));
    let output = output(command(&line));
    assert!(output.stderr.contains("No space left"), "{}", output.stderr);
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    assert!(
        fs::exists(own).expect("exists"),
        "the program was not left to finish"
    );
    let report = report_on(&recording).expect(0);
    let summary = crate::summary::Summary::parse(&report.stdout);
    assert!(summary.calls() > 0);
}

/// `report | head`: the reader goes away early.
#[test]
#[ignore = "root"]
fn report_into_a_closed_pipe() {
    let _serial = serial();
    let scratch = Scratch::new();
    let recording = sample(&scratch);
    for format in ["text", "json", "jsonl"] {
        let (reader, writer) = std::io::pipe().expect("pipe");
        drop(reader);
        let mut command = command(&[BYTEHOP, "report", "--format", format, &recording]);
        let mut child = command
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .expect("bytehop");
        let mut errors = String::new();
        child
            .stderr
            .take()
            .expect("stderr")
            .read_to_string(&mut errors)
            .expect("read");
        let status = wait(&mut child);
        // As `cat` would: SIGPIPE (141) is as good as a quiet end.
        assert!(
            matches!(crate::harness::code(status), 0 | 141),
            "{format}: {status}: {errors}"
        );
        assert_eq!(errors, "", "{format}");
    }
}

/// The same recording gives the same report, here and for anybody.
#[test]
#[ignore = "root"]
fn reports_are_functions_of_the_recording() {
    let _serial = serial();
    let scratch = Scratch::new();
    let recording = sample(&scratch);
    let json = |words: &[&str]| output(command(words)).expect(0).stdout;
    let first = json(&[BYTEHOP, "report", "--json", &recording]);
    assert_eq!(
        first,
        json(&[BYTEHOP, "report", "--format", "json", &recording])
    );
    let copy = crate::refusals::Unprivileged::new();
    fs::copy(&recording, copy.path("recording")).expect("copy");
    copy.readable("recording");
    let theirs = copy
        .run(&["report", "--json", &copy.path("recording")])
        .expect(0);
    assert_eq!(first, theirs.stdout);
}
