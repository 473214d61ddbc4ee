//! The terminal UI over live traces, in a real terminal: every key, every size, every end.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fixture::fixture;
use crate::harness::{BYTEHOP, Scratch, eventually, serial};
use crate::leftovers::Objects;
use crate::pty::OnPty;
use crate::tmux::Tmux;

/// Starts `bytehop ARGS` in a terminal; gives its process.
fn start(tmux: &Tmux, scratch: &Scratch, args: &str) -> Pid {
    let file = scratch.path("pid");
    // The number of the process that becomes bytehop; the shell's line is gone from the screen.
    let line = format!("clear; sh -c 'echo $$ > {file}; exec {BYTEHOP} {args}'");
    tmux.keys(&[&line, "Enter"]);
    eventually("its number", || {
        fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n'))
    });
    let number = fs::read_to_string(&file).expect("a number");
    fs::remove_file(&file).expect("removed");
    Pid::from_raw(number.trim().parse().expect("a number"))
}

/// The children of a process.
fn children(pid: Pid) -> Vec<Pid> {
    // Of each thread its own: the command is the main thread's.
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let numbers = list.split_whitespace().filter_map(|n| n.parse().ok());
    numbers.map(Pid::from_raw).collect()
}

fn is_gone(pid: Pid) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

fn state(pid: Pid) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// The shell is back, with this exit status of the last command, and a terminal as before.
fn left_with(tmux: &Tmux, status: i32) {
    tmux.wait("ready>");
    tmux.keys(&["echo \"status=$?\"", "Enter"]);
    let expected = format!("status={status}");
    tmux.until(&expected, |screen| {
        screen.lines().any(|line| line == expected)
    });
    tmux.is_restored();
}

/// A program that makes calls all the time, and answers what is typed.
fn lively(scratch: &Scratch) -> String {
    let data = scratch.file("data", 1 << 16);
    let script = scratch.path("lively.sh");
    let text = format!(
        "(while :; do cat {data} >/dev/null; sleep 0.02; done) &\n\
         while read line; do echo \"got $line\"; done\n\
         kill $!\n"
    );
    fs::write(&script, text).expect("a script");
    format!("sh {script}")
}

