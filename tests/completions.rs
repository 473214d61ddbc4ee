//! Tab, pressed in the shells themselves: bash, zsh and fish, in a terminal of their own, with what
//! `bytehop completions` wrote for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "../tui/tests/common/tmux.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod tmux;

use tmux::Tmux;

/// A shell, and how a session of it begins that has our script and nothing of the user's.
struct Shell {
    name: &'static str,
    /// Where in a folder of the test the script is.
    script: &'static str,
    /// The line that starts it there; `{}` is the folder.
    start: &'static str,
    /// Keys that make it list what is possible.
    list: &'static [&'static str],
}

const SHELLS: [Shell; 3] = [
    Shell {
        name: "bash",
        script: "bytehop.bash",
        start: "cd {} && exec bash --rcfile init.bash -i",
        list: &["Tab", "Tab"],
    },
    Shell {
        name: "zsh",
        script: "functions/_bytehop",
        start: "cd {} && ZDOTDIR=$PWD exec zsh -d -i",
        list: &["Tab"],
    },
    Shell {
        name: "fish",
        // Where a package puts it.
        script: "data/fish/vendor_completions.d/bytehop.fish",
        start: "cd {} && XDG_DATA_DIRS=$PWD/data XDG_CONFIG_HOME=$PWD XDG_DATA_HOME=$PWD exec fish -C 'function fish_prompt; echo -n \"here> \"; end; set fish_greeting; set fish_autosuggestion_enabled 0'",
        list: &["Tab"],
    },
];

/// The prompt of all of them.
const READY: &str = "here>";

const BYTEHOP: &str = env!("CARGO_BIN_EXE_bytehop");

type Words = &'static [&'static str];

/// What is typed; what must be offered, and what must not.
const OFFERED: [(&str, Words, Words); 3] = [
    (
        "bytehop r",
        &["record", "report", "run"],
        &["view", "attach"],
    ),
    (
        "bytehop completions ",
        &["bash", "fish", "zsh"],
        &["record"],
    ),
    ("bytehop report --f", &["--format", "--from"], &["--json"]),
];

/// What is typed, and what the only way to go on makes of it.
const COMPLETED: [(&str, &str); 4] = [
    ("bytehop rec", "bytehop record "),
    ("bytehop stat --js", "bytehop stat --json "),
    ("bytehop completions f", "bytehop completions fish "),
    ("bytehop lab han", "bytehop lab hand-in "),
];

fn folder(shell: &Shell) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("completions-{}", shell.name));
    let _ = fs::remove_dir_all(&folder);
    let script = folder.join(shell.script);
    fs::create_dir_all(script.parent().expect("a folder")).expect("a folder");
    let written = Command::new(BYTEHOP)
        .args(["completions", shell.name])
        .output();
    fs::write(&script, written.expect("bytehop runs").stdout).expect("write");
    // bash reads a file that it is given; zsh looks for functions when its own system of completions starts.
    fs::write(folder.join("init.bash"), ". ./bytehop.bash\nPS1='here> '\n").expect("write");
    let zshrc = "PROMPT='here> '\nfpath=($ZDOTDIR/functions $fpath)\nautoload -Uz compinit\ncompinit -u -d $ZDOTDIR/dump\n";
    fs::write(folder.join(".zshrc"), zshrc).expect("write");
    folder
}

/// The words on the screen, without what was typed.
fn words(screen: &str) -> Vec<&str> {
    let lines = screen.lines().filter(|line| !line.contains(READY));
    lines.flat_map(str::split_whitespace).collect()
}

/// A new session of the shell in which this was typed: keys that take a line back may come too early.
fn typed(shell: &Shell, folder: &Path, line: &str) -> Option<Tmux> {
    let tmux = Tmux::start(&format!("tab-{}", shell.name), 120, 40)?;
    // fish asks its scripts about programs that there are, only.
    let programs = Path::new(BYTEHOP).parent().expect("a folder").display();
    let start = shell.start.replace("{}", &folder.display().to_string());
    tmux.keys(&[&format!("clear; PATH={programs}:$PATH; {start}"), "Enter"]);
    tmux.until("the shell's prompt", |screen| {
        screen.trim_end().ends_with(READY)
    });
    tmux.keys(&["-l", line]);
    tmux.wait(line.trim_end());
    Some(tmux)
}

fn try_tab(shell: &Shell) {
    let test = format!("completions in {}", shell.name);
    let there = Command::new(shell.name).arg("--version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        return tmux::not_run(&test, "this shell is not installed");
    }
    let folder = folder(shell);
    for (line, offered, not) in OFFERED {
        let Some(tmux) = typed(shell, &folder, line) else {
            return;
        };
        tmux.keys(shell.list);
        let what = format!("{}: what {line:?} may become", shell.name);
        let screen = tmux.until(&what, |screen| {
            let words = words(screen);
            offered.iter().all(|word| words.contains(word))
        });
        for word in not {
            let name = shell.name;
            assert!(!words(&screen).contains(word), "{name}: {line:?}\n{screen}");
        }
    }
    for (line, becomes) in COMPLETED {
        let Some(tmux) = typed(shell, &folder, line) else {
            return;
        };
        // A word behind it shows the space.
        tmux.keys(&["Tab"]);
        tmux.keys(&["-l", "x"]);
        tmux.wait(&format!("{READY} {becomes}x"));
    }
}

#[test]
fn tab_in_bash() {
    try_tab(&SHELLS[0]);
}

#[test]
fn tab_in_zsh() {
    try_tab(&SHELLS[1]);
}

#[test]
fn tab_in_fish() {
    try_tab(&SHELLS[2]);
}
