//! Grading what students handed in: by the same conditions as `--check`, on the student's own runs.
//!
//! Nothing that a result file says is believed except who it is from and what was answered. What a learner's
//! own machine can prove, and what not, is in docs/teaching.md.

mod course;
mod csv;
mod find;
mod place;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytehop_core::i18n::{Lang, Say};
use bytehop_core::model::Summary;
use sha2::{Digest, Sha256};

use crate::guide::hex;
use crate::lab::Lab;
use crate::page::outcome_lines;
use crate::recording::summary_of;
use crate::result::{BUNDLED, Result, SUFFIX};
use crate::session::{Origin, Output, Session};
use crate::spec::{Code, Program, braced};
use place::{Place, RECORDING_MAX, TEXT_MAX, read};

pub use csv::{System, by_student, csv};

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
    /// The source that was handed in, or why there is none.
    source: Option<std::result::Result<Vec<u8>, String>>,
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
    pub fn source(&self) -> std::result::Result<&[u8], &str> {
        match &self.source {
            Some(Ok(source)) => Ok(source),
            Some(Err(why)) => Err(why),
            None => Err(""),
        }
    }

    /// The language of that source.
    pub fn code(&self) -> Code {
        self.result
            .as_ref()
            .map_or(Code::Rust, |result| result.code)
    }
}

/// Who should have handed in: ids, the first column of a CSV file; and names, the second, where there are any.
#[derive(Clone, Debug, Default)]
pub struct Roster(BTreeSet<String>, BTreeMap<String, String>);

impl Roster {
    /// Reads ids; a first line that says `id` or `student` is a heading.
    pub fn of(text: &str) -> Self {
        let cells = text.trim_start_matches('\u{feff}').lines().map(|line| {
            let mut cells = line.split([',', ';', '\t']);
            let mut cell = || cells.next().unwrap_or_default().trim().trim_matches('"');
            (cell().to_owned(), cell().to_owned())
        });
        let heading = |id: &str| ["id", "student"].contains(&id.to_lowercase().as_str());
        let mut rows: Vec<(String, String)> = cells.filter(|(id, _)| !id.is_empty()).collect();
        if rows.first().is_some_and(|(id, _)| heading(id)) {
            rows.remove(0);
        }
        let names = rows.iter().filter(|(_, name)| !name.is_empty()).cloned();
        Self(
            rows.iter().map(|(id, _)| id.clone()).collect(),
            names.collect(),
        )
    }
}

/// Grades what lies under folders: a row for each result, and for each thing in place of one.
pub fn grade(dirs: &[PathBuf], labs: &[Lab], roster: Option<&Roster>, lang: Lang) -> Vec<Grade> {
    let judge = Judge {
        labs,
        bundled: Bundled::of(labs),
        lang,
    };
    let found = dirs.iter().flat_map(|dir| find::find(dir, lang));
    let mut judge_course = course::Judge::new(labs, lang);
    let mut grades: Vec<Grade> = found
        .flat_map(|found| match found {
            Ok(file) if course::is_one(&file) => {
                let judged = catch_unwind(AssertUnwindSafe(|| judge_course.grade(&file)));
                judged.unwrap_or_else(|_| vec![refused(file, words::cannot(lang))])
            }
            Ok(file) => {
                // Whatever is wrong with one, the others are graded.
                let judged = catch_unwind(AssertUnwindSafe(|| judge.grade(&file)));
                judged.unwrap_or_else(|_| vec![refused(file, words::cannot(lang))])
            }
            Err((file, why)) => vec![refused(file, why)],
        })
        .collect();
    let (recording, source) = (words::recording(lang), words::source(lang));
    copies(&mut grades, recording, lang, |m| m.recording.as_ref());
    copies(&mut grades, source, lang, |m| m.source.as_ref());
    if let Some(roster) = roster {
        enrol(&mut grades, roster, lang);
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
fn copies(grades: &mut [Grade], what: &str, lang: Lang, mark: fn(&Marks) -> Option<&String>) {
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
            grade.notes.push(words::same(lang, what, others));
        }
    }
}

/// With a list of students: who is not on it, whose lab was another's, and who handed in nothing.
fn enrol(grades: &mut Vec<Grade>, roster: &Roster, lang: Lang) {
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
            fail(words::not_on_list(lang, &grade.student));
        } else if seed.is_some_and(|seed| *seed != grade.student) {
            fail(words::other_seed(lang).to_owned());
        }
    }
    let there: BTreeSet<String> = grades.iter().map(|grade| grade.student.clone()).collect();
    for id in roster.0.difference(&there) {
        grades.push(Grade {
            student: id.clone(),
            remarks: vec![words::nothing(lang).to_owned()],
            ..Grade::default()
        });
    }
}

