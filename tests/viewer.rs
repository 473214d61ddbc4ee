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
fn a_part_is_cut_out_and_never_written_over_what_is_read() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("viewer-cut");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("a folder");
    let path = |name: &str| dir.join(name).display().to_string();
    let (whole, part, link) = (path("whole.bhop"), path("part.bhop"), path("link.bhop"));
    std::fs::copy(RECORDING, &whole).expect("a copy");
    std::fs::hard_link(&whole, &link).expect("a link");
    let size = |path: &str| std::fs::metadata(path).expect("a file").len();
    let before = size(&whole);
    for (out, lang, has) in [
        (&whole, "en", "the recording that is read"),
        (&link, "zh", "正是要读取的记录文件"),
    ] {
        let out = bytehop(&["cut", &whole, "-o", out, "--to", "1ms", "--lang", lang]);
        assert_eq!(out.status.code(), Some(2));
        let said = text(&out.stderr);
        assert!(said.contains(has) && said.lines().count() == 1, "{said}");
        assert_eq!(size(&whole), before);
    }
    for (line, has) in [
        ("", "say what to keep"),
        ("--from 2s --to 1s", "--from is not before --to"),
        ("--pid 1", "no process 1 in this recording"),
        (
            "--region load",
            "no region load in this recording: the program marked none",
        ),
    ] {
        let mut args = vec!["cut", &whole, "-o", &part];
        args.extend(line.split_whitespace());
        let out = bytehop(&args);
        assert_eq!(out.status.code(), Some(2), "{line}");
        let said = text(&out.stderr);
        assert!(
            said.contains(has) && said.lines().count() == 1,
            "{line}: {said}"
        );
        assert!(!Path::new(&part).exists(), "{line}");
    }
    let bounds = ["--from", "100us", "--to", "1s"];
    let mut args = vec!["cut", &whole, "-o", &part];
    args.extend(bounds);
    let out = bytehop(&args);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stdout).starts_with(&part));
    let report = |file: &str, more: &[&str]| {
        let mut args = vec!["report", file, "--json"];
        args.extend(more);
        bytehop(&args).stdout
    };
    let of_part = report(&part, &[]);
    assert!(!of_part.is_empty());
    assert_eq!(text(&of_part), text(&report(&whole, &bounds)));
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
