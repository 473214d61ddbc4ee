//! The build without the capture side: `cargo test -p bytehop --no-default-features --test viewer`.
#![cfg(not(feature = "capture"))]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use bytehop_core::i18n::Lang;
use labs::guide::Step;

/// Runs the viewer in a home of its own.
fn bytehop(args: &[&str]) -> Output {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("viewer-home");
    std::fs::create_dir_all(&home).expect("a home");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bytehop"));
    command.args(args).stdin(Stdio::null());
    command.env("HOME", &home).env_remove("XDG_STATE_HOME");
    command.env("BYTEHOP_LANG", "en");
    command.output().expect("the viewer runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

const RECORDING: &str = "labs/recordings/demo.bhop";

#[test]
fn a_lab_is_gone_through_from_its_recordings() {
    let (labs, _) = labs::lab::bundled();
    let lab = labs.first().expect("a lab");
    for (lang, name) in [(Lang::En, "en"), (Lang::Zh, "zh")] {
        let out = bytehop(&["lab", "--replay", "--no-tui", "--lang", name, &lab.id]);
        let said = text(&out.stdout);
        assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
        assert!(said.contains(lab.spec.title.get(lang)), "{said}");
        for step in Step::ALL {
            let title = labs::words::step(lang, step as usize + 1, step.title(lang));
            assert!(said.contains(&title), "no {title}: {said}");
        }
        // What the recorded run did, which no guide has: the numbers of its programs.
        for program in &lab.spec.programs {
            let bytes = lab.recording(&program.name).expect("a recording");
            let run = labs::recording::summary_of(bytes).expect("a summary");
            let crossings = bytehop_core::units::count(run.crossings.total);
            assert!(said.contains(&crossings), "no {crossings}: {said}");
        }
    }
    let list = bytehop(&["lab", "list"]);
    for lab in &labs {
        assert!(text(&list.stdout).contains(&lab.id), "{}", lab.id);
    }
}

#[test]
fn without_replay_it_says_why_recordings_are_shown() {
    let out = bytehop(&["lab", "--no-tui", "first-hops"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("cannot trace"));
}

#[test]
fn what_shows_works_and_what_traces_answers_with_one_line() {
    for line in [
        "view FILE",
        "report FILE",
        "report FILE --json",
        "annotate FILE",
        "advise FILE",
        "diff FILE FILE",
        "completions bash",
    ] {
        let args: Vec<&str> = line
            .split(' ')
            .map(|word| if word == "FILE" { RECORDING } else { word })
            .collect();
        let out = bytehop(&args);
        assert_eq!(out.status.code(), Some(0), "{line}: {}", text(&out.stderr));
        assert!(!out.stdout.is_empty(), "{line}");
    }
    for line in [
        "run -- true",
        "attach -p 1",
        "stat -- true",
        "record -- true",
        "top",
        "doctor",
        "doctor --verify",
        "demo",
        "lab reset --yes",
        "lab export first-hops",
        "lab grade .",
        "lab lint",
        "lab first-hops --check",
        "lab first-hops --seed x",
        "lab --elevate first-hops",
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let out = bytehop(&args);
        assert_eq!(out.status.code(), Some(3), "{line}: {}", text(&out.stderr));
        assert_eq!(text(&out.stderr).lines().count(), 1, "{line}");
        assert!(out.stdout.is_empty(), "{line}");
    }
}