#[test]
#[ignore = "root"]
fn every_key_and_every_size_while_it_runs() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(tmux) = Tmux::start("live-keys", 80, 24) else {
        return;
    };
    start(&tmux, &scratch, &format!("run -- {}", lively(&scratch)));
    tmux.wait("keys go to the program");
    tmux.keys(&["hello", "Enter"]);
    tmux.wait("got hello");

    // (the key as the help names it, as tmux does, what must be on the screen then)
    let steps: &[(&str, &str, &str)] = &[
        ("Ctrl-]", "C-]", "▌user mode"),
        ("space", "Space", "○ held"),
        ("g", "g", "call 1 of"),
        ("n", "n", "hop 1/"),
        ("p", "p", "call 1 of"),
        ("N", "N", "call 2 of"),
        ("P", "P", "call 1 of"),
        ("↓", "Down", "call 2 of"),
        ("↑", "Up", "call 1 of"),
        ("→", "Right", "hop 1/"),
        ("←", "Left", "call 1 of"),
        ("l", "l", "hop 1/"),
        ("h", "h", "call 1 of"),
        ("j", "j", "call 2 of"),
        ("k", "k", "call 1 of"),
        ("y", "y", "sent to the terminal's clipboard"),
        // Nobody's line called `execve`.
        ("e", "e", "no source line is known"),
        ("H", "H", "sizes and times"),
        ("Esc", "Escape", "▌user mode"),
        ("PgDn", "NPage", "call 11 of"),
        ("PgUp", "PPage", "call 1 of"),
        ("+", "+", "○ held"),
        ("-", "-", "○ held"),
        ("G", "G", "● live"),
        ("f", "f", "○ held"),
        ("v", "v", "so far ─┐"),
        ("v", "v", "this call"),
        ("v", "v", "whole run"),
        ("m", "m", "▌user mode"),
        ("m", "m", "▌user mode"),
        ("Enter", "Enter", "the call"),
        ("Esc", "Escape", "▌user mode"),
        ("?", "?", "Stepping"),
        ("?", "?", "▌user mode"),
        ("Tab", "Tab", "▌calls"),
        ("z", "z", "▌calls"),
        ("z", "z", "user memory"),
        ("Tab", "BTab", "▌user mode"),
        ("/", "/", "filter: _"),
        ("Esc", "Escape", "▌user mode"),
        ("c", "c", "▌user mode"),
        ("L", "L", "用户态"),
        ("L", "L", "▌user mode"),
        ("T", "T", "▌user mode"),
        ("Ctrl-L", "C-l", "▌user mode"),
        ("q", "q", "end the program?"),
        ("Esc", "Escape", "▌user mode"),
        ("Ctrl-C", "C-c", "end the program?"),
        ("Esc", "Escape", "▌user mode"),
    ];
    let mut before = "";
    for (key, name, expected) in steps {
        tmux.keys(&[name]);
        let what = format!("{key}: {expected}");
        // What Esc closes has to be gone: Esc and the next key at once are another key.
        let closes = *key == "Esc";
        let screen = tmux.until(&what, |screen| {
            screen.contains(expected) && !(closes && screen.contains(before))
        });
        assert!(
            screen.contains(" level ") || screen.contains("级"),
            "{key}\n{screen}"
        );
        before = expected;
    }
    for (width, height, expected) in [
        (200, 50, "┌ totals"),
        (40, 10, "too small"),
        (100, 30, "▌user mode"),
        (80, 24, "▌user mode"),
    ] {
        tmux.resize(width, height);
        tmux.wait(expected);
    }
    tmux.keys(&["g"]);
    tmux.wait("call 1 of");
    // The program still answers, on a screen of its own size.
    tmux.keys(&["C-]"]);
    tmux.wait("keys go to the program");
    tmux.keys(&["again", "Enter"]);
    tmux.wait("got again");
    tmux.keys(&["C-d"]);
    tmux.wait("ended: exit 0");
    tmux.keys(&["q"]);
    left_with(&tmux, 0);

    // Nothing on the help screen was left out, Ctrl-Z apart (its own test).
    let driven: BTreeSet<&str> = steps.iter().map(|(key, ..)| *key).collect();
    let words = tui::keymap::GROUPS.iter().flat_map(|group| group.bindings);
    let words = words.flat_map(|binding| match binding.shown {
        "←↓↑→ hjkl" => vec!["←", "↓", "↑", "→", "h", "j", "k", "l"],
        shown => shown.split(' ').collect(),
    });
    let missing: Vec<_> = words
        .filter(|word| !driven.contains(word) && *word != "Ctrl-Z")
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
#[ignore = "root"]
fn the_numbers_are_those_of_the_recording() {
    const CALLS: u64 = 20_000;
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(tmux) = Tmux::start("live-count", 80, 24) else {
        return;
    };
    let data = scratch.file("data", 1 << 16);
    let recording = scratch.path("run.bhop");
    let summary = scratch.path("summary");
    let command = fixture(&["pread", &CALLS.to_string(), "4096", &data]).join(" ");
    let args = format!("run --tui --json --summary {summary} -o {recording} -- {command}");
    start(&tmux, &scratch, &args);
    tmux.wait("ended: exit 0");
    tmux.keys(&["Tab", "Tab", "Tab", "Tab"]);
    tmux.keys(&["q"]);
    left_with(&tmux, 0);
    let shown = crate::summary::Summary::parse(&fs::read_to_string(&summary).expect("a summary"));
    let recorded = crate::harness::report(&recording);
    // The loader has a few of its own.
    assert!((CALLS..CALLS + 10).contains(&shown.calls_of("pread64")));
    assert_eq!(shown.0["hops"], recorded.0["hops"]);
    assert_eq!(shown.0["syscalls"], recorded.0["syscalls"]);
    assert_eq!(shown.0["crossings"], recorded.0["crossings"]);
}

