//! Each JSON that is written of this very machine follows its schema in `docs/schema`.

use std::fs::write;

use crate::harness::{BYTEHOP, Scratch, command, output, serial};

#[path = "../../core/tests/common/python.rs"]
mod python;

/// The schema's name, and what writes it; `{}` is a folder of ours.
#[rustfmt::skip] // a table
const WRITERS: &[(&str, &str)] = &[
    ("summary.run.json", "run --no-tui --json --summary /dev/stdout --expect crossings>=0 -- true"),
    ("summary.stat.json", "stat --json --summary /dev/stdout -- true"),
    ("summary.record.json", "record --cost --stacks -o {}/t.bhop --json --summary /dev/stdout -- true"),
    ("summary.report.json", "report --json {}/t.bhop"),
    ("jsonl.report.jsonl", "report --format jsonl {}/t.bhop"),
    ("annotate.json", "annotate --json {}/t.bhop"),
    ("advise.json", "advise --json {}/t.bhop"),
    ("diff.json", "diff --json {}/t.bhop {}/t.bhop"),
    ("top.jsonl", "top --json -d 0.3 -n 2"),
    ("top.total.jsonl", "top --json -t -d 0.3 -n 2"),
    ("doctor.json", "doctor --json"),
    ("verify.json", "doctor --verify --dir {} --json --level T --only read-cached"),
];

#[test]
#[ignore = "root"]
fn every_json_of_this_machine_follows_its_schema() {
    let _serial = serial();
    let scratch = Scratch::new();
    let dir = tempfile::tempdir().expect("a folder");
    for (name, line) in WRITERS {
        let line = line.replace("{}", scratch.path("").trim_end_matches('/'));
        let words: Vec<&str> = [BYTEHOP].into_iter().chain(line.split(' ')).collect();
        let mut text = output(command(&words)).expect(0).stdout;
        // What the traced program itself writes comes first.
        if let (true, Some(at)) = (name.starts_with("summary"), text.find("{\n")) {
            text.drain(..at);
        }
        write(dir.path().join(name), text).expect("written");
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/core/tests/schema.py");
    python::python(script, &["jsonschema"], dir.path());
}
