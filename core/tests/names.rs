//! A name of a rule or a probe stands in the catalogue's row and in tests, and nowhere else in the code:
//! everything else holds ids, so that a new row cannot be forgotten where it matters.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use bytehop_core::budget::BudgetError;
use bytehop_core::catalogue::{RuleId, functions, primitives, probes};
use bytehop_core::decode::DecodeError;
use bytehop_core::i18n::{UnknownLang, problems};
use bytehop_core::record::RecordError;
use bytehop_core::report::UnknownFormat;
use bytehop_core::report::export::UnknownWeight;
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

/// The same without what they are: programs of the object, tracepoints and functions of the kernel. Not
/// [`probes::PAGE_FAULT`], which is a word of JSON, too.
fn bare_names() -> HashSet<&'static str> {
    let tracepoints = probes::TABLE
        .iter()
        .flat_map(|row| row.tracepoints.iter().copied().chain([row.program]));
    let functions = functions::TABLE
        .iter()
        .flat_map(|row| row.names.iter().copied().chain([row.program]));
    let primitives = primitives::TABLE.iter().flat_map(|row| {
        let names = row.names.iter().map(|name| name.function());
        names.chain([row.program])
    });
    let beside = [&probes::AGAIN[..], &probes::STACKS, &probes::NULL].concat();
    let beside = beside.into_iter().chain([probes::CALL_OF_ANYONE]);
    tracepoints
        .chain(functions)
        .chain(primitives)
        .chain(beside.map(|row| row.program))
        .chain([probes::PAGE_FAULT_AND_STACK])
        .collect()
}

/// Where a bare name in a text is none of a probe.
const NO_PROBES: [(&str, &str); 2] = [
    // A structure of the kernel has its function's name.
    ("tracer-ebpf/src/wire/offsets.rs", "tcp_zerocopy_receive"),
    // A script for bpftrace, which knows nothing of our catalogue.
    ("xtask/src/bench/tables.rs", "sys_enter"),
];

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

/// The texts between quotes. Quotes inside of a raw string come in pairs, so what follows it is right.
fn literals(code: &str) -> impl Iterator<Item = &str> {
    code.split('"').skip(1).step_by(2)
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

#[test]
fn bare_names_stand_in_the_catalogue_only() {
    let names = bare_names();
    assert!(names.len() > 85, "{} names", names.len());
    let mut found = Vec::new();
    for (path, text) in &all_sources() {
        // Quotes that neither begin nor end a text.
        let code = code(text).replace(r"\\", "").replace(r#"\""#, "");
        let code = code.replace("'\"'", "");
        let path = path.to_str().expect("a name in ASCII");
        assert!(
            code.matches('"').count().is_multiple_of(2),
            "{path}: an odd quote"
        );
        for literal in literals(&code) {
            let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            for word in literal.split(|c| !is_of_name(c)) {
                if names.contains(word) {
                    found.push((path.to_owned(), word.to_owned()));
                }
            }
        }
    }
    // Those that are allowed are there.
    let allowed = NO_PROBES.map(|(path, word)| (path.to_owned(), word.to_owned()));
    found.sort();
    assert_eq!(found, allowed);
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
        BudgetError::TEXTS,
        DecodeError::TEXTS,
        RecordError::TEXTS,
        UnknownColumn::TEXTS,
        UnknownFormat::TEXTS,
        UnknownLang::TEXTS,
        UnknownWeight::TEXTS,
    ] {
        assert_eq!(problems(texts), [""; 0]);
    }
}

/// Types of `says!` whose `TEXTS` no test looks at.
#[test]
fn every_text_of_an_error_is_looked_at() {
    let files = all_sources();
    let mut said = BTreeSet::new();
    let mut looked_at = BTreeSet::new();
    let texts = files.iter().map(|(_, text)| text.as_str());
    for text in texts.clone() {
        for rest in code(text).split("says! { ").skip(1) {
            said.extend(rest.split(',').next().map(str::to_owned));
        }
    }
    for text in texts.chain([include_str!("names.rs")]) {
        let is_of_path = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
        for path in text.split(|c| !is_of_path(c)) {
            let of = path.strip_suffix("::TEXTS");
            let name = of.and_then(|of| of.rsplit("::").next());
            looked_at.extend(name.map(str::to_owned));
        }
    }
    assert!(said.len() > 30, "{said:?}");
    assert_eq!(said.difference(&looked_at).collect::<Vec<_>>(), [""; 0]);
}
