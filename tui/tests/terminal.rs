//! The real program in a real terminal: tmux types the keys, resizes, and tells what is on the screen.
//! Where it matters what comes in the same moment, the terminal is our own.
//!
//! Skipped, and said, where there is no tmux. No step waits for a time, only for what it expects.

mod common;

use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use common::pty::OnPty;
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

fn view_on_pty(name: &str) -> OnPty {
    let (program, file) = (example("view"), common::path(name));
    let command = [&program, &file].map(|path| path.to_str().expect("UTF-8"));
    let mut terminal = OnPty::start(&command, (80, 24));
    terminal.wait("call 1 of");
    terminal
}

#[test]
fn a_key_that_comes_with_a_new_size_is_read() {
    let mut terminal = view_on_pty("copy");
    for round in 1..=80 {
        // At another point of what the first key makes it do each time.
        terminal.keys(b"N");
        sleep(Duration::from_micros(200 * u64::from(round)));
        terminal.resize((80 + round % 2, 24));
        terminal.keys(b"N");
        terminal.wait(&format!("call {} of", 1 + 2 * round));
    }
}

#[test]
fn more_keys_at_once_than_are_read_at_once() {
    let mut terminal = view_on_pty("copy");
    terminal.keys(format!("{}G", "P".repeat(3000)).as_bytes());
    terminal.wait("call 166 of 166");
}

/// Alt-[ is how most keys begin.
#[test]
fn a_key_that_begins_like_another_holds_nothing_up() {
    let mut terminal = view_on_pty("copy");
    terminal.keys(b"/");
    terminal.wait("filter: _");
    terminal.keys(b"\x1b[");
    // It does not wait for the rest.
    terminal.resize((200, 50));
    terminal.wait("┌ totals");
    // Nothing follows: it was Esc, and a key that means nothing. The sums stand where the filter was.
    terminal.wait("so far crossings");
    terminal.keys(b"N");
    terminal.wait("call 2 of");
}

#[test]
fn a_terminal_that_hangs_up_ends_it() {
    for round in 0..20 {
        let mut terminal = view_on_pty("copy");
        // At another point of what these make it do each time.
        terminal.keys("NP".repeat(100).as_bytes());
        sleep(Duration::from_micros(400 * round));
        terminal.hang_up();
        terminal.ended();
    }
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

/// What tmux got by OSC 52, which it takes from programs if it is told to.
#[test]
fn copied_to_the_clipboard() {
    let Some(tmux) = Tmux::start("copied", 80, 24) else {
        return;
    };
    tmux.run(&["set", "-s", "set-clipboard", "on"]);
    tmux.keys(&[&view("source"), "Enter"]);
    tmux.wait("call 1 of");
    // A call with its hops, a hop of it, the line that made it.
    let steps: [(&[&str], &[&str]); 3] = [
        (
            &["/", "read in.bin", "Enter", "N", "y"],
            &["read(3 in.bin, ", "\n  C copy  page cache "],
        ),
        (&["n", "y"], &["C copy  page cache ", "\n#"]),
        (
            &["Tab", "Tab", "y"],
            &["source.rs:7 let n = from.read(&mut"],
        ),
    ];
    for (keys, parts) in steps {
        tmux.run(&["set-buffer", ""]);
        tmux.keys(keys);
        tmux.wait("sent to the terminal's clipboard");
        let copied = tmux.run(&["show-buffer"]);
        for part in parts {
            assert!(copied.contains(part), "{copied}");
        }
        // The next key ends the note.
        tmux.keys(&["m"]);
        tmux.wait("so far crossings");
    }
}

/// The terminal is the editor's until it ends, and ours again afterwards.
#[test]
fn an_editor_at_the_line() {
    let Some(tmux) = Tmux::start("editor", 80, 24) else {
        return;
    };
    let editor = std::env::temp_dir().join(format!("{}-editor", tmux.socket()));
    let script = "#!/bin/sh\nstty -a | tr ';' '\\n' | grep icanon\necho \"open: $*\"\nread word\nexit $word\n";
    std::fs::write(&editor, script).expect("a script");
    let line = format!("VISUAL='sh {} -x' {}", editor.display(), view("source"));
    tmux.keys(&[&line, "Enter"]);
    tmux.wait("call 1 of");
    tmux.keys(&["/", "read in.bin", "Enter", "N", "e"]);
    let screen = tmux.until("the editor", |screen| {
        screen.contains("open: -x +7") && screen.replace('\n', "").contains("/source.rs")
    });
    assert!(!screen.contains("-icanon"), "{screen}");
    tmux.keys(&["0", "Enter"]);
    tmux.wait("so far crossings");
    tmux.keys(&["e"]);
    tmux.wait("open: -x +7");
    tmux.keys(&["3", "Enter"]);
    tmux.wait("it ended with status 3");
    tmux.keys(&["N"]);
    tmux.wait("so far crossings");
    tmux.keys(&["q"]);
    tmux.wait("ready>");
    tmux.is_restored();
    // Nobody is named: the place is said.
    tmux.keys(&[
        &format!("clear; VISUAL= EDITOR= {}", view("source")),
        "Enter",
    ]);
    tmux.wait("call 1 of");
    tmux.keys(&["e"]);
    tmux.wait("no source line is known of this call");
    tmux.keys(&["/", "read in.bin", "Enter", "N", "e"]);
    tmux.wait("VISUAL and EDITOR are not set: it is ");
    tmux.keys(&["q"]);
    tmux.wait("ready>");
    let _ = std::fs::remove_file(&editor);
}
