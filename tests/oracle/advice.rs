//! Advice against what following it brings: programs before and after the change, and programs where nothing
//! is to be changed.

use serde_json::Value;

use crate::harness::{BYTEHOP, Scratch, command, compiled, not_run, output, report, serial};
use crate::summary::Summary;

/// What a claim is of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Saved {
    Copied,
    Zeroed,
    Crossings,
}

/// A program of `pairs.c`, the rule that has to find it, the line that it points at, and what it saves.
/// Not among them: `direct` (rule direct-fell-back), which needs ext4 that lets files' data be journaled;
/// it was not seen to pass. Nor `mapped` (rule mapped-faults): by hand it is found, of the test's file it was
/// not, and why is open.
const PAIRS: [(&str, &str, &str, Saved); 12] = [
    ("serve", "file-to-socket", "/* serve */", Saved::Copied),
    ("serve", "file-to-socket", "/* serve */", Saved::Crossings),
    ("relay", "socket-relay", "/* relay */", Saved::Copied),
    ("bytes", "small-calls", "/* bytes */", Saved::Crossings),
    ("again", "read-again", "/* again */", Saved::Copied),
    ("sync", "sync-per-write", "/* sync */", Saved::Crossings),
    ("storm", "zero-fill", "/* touch */", Saved::Crossings),
    ("slices", "zero-fill-again", "/* slices */", Saved::Zeroed),
    ("fork", "copy-on-write", "/* fork */", Saved::Copied),
    ("copy", "file-to-file", "/* by hand */", Saved::Copied),
    ("elsewhere", "file-to-file", "/* by hand */", Saved::Copied),
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
    let (recording, dir) = (scratch.path("recording"), scratch.path(""));
    let mut line = vec![BYTEHOP, "record", "--stacks", "-q", "-o", &recording, "--"];
    line.extend([program, what, when, &dir]);
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
    for (what, rule, mark, saved) in PAIRS {
        let runs = ["before", "after"].map(|when| run(&scratch, &program, what, when));
        let [Some(before), Some(after)] = runs else {
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
            Saved::Copied => "saves_copied",
            Saved::Zeroed => "saves_zeroed",
            Saved::Crossings => "saves_crossings",
        };
        let claimed = before.advice[0][key].as_u64().expect("a number");
        let measured = cost(&before, saved).saturating_sub(cost(&after, saved));
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
