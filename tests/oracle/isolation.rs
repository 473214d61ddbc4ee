//! Only the traced program counts, and it runs as if nobody watched.

use std::process::{Child, Stdio};

use crate::fixture::fixture;
use crate::harness::{BYTEHOP, Scratch, VERBS, Verb, command, output, serial, trace, trace_with};
use crate::syscalls::strace;

/// Ended with the test.
struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "root"]
fn other_programs_are_not_counted() {
    let _serial = serial();
    let scratch = Scratch::new();
    let words = fixture(&["noop"]);
    let expected = strace(&words);
    let noise = format!("of={}", scratch.path("noise"));
    // One process, endless: writes to the disk, each write synchronous.
    let mut dd = command(&[
        "dd",
        "if=/dev/zero",
        &noise,
        "bs=64K",
        "oflag=dsync",
        "conv=notrunc",
    ]);
    let _dd = Background(dd.stderr(Stdio::null()).spawn().expect("dd"));
    for verb in VERBS {
        let summary = trace(verb, &words);
        assert_eq!(summary.counts(), expected, "{verb:?}");
        summary.assert_none("dma", "*", "*");
        assert_eq!(summary.number("/unattributed/write_bytes"), 0, "{verb:?}");
        assert_eq!(summary.number("/metadata_io/write_bytes"), 0, "{verb:?}");
    }
}

#[test]
#[ignore = "root"]
fn two_traces_at_a_time() {
    let _serial = serial();
    let counts = ["200000", "300000"];
    std::thread::scope(|scope| {
        for count in counts {
            scope.spawn(move || {
                let calls =
                    trace(Verb::Run, &fixture(&["spin-getppid", count])).calls_of("getppid");
                assert_eq!(calls.to_string(), count);
            });
        }
    });
}

#[test]
#[ignore = "root"]
fn children_are_left_out_on_request() {
    let _serial = serial();
    let words = fixture(&["fork-tree", "1", "5"]);
    for verb in VERBS {
        assert_eq!(trace(verb, &words).calls_of("getppid"), 6, "{verb:?}");
        let alone = trace_with(verb, &["--no-follow"], &words).summary;
        assert_eq!(alone.calls_of("getppid"), 1, "{verb:?}");
        assert_eq!(alone.calls_of("clone"), 5, "{verb:?}");
    }
}

/// Standard output and input are the program's own.
#[test]
#[ignore = "root"]
fn standard_streams() {
    let _serial = serial();
    let scratch = Scratch::new();
    let input = scratch.path("input");
    std::fs::write(&input, "hello").expect("write");
    for options in [
        &["run", "--no-tui", "--json"][..],
        &["stat"],
        &["run", "--no-tui"],
    ] {
        let mut line = vec![BYTEHOP];
        line.extend(options);
        line.extend(["--", "cat"]);
        let mut command = command(&line);
        command.stdin(std::fs::File::open(&input).expect("open"));
        let output = output(command).expect(0);
        assert_eq!(output.stdout, "hello");
        assert!(!output.stderr.is_empty(), "{options:?}: no summary");
        if options.contains(&"--json") {
            crate::summary::Summary::parse(&output.stderr);
        }
    }
}

/// No descriptor, signal mask or disposition of bytehop's reaches the program.
#[test]
#[ignore = "root"]
fn nothing_is_inherited() {
    let _serial = serial();
    let script = "ls /proc/self/fd; grep -E '^(Sig|NoNewPrivs|Seccomp|Cap|Groups|Umask)' /proc/self/status; \
                  ulimit -a; cut -d' ' -f6,7,19 /proc/self/stat; env | sort";
    let plain = output(command(&["sh", "-c", script])).expect(0);
    for verb in VERBS {
        let traced = trace_with(verb, &[], &["sh", "-c", script])
            .output
            .expect(0);
        assert_eq!(
            without_glibc(&traced.stdout),
            without_glibc(&plain.stdout),
            "{verb:?}"
        );
    }
}

/// Signals 32 and 33 are the C library's own: `posix_spawn`, which starts our commands, leaves them
/// ignored or not depending on what its caller did.
fn without_glibc(status: &str) -> String {
    let line = |line: &str| match line.strip_prefix("SigIgn:\t") {
        Some(mask) => format!(
            "{:x}\n",
            u64::from_str_radix(mask, 16).expect("a mask") & !(3 << 31)
        ),
        None => format!("{line}\n"),
    };
    status.lines().map(line).collect()
}

/// Under sudo the program runs as the user who called sudo.
#[test]
#[ignore = "root"]
fn under_sudo() {
    let _serial = serial();
    let identity = "id -u; id -g; id -G; id -un";
    let expected = output(command(&[
        "setpriv",
        "--reuid=nobody",
        "--regid=nogroup",
        "--init-groups",
        "sh",
        "-c",
        identity,
    ]))
    .expect(0);
    let (uid, gid) = {
        let mut lines = expected.stdout.lines();
        (
            lines.next().expect("uid").to_owned(),
            lines.next().expect("gid").to_owned(),
        )
    };
    for verb in ["run", "stat"] {
        let mut command = command(&[BYTEHOP, verb, "--", "sh", "-c", identity]);
        command
            .env("SUDO_UID", &uid)
            .env("SUDO_GID", &gid)
            .env("SUDO_USER", "nobody");
        let traced = output(command).expect(0);
        assert_eq!(traced.stdout, expected.stdout, "{verb}");
    }
}
