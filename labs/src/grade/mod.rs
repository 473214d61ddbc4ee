//! Grading what students handed in: by the same conditions as `--check`, on the student's own runs.
//!
//! Nothing that a result file says is believed except who it is from and what was answered. What a learner's
//! own machine can prove, and what not, is in docs/teaching.md.

mod course;
mod csv;
mod find;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use sha2::{Digest, Sha256};

use crate::guide::hex;
use crate::lab::Lab;
use crate::recording::summary_of;
use crate::result::{BUNDLED, Result};
use crate::session::{Origin, Output, Session};
use crate::spec::Code;

pub use csv::csv;

/// The most that a result file, or a program's source, may have.
const TEXT_MAX: u64 = 1 << 20;
/// The most that a recording may have.
const RECORDING_MAX: u64 = 256 << 20;

/// One line of the grades.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grade {
    pub file: PathBuf,
    /// Who and which lab, as far as that is known.
    pub student: String,
    pub lab: String,
    pub result: Option<Result>,
    /// Questions answered rightly, of all, by the student's own runs.
    pub right: usize,
    pub questions: usize,
    /// Whether the recording shows that the check was passed.
    pub passed: bool,
    /// Why it did not pass, or was not judged.
    pub remarks: Vec<String>,
    /// What a teacher should look at; nobody fails by it.
    pub notes: Vec<String>,
    /// What the recording and the source hold, to find copies.
    marks: Marks,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Marks {
    recording: Option<String>,
    source: Option<String>,
}

impl Grade {
    /// The source that was handed in.
    ///
    /// # Errors
    /// If there is none: why.
    pub fn source(&self) -> std::result::Result<Vec<u8>, String> {
        let name = format!("{}.{}", self.lab, self.code().extension());
        beside(&self.file, &name, TEXT_MAX)
    }

    /// The language of that source.
    pub fn code(&self) -> Code {
        self.result
            .as_ref()
            .map_or(Code::Rust, |result| result.code)
    }
}

/// Who should have handed in: ids, the first column of a CSV file.
#[derive(Clone, Debug, Default)]
pub struct Roster(BTreeSet<String>);

impl Roster {
    /// Reads ids; a first line that says `id` or `student` is a heading.
    pub fn of(text: &str) -> Self {
        let ids = text.trim_start_matches('\u{feff}').lines().map(|line| {
            let first = line.split([',', ';', '\t']).next().unwrap_or_default();
            first.trim().trim_matches('"').to_owned()
        });
        let heading = |id: &String| ["id", "student"].contains(&id.to_lowercase().as_str());
        let mut ids: Vec<String> = ids.filter(|id| !id.is_empty()).collect();
        if ids.first().is_some_and(heading) {
            ids.remove(0);
        }
        Self(ids.into_iter().collect())
    }
}

/// Grades what lies under folders: a row for each result, and for each thing in place of one.
pub fn grade(dirs: &[PathBuf], labs: &[Lab], roster: Option<&Roster>) -> Vec<Grade> {
    let bundled = Bundled::of(labs);
    let found = dirs.iter().flat_map(|dir| find::find(dir));
    let mut judge_course = course::Judge::new(labs);
    let mut grades: Vec<Grade> = found
        .flat_map(|found| match found {
            Ok(file) if course::is_one(&file) => {
                let judged = catch_unwind(AssertUnwindSafe(|| judge_course.grade(&file)));
                judged.unwrap_or_else(|_| vec![refused(file, "it cannot be judged")])
            }
            Ok(file) => {
                // Whatever is wrong with one, the others are graded.
                let judged = catch_unwind(AssertUnwindSafe(|| judge(&file, labs, &bundled)));
                vec![judged.unwrap_or_else(|_| refused(file, "it cannot be judged"))]
            }
            Err((file, why)) => vec![refused(file, why)],
        })
        .collect();
    copies(&mut grades, "recording", |marks| marks.recording.as_ref());
    copies(&mut grades, "source", |marks| marks.source.as_ref());
    if let Some(roster) = roster {
        enrol(&mut grades, roster);
    }
    grades
}

fn refused(file: PathBuf, why: impl Into<String>) -> Grade {
    Grade {
        file,
        remarks: vec![why.into()],
        ..Grade::default()
    }
}