/// A source that everybody has.
#[derive(Clone, Copy)]
enum Known {
    Unchanged,
    Solution,
}

/// What everybody has: the labs' own recordings and programs.
struct Bundled {
    recordings: BTreeSet<String>,
    /// By lab and content: which program it is.
    sources: BTreeMap<(String, String), Known>,
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
                for lang in [Lang::En, Lang::Zh] {
                    let source = lab.source_in(lang, program, code);
                    sources.insert((lab.id.clone(), words_of(&source)), Known::Unchanged);
                    if let Some(solution) = lab.solution_in(lang, code) {
                        sources.insert((lab.id.clone(), words_of(&solution)), Known::Solution);
                    }
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

struct Judge<'a> {
    labs: &'a [Lab],
    bundled: Bundled,
    lang: Lang,
}

impl Judge<'_> {
    /// The rows of a result file, or of a hand-in.
    fn grade(&self, file: &Path) -> Vec<Grade> {
        let lang = self.lang;
        if !find::is_hand_in(file) {
            let row = match read(file, TEXT_MAX, lang) {
                Ok(text) => self.judge(file.to_owned(), &text, &Place::Beside(file)),
                Err(why) => refused(file.to_owned(), why),
            };
            return vec![row];
        }
        let files = match place::unpack(file, lang) {
            Ok(files) => files,
            Err(why) => return vec![refused(file.to_owned(), why)],
        };
        let results = files.iter().filter(|(name, _)| name.ends_with(SUFFIX));
        let rows: Vec<Grade> = results
            .map(|(name, text)| self.judge(file.join(name), text, &Place::In(&files)))
            .collect();
        match rows.is_empty() {
            true => vec![refused(file.to_owned(), words::none_inside(lang))],
            false => rows,
        }
    }

    fn judge(&self, file: PathBuf, text: &[u8], place: &Place<'_>) -> Grade {
        let lang = self.lang;
        let text = String::from_utf8_lossy(text);
        let read = (text.len() as u64 <= TEXT_MAX).then(|| toml::from_str::<Result>(&text));
        let Some(Ok(result)) = read else {
            let why = match text.trim().is_empty() {
                true => words::empty(lang),
                false => words::no_result(lang),
            };
            return refused(file, why);
        };
        let mut grade = Grade {
            file,
            student: result.student.clone(),
            lab: result.lab.clone(),
            ..Grade::default()
        };
        if result.sign() != result.signature {
            grade.remarks.push(words::by_hand(lang).to_owned());
        }
        grade.result = Some(result.clone());
        if let Err(why) = self.again(&mut grade, &result, place) {
            grade.passed = false;
            grade.remarks.push(why);
        }
        grade.passed &= grade.remarks.is_empty();
        grade
    }

    /// Judges the recordings again.
    fn again(
        &self,
        grade: &mut Grade,
        result: &Result,
        place: &Place<'_>,
    ) -> std::result::Result<(), String> {
        let lang = self.lang;
        let lab = self.labs.iter().find(|lab| lab.id == result.lab);
        let lab = lab.ok_or_else(|| words::no_lab(lang, &result.lab))?;
        let name = format!("{}.{}", lab.id, result.code.extension());
        let source = place.read(&name, TEXT_MAX, lang);
        grade.source = Some(source.map(std::borrow::Cow::into_owned));

        let bytes = place.read(&result.recording, RECORDING_MAX, lang)?;
        if hex(&Sha256::digest(&bytes)) != result.recording_sha256 {
            return Err(words::other_recording(lang).to_owned());
        }
        let run = summary_of(&bytes).map_err(|e| e.say(lang))?;
        let mark = content(&run);
        if self.bundled.recordings.contains(&mark) {
            grade.remarks.push(words::labs_recording(lang).to_owned());
        }
        grade.marks.recording = Some(mark);
        self.of_this_lab(&run, lab)?;
        self.source(grade, result, lab);

        let seed = (!result.seed.is_empty()).then(|| result.seed.clone());
        let mut session = Session::new(Arc::new(lab.clone()), lang, seed).in_code(result.code);
        let program = lab.spec.program(&lab.spec.change.program);
        if program.is_some_and(|program| !is_with(&run, program, &session)) {
            grade.remarks.push(words::own_values(lang).to_owned());
        }
        self.observe(&mut session, grade, result, place)?;
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
        let outcome = session.judge(&run, output);
        grade.passed = outcome.passed();
        if grade.passed != result.passed {
            let says = match grade.passed {
                true => words::passes(lang),
                false => words::fails(lang),
            };
            grade.notes.push(says.to_owned());
        }
        let failed = outcome_lines(&outcome, lang).into_iter();
        let failed = failed.filter(|(passed, _)| !passed).map(|(_, text)| text);
        grade.remarks.extend(failed);
        Ok(())
    }

