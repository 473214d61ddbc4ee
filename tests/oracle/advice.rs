//! Advice against what following it brings: programs before and after the change, and programs where nothing
//! is to be changed.

use serde_json::Value;

use crate::devices::Loop;
use crate::harness::{BYTEHOP, Scratch, command, compiled, not_run, output, report, serial};
use crate::summary::Summary;

/// What a claim is of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Saved {
    Copied,
    /// The same, without what a device that is only software copies on its side.
    FromCache,
    Zeroed,
    Crossings,
}

/// A program of `pairs.c`, the rule that has to find it, the line that it points at, and what it saves.
const PAIRS: [(&str, &str, &str, Saved); 30] = [
    ("serve", "file-to-socket", "/* serve */", Saved::Copied),
    ("serve", "file-to-socket", "/* serve */", Saved::Crossings),
    (
        "requests",
        "file-to-socket",
        "/* requests */",
        Saved::Copied,
    ),
    (
        "requests",
        "file-to-socket",
        "/* requests */",
        Saved::Crossings,
    ),
    ("relay", "socket-relay", "/* relay */", Saved::Copied),
    ("piped", "through-a-pipe", "/* piped */", Saved::Copied),
    ("bytes", "small-calls", "/* bytes */", Saved::Crossings),
    ("pieces", "small-calls", "/* pieces */", Saved::Crossings),
    ("sent", "small-calls", "/* pieces */", Saved::Crossings),
    ("again", "read-again", "/* again */", Saved::Copied),
    ("again", "read-again", "/* again */", Saved::Crossings),
    ("reopened", "read-again", "/* reopened */", Saved::Copied),
    ("reopened", "read-again", "/* reopened */", Saved::Crossings),
    (
        "scattered",
        "many-reads",
        "/* scattered */",
        Saved::Crossings,
    ),
    ("sync", "sync-per-write", "/* sync */", Saved::Crossings),
    ("flag", "sync-per-write", "/* flag */", Saved::Crossings),
    (
        "direct",
        "direct-fell-back",
        "/* direct */",
        Saved::FromCache,
    ),
    ("storm", "zero-fill", "/* touch */", Saved::Crossings),
    ("slices", "zero-fill-again", "/* slices */", Saved::Zeroed),
    (
        "slices",
        "zero-fill-again",
        "/* slices */",
        Saved::Crossings,
    ),
    ("fork", "copy-on-write", "/* fork */", Saved::Copied),
    ("fork", "copy-on-write", "/* fork */", Saved::Crossings),
    ("parent", "copy-on-write", "/* parent */", Saved::Copied),
    ("parent", "copy-on-write", "/* parent */", Saved::Crossings),
    ("mapped", "mapped-faults", "/* mapped */", Saved::Crossings),
    ("copy", "file-to-file", "/* by hand */", Saved::Copied),
    ("copy", "file-to-file", "/* by hand */", Saved::Crossings),
    ("elsewhere", "file-to-file", "/* by hand */", Saved::Copied),
    (
        "elsewhere",
        "file-to-file",
        "/* by hand */",
        Saved::Crossings,
    ),
    ("append", "file-to-file", "/* by hand */", Saved::Copied),
];

const SOURCE: &str = include_str!("advice/pairs.c");

fn line_of(mark: &str) -> u64 {
    let at = SOURCE.find(mark).unwrap_or_else(|| panic!("{mark}"));
    SOURCE[..at].matches('\n').count() as u64 + 1
}

struct Run {
    summary: Summary,
    advice: Vec<Value>,
    left_out: usize,
    text: String,
}

/// `None`: it cannot be done here.
fn run(scratch: &Scratch, program: &str, what: &str, when: &str) -> Option<Run> {
    run_in(&scratch.path(""), scratch, program, what, when)
}

fn run_in(dir: &str, scratch: &Scratch, program: &str, what: &str, when: &str) -> Option<Run> {
    let recording = scratch.path("recording");
    let mut line = vec![BYTEHOP, "record", "--stacks", "-q", "-o", &recording, "--"];
    line.extend([program, what, when, dir]);
    let ended = output(command(&line));
    if ended.code() == 77 {
        return None;
    }
    ended.expect(0);
    let json = output(command(&[BYTEHOP, "advise", "--json", &recording])).expect(0);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let list = |key: &str| json[key].as_array().expect("a list").clone();
    Some(Run {
        summary: report(&recording),
        advice: list("advice"),
        left_out: list("left_out").len(),
        text: output(command(&[BYTEHOP, "advise", &recording]))
            .expect(0)
            .stdout,
    })
}

fn cost(run: &Run, saved: Saved) -> u64 {
    match saved {
        Saved::Copied => run.summary.bytes("copy", "*", "*"),
        Saved::FromCache => run.summary.bytes("copy", "page_cache", "user"),
        Saved::Zeroed => run.summary.bytes("fill", "*", "*"),
        Saved::Crossings => run.summary.number("/crossings/total"),
    }
}

