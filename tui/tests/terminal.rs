//! The real program in a real terminal: tmux types the keys, resizes, and tells what is on the screen.
//!
//! Skipped, and said, where there is no tmux. No step waits for a time, only for what it expects.

mod common;

use std::path::PathBuf;

use common::tmux::Tmux;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// An example of this crate, which `cargo test` builds beside the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let target = test.ancestors().nth(2).expect("a target folder");
    target.join("examples").join(name)
}

fn view(name: &str) -> String {
    format!(
        "{} {}",
        example("view").display(),
        common::path(name).display()
    )
}

#[test]
fn every_key_and_every_size() {
    let Some(tmux) = Tmux::start("keys", 80, 24) else {
        return;
    };
    tmux.keys(&[&view("copy"), "Enter"]);
    tmux.wait("call 1 of");
    // (keys, what must be on the screen then)
    let steps: &[(&[&str], &str)] = &[
        (&["n"], "hop 1/"),
        (&["N"], "call 2 of"),
        (&["P"], "call 1 of"),
        (&["G"], "call 166 of 166"),
        (&["g"], "call 1 of"),
        (&["Down"], "call 2 of"),
        (&["Up"], "call 1 of"),
        (&["Right"], "hop 1/"),
        (&["Left"], "call 1 of"),
        (&["l", "j", "k", "h"], "call 1 of"),
        (&["NPage"], "call 11 of"),
        (&["PPage"], "call 1 of"),
        (&["v"], "so far ─┐"),
        (&["v"], "this call"),
        (&["v"], "whole run"),
        (&["Enter"], "moved by"),
        (&["Escape"], "user memory"),
        (&["?"], "Stepping"),
        (&["?"], "user memory"),
        (&["Tab"], "▌calls"),
        (&["z"], "▌calls"),
        (&["z"], "user memory"),
        (&["Tab"], "▌source"),
        (&["Tab"], "▌timeline"),
        (&["Tab"], "▌totals"),
        (&["Tab"], "▌user mode"),
        (&["BTab"], "▌totals"),
        (&["Tab"], "▌user mode"),
        (&["/", "dst", "Enter"], "filter: dst"),
        (&["Escape"], "user memory"),
        (&["L"], "用户态"),
        (&["L"], "user memory"),
        (&["T", "T", "T"], "user memory"),
        (&["C-l"], "user memory"),
        (&["+", "+", "+", "+", "+", "+", "Space"], "256/s"),
        (&["-"], "64/s"),
        (&["Space"], "play"),
    ];
    for (keys, expected) in steps {
        tmux.keys(keys);
        tmux.wait(expected);
    }
    tmux.run(&["resize-window", "-x", "200", "-y", "50"]);
    tmux.until("200×50", |screen| screen.contains("┌ totals"));
    tmux.run(&["resize-window", "-x", "40", "-y", "10"]);
    tmux.wait("too small");
    tmux.run(&["resize-window", "-x", "80", "-y", "24"]);
    tmux.wait("user memory");
    tmux.keys(&["q"]);
    tmux.wait("ready>");
    tmux.is_restored();
}

/// Opens a recording; gives the viewer's process.
fn open(tmux: &Tmux, name: &str) -> Pid {
    let file = std::env::temp_dir().join(format!("{}-{name}", tmux.socket()));
    // The number of the process that becomes the viewer.
    let line = format!("sh -c 'echo $$ > {}; exec {}'", file.display(), view(name));
    tmux.keys(&[&line, "Enter"]);
    tmux.wait("call 1 of");
    let number = std::fs::read_to_string(&file).expect("a number");
    let _ = std::fs::remove_file(&file);
    Pid::from_raw(number.trim().parse().expect("a number"))
}

#[test]
fn suspended_and_continued() {
    let Some(tmux) = Tmux::start("stop", 80, 24) else {
        return;
    };
    let pid = open(&tmux, "splice");
    for by_key in [true, false, true] {
        if by_key {
            tmux.keys(&["C-z"]);
        } else {
            kill(pid, Signal::SIGTSTP).expect("it runs");
        }
        tmux.wait("Stopped");
        tmux.is_restored();
        tmux.keys(&["clear; fg", "Enter"]);
        tmux.wait("user memory");
    }
    tmux.keys(&["q"]);
    tmux.wait("ready>");
    tmux.is_restored();
}

#[test]
fn ended_by_a_signal() {
    let Some(tmux) = Tmux::start("term", 80, 24) else {
        return;
    };
    let pid = open(&tmux, "copy");
    kill(pid, Signal::SIGTERM).expect("it runs");
    tmux.wait("ready>");
    tmux.is_restored();
}

#[test]
fn after_a_panic() {
    let Some(tmux) = Tmux::start("panic", 80, 24) else {
        return;
    };
    tmux.keys(&[&example("panic").display().to_string(), "Enter"]);
    // Its message is on the screen that one sees.
    tmux.wait("on purpose");
    tmux.is_restored();
}
