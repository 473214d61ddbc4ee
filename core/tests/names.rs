//! A name of a rule or a probe stands in the catalogue's row and in tests, and nowhere else in the code:
//! everything else holds ids, so that a new row cannot be forgotten where it matters.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use bytehop_core::catalogue::{RuleId, functions, primitives, probes};

/// Folders with code; labs, documents and recordings name rules for people.
const FOLDERS: [&str; 8] = [
    "core/src",
    "tracer/src",
    "tui/src",
    "labs/src",
    "verify/src",
    "web/src",
    "src",
    "xtask/src",
];

fn names() -> HashSet<&'static str> {
    let rules = RuleId::ALL.iter().map(|rule| rule.name());
    let tracepoints = probes::TABLE.iter().map(|row| row.label);
    let functions = functions::TABLE
        .iter()
        .flat_map(|row| [row.label, row.kprobe_label]);
    let primitives = primitives::TABLE.iter().flat_map(|row| row.names);
    rules
        .chain(tracepoints)
        .chain(functions)
        .chain(primitives.map(|name| name.label()))
        .collect()
}

fn is_of_tests(path: &Path) -> bool {
    let name = |part: &std::ffi::OsStr| part.to_string_lossy().contains("tests");
    path.iter().any(name) || path.ends_with("report/samples.rs")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("a folder");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() && !path.ends_with("catalogue") {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// What a file compiles without its tests and line comments.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = body.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn names_stand_in_the_catalogue_only() {
    let names = names();
    assert!(names.len() > 150, "{} names", names.len());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in FOLDERS {
        sources(&workspace.join(folder), &mut files);
    }
    files.retain(|path| {
        let inside = path.strip_prefix(&workspace).expect("below it");
        !is_of_tests(inside)
    });
    assert!(files.len() > 200, "{} files", files.len());
    let mut strays = Vec::new();
    for path in &files {
        let text = std::fs::read_to_string(path).expect("a source file");
        for literal in code(&text).split('"') {
            if names.contains(literal) {
                strays.push(format!("{}: \"{literal}\"", path.display()));
            }
        }
    }
    assert!(strays.is_empty(), "\n{}", strays.join("\n"));
}