#[test]
#[ignore = "root"]
fn a_claimed_saving_is_that_of_the_change() {
    const TEST: &str = "a_claimed_saving_is_that_of_the_change";
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(program) = compiled(&scratch, "pairs", SOURCE) else {
        return not_run(TEST, "no gcc");
    };
    scratch.file("input", 4 << 20);
    // ext4 with all data in its journal copies direct I/O.
    let journal = Loop::with(&scratch.path("."), 96, Some("journal_data"));
    let mut known: Option<(&str, [Option<Run>; 2])> = None;
    for (what, rule, mark, saved) in PAIRS {
        let dirs = match (what, &journal) {
            ("direct", None) => {
                not_run(TEST, "direct: no loop devices here");
                continue;
            }
            ("direct", Some(journal)) => [journal.dir.clone(), scratch.path("")],
            _ => [scratch.path(""), scratch.path("")],
        };
        if known.as_ref().is_none_or(|(known, _)| *known != what) {
            let runs = [("before", &dirs[0]), ("after", &dirs[1])];
            let runs = runs.map(|(when, dir)| run_in(dir, &scratch, &program, what, when));
            known = Some((what, runs));
        }
        let runs = known.as_ref().map(|(_, runs)| runs.each_ref());
        let runs = runs.map(|runs| runs.map(Option::as_ref));
        let Some([Some(before), Some(after)]) = runs else {
            not_run(
                TEST,
                &format!("{what}: this file system, or memory, does not do it"),
            );
            continue;
        };
        let rules: Vec<_> = before.advice.iter().map(|row| &row["rule"]).collect();
        assert_eq!(rules, [rule], "{what}: {}", before.text);
        assert_eq!(
            before.advice[0]["line"],
            line_of(mark),
            "{what}: {}",
            before.text
        );
        assert!(
            after.text.starts_with("Nothing worth changing"),
            "{what}: {}",
            after.text
        );

        let key = match saved {
            Saved::Copied | Saved::FromCache => "saves_copied",
            Saved::Zeroed => "saves_zeroed",
            Saved::Crossings => "saves_crossings",
        };
        let claimed = before.advice[0][key].as_u64().expect("a number");
        let measured = cost(before, saved).saturating_sub(cost(after, saved));
        // The loader's own work differs a little from run to run.
        let noise = if saved == Saved::Crossings {
            24
        } else {
            32 << 10
        };
        assert!(
            claimed + noise >= measured && claimed <= measured * 5 / 4 + noise,
            "{what}: {claimed} claimed, {measured} measured, {saved:?}: {}",
            before.text
        );
    }
}

#[test]
#[ignore = "root"]
fn bytes_that_were_looked_at_are_left_out() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(program) = compiled(&scratch, "pairs", SOURCE) else {
        return not_run("bytes_that_were_looked_at_are_left_out", "no gcc");
    };
    scratch.file("input", 4 << 20);
    let run = run(&scratch, &program, "check", "before").expect("a run");
    assert!(run.advice.is_empty(), "{}", run.text);
    assert!(
        run.text.starts_with("Nothing worth changing"),
        "{}",
        run.text
    );
    assert_eq!(run.left_out, 1, "{}", run.text);
}

#[test]
#[ignore = "root"]
fn what_was_tried_is_told_with_its_error() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(program) = compiled(&scratch, "pairs", SOURCE) else {
        return not_run("what_was_tried_is_told_with_its_error", "no gcc");
    };
    scratch.file("input", 4 << 20);
    for (what, error) in [("elsewhere", "EXDEV"), ("append", "EBADF")] {
        let run = run(&scratch, &program, what, "before").expect("a run");
        let tried = format!("copy_file_range: {error}");
        assert_eq!(run.advice[0]["tried"], tried, "{}", run.text);
    }
}

#[test]
#[ignore = "root"]
fn what_starts_and_forks_is_not_to_blame() {
    let _serial = serial();
    let scratch = Scratch::new();
    let recording = scratch.path("recording");
    let shell = "for i in 1 2 3 4 5 6 7 8; do x=$(true; echo $i); done; ls / > /dev/null";
    for words in [&["sh", "-c", shell][..], &["true"], &["gcc", "--version"]] {
        let mut line = vec![BYTEHOP, "record", "-q", "-o", &recording, "--"];
        line.extend(words);
        output(command(&line)).expect(0);
        let advice = output(command(&[BYTEHOP, "advise", &recording])).expect(0);
        let text = advice.stdout;
        assert!(
            text.starts_with("Nothing worth changing"),
            "{words:?}: {text}"
        );
    }
}
