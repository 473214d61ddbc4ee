//! Result files: what a student hands in, tied to the recording that shows it.
//!
//! A result says what was answered and whether the check passed; the recordings beside it are the
//! evidence, the student's own run and their own runs of the originals. [`grade`](mod@crate::grade)
//! believes these, not the result: it judges them again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::guide::hex;
use crate::session::{Outcome, Output, Session};
use crate::spec::Code;

/// End of a result file's name.
pub const SUFFIX: &str = ".result.toml";

/// What the checked program wrote, and for which data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wrote {
    /// With the student and the lab, decides what the files held.
    pub nonce: u64,
    /// SHA-256 of the output.
    pub sha256: String,
}

/// What the data of a student's run is made from: others have other data, and other output.
pub fn payload(student: &str, lab: &str, nonce: u64) -> u64 {
    let mut hash = Sha256::new();
    for word in [student, lab] {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    hash.update(nonce.to_le_bytes());
    let bytes: [u8; 32] = hash.finalize().into();
    u64::from_le_bytes(std::array::from_fn(|i| bytes[i]))
}

/// In place of a recording's name: the lab's own stood in.
pub const BUNDLED: &str = "bundled";

/// What a result file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Result {
    pub student: String,
    pub lab: String,
    /// The language of the source.
    #[serde(default, skip_serializing_if = "Code::is_rust")]
    pub code: Code,
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
    /// The originals' recordings, beside this file, by program; [`BUNDLED`] for those that could not be
    /// traced there.
    #[serde(default)]
    pub observed: BTreeMap<String, String>,
    #[serde(default)]
    pub wrote: Wrote,
    /// SHA-256 of all the above: a checksum, no proof.
    #[serde(default)]
    pub signature: String,
}

impl Result {
    /// The checksum that its content has.
    pub fn sign(&self) -> String {
        let mut unsigned = self.clone();
        unsigned.signature.clear();
        let text = toml::to_string(&unsigned).unwrap_or_default();
        hex(&Sha256::digest(text.as_bytes()))
    }
}

/// The results in a folder, by lab; what is none is left out.
///
/// # Errors
/// If the folder cannot be read.
pub fn in_folder(dir: &Path) -> io::Result<Vec<Result>> {
    let mut results = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(SUFFIX)
            && let Ok(text) = fs::read_to_string(&path)
            && let Ok(result) = toml::from_str::<Result>(&text)
        {
            results.push(result);
        }
    }
    results.sort_by(|a, b| a.lab.cmp(&b.lab));
    Ok(results)
}

/// Writes the result of a check, and its recording beside it.
///
/// # Errors
/// If a file cannot be read or written.
#[expect(
    clippy::too_many_arguments,
    reason = "all that a result is made of, once"
)]
pub fn write(
    dir: &Path,
    student: &str,
    session: &Session,
    outcome: &Outcome,
    source: &str,
    recording: &Path,
    observed: &BTreeMap<String, PathBuf>,
    wrote: Wrote,
) -> io::Result<PathBuf> {
    fs::create_dir_all(dir)?;
    let id = &session.lab.id;
    let bytes = fs::read(recording)?;
    let name = format!("{id}.bhop");
    fs::write(dir.join(&name), &bytes)?;
    let code = session.code;
    fs::write(dir.join(format!("{id}.{}", code.extension())), source)?;
    let mut runs = BTreeMap::new();
    for program in session.runs.keys() {
        let kept = match observed.get(program) {
            Some(path) => {
                let name = format!("{id}.{program}.bhop");
                fs::write(dir.join(&name), fs::read(path)?)?;
                name
            }
            None => BUNDLED.to_owned(),
        };
        runs.insert(program.clone(), kept);
    }
    let verdicts = session.verdicts();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let last = session.last.as_ref();
    let mut result = Result {
        student: student.to_owned(),
        lab: id.clone(),
        code,
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
        observed: runs,
        wrote,
        signature: String::new(),
    };
    result.signature = result.sign();
    let path = dir.join(format!("{id}{SUFFIX}"));
    fs::write(&path, toml::to_string(&result).map_err(io::Error::other)?)?;
    Ok(path)
}
