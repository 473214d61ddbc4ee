//! Result files: what a student hands in, tied to the recording that shows it.
//!
//! A result says what was answered and whether the check passed; the recording beside it is the
//! evidence. `grade` believes the recording, not the result: it judges it again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytehop_core::i18n::Lang;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::guide::hex;
use crate::lab::Lab;
use crate::recording::{summarise, summary_of};
use crate::session::{Outcome, Output, Session};

/// End of a result file's name.
pub const SUFFIX: &str = ".result.toml";

/// What a result file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Result {
    pub student: String,
    pub lab: String,
    #[serde(default)]
    pub seed: String,
    /// Seconds since 1970.
    pub time: u64,
    pub bytehop: String,
    pub kernel: String,
    /// Questions answered rightly, of all.
    pub right: usize,
    pub questions: usize,
    pub passed: bool,
    /// `same`, `differs` or `not compared`.
    pub output: String,
    /// SHA-256 of the program's source.
    pub program: String,
    /// The recording's name, beside this file, and its SHA-256.
    pub recording: String,
    pub recording_sha256: String,
    #[serde(default)]
    pub answers: BTreeMap<String, String>,
    /// SHA-256 of all the above.
    #[serde(default)]
    pub signature: String,
}

impl Result {
    fn sign(&self) -> String {
        let mut unsigned = self.clone();
        unsigned.signature.clear();
        let text = toml::to_string(&unsigned).unwrap_or_default();
        hex(&Sha256::digest(text.as_bytes()))
    }
}

/// Writes the result of a check, and its recording beside it.
///
/// # Errors
/// If a file cannot be read or written.
pub fn write(
    dir: &Path,
    student: &str,
    session: &Session,
    outcome: &Outcome,
    source: &str,
    recording: &Path,
) -> io::Result<PathBuf> {
    fs::create_dir_all(dir)?;
    let id = &session.lab.id;
    let bytes = fs::read(recording)?;
    let name = format!("{id}.bhop");
    fs::write(dir.join(&name), &bytes)?;
    let verdicts = session.verdicts();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let last = session.last.as_ref();
    let mut result = Result {
        student: student.to_owned(),
        lab: id.clone(),
        seed: session.seed.clone().unwrap_or_default(),
        time: now.map_or(0, |now| now.as_secs()),
        bytehop: last.map_or_else(String::new, |run| run.bytehop.clone()),
        kernel: last.map_or_else(String::new, |run| run.kernel.clone()),
        right: verdicts.iter().filter(|verdict| verdict.right).count(),
        questions: verdicts.len(),
        passed: outcome.passed(),
        output: match outcome.output {
            Output::Same => "same",
            Output::Differs => "differs",
            Output::NotCompared => "not compared",
        }
        .to_owned(),
        program: hex(&Sha256::digest(source.as_bytes())),
        recording: name,
        recording_sha256: hex(&Sha256::digest(&bytes)),
        answers: session
            .answers
            .iter()
            .map(|(id, value)| (id.clone(), value.number.to_string()))
            .collect(),
        signature: String::new(),
    };
    result.signature = result.sign();
    let path = dir.join(format!("{id}{SUFFIX}"));
    fs::write(&path, toml::to_string(&result).map_err(io::Error::other)?)?;
    Ok(path)
}

/// One line of the grades.
#[derive(Clone, Debug, PartialEq)]
pub struct Grade {
    pub file: PathBuf,
    pub result: Option<Result>,
    /// Whether the recording shows that the check was passed.
    pub passed: bool,
    /// What is not as it should be.
    pub remarks: Vec<String>,
}

/// Grades all result files under folders.
///
/// # Errors
/// If a folder cannot be read.
pub fn grade(dirs: &[PathBuf], labs: &[Lab]) -> io::Result<Vec<Grade>> {
    let mut files = Vec::new();
    for dir in dirs {
        find(dir, &mut files, 0)?;
    }
    files.sort();
    let mut grades: Vec<Grade> = files
        .into_iter()
        .map(|file| grade_one(file, labs))
        .collect();
    // The same run handed in by two students is the work of one.
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for result in grades.iter().filter_map(|grade| grade.result.as_ref()) {
        let students = seen.entry(result.recording_sha256.clone()).or_default();
        students.push(result.student.clone());
    }
    for grade in &mut grades {
        let Some(result) = &grade.result else {
            continue;
        };
        let same = seen.get(&result.recording_sha256);
        let others = same
            .into_iter()
            .flatten()
            .filter(|name| **name != result.student);
        let others: Vec<&str> = others.map(String::as_str).collect();
        if !others.is_empty() {
            grade.passed = false;
            grade
                .remarks
                .push(format!("the same recording as {}", others.join(", ")));
        }
    }
    Ok(grades)
}

