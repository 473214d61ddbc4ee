//! What students hand in: graded by the recordings, not by what the file says.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bytehop_core::i18n::Lang;
use labs::grade::{Grade, Roster, csv, grade};
use labs::lab::{self, Lab};
use labs::recording::summary_of;
use labs::result::{Wrote, write};
use labs::session::{Origin, Output, Session};

fn first_hops() -> Lab {
    let (labs, _) = lab::bundled();
    labs.into_iter()
        .find(|lab| lab.id == "first-hops")
        .expect("the lab")
}

/// The lab as its course has it whose bundled recordings are others: those that are handed in here are
/// nobody's then, as a student's are.
fn course() -> Lab {
    let mut files: BTreeMap<String, std::borrow::Cow<'static, [u8]>> = BTreeMap::new();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("first-hops");
    for folder in ["", "programs", "solution", "cheat", "recordings"] {
        for entry in fs::read_dir(dir.join(folder)).expect("a folder").flatten() {
            if entry.path().is_file() {
                let path = entry.path();
                let name = path
                    .strip_prefix(&dir)
                    .expect("within")
                    .display()
                    .to_string();
                files.insert(name, fs::read(&path).expect("read").into());
            }
        }
    }
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("modes/recordings/clock.bhop");
    let other = fs::read(other).expect("read");
    for name in ["copy", "solution"] {
        files.insert(format!("recordings/{name}.bhop"), other.clone().into());
    }
    Lab::new("first-hops", files).expect("the lab")
}

/// Hands in a recording as one's own, of the lab of that name or of another.
fn hand_in(dir: &Path, student: &str, recording: &[u8]) -> PathBuf {
    let lab = Arc::new(first_hops());
    fs::create_dir_all(dir).expect("a folder");
    let write_file = |name: &str, bytes: &[u8]| {
        let file = dir.join(name);
        fs::write(&file, bytes).expect("write");
        file
    };
    let file = write_file("run.tmp", recording);
    let original = lab.recording("copy").expect("a recording");
    let observed = BTreeMap::from([("copy".to_owned(), write_file("copy.tmp", original))]);
    let mut session = Session::new(lab.clone(), Lang::En, None);
    let run = summary_of(original).expect("a summary");
    session.observe("copy", run, Origin::Live);
    let question = &lab.spec.questions[0];
    let asked = session.verdict(question).measured.expect("a number");
    session.answer(question, &asked.number.to_string());
    if let Ok(run) = summary_of(recording) {
        let outcome = session.judge(&run, Output::Same);
        session.last = Some(run);
        return write(
            dir,
            student,
            &session,
            &outcome,
            "fn main() {}",
            &file,
            &observed,
            Wrote::default(),
        )
        .expect("a result");
    }
    unreachable!("only recordings are handed in")
}

fn solution() -> Vec<u8> {
    first_hops()
        .recording("solution")
        .expect("a recording")
        .to_vec()
}

fn graded(dir: &Path) -> Vec<Grade> {
    grade(&[dir.to_owned()], &[course()], None, Lang::En)
}

#[test]
fn honest_work() {
    let dir = tempfile::tempdir().expect("a folder");
    hand_in(&dir.path().join("b"), "Bo, \"the\" one", &solution());
    let grades = graded(dir.path());
    assert_eq!(grades.len(), 1);
    assert!(grades[0].passed, "{grades:#?}");
    assert!(grades[0].remarks.is_empty(), "{grades:#?}");
    // Counted anew, from the student's own run.
    assert_eq!(grades[0].right, 1, "{grades:#?}");
    let csv = csv(&grades);
    assert!(csv.starts_with("\u{feff}student,lab,"), "{csv}");
    assert!(csv.contains("\"Bo, \"\"the\"\" one\",first-hops,"), "{csv}");
    assert_eq!(csv.lines().count(), 2);
}

/// What is not believed does not decide.
#[test]
fn claims() {
    type Change = fn(&Path);
    let cases: [(&str, Change); 8] = [
        ("changed by hand", |file| {
            let text = fs::read_to_string(file).expect("read");
            fs::write(file, text.replace("questions = ", "questions = 1")).expect("write");
        }),
        ("not the one of this result", |file| {
            let other = first_hops();
            let other = other.recording("copy").expect("a recording");
            fs::write(file.with_file_name("first-hops.bhop"), other).expect("write");
        }),
        ("first-hops.bhop: No such file", |file| {
            fs::remove_file(file.with_file_name("first-hops.bhop")).expect("remove");
        }),
        ("copy.bhop: No such file", |file| {
            fs::remove_file(file.with_file_name("first-hops.copy.bhop")).expect("remove");
        }),
        ("source is not the one", |file| {
            fs::write(file.with_file_name("first-hops.rs"), "fn other() {}").expect("write");
        }),
        ("not a result file", |file| {
            fs::write(file, "[[[").expect("write")
        }),
        ("an empty file", |file| fs::write(file, "").expect("write")),
        ("no lab", |file| {
            let text = fs::read_to_string(file).expect("read");
            fs::write(file, text.replace("\"first-hops\"", "\"nothing\"")).expect("write");
        }),
    ];
    for (expected, change) in cases {
        let dir = tempfile::tempdir().expect("a folder");
        change(&hand_in(dir.path(), "Eve", &solution()));
        refuses(&graded(dir.path()), expected);
    }
}

fn refuses(grades: &[Grade], expected: &str) {
    let mut remarks = grades.iter().flat_map(|grade| &grade.remarks);
    assert!(
        remarks.any(|remark| remark.contains(expected)),
        "{expected}: {grades:#?}"
    );
    assert!(grades.iter().all(|grade| !grade.passed), "{expected}");
}

