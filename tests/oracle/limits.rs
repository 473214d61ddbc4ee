//! What the caller limits, and what disturbs loading.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{BYTEHOP, code, command, not_run, output, serial, wait};

/// A limit is named with its number and what to do; nothing was run.
#[track_caller]
fn names(limits: &str, expected: &[&str]) {
    for verb in ["run --no-tui", "record -o /dev/null"] {
        let script = format!("{limits}; exec '{BYTEHOP}' {verb} -- echo ran");
        let output = output(command(&["bash", "-c", &script])).expect(3);
        assert_eq!(output.stdout, "", "{limits}");
        let said = output.stderr.trim_end();
        assert_eq!(said.lines().count(), 1, "{said}");
        for part in expected {
            assert!(said.contains(part), "{limits}: {said}");
        }
    }
}

#[test]
#[ignore = "root"]
fn are_named() {
    let _serial = serial();
    for n in ["16", "64"] {
        names(&format!("ulimit -n {n}"), &["EMFILE", "ulimit -n", n]);
    }
    for kib in ["50000", "120000"] {
        names(
            &format!("ulimit -v {kib}"),
            &["ENOMEM", "ulimit -v", "--buffer-size"],
        );
    }
}

/// What is soft we lift for ourselves; the program has what our caller had.
#[test]
#[ignore = "root"]
fn soft_ones_are_the_programs() {
    let _serial = serial();
    for verb in ["run --no-tui", "stat"] {
        let script = format!(
            "ulimit -Sn 40; ulimit -Sv 90000; ulimit -l 99; exec '{BYTEHOP}' {verb} -q -- bash -c 'ulimit -n; ulimit -v; ulimit -l; nice'"
        );
        let output = output(command(&["bash", "-c", &script])).expect(0);
        assert_eq!(output.stdout, "40\n90000\n99\n0\n", "{verb}");
    }
}

#[test]
#[ignore = "root"]
fn of_a_cgroup() {
    let _serial = serial();
    let name = format!("bytehop-oracle-{}", std::process::id());
    let places = [
        (
            format!("/sys/fs/cgroup/memory/{name}"),
            "memory.limit_in_bytes",
        ),
        (format!("/sys/fs/cgroup/{name}"), "memory.max"),
    ];
    let made = places.iter().find(|(group, limit)| {
        fs::create_dir(group).is_ok() && fs::write(format!("{group}/{limit}"), "64M").is_ok()
    });
    if let Some((group, _)) = made {
        names(
            &format!("echo $$ > {group}/cgroup.procs"),
            &["ENOMEM", &name, "64 MiB"],
        );
    }
    for (group, _) in &places {
        // The other one was never made.
        let _ = fs::remove_dir(group);
    }
    if made.is_none() {
        not_run("limits::of_a_cgroup", "no memory cgroup can be made here");
    }
}

/// A signal that comes while probes are loaded ends `top` with one line, and its status; the program that was to
/// be traced is not left behind.
#[test]
#[ignore = "root"]
fn signalled_while_loading() {
    let _serial = serial();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut told = false;
        for round in 0..20u64 {
            let mut child = command(&[BYTEHOP, "top", "--json", "-n", "1", "-d", "5"]);
            child.stdout(std::process::Stdio::null());
            let child = child.stderr(std::process::Stdio::piped());
            let mut child = child.spawn().expect("bytehop");
            sleep(Duration::from_millis(20 + 10 * round));
            kill(Pid::from_raw(child.id() as i32), signal).expect("a signal");
            let status = code(wait(&mut child));
            let said = std::io::read_to_string(child.stderr.take().expect("stderr"));
            let said = said.expect("text");
            assert_eq!(status, 128 + signal as i32, "{said}");
            // Before it is there to hold signals back, and after its probes are, it says nothing.
            let line = format!(
                "bytehop: ended by {signal} while probes were loaded: nothing was traced\n"
            );
            assert!(said.is_empty() || said == line, "{said}");
            told |= said == line;
            if told {
                break;
            }
        }
        assert!(told, "{signal}: never while it loaded");
    }
}

/// Stopped and continued at any moment while it loads, it goes on.
#[test]
#[ignore = "root"]
fn stopped_while_loading() {
    let _serial = serial();
    for round in 0..40u64 {
        let mut child = command(&[BYTEHOP, "stat", "-q", "--", "true"]);
        let child = child.stderr(std::process::Stdio::piped());
        let mut child = child.spawn().expect("bytehop");
        let pid = Pid::from_raw(child.id() as i32);
        for pause in 0..6 {
            sleep(Duration::from_micros(
                8_000 + 3_000 * ((round * 7 + pause * 5) % 9),
            ));
            // It may have ended.
            let _ = kill(pid, Signal::SIGSTOP);
            let _ = kill(pid, Signal::SIGCONT);
        }
        let status = code(wait(&mut child));
        let said = std::io::read_to_string(child.stderr.take().expect("stderr")).expect("read");
        assert_eq!(status, 0, "round {round}: {said}");
    }
}
