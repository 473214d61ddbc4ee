//! A name of a rule or a probe stands in the catalogue's row and in tests, and nowhere else in the code:
//! everything else holds ids, so that a new row cannot be forgotten where it matters.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use bytehop_core::catalogue::{RuleId, functions, primitives, probes};
use bytehop_core::decode::DecodeError;
use bytehop_core::i18n::{UnknownLang, problems};
use bytehop_core::record::RecordError;
use bytehop_core::report::UnknownFormat;
use bytehop_core::report::top::UnknownColumn;

/// Folders with code; labs, documents and recordings name rules for people.
const FOLDERS: [&str; 11] = [
    "core/src",
    "tracer/src",
    "tui/src",
    "labs/src",
    "verify/src",
    "web/src",
    "fleet/src",
    "src",
    "xtask/src",
    "tracer-ebpf/src",
    "fixtures/src",
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

/// Every source file with code, by its path from the workspace's root, without those of tests.
fn all_sources() -> Vec<(PathBuf, String)> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in FOLDERS {
        sources(&workspace.join(folder), &mut files);
    }
    let inside = files
        .iter()
        .map(|path| path.strip_prefix(&workspace).expect("below it"));
    let inside = inside.filter(|path| !is_of_tests(path));
    inside
        .map(|path| {
            let text = std::fs::read_to_string(workspace.join(path)).expect("a source file");
            (path.to_owned(), text)
        })
        .collect()
}

#[test]
fn names_stand_in_the_catalogue_only() {
    let names = names();
    assert!(names.len() > 150, "{} names", names.len());
    let files = all_sources();
    assert!(files.len() > 200, "{} files", files.len());
    let mut strays = Vec::new();
    for (path, text) in &files {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-_:".contains(c);
        let code = code(text);
        let words = code.split(|c| !is_of_name(c));
        for word in words.map(|word| word.trim_matches([':', '-'])) {
            if names.contains(word) {
                strays.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(strays.is_empty(), "\n{}", strays.join("\n"));
}

/// What users read of an error has both languages: `says!` gives them, thiserror's attribute one.
#[test]
fn errors_have_words_in_both_languages() {
    for (path, text) in all_sources() {
        let of_developers = path.starts_with("xtask") || path.starts_with("verify");
        assert!(
            of_developers || !code(&text).contains("#[error("),
            "{}: use says!",
            path.display()
        );
    }
    for texts in [
        DecodeError::TEXTS,
        RecordError::TEXTS,
        UnknownColumn::TEXTS,
        UnknownFormat::TEXTS,
        UnknownLang::TEXTS,
    ] {
        assert_eq!(problems(texts), [""; 0]);
    }
}