/// The same content handed in by several: each row says so. Who wrote it, a recording does not tell.
fn copies(grades: &mut [Grade], what: &str, mark: fn(&Marks) -> Option<&String>) {
    let mut seen: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for grade in grades.iter() {
        if let Some(mark) = mark(&grade.marks) {
            let key = (grade.lab.clone(), mark.clone());
            seen.entry(key).or_default().insert(grade.student.clone());
        }
    }
    for grade in grades {
        let Some(mark) = mark(&grade.marks) else {
            continue;
        };
        let same = seen.get(&(grade.lab.clone(), mark.clone()));
        let others = same.into_iter().flatten();
        let others: Vec<&str> = others
            .filter(|name| **name != grade.student)
            .map(String::as_str)
            .collect();
        if !others.is_empty() {
            let others = others.join(", ");
            grade.notes.push(format!("the same {what} as {others}"));
        }
    }
}

/// With a list of students: who is not on it, whose lab was another's, and who handed in nothing.
fn enrol(grades: &mut Vec<Grade>, roster: &Roster) {
    for grade in grades.iter_mut() {
        if grade.student.is_empty() {
            continue;
        }
        let mut fail = |why: String| {
            grade.passed = false;
            grade.remarks.push(why);
        };
        let seed = grade.result.as_ref().map(|result| &result.seed);
        if !roster.0.contains(&grade.student) {
            fail(format!("{} is not on the list", grade.student));
        } else if seed.is_some_and(|seed| *seed != grade.student) {
            fail("the seed is not the one of this student (--student gives it)".to_owned());
        }
    }
    let there: BTreeSet<String> = grades.iter().map(|grade| grade.student.clone()).collect();
    for id in roster.0.difference(&there) {
        grades.push(Grade {
            student: id.clone(),
            remarks: vec!["nothing was handed in".to_owned()],
            ..Grade::default()
        });
    }
}

/// What everybody has: the labs' own recordings and programs.
struct Bundled {
    recordings: BTreeSet<String>,
    /// By lab and content: which program it is.
    sources: BTreeMap<(String, String), &'static str>,
}

impl Bundled {
    fn of(labs: &[Lab]) -> Self {
        let mut recordings = BTreeSet::new();
        let mut sources = BTreeMap::new();
        for lab in labs {
            let names = lab.spec.programs.iter().map(|p| p.name.as_str());
            for bytes in names
                .chain(["solution"])
                .filter_map(|name| lab.recording(name))
            {
                recordings.extend(summary_of(bytes).ok().map(|run| content(&run)));
            }
            let program = &lab.spec.change.program;
            for code in Code::ALL.into_iter().filter(|code| lab.has(*code)) {
                sources.insert(
                    (lab.id.clone(), words_of(lab.source(program, code))),
                    "unchanged program",
                );
                if let Some(solution) = lab.solution(code) {
                    sources.insert((lab.id.clone(), words_of(solution)), "lab's solution");
                }
            }
        }
        Self {
            recordings,
            sources,
        }
    }
}

/// What a recording says, whatever bytes it is written with.
fn content(run: &Summary) -> String {
    hex(&Sha256::digest(
        bytehop_core::report::json_string(run).as_bytes(),
    ))
}

/// A source without its layout.
fn words_of(source: &str) -> String {
    let words: String = source.split_whitespace().collect();
    hex(&Sha256::digest(words.as_bytes()))
}

fn judge(file: &Path, labs: &[Lab], bundled: &Bundled) -> Grade {
    let text = match read(file, TEXT_MAX) {
        Ok(bytes) => bytes,
        Err(why) => return refused(file.to_owned(), why),
    };
    let text = String::from_utf8_lossy(&text);
    let Ok(result) = toml::from_str::<Result>(&text) else {
        let why = match text.trim().is_empty() {
            true => "an empty file",
            false => "not a result file",
        };
        return refused(file.to_owned(), why);
    };
    let mut grade = Grade {
        file: file.to_owned(),
        student: result.student.clone(),
        lab: result.lab.clone(),
        ..Grade::default()
    };
    if result.sign() != result.signature {
        grade
            .remarks
            .push("the result was changed by hand".to_owned());
    }
    grade.result = Some(result.clone());
    if let Err(why) = again(&mut grade, &result, labs, bundled) {
        grade.remarks.push(why);
    }
    grade.passed &= grade.remarks.is_empty();
    grade
}