/// What the kernel had no room for stands on the screen and in the summary.
#[test]
#[ignore = "root"]
fn losses_are_shown() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(tmux) = Tmux::start("live-lost", 80, 24) else {
        return;
    };
    let data = scratch.file("data", 1 << 16);
    let summary = scratch.path("summary");
    let command = fixture(&["pread", "300000", "1", &data]).join(" ");
    let args = format!("run --tui --json --summary {summary} --buffer-size 4K -- {command}");
    start(&tmux, &scratch, &args);
    tmux.wait("ended: exit 0");
    let screen = tmux.until("a number lost", |screen| !screen.contains("lost 0"));
    tmux.keys(&["q"]);
    left_with(&tmux, 0);
    let summary = crate::summary::Summary::parse(&fs::read_to_string(&summary).expect("a summary"));
    let lost = summary.number("/lost_events");
    assert!(
        lost > 0 && screen.contains(&format!("lost {lost}")),
        "{lost}\n{screen}"
    );
}

#[test]
#[ignore = "root"]
fn every_end_leaves_nothing_behind() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(tmux) = Tmux::start("live-end", 80, 24) else {
        return;
    };
    let loaded = RefCell::new(Vec::new());
    let sleeper = |tmux: &Tmux| {
        let bytehop = start(tmux, &scratch, "run -- sleep 1000");
        tmux.wait("keys go to the program");
        let program = children(bytehop);
        assert_eq!(program.len(), 1);
        loaded
            .borrow_mut()
            .push(Objects::of(bytehop.as_raw() as u32));
        (bytehop, program[0])
    };
    // Ctrl-C, typed for the program.
    let (bytehop, program) = sleeper(&tmux);
    tmux.keys(&["C-c"]);
    tmux.wait("ended: exit 130");
    tmux.keys(&["q"]);
    left_with(&tmux, 130);
    assert!(is_gone(bytehop) && is_gone(program));
    // It dies.
    let (_, program) = sleeper(&tmux);
    kill(program, Signal::SIGKILL).expect("it runs");
    tmux.wait("ended: exit 137");
    tmux.keys(&["q"]);
    left_with(&tmux, 137);
    // The user has had enough.
    let (bytehop, program) = sleeper(&tmux);
    tmux.keys(&["C-]", "q"]);
    tmux.wait("end the program?");
    tmux.keys(&["q"]);
    left_with(&tmux, 129);
    assert!(is_gone(bytehop) && is_gone(program));
    // So has someone else.
    let (bytehop, program) = sleeper(&tmux);
    kill(bytehop, Signal::SIGTERM).expect("it runs");
    left_with(&tmux, 129);
    assert!(is_gone(program));
    // Stopped and continued, the program with us.
    let (_, program) = sleeper(&tmux);
    tmux.keys(&["C-]", "C-z"]);
    tmux.wait("Stopped");
    assert_eq!(state(program), Some('T'));
    tmux.is_restored();
    tmux.keys(&["clear; fg", "Enter"]);
    tmux.wait("▌user mode");
    eventually("it goes on", || state(program) == Some('S'));
    // The terminal is closed.
    let bytehop = children(Pid::from_raw(
        tmux.run(&["display-message", "-p", "#{pane_pid}"])
            .trim()
            .parse()
            .expect("a number"),
    ));
    drop(tmux);
    eventually("all are gone", || {
        is_gone(program) && bytehop.iter().all(|pid| is_gone(*pid))
    });
    let loaded = loaded.into_inner();
    assert_eq!(loaded.len(), 5);
    for (number, objects) in loaded.iter().enumerate() {
        objects.assert_gone(&format!("run {number} under the terminal UI"));
    }
}

