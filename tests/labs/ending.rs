//! After every way of ending, nothing is left: no process, no folder.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use labs::own::{Job, Limits, Owner, Unfinished};
use labs::runs::Limit;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::terminal::tmux::Tmux;

/// Libraries may have to be built first.
const PATIENCE: Duration = Duration::from_secs(240);
const BYTEHOP: &str = env!("CARGO_BIN_EXE_bytehop");

/// How many processes sleep for that odd number of seconds: nobody else's do.
fn sleepers(seconds: &str) -> usize {
    let all = fs::read_dir("/proc").expect("/proc").flatten();
    let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let wanted = format!("sleep\0{seconds}\0");
    lines.filter(|line| *line == wanted.as_bytes()).count()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A guardian over a shell that leaves sleeping processes behind: children, a session of their own, and one
/// that does not want to hear.
fn guarded(seconds: &str, then: &str) -> Child {
    let script = format!(
        "sleep {seconds} & setsid sleep {seconds} & (setsid sh -c 'trap \"\" TERM INT HUP; sleep {seconds}; :' &) \n{then}"
    );
    let mut command = Command::new(BYTEHOP);
    command
        .args(["lab", "own", "--", "sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    command.spawn().expect("a guardian")
}

fn wait(child: &mut Child) -> ExitStatus {
    let mut status = None;
    until("the guardian ends", || {
        status = child.try_wait().expect("wait");
        status.is_some()
    });
    status.expect("a status")
}

#[test]
fn what_a_program_leaves_ends_with_it() {
    let mut child = guarded("98701", "sleep 0.3; exit 7");
    assert_eq!(wait(&mut child).code(), Some(7));
    assert_eq!(sleepers("98701"), 0);
}

#[test]
fn a_signal_is_a_status() {
    let mut child = guarded("98702", "sleep 0.3; kill -SEGV $$");
    assert_eq!(wait(&mut child).code(), Some(128 + 11));
    assert_eq!(sleepers("98702"), 0);
}

/// Told to end, or left alone because the one who started it is gone: the same.
#[test]
fn who_is_told_to_end_does() {
    for (seconds, then) in [
        ("98703", "sleep 98703"),
        ("98704", "trap '' TERM; while :; do :; done"),
    ] {
        let mut child = guarded(seconds, then);
        until("it runs", || sleepers(seconds) >= 3);
        drop(child.stdin.take());
        wait(&mut child);
        assert_eq!(sleepers(seconds), 0, "{then}");
    }
}

/// Signals that a search by name, or a closed terminal, sends to the guardian do not part it from what it guards.
#[test]
fn the_guardian_stays() {
    let mut child = guarded("98705", "sleep 98705");
    until("it runs", || sleepers("98705") >= 4);
    let pid = Pid::from_raw(child.id() as i32);
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        kill(pid, signal).expect("a signal");
    }
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).expect("a name");
    assert_eq!(name.trim(), "lab-guardian");
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().expect("wait").is_none());
    drop(child.stdin.take());
    wait(&mut child);
    assert_eq!(sleepers("98705"), 0);
}

#[test]
fn folders_go_with_the_session() {
    let dir = tempfile::tempdir().expect("a folder");
    let (left, kept) = (dir.path().join("left"), dir.path().join("kept"));
    for folder in [&left, &kept] {
        fs::create_dir_all(folder.join("deep")).expect("a folder");
    }
    let tidy = labs::own::tidy::Tidy::start(Path::new(BYTEHOP)).expect("a helper");
    use labs::own::tidy::Thing::Folder;
    tidy.made(Folder, &left);
    tidy.made(Folder, &kept);
    tidy.gone(Folder, &kept);
    assert!(left.exists());
    // Waits for it.
    drop(tidy);
    assert!(!left.exists());
    assert!(kept.exists());
}

/// Folders that sessions make, and the runs' own.
fn folders() -> Vec<String> {
    let mut found = Vec::new();
    for base in ["/tmp", "/var/tmp", "/dev/shm"] {
        for entry in fs::read_dir(base).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("bytehop-lab-") {
                found.push(format!("{base}/{name}"));
            }
        }
    }
    found
}

