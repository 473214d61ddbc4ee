//! Budgets: what `--expect` makes of runs whose calls and bytes are known.

use std::fs;

use serde_json::Value;

use crate::fixture::fixture;
use crate::harness::{BYTEHOP, Output, Scratch, command, not_run, output, serial};

const MIB: usize = 1 << 20;

/// What the fixture's copy of 1 MiB in 64 KiB does at least, and what it does not.
const HOLD: [&str; 3] = [
    "copy page_cache->user >= size(FROM)",
    "syscall(write).calls < 40",
    "copy user->page_cache == size(TO) and crossings > 68",
];
const BROKEN: &str = "copy user->page_cache <= size(FROM) / 2";

struct Case {
    scratch: Scratch,
    words: Vec<String>,
    hold: Vec<String>,
    broken: String,
}

impl Case {
    fn new() -> Self {
        let scratch = Scratch::new();
        let (from, to) = (scratch.file("from", MIB), scratch.path("to"));
        let named = |text: &str| text.replace("FROM", &from).replace("TO", &to);
        Self {
            words: fixture(&["copy", "64K", &from, &to]),
            hold: HOLD.map(named).to_vec(),
            broken: named(BROKEN),
            scratch,
        }
    }

    fn run(&self, options: &[&str], words: &[&str]) -> Output {
        let mut line = vec![BYTEHOP, "run", "--no-tui"];
        line.extend(options);
        line.push("--");
        match words {
            [] => line.extend(self.words.iter().map(String::as_str)),
            words => line.extend(words),
        }
        output(command(&line))
    }
}

fn budgets(text: &str) -> Vec<Value> {
    let json: Value = serde_json::from_str(text).expect("JSON");
    json["budgets"].as_array().expect("budgets").clone()
}

#[test]
#[ignore = "root"]
fn budgets_hold_and_break_live_and_recorded() {
    let _serial = serial();
    let case = Case::new();
    let list = case.scratch.path("budgets");
    fs::write(&list, format!("# all of it\n\n{}\n", case.hold.join("\n"))).expect("write");
    let hold = case.run(&["--expect-file", &list], &[]).expect(0);
    assert!(
        hold.stderr.contains("all 3 budgets hold"),
        "{}",
        hold.stderr
    );

    let (summary, recording, junit) = (
        case.scratch.path("summary"),
        case.scratch.path("recording"),
        case.scratch.path("junit.xml"),
    );
    let expect = ["--expect-file", &list, "--expect", &case.broken];
    let mut options = vec!["--json", "--summary", &summary, "-o", &recording];
    options.extend(expect);
    options.extend(["--junit", &junit]);
    let live = case.run(&options, &[]).expect(1);
    let lines: Vec<&str> = live
        .stderr
        .lines()
        .filter(|l| l.contains("budget"))
        .collect();
    // One line: what came, and the line of the fixture that wrote it.
    let [line] = lines.as_slice() else {
        panic!("{}", live.stderr)
    };
    let source = include_str!("../../fixtures/src/files.rs");
    let copy = source.find("pub fn copy(").expect("the workload");
    let write = copy + source[copy..].find("to.write(&buffer").expect("its line");
    let number = source[..write].matches('\n').count() + 1;
    for said in [
        "came 1.00 MiB (1,048,576 B)",
        "against 512 KiB (524,288 B)",
        "; 100% of it at ",
        &format!("fixtures/src/files.rs:{number}"),
    ] {
        let line = line.replace("⇢", "");
        assert!(line.contains(said), "{said}: {line}");
    }

    // The same of the recording.
    let mut words = vec![BYTEHOP, "report", "--json", &recording];
    words.extend(expect);
    let recorded = output(command(&words)).expect(1);
    let live = budgets(&fs::read_to_string(&summary).expect("a summary"));
    assert_eq!(live, budgets(&recorded.stdout));
    let outcomes = live.iter().map(|row| row["outcome"].as_str());
    let outcomes: Vec<_> = outcomes.flatten().collect();
    assert_eq!(outcomes, ["broken", "held", "held", "held"]);

    // What another program reads from the XML.
    let script = "import sys, xml.etree.ElementTree as E\n\
        s = E.parse(sys.argv[1]).getroot().find('testsuite')\n\
        print(s.get('tests'), s.get('failures'), s.get('errors'))\n\
        print(*[c.get('name') for c in s if c.find('failure') is not None], sep='\\n')";
    let python = command(&["python3", "--version"]).output().is_ok();
    if !python {
        return not_run("budgets_hold_and_break_live_and_recorded", "no python3");
    }
    let read = output(command(&["python3", "-c", script, &junit])).expect(0);
    assert_eq!(read.stdout, format!("4 1 0\n{}\n", case.broken));
}

#[test]
#[ignore = "root"]
fn the_programs_own_failure_wins() {
    let _serial = serial();
    let case = Case::new();
    for (words, budget, status) in [
        (&["sh", "-c", "exit 3"][..], "crossings < 1", 3),
        (&["sh", "-c", "kill -TERM $$"], "crossings < 1", 143),
        (&["sh", "-c", "exit 3"], "crossings > 1", 3),
        (&["true"], "crossings < 1", 1),
        (&["true"], "copy < size(/nonexistent/file)", 1),
        (&["true"], "crossings > 1", 0),
    ] {
        let ended = case.run(&["-q", "--expect", budget], words).expect(status);
        let said = ended
            .stderr
            .lines()
            .filter(|l| l.contains("budget "))
            .count();
        assert_eq!(
            said,
            usize::from(budget != "crossings > 1"),
            "{}",
            ended.stderr
        );
    }
    // The size of what the program removes is that from before.
    let gone = case.scratch.file("gone", 4096);
    let budget = format!("copy page_cache->user >= size({gone})");
    let script = format!("cat {gone} > /dev/null; rm {gone}");
    case.run(&["--expect", &budget], &["sh", "-c", &script])
        .expect(0);
}

#[test]
fn what_is_no_budget_runs_nothing() {
    let scratch = tempfile::tempdir().expect("a directory");
    let path = |name: &str| scratch.path().join(name).display().to_string();
    let (made, list) = (path("made"), path("budgets"));
    fs::write(&list, "crossings < 5\ncopy <\n").expect("write");
    for (options, says) in [
        (vec!["--expect", "copy <"], "a number or a name expected"),
        (vec!["--expect", "copy"], "neither true nor false"),
        (vec!["--expect", "nothing < 3"], "'nothing' is no measure"),
        (
            vec!["--expect-file", list.as_str()],
            "budgets:2: in 'copy <'",
        ),
        (
            vec!["--expect-file", "/nonexistent"],
            "cannot read /nonexistent",
        ),
        (vec!["--junit", "/dev/null"], "--junit needs budgets"),
        (
            vec!["--tui", "--expect", "crossings < 5"],
            "does not go with --tui",
        ),
    ] {
        let mut line = vec![BYTEHOP, "run"];
        line.extend(options);
        line.extend(["--", "touch", &made]);
        let output = output(command(&line)).expect(2);
        assert!(output.stderr.contains(says), "{says}: {}", output.stderr);
        assert!(fs::metadata(&made).is_err());
    }
}
