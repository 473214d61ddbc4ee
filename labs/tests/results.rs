//! What students hand in: graded by the recording, not by what the file says.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytehop_core::i18n::Lang;
use labs::lab::{self, Lab};
use labs::recording::summary_of;
use labs::result::{csv, grade, write};
use labs::session::{Output, Session};

fn first_hops() -> Lab {
    let (labs, _) = lab::bundled();
    labs.into_iter()
        .find(|lab| lab.id == "first-hops")
        .expect("the lab")
}

/// Hands in a recording of the lab as one's own.
fn hand_in(dir: &Path, student: &str, recording: &str) -> PathBuf {
    let lab = Arc::new(first_hops());
    let bytes = lab.recording(recording).expect("a recording").to_vec();
    let file = dir.join("run.bhop");
    fs::create_dir_all(dir).expect("a folder");
    fs::write(&file, &bytes).expect("write");
    let mut session = Session::new(lab.clone(), Lang::En, None);
    let run = summary_of(&bytes).expect("a summary");
    let outcome = session.judge(&run, Output::Same);
    session.last = Some(run);
    write(dir, student, &session, &outcome, "fn main() {}", &file).expect("a result")
}

#[test]
fn honest_results() {
    let dir = tempfile::tempdir().expect("a folder");
    hand_in(&dir.path().join("a"), "Ada", "solution");
    hand_in(&dir.path().join("b"), "Bo, \"the\" one", "copy");
    let grades = grade(&[dir.path().to_owned()], &[first_hops()]).expect("grades");
    let passed: Vec<bool> = grades.iter().map(|grade| grade.passed).collect();
    assert_eq!(passed, [true, false], "{grades:#?}");
    assert!(
        grades.iter().all(|grade| grade.remarks.is_empty()),
        "{grades:#?}"
    );
    let csv = csv(&grades);
    assert!(csv.contains("Ada,first-hops,"), "{csv}");
    assert!(csv.contains("\"Bo, \"\"the\"\" one\","), "{csv}");
    assert_eq!(csv.lines().count(), 3);
}

#[test]
fn dishonest_results() {
    type Change = fn(&Path);
    let cases: [(&str, Change); 5] = [
        ("changed by hand", |file| {
            let text = fs::read_to_string(file).expect("read");
            fs::write(file, text.replace("passed = false", "passed = true")).expect("write");
        }),
        ("not the one of this result", |file| {
            let lab = first_hops();
            let other = lab.recording("solution").expect("a recording");
            fs::write(file.with_file_name("first-hops.bhop"), other).expect("write");
        }),
        ("first-hops.bhop", |file| {
            fs::remove_file(file.with_file_name("first-hops.bhop")).expect("remove");
        }),
        ("not a result file", |file| {
            fs::write(file, "[[[").expect("write")
        }),
        ("no lab", |file| {
            let text = fs::read_to_string(file).expect("read");
            fs::write(file, text.replace("\"first-hops\"", "\"nothing\"")).expect("write");
        }),
    ];
    for (expected, change) in cases {
        let dir = tempfile::tempdir().expect("a folder");
        let file = hand_in(dir.path(), "Eve", "copy");
        change(&file);
        let grades = grade(&[dir.path().to_owned()], &[first_hops()]).expect("grades");
        let remarks: Vec<String> = grades
            .iter()
            .flat_map(|grade| grade.remarks.clone())
            .collect();
        assert!(
            remarks.iter().any(|remark| remark.contains(expected)),
            "{expected}: {remarks:?}"
        );
        assert!(grades.iter().all(|grade| !grade.passed), "{expected}");
    }
}

#[test]
fn the_same_recording_twice() {
    let dir = tempfile::tempdir().expect("a folder");
    hand_in(&dir.path().join("a"), "Ada", "solution");
    hand_in(&dir.path().join("b"), "Eve", "solution");
    let grades = grade(&[dir.path().to_owned()], &[first_hops()]).expect("grades");
    let remarks: Vec<String> = grades
        .iter()
        .flat_map(|grade| grade.remarks.clone())
        .collect();
    assert_eq!(
        remarks,
        ["the same recording as Eve", "the same recording as Ada"]
    );
    assert!(grades.iter().all(|grade| !grade.passed));
}