/// Whatever it is doing at that moment: the program writes all the time, so that it is mostly busy.
#[test]
#[ignore = "root"]
fn a_terminal_that_hangs_up_ends_it() {
    let _serial = serial();
    let scratch = Scratch::new();
    let summary = scratch.path("summary");
    for round in 0..3 {
        let command = [
            BYTEHOP,
            "run",
            "--tui",
            "--json",
            "--summary",
            &summary,
            "--",
            "yes",
        ];
        let mut terminal = OnPty::start(&command, (80, 24));
        terminal.wait("│y  ");
        let bytehop = Pid::from_raw(terminal.pid() as i32);
        let program = children(bytehop);
        assert_eq!(program.len(), 1);
        let objects = Objects::of(terminal.pid());
        sleep(Duration::from_millis(5 * round));
        terminal.hang_up();
        // Of the program that was hung up on (SIGHUP), as a shell would say it.
        assert_eq!(terminal.ended().code(), Some(129));
        assert!(is_gone(program[0]));
        objects.assert_gone("a run whose terminal hung up");
        let told = fs::read_to_string(&summary).expect("a summary");
        let told = crate::summary::Summary::parse(&told);
        assert!(told.calls_of("write") > 0);
    }
}

/// The source of a program that still runs.
#[test]
#[ignore = "root"]
fn source_lines_while_it_runs() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(tmux) = Tmux::start("live-source", 80, 24) else {
        return;
    };
    let data = scratch.file("data", 1 << 16);
    // Held back by a pipe that nobody empties: it has read, and runs on.
    let read = fixture(&["pread", "1000", "4096", &data]).join(" ");
    let script = scratch.path("read.sh");
    fs::write(&script, format!("{read}\nread line\n")).expect("a script");
    start(&tmux, &scratch, &format!("run -- sh {script}"));
    tmux.wait("keys go to the program");
    tmux.keys(&["C-]", "/"]);
    tmux.wait("filter");
    tmux.keys(&["pread64 data", "Enter", "Space", "Tab", "Tab"]);
    let screen = tmux.wait("files.rs:");
    assert!(
        screen.contains("● live") || screen.contains("○ held"),
        "{screen}"
    );
    tmux.keys(&["Escape", "C-]", "Enter"]);
    tmux.wait("ended: exit 0");
    tmux.keys(&["q"]);
    left_with(&tmux, 0);
}

/// Under sudo the program is the user's, and so is the terminal that it runs on.
#[test]
#[ignore = "root"]
fn the_programs_terminal_is_the_users() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(tmux) = Tmux::start("live-sudo", 80, 80) else {
        return;
    };
    let script = scratch.path("who.sh");
    fs::write(
        &script,
        "echo who $(id -u) $(stat -c %u $(tty)); : < $(tty) && echo opened\n",
    )
    .expect("a script");
    tmux.keys(&[
        "export SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody SUDO_COMMAND=bytehop",
        "Enter",
    ]);
    start(&tmux, &scratch, &format!("run -- sh {script}"));
    tmux.wait("ended: exit 0");
    tmux.keys(&["q"]);
    // What the program wrote to its terminal comes back to ours.
    tmux.wait("who 65534 65534");
    tmux.wait("opened");
    left_with(&tmux, 0);
}

#[test]
#[ignore = "root"]
fn a_process_that_is_not_ours_goes_on() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(tmux) = Tmux::start("live-attach", 200, 50) else {
        return;
    };
    let data = scratch.file("data", 1 << 16);
    let script = format!("while :; do cat {data} >/dev/null; sleep 0.02; done");
    let mut other = crate::harness::command(&["sh", "-c", &script]);
    let mut other = other.spawn().expect("a shell");
    start(&tmux, &scratch, &format!("attach -p {}", other.id()));
    tmux.wait("● live");
    tmux.wait("page cache");
    tmux.keys(&["n", "q"]);
    left_with(&tmux, 0);
    assert!(other.try_wait().expect("a child").is_none());
    other.kill().expect("it runs");
    other.wait().expect("a child");
}