/// Judges the recordings again.
fn again(
    grade: &mut Grade,
    result: &Result,
    labs: &[Lab],
    bundled: &Bundled,
) -> std::result::Result<(), String> {
    let lab = labs.iter().find(|lab| lab.id == result.lab);
    let lab = lab.ok_or_else(|| format!("there is no lab '{}'", result.lab))?;
    let bytes = beside(&grade.file, &result.recording, RECORDING_MAX)?;
    if hex(&Sha256::digest(&bytes)) != result.recording_sha256 {
        return Err("the recording is not the one of this result".to_owned());
    }
    let run = summary_of(&bytes).map_err(|e| e.to_string())?;
    let mark = content(&run);
    if bundled.recordings.contains(&mark) {
        grade
            .remarks
            .push("the recording is the lab's own".to_owned());
    }
    grade.marks.recording = Some(mark);
    of_this_lab(&run, lab)?;

    if let Ok(source) = grade.source() {
        if hex(&Sha256::digest(&source)) != result.program {
            grade
                .remarks
                .push("the source is not the one of this result".to_owned());
        }
        let mark = words_of(&String::from_utf8_lossy(&source));
        if let Some(whose) = bundled.sources.get(&(lab.id.clone(), mark.clone())) {
            grade.notes.push(format!("the source is the {whose}"));
        }
        grade.marks.source = Some(mark);
    } else {
        grade.notes.push("without the source".to_owned());
    }

    let seed = (!result.seed.is_empty()).then(|| result.seed.clone());
    let mut session = Session::new(Arc::new(lab.clone()), Lang::En, seed).in_code(result.code);
    observe(&mut session, grade, result, lab)?;
    for question in &lab.spec.questions {
        if let Some(answer) = result.answers.get(&question.id) {
            session.answer(question, answer);
        }
    }
    let verdicts = session.verdicts();
    grade.questions = verdicts.len();
    grade.right = verdicts.iter().filter(|verdict| verdict.right).count();

    let output = match (lab.spec.change.output, result.output.as_str()) {
        (false, _) => Output::NotCompared,
        (true, "same") => Output::Same,
        (true, _) => Output::Differs,
    };
    grade.passed = session.judge(&run, output).passed();
    if grade.passed != result.passed {
        let says = if grade.passed {
            "passes"
        } else {
            "does not pass"
        };
        grade
            .notes
            .push(format!("the recording {says}, the result says otherwise"));
    }
    Ok(())
}

/// Takes the student's own runs of the originals. The lab's own stand in only where they did for the student.
fn observe(
    session: &mut Session,
    grade: &mut Grade,
    result: &Result,
    lab: &Lab,
) -> std::result::Result<(), String> {
    for program in &lab.spec.programs {
        let name = &program.name;
        let (bytes, origin) = match result.observed.get(name).map(String::as_str) {
            None => continue,
            Some(BUNDLED) => {
                let bytes = lab.recording(name).unwrap_or_default().to_vec();
                (bytes, Origin::Recorded(None))
            }
            Some(file) => (beside(&grade.file, file, RECORDING_MAX)?, Origin::Live),
        };
        let run = summary_of(&bytes).map_err(|e| format!("{name}: {e}"))?;
        let command = run.command.first().map(|path| base(path));
        if origin == Origin::Live && command != Some(&format!("{}-{name}", lab.id)) {
            return Err(format!("the recording of {name} is of another program"));
        }
        session.observe(name, run, origin);
    }
    for name in session.compared() {
        if !session.runs.contains_key(&name) {
            return Err(format!(
                "there is no recording of {name}, which the check compares with"
            ));
        }
    }
    Ok(())
}

/// Whether a run is one of the learner's program of a lab, by the name that `--check` builds it under.
fn of_this_lab(run: &Summary, lab: &Lab) -> std::result::Result<(), String> {
    let program = &lab.spec.change.program;
    let command = run.command.first().map_or("", |path| base(path));
    let ours = ["my", "given"].map(|whose| format!("{whose}-{}-{program}", lab.id));
    match ours.iter().any(|name| name == command) {
        true => Ok(()),
        false => Err(format!(
            "the recording is of '{command}', not of this lab's program"
        )),
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A file that was handed in with another: a name in the same folder, no path.
fn beside(file: &Path, name: &str, most: u64) -> std::result::Result<Vec<u8>, String> {
    let name = Path::new(name).file_name().unwrap_or_default();
    read(&file.with_file_name(name), most)
}

/// Reads an ordinary file that is not too large; why not, else.
fn read(path: &Path, most: u64) -> std::result::Result<Vec<u8>, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let failed = |e: io::Error| format!("{name}: {e}");
    let data = path.symlink_metadata().map_err(failed)?;
    if !data.is_file() {
        return Err(format!("{name}: no ordinary file"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    // It may grow while it is read.
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    match bytes.len() as u64 > most {
        true => Err(format!("{name}: larger than {most} bytes")),
        false => Ok(bytes),
    }
}
