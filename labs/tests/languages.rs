//! Programs in two languages: what a lab may have, what lint finds, and hand-ins in C.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytehop_core::i18n::Lang;
use labs::grade::grade;
use labs::lab::{Lab, LabError};
use labs::recording::summary_of;
use labs::result::{Wrote, write};
use labs::session::{Origin, Output, Session};
use labs::spec::Code;
use labs::{lint, page};

type Files = BTreeMap<String, Cow<'static, [u8]>>;

fn files() -> Files {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("first-hops");
    let mut files = Files::new();
    for folder in ["", "programs", "solution", "cheat", "recordings"] {
        for entry in fs::read_dir(dir.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let name = path.strip_prefix(&dir).expect("within").display();
                let bytes = fs::read(&path).expect("read");
                files.insert(name.to_string(), bytes.into());
            }
        }
    }
    files
}

fn lab(files: &Files) -> Result<Lab, LabError> {
    Lab::new("first-hops", files.clone())
}

/// What lint says of a lab after a change to its files, and did not say before.
fn found(change: impl FnOnce(&mut Files)) -> Vec<String> {
    let mut files = files();
    let ids = BTreeSet::from(["first-hops", "modes"]);
    let of = |files: &Files| lint::lint(&lab(files).expect("a lab"), &ids, Lang::En);
    let before = of(&files);
    change(&mut files);
    let after = of(&files).into_iter();
    after.filter(|what| !before.contains(what)).collect()
}

#[test]
fn a_lab_has_one_language_or_both() {
    let both = files();
    let mut rust = both.clone();
    rust.retain(|name, _| !name.ends_with(".c"));
    let mut c = both.clone();
    c.retain(|name, _| !name.ends_with(".rs"));
    let mut none = c.clone();
    none.remove("programs/copy.c");
    let codes = |files: &Files| {
        let lab = lab(files).expect("a lab");
        Code::ALL.map(|wanted| lab.code(wanted))
    };
    assert_eq!(codes(&both), [Code::Rust, Code::C]);
    assert_eq!(codes(&rust), [Code::Rust, Code::Rust]);
    assert_eq!(codes(&c), [Code::C, Code::C]);
    assert!(matches!(lab(&none), Err(LabError::Missing { .. })));
}

#[test]
fn lint_finds_programs_that_are_the_same_or_missing() {
    let copied = |from: &'static str, to: &'static str| {
        move |files: &mut Files| {
            let mut bytes = files[from].to_vec();
            // Another layout is no other program.
            bytes.extend(b"\n\n");
            files.insert(to.to_owned(), bytes.into());
        }
    };
    for end in ["c", "rs"] {
        let (start, solution) = (
            format!("programs/copy.{end}"),
            format!("solution/copy.{end}"),
        );
        let (start, solution): (&str, &str) = (start.leak(), solution.leak());
        let said = found(copied(start, solution));
        assert_eq!(said, [format!("first-hops: {solution} is {start}")]);
    }
    let said = found(copied("solution/copy.c", "cheat/copy.c"));
    assert_eq!(said, ["first-hops: cheat/copy.c is solution/copy.c"]);
    let said = found(|files| drop(files.remove("solution/copy.c")));
    assert_eq!(said, ["first-hops: there is no solution/copy.c"]);
    let said = found(|files| drop(files.remove("cheat/copy.c")));
    let only = "first-hops: cheat/copy is there in one language only";
    assert!(said.iter().any(|what| what == only), "{said:?}");
    let said = found(copied("programs/copy.c", "programs/other.c"));
    assert_eq!(said, ["first-hops: programs/other.c is not in lab.toml"]);
}