fn find(dir: &Path, files: &mut Vec<PathBuf>, depth: u32) -> io::Result<()> {
    if dir.is_file() {
        files.push(dir.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if depth < 8 && !name.starts_with('.') && name != "target" {
                find(&path, files, depth + 1)?;
            }
        } else if name.ends_with(SUFFIX) {
            files.push(path);
        }
    }
    Ok(())
}

fn grade_one(file: PathBuf, labs: &[Lab]) -> Grade {
    let mut grade = Grade {
        file,
        result: None,
        passed: false,
        remarks: Vec::new(),
    };
    let text = match fs::read_to_string(&grade.file) {
        Ok(text) => text,
        Err(e) => {
            grade.remarks.push(e.to_string());
            return grade;
        }
    };
    let Ok(result) = toml::from_str::<Result>(&text) else {
        grade.remarks.push("not a result file".to_owned());
        return grade;
    };
    if result.sign() != result.signature {
        grade
            .remarks
            .push("the result was changed by hand".to_owned());
    }
    match again(&grade.file, &result, labs) {
        Ok(passed) => {
            if passed != result.passed {
                let says = if passed { "passes" } else { "does not pass" };
                grade
                    .remarks
                    .push(format!("the recording {says}, the result says otherwise"));
            }
            grade.passed = passed && grade.remarks.is_empty();
        }
        Err(why) => grade.remarks.push(why),
    }
    grade.result = Some(result);
    grade
}

/// Judges the recording again.
fn again(file: &Path, result: &Result, labs: &[Lab]) -> std::result::Result<bool, String> {
    // A name, not a path: nobody's files but those handed in.
    let name = Path::new(&result.recording).file_name().unwrap_or_default();
    let path = file.with_file_name(name);
    let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    if hex(&Sha256::digest(&bytes)) != result.recording_sha256 {
        return Err("the recording is not the one of this result".to_owned());
    }
    let lab = labs.iter().find(|lab| lab.id == result.lab);
    let lab = lab.ok_or_else(|| format!("there is no lab '{}'", result.lab))?;
    let summary = summarise(&path).map_err(|e| e.to_string())?;
    let seed = (!result.seed.is_empty()).then(|| result.seed.clone());
    let mut session = Session::new(std::sync::Arc::new(lab.clone()), Lang::En, seed);
    // What the original did is known from the bundled recordings.
    for program in &lab.spec.programs {
        if let Some(bytes) = lab.recording(&program.name)
            && let Ok(summary) = summary_of(bytes)
        {
            session.observe(
                &program.name,
                summary,
                crate::session::Origin::Recorded(None),
            );
        }
    }
    let output = match result.output.as_str() {
        "same" => Output::Same,
        "differs" => Output::Differs,
        _ => Output::NotCompared,
    };
    Ok(session.judge(&summary, output).passed())
}

/// The grades as CSV (RFC 4180), with a head line.
pub fn csv(grades: &[Grade]) -> String {
    let mut text = String::from(
        "student,lab,seed,time,right,questions,passed,bytehop,kernel,remarks,file\r\n",
    );
    for grade in grades {
        let result = grade.result.as_ref();
        let of = |get: fn(&Result) -> String| result.map_or_else(String::new, get);
        let row = [
            of(|r| r.student.clone()),
            of(|r| r.lab.clone()),
            of(|r| r.seed.clone()),
            of(|r| r.time.to_string()),
            of(|r| r.right.to_string()),
            of(|r| r.questions.to_string()),
            if grade.passed { "yes" } else { "no" }.to_owned(),
            of(|r| r.bytehop.clone()),
            of(|r| r.kernel.clone()),
            grade.remarks.join("; "),
            grade.file.display().to_string(),
        ];
        let row: Vec<String> = row.iter().map(|field| quoted(field)).collect();
        text.push_str(&row.join(","));
        text.push_str("\r\n");
    }
    text
}

fn quoted(field: &str) -> String {
    // A spreadsheet must not take a student's name for a formula.
    let field = match field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{field}"),
        false => field.to_owned(),
    };
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field,
    }
}
