//! The user's own file, from the command line: what wins, and what is said of one that is wrong.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const RECORDING: &str = "labs/recordings/demo.bhop";

/// A folder with this file.
fn folder(name: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("config-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("bytehop")).expect("a folder");
    std::fs::write(folder.join("bytehop/config.toml"), text).expect("a file");
    folder
}

fn bytehop(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bytehop"));
    command.args(args).stdin(Stdio::null());
    for name in ["BYTEHOP_LANG", "LC_ALL", "LC_MESSAGES", "SUDO_UID"] {
        command.env_remove(name);
    }
    command.env("LANG", "en_US.UTF-8");
    command.env("XDG_CONFIG_HOME", folder).envs(env.to_vec());
    command.output().expect("it runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let folder = folder("wins", "lang = \"zh\"\n");
    let report = |args: &[&str], env: &[(&str, &str)]| {
        let mut all = vec!["report", RECORDING];
        all.extend(args);
        let out = bytehop(&folder, &all, env);
        assert_eq!(out.status.code(), Some(0));
        assert_eq!(text(&out.stderr), "");
        let said = text(&out.stdout);
        let chinese = said.contains("特权级切换");
        assert_ne!(chinese, said.contains("crossings"), "{said}");
        chinese
    };
    // The locale is a guess, the file is not.
    assert!(report(&[], &[]));
    assert!(report(&[], &[("BYTEHOP_LANG", "")]));
    assert!(!report(&[], &[("BYTEHOP_LANG", "en")]));
    assert!(!report(&["--lang", "en"], &[]));
    assert!(report(&["--lang", "zh"], &[("BYTEHOP_LANG", "en")]));
}

#[test]
fn a_file_that_is_wrong_is_one_line_and_stops_nothing() {
    let good = folder("good", "theme = \"light\"\n");
    let expected = bytehop(&good, &["report", RECORDING], &[]).stdout;
    for (name, text_of_file, said) in [
        (
            "name",
            "theme = \"light\"\nlanguages = \"zh\"\n",
            ":2: 'languages' means nothing here: write lang, theme, colors, keys, columns\n",
        ),
        (
            "two",
            "theme = \"mauve\"\n[keys]\nquit = 7\n",
            ":1: theme: write \"dark\", \"light\", \"contrast\", \"plain\" (and 1 more)\n",
        ),
    ] {
        let folder = folder(name, text_of_file);
        let path = folder.join("bytehop/config.toml");
        let out = bytehop(&folder, &["report", RECORDING], &[]);
        assert_eq!(out.status.code(), Some(0));
        assert_eq!(out.stdout, expected);
        assert_eq!(
            text(&out.stderr),
            format!("bytehop: {}{said}", path.display())
        );
        let chinese = bytehop(&folder, &["report", RECORDING, "--lang", "zh"], &[]);
        assert!(text(&chinese.stderr).contains("可写") || text(&chinese.stderr).contains("请写"));
    }
    let broken = folder("broken", "lang = \"zh\"\nthis is not it\n");
    let out = bytehop(&broken, &["report", RECORDING], &[]);
    assert_eq!((out.status.code(), &out.stdout), (Some(0), &expected));
    let said = text(&out.stderr);
    assert!(said.contains("config.toml:2: this is no TOML ("), "{said}");
    assert_eq!(said.lines().count(), 1);
    // Completion scripts and manual pages are not about anybody's file.
    let out = bytehop(&broken, &["completions", "bash"], &[]);
    assert_eq!(text(&out.stderr), "");
}

/// Nothing is waited for that may never come.
#[test]
fn a_pipe_is_no_file() {
    let folder = folder("pipe", "");
    let path = folder.join("bytehop/config.toml");
    std::fs::remove_file(&path).expect("removed");
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo, of coreutils").success());
    let out = bytehop(&folder, &["report", RECORDING], &[]);
    assert_eq!((out.status.code(), text(&out.stderr)), (Some(0), ""));
    let _ = std::fs::remove_dir_all(folder);
}