    fn source(&self, grade: &mut Grade, result: &Result, lab: &Lab) {
        let lang = self.lang;
        let Some(Ok(source)) = &grade.source else {
            grade.notes.push(words::no_source(lang).to_owned());
            return;
        };
        if hex(&Sha256::digest(source)) != result.program {
            grade.remarks.push(words::other_source(lang).to_owned());
        }
        let mark = words_of(&String::from_utf8_lossy(source));
        if let Some(known) = self.bundled.sources.get(&(lab.id.clone(), mark.clone())) {
            let known = match known {
                Known::Unchanged => words::unchanged(lang),
                Known::Solution => words::solution(lang),
            };
            grade.remarks.push(words::source_is(lang, known));
        }
        grade.marks.source = Some(mark);
    }

    /// Takes the student's own runs of the originals. The lab's own stand in only where they did for the student.
    fn observe(
        &self,
        session: &mut Session,
        grade: &mut Grade,
        result: &Result,
        place: &Place<'_>,
    ) -> std::result::Result<(), String> {
        let (lab, lang) = (session.lab.clone(), self.lang);
        for program in &lab.spec.programs {
            let name = &program.name;
            let (bytes, origin) = match result.observed.get(name).map(String::as_str) {
                None => continue,
                Some(BUNDLED) => {
                    grade.notes.push(words::stood_in(lang, name));
                    let bytes = lab.recording(name).unwrap_or_default();
                    (bytes.into(), Origin::Recorded(None))
                }
                Some(file) => (place.read(file, RECORDING_MAX, lang)?, Origin::Live),
            };
            let run = summary_of(&bytes).map_err(|e| words::of_file(lang, name, e.say(lang)))?;
            if origin == Origin::Live {
                let command = run.command.first().map(|path| base(path));
                if command != Some(&format!("{}-{name}", lab.id)) {
                    return Err(words::other_program(lang, name));
                }
                if !is_with(&run, program, session) {
                    grade.remarks.push(words::other_values(lang, name));
                }
                if self.bundled.recordings.contains(&content(&run)) {
                    grade.remarks.push(words::labs_observed(lang, name));
                }
            }
            session.observe(name, run, origin);
        }
        for name in session.compared() {
            if !session.runs.contains_key(&name) {
                return Err(words::no_recording(lang, name));
            }
        }
        Ok(())
    }

    /// Whether a run is one of the learner's program of a lab, by the name that `--check` builds it under.
    fn of_this_lab(&self, run: &Summary, lab: &Lab) -> std::result::Result<(), String> {
        let program = &lab.spec.change.program;
        let command = run.command.first().map_or("", |path| base(path));
        let ours = ["my", "given"].map(|whose| format!("{whose}-{}-{program}", lab.id));
        match ours.iter().any(|name| name == command) {
            true => Ok(()),
            false => Err(words::no_program_of_lab(self.lang, command)),
        }
    }
}

/// Whether a run was started with the values that the student's seed draws, and with the files of the lab.
fn is_with(run: &Summary, program: &Program, session: &Session) -> bool {
    let params = session.params_scope();
    let args = run.command.get(1..).unwrap_or_default();
    let fits = |(wanted, arg): (&String, &String)| {
        let mut wanted = wanted.clone();
        let names: Vec<String> = braced(&wanted).map(str::to_owned).collect();
        for name in names {
            match params.get(&name) {
                Some(value) => {
                    wanted = wanted.replace(&format!("{{{name}}}"), &format!("{}", value.number));
                }
                // A path: a file of that name, or a device.
                None => return arg.starts_with('/'),
            }
        }
        wanted == *arg
    };
    args.len() == program.args.len() && program.args.iter().zip(args).all(fits)
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
