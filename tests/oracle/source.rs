//! Source lines against payloads of known size: `annotate`, `diff`, `advise` on recordings of the
//! fixture.

use serde_json::Value;

use crate::fixture::fixture;
use crate::harness::{BYTEHOP, Scratch, command, output, report, serial};

const MIB: u64 = 1 << 20;

/// Records the fixture with its stacks.
fn record(scratch: &Scratch, name: &str, words: &[&str]) -> String {
    let recording = scratch.path(name);
    let mut line = vec![BYTEHOP, "record", "--stacks", "-q", "-o", &recording, "--"];
    let words = fixture(words);
    line.extend(words.iter().map(String::as_str));
    output(command(&line)).expect(0);
    recording
}

fn json(words: &[&str]) -> Value {
    let mut line = vec![BYTEHOP];
    line.extend(words);
    line.push("--json");
    let output = output(command(&line)).expect(0);
    serde_json::from_str(&output.stdout).expect("JSON")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("a list")
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().expect("a number")
}

#[test]
#[ignore = "root"]
fn lines_that_read_and_write() {
    let _serial = serial();
    let scratch = Scratch::new();
    let (from, to) = (scratch.file("from", MIB as usize), scratch.path("to"));
    let recording = record(&scratch, "copy", &["copy", "64K", &from, &to]);
    let annotation = json(&["annotate", &recording]);
    let files = list(&annotation, "files").iter();
    let path = |file: &Value| file["path"].as_str().unwrap_or_default().to_owned();
    let file = files
        .clone()
        .find(|file| path(file).ends_with("fixtures/src/files.rs"));
    let file = file.unwrap_or_else(|| panic!("no line of the fixture: {annotation:#}"));

    // The source says which lines these are; the payload is 1 MiB, in 16 calls and one at the end.
    let source = include_str!("../../fixtures/src/files.rs");
    let copy = source.find("pub fn copy(").expect("the workload");
    let line = |text: &str| {
        let at = copy + source[copy..].find(text).expect("its line");
        let number = source[..at].matches('\n').count() as u64 + 1;
        let mut lines = list(file, "lines").iter();
        lines
            .find(|row| number == row["line"])
            .cloned()
            .unwrap_or_else(|| panic!("line {number}: {file:#}"))
    };
    let (read, write) = (line("from.read(buffer)"), line("to.write(&buffer"));
    assert_eq!(
        (number(&read, "copied"), number(&read, "syscalls")),
        (MIB, 17)
    );
    assert_eq!(
        (number(&write, "copied"), number(&write, "syscalls")),
        (MIB, 16)
    );

    // Nothing is counted twice, and little is not known.
    let all = files
        .map(|file| number(&file["total"], "crossings"))
        .sum::<u64>();
    let elsewhere = number(&annotation["elsewhere"], "crossings");
    let unknown = number(&annotation["unknown"], "crossings");
    let summary = report(&recording);
    let total = summary.number("/crossings/total");
    assert_eq!(all + elsewhere + unknown, total);
    assert!(
        unknown * 10 < total,
        "{unknown} of {total} crossings have no stack"
    );
}

#[test]
#[ignore = "root"]
fn two_runs_compared() {
    let _serial = serial();
    let scratch = Scratch::new();
    let (from, to) = (scratch.file("from", MIB as usize), scratch.path("to"));
    let first = record(&scratch, "copy", &["copy", "64K", &from, &to]);
    let second = record(&scratch, "sendfile", &["sendfile-file", "1M", &from, &to]);
    let both = json(&["diff", &first, &second]);
    let row = |what: &str| {
        let mut rows = list(&both, "rows").iter();
        rows.find(|row| what == row["what"])
            .cloned()
            .expect("a row")
    };
    let summaries = [report(&first), report(&second)];
    for (side, summary) in ["a", "b"].into_iter().zip(&summaries) {
        let crossings = number(&row("crossings")[side], "n");
        assert_eq!(crossings, summary.number("/crossings/total"));
    }
    // Two copies to and from user memory become one in the kernel.
    let (a, b) = (
        number(&row("copied")["a"], "n"),
        number(&row("copied")["b"], "n"),
    );
    assert!(a >= 2 * MIB && (MIB..2 * MIB).contains(&b), "{a} {b}");
    let change = |from: &str, to: &str| {
        let hops = list(&both, "hops").iter();
        let mut hops =
            hops.filter(|hop| hop["kind"] == "copy" && hop["from"] == from && hop["to"] == to);
        hops.next()
            .map(|hop| hop["change"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(change("user", "page_cache").as_deref(), Some("gone"));
    assert_eq!(change("page_cache", "page_cache").as_deref(), Some("new"));
}

#[test]
#[ignore = "root"]
fn a_copy_by_read_and_write_is_advised_against() {
    let _serial = serial();
    let scratch = Scratch::new();
    let (from, to) = (scratch.file("from", MIB as usize), scratch.path("to"));
    let rules = |recording: &str| -> Vec<(String, u64)> {
        let advice = json(&["advise", recording]);
        let advice = list(&advice, "advice").iter();
        let rule = |advice: &Value| advice["rule"].as_str().unwrap_or_default().to_owned();
        advice
            .map(|advice| (rule(advice), number(advice, "saves_copied")))
            .collect()
    };
    let copy = record(&scratch, "copy", &["copy", "64K", &from, &to]);
    assert!(
        rules(&copy).contains(&("file-to-file".to_owned(), MIB)),
        "{:?}",
        rules(&copy)
    );
    let sendfile = record(&scratch, "sendfile", &["sendfile-file", "1M", &from, &to]);
    assert!(
        rules(&sendfile)
            .iter()
            .all(|(rule, _)| rule != "file-to-file")
    );
}