/// A check whose program starts others and does not end, ended in each way.
#[test]
#[ignore = "root"]
fn a_check_that_is_ended_leaves_nothing() {
    let _alone = crate::one_at_a_time();
    let dir = tempfile::tempdir().expect("a folder");
    let before = folders();
    let ways = [
        (Some(Signal::SIGTERM), Some(128 + 15), "98711"),
        (Some(Signal::SIGHUP), Some(128 + 1), "98712"),
        (Some(Signal::SIGINT), Some(128 + 2), "98713"),
        (Some(Signal::SIGKILL), None, "98714"),
        // By itself: the limit on processes.
        (None, Some(1), "98715"),
    ];
    for (signal, code, seconds) in ways {
        let children = if signal.is_some() { 50 } else { 1000 };
        let source = dir.path().join("busy.rs");
        let text = format!(
            "fn main() {{ for _ in 0..{children} {{ std::process::Command::new(\"setsid\")\
             .args([\"sleep\", \"{seconds}\"]).spawn().unwrap(); }} loop {{}} }}"
        );
        fs::write(&source, text).expect("write");
        let mut child = Command::new(BYTEHOP)
            .args(["lab", "first-hops", "--check", "--work"])
            .arg(crate::work())
            .arg("--program")
            .arg(&source)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bytehop");
        if let Some(signal) = signal {
            until("it runs", || sleepers(seconds) == children);
            kill(Pid::from_raw(child.id() as i32), signal).expect("a signal");
        }
        let status = wait(&mut child);
        assert_eq!(status.code(), code, "{signal:?}");
        until("no process is left", || sleepers(seconds) == 0);
        // Others may make theirs beside this, and take them away.
        until("no folder is left", || {
            folders().iter().all(|folder| before.contains(folder))
        });
        let mut said = String::new();
        let mut out = child.stdout.take().expect("its output");
        out.read_to_string(&mut said).expect("its output");
        if signal.is_none() {
            assert!(said.contains("processes and threads"), "{said}");
            assert!(said.contains("not checked"), "{said}");
        }
    }
}

/// A limit on time ends all that was started, whatever it does about signals.
#[test]
fn a_time_out_ends_everything() {
    let owner = Owner {
        bytehop: Some(BYTEHOP.into()),
        ..Owner::default()
    };
    let script = "setsid sleep 98721 & (setsid sh -c 'trap \"\" TERM INT HUP; sleep 98721; :' &)
        trap '' TERM; while :; do :; done";
    let ended = owner.run(Job {
        program: OsStr::new("sh"),
        args: ["-c", script].map(OsString::from).into(),
        learner: None,
        dir: None,
        stdout: Stdio::null(),
        stderr: Stdio::null(),
        limits: Limits {
            time: Duration::from_secs(1),
            ..Limits::of_program()
        },
        alone: false,
    });
    assert!(
        matches!(ended, Err(Unfinished::Limit(Limit::Time(_)))),
        "{ended:?}"
    );
    assert_eq!(sleepers("98721"), 0);
}

/// The same on the screen: stopped by a key, left by a key, killed, and with the terminal closed.
#[test]
#[ignore = "root"]
fn a_screen_that_is_ended_leaves_nothing() {
    let _alone = crate::one_at_a_time();
    let dir = tempfile::tempdir().expect("a folder");
    let before = folders();
    for (way, seconds) in [
        ("Escape", "98731"),
        ("C-c", "98732"),
        ("KILL", "98733"),
        ("closed", "98734"),
    ] {
        let work = dir.path().join(way);
        let Some(tmux) = Tmux::start("ending", 80, 24) else {
            return;
        };
        let command = format!(
            "XDG_STATE_HOME={} {BYTEHOP} lab first-hops --lang en --code c --work {}",
            dir.path().join("state").join(way).display(),
            work.display()
        );
        tmux.keys(&[&command, "Enter"]);
        tmux.wait("question 1 of");
        tmux.keys(&["Escape"]);
        tmux.wait("n observe");
        tmux.keys(&["4"]);
        tmux.wait("Your task.");
        // Saved: it is checked, and does not end.
        let text = format!(
            "#include <stdlib.h>\n#include <unistd.h>\nint main(void) {{ for (int i = 0; i < 20; i++) \
             if (fork() == 0) {{ setsid(); execlp(\"sleep\", \"sleep\", \"{seconds}\", NULL); }}\n for (;;); }}"
        );
        fs::write(work.join("first-hops/copy.c"), text).expect("write");
        until("it runs", || sleepers(seconds) == 20);
        match way {
            "closed" => drop(tmux.run(&["kill-session"])),
            "KILL" => {
                let shell = tmux.run(&["display-message", "-p", "#{pane_pid}"]);
                let shell = shell.trim();
                let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
                let child = children.expect("the shell's child");
                let pid = child.trim().parse().expect("one child");
                kill(Pid::from_raw(pid), Signal::SIGKILL).expect("a signal");
            }
            key => tmux.keys(&[key]),
        }
        until("no process is left", || sleepers(seconds) == 0);
        match way {
            "Escape" => {
                // The session goes on, and says what happened.
                tmux.wait("topped");
                tmux.keys(&["q"]);
                tmux.is_restored();
            }
            "C-c" => tmux.is_restored(),
            _ => {}
        }
        until("no folder is left", || {
            folders().iter().all(|folder| before.contains(folder))
        });
    }
}