#[test]
fn what_is_shown_is_in_the_language_chosen() {
    let lab = Arc::new(lab(&files()).expect("a lab"));
    for (code, path, fence, other) in [
        (Code::Rust, "w/copy.rs", "```rust\n", "copy.c"),
        (Code::C, "w/copy.c`", "```c\n", "copy.rs"),
    ] {
        let mut session = Session::new(lab.clone(), Lang::En, None).in_code(code);
        session.folder = "w".to_owned();
        let pages =
            page::predict(&session) + &page::change(&session) + &page::check(&session, true);
        assert!(pages.contains(path) && pages.contains(fence), "{pages}");
        assert!(pages.contains(lab.source("copy", code)), "{pages}");
        assert!(
            pages.contains(lab.solution(code).expect("a solution")),
            "{pages}"
        );
        assert!(!pages.contains(other), "{pages}");
    }
}

#[test]
fn hand_ins_in_c_are_graded() {
    let dir = tempfile::tempdir().expect("a folder");
    let lab = Arc::new(lab(&files()).expect("a lab"));
    let original = lab.recording("copy").expect("a recording").to_vec();
    let solved = lab.recording("solution").expect("a recording").to_vec();
    let written = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).expect("write");
        path
    };
    let observed = BTreeMap::from([("copy".to_owned(), written("copy.tmp", &original))]);
    let run = written("run.tmp", &solved);
    let mut session = Session::new(lab.clone(), Lang::En, None).in_code(Code::C);
    session.observe(
        "copy",
        summary_of(&original).expect("a summary"),
        Origin::Live,
    );
    let summary = summary_of(&solved).expect("a summary");
    let outcome = session.judge(&summary, Output::Same);
    session.last = Some(summary);
    let solution = lab.solution(Code::C).expect("a solution");
    let to = dir.path().join("ada");
    let file = write(
        &to,
        "ada",
        &session,
        &outcome,
        solution,
        &run,
        &observed,
        Wrote::default(),
    )
    .expect("a result");
    let text = fs::read_to_string(file).expect("the result");
    assert!(
        text.contains("code = \"c\"") && to.join("first-hops.c").is_file(),
        "{text}"
    );
    let grades = grade(&[to], &[Lab::clone(&lab)], None, Lang::En);
    let [grade] = &grades[..] else {
        panic!("{grades:?}");
    };
    assert_eq!(grade.code(), Code::C);
    assert_eq!(grade.source().expect("the source"), solution.as_bytes());
    // The runs are the lab's own: said, as for Rust; and the source is known, too.
    assert_eq!(
        grade.remarks,
        [
            "the recording is the lab's own",
            "the source is the lab's solution",
            "the recording of copy is the lab's own"
        ]
    );
}

#[test]
fn lint_finds_a_check_that_needs_no_data() {
    let said = found(|files| {
        let text = String::from_utf8(files["lab.toml"].to_vec()).expect("text");
        let (before, _) = text
            .split_once("[[change.checks]]\nthat = \"copy")
            .expect("a check");
        let rest = &text[text.find("[[change.hints]]").expect("hints")..];
        let text = before.replace("[change]\n", "[change]\noutput = false\n") + rest;
        files.insert("lab.toml".to_owned(), text.into_bytes().into());
    });
    let wanted =
        "first-hops: no check asks that data moves: a program that does nothing could pass";
    assert!(said.iter().any(|what| what == wanted), "{said:?}");
}

#[test]
fn lint_and_grades_speak_chinese() {
    let mut files = files();
    files.remove("solution/copy.c");
    files.remove("recordings/copy.bhop");
    let lab = lab(&files).expect("a lab");
    let said = lint::lint(&lab, &BTreeSet::new(), Lang::Zh);
    assert!(said.len() > 2, "{said:?}");
    for what in &said {
        assert!(!bytehop_core::i18n::is_english(what), "{what}");
    }
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("first-hops.result.toml"), "").expect("write");
    fs::write(dir.path().join("all.zip"), "").expect("write");
    for row in grade(&[dir.path().to_owned()], &[lab], None, Lang::Zh) {
        let said = row.remarks.join("; ");
        assert!(
            !said.is_empty() && !bytehop_core::i18n::is_english(&said),
            "{said}"
        );
    }
}