#[test]
fn the_recordings_that_everybody_has() {
    let dir = tempfile::tempdir().expect("a folder");
    hand_in(dir.path(), "Eve", &solution());
    let grades = grade(&[dir.path().to_owned()], &[first_hops()], None, Lang::En);
    refuses(&grades, "the recording is the lab's own");
}

#[test]
fn a_recording_of_another_program() {
    let (labs, _) = lab::bundled();
    for other in labs.iter().filter(|lab| lab.id != "first-hops") {
        let dir = tempfile::tempdir().expect("a folder");
        hand_in(
            dir.path(),
            "Eve",
            other.recording("solution").expect("a recording"),
        );
        refuses(&graded(dir.path()), "not of this lab's program");
    }
}

/// Who wrote it nobody can tell: both rows say so, and the author does not fail.
#[test]
fn the_same_twice() {
    let dir = tempfile::tempdir().expect("a folder");
    hand_in(&dir.path().join("a"), "Ada", &solution());
    hand_in(&dir.path().join("b"), "Eve", &solution());
    let grades = graded(dir.path());
    let notes: Vec<&str> = grades
        .iter()
        .flat_map(|g| &g.notes)
        .map(String::as_str)
        .collect();
    let expected = [
        "the same recording as Eve",
        "the same source as Eve",
        "the same recording as Ada",
        "the same source as Ada",
    ];
    assert_eq!(notes, expected);
    assert!(grades.iter().all(|grade| grade.passed), "{grades:#?}");
}

#[test]
fn a_list_of_students() {
    let roster = Roster::of("\u{feff}id,name\r\ns1,Ada\r\n\"s2\",Bo\r\n");
    let dir = tempfile::tempdir().expect("a folder");
    hand_in(&dir.path().join("a"), "s1", &solution());
    hand_in(&dir.path().join("e"), "Eve", &solution());
    let grades = grade(
        &[dir.path().to_owned()],
        &[course()],
        Some(&roster),
        Lang::En,
    );
    let rows: Vec<(&str, &str)> = grades
        .iter()
        .map(|grade| (grade.student.as_str(), grade.remarks[0].as_str()))
        .collect();
    let expected = [
        (
            "s1",
            "the seed is not the one of this student (--student gives it)",
        ),
        ("Eve", "Eve is not on the list"),
        ("s2", "nothing was handed in"),
    ];
    assert_eq!(rows, expected);
}

/// Whatever is handed in gets a row with a reason, and the honest one is graded beside it.
#[test]
fn hostile_submissions() {
    let dir = tempfile::tempdir().expect("a folder");
    let of = |name: &str| {
        let folder = dir.path().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    };
    hand_in(&of("honest"), "Ada", &solution());
    let result = "first-hops.result.toml";
    let fifo = of("fifo").join(result);
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .expect("mkfifo")
            .success()
    );
    symlink("/dev/zero", of("link").join(result)).expect("a link");
    symlink("/etc", dir.path().join("out")).expect("a link");
    fs::write(of("empty").join(result), "").expect("write");
    let huge = fs::File::create(of("huge").join(result)).expect("a file");
    huge.set_len(1 << 40).expect("a hole");
    fs::write(of("zipped").join("all.ZIP"), "PK").expect("write");
    of("nothing");
    hand_in(&of("deep").join("a/b/c"), "=1+1", &solution());
    let deeper = of("deeper").join("a/b/c/d/e/f/g/h/i/j");
    fs::create_dir_all(&deeper).expect("folders");
    let evil = hand_in(&of("name\u{1b}[31m\n,"), "\t@SUM(A1)", &solution());
    fs::rename(&evil, evil.with_file_name(format!("{result}.txt"))).expect("rename");
    for (folder, target) in [("bhop-zero", "/dev/zero"), ("bhop-shadow", "/etc/shadow")] {
        let file = hand_in(&of(folder), "Eve", &solution());
        let recording = file.with_file_name("first-hops.bhop");
        fs::remove_file(&recording).expect("remove");
        symlink(target, &recording).expect("a link");
    }

    let grades = graded(dir.path());
    let row = |name: &str| -> String {
        let is = |grade: &&Grade| {
            grade
                .file
                .strip_prefix(dir.path())
                .is_ok_and(|p| p.starts_with(name))
        };
        let found: Vec<&Grade> = grades.iter().filter(is).collect();
        assert_eq!(found.len(), 1, "{name}: {found:#?}");
        found[0].remarks.join("; ")
    };
    assert_eq!(row("honest"), "");
    assert_eq!(row("fifo"), "no ordinary file");
    assert_eq!(row("link"), "a link: not followed");
    assert_eq!(row("out"), "a link: not followed");
    assert_eq!(row("empty"), "an empty file");
    assert!(row("huge").contains("larger than"));
    assert_eq!(row("zipped"), "packed: unpack it first");
    assert_eq!(row("nothing"), "no result in it");
    assert_eq!(row("deep"), "");
    assert_eq!(row("deeper"), "too many folders in each other");
    assert_eq!(row("name\u{1b}[31m\n,"), "");
    assert_eq!(row("bhop-zero"), "first-hops.bhop: no ordinary file");
    assert_eq!(row("bhop-shadow"), "first-hops.bhop: no ordinary file");

    let csv = csv(&grades);
    assert_eq!(csv.lines().count(), grades.len() + 1, "{csv}");
    assert!(!csv.contains('\u{1b}'), "{csv}");
    assert!(csv.contains("\r\n'=1+1,"), "{csv}");
    assert!(csv.contains("\r\n' @SUM(A1),"), "{csv}");
}
