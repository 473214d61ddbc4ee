//! Where a lab's runs come from: traced here ([`run`](crate::run)), or taken from its recordings, which
//! any machine can ([`Replay`]).

use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use bytehop_core::record::RecordError;
use bytehop_core::units;

use crate::chart::Chart;
use crate::lab::Lab;
use crate::recording::summary_of;
use crate::session::{Origin, Outcome, Session};
use crate::spec::Code;
use crate::words;

/// Whose version of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Whose {
    /// As the lab has it.
    Original,
    Learner,
    /// A file named on the command line.
    Given,
}

/// Why the learner's folder cannot be used, or a program not be built.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    Write {
        path: PathBuf,
        source: io::Error,
    },
    Read {
        path: PathBuf,
        source: io::Error,
    },
    NoCargo,
    /// Cargo is there, and no compiler that it could call.
    NoRustc,
    /// They are not here, and cannot be fetched.
    NoLibraries,
    /// What the compiler said about the program.
    Build(String),
    /// What kept cargo from compiling at all.
    Cargo(String),
    /// What kept us from starting it.
    NoStart(io::Error),
    NoCompiler,
    /// What kept the C compiler from compiling at all.
    Compiler(String),
    /// What kept us from starting the C compiler.
    NoCompilerStart(io::Error),
    /// By what builds: cargo, or cc.
    Limit(&'static str, Limit),
    /// As [`RunError::Stopped`].
    Stopped(i32),
}

bytehop_core::says! { WorkError, lang:
    Self::Write { path, source } => "cannot write {path}: {why}" | "无法写入 {path}：{why}",
        path = path.display(), why = source.say(lang);
    Self::Read { path, source } => "cannot read {path}: {why}" | "无法读取 {path}：{why}",
        path = path.display(), why = source.say(lang);
    Self::NoCargo => { words::no_cargo(lang).to_owned() };
    Self::NoRustc => { words::no_rustc(lang).to_owned() };
    Self::NoLibraries => { words::no_libraries(lang).to_owned() };
    Self::Build(said) => { said.clone() };
    Self::Cargo(said) => { words::no_build(lang, said) };
    Self::NoStart(e) => { words::no_build(lang, e.say(lang)) };
    Self::NoCompiler => { words::no_compiler(lang).to_owned() };
    Self::Compiler(said) => { words::no_c_build(lang, said) };
    Self::NoCompilerStart(e) => { words::no_c_build(lang, e.say(lang)) };
    Self::Limit(what, limit) => { limit.told(lang, what) };
    Self::Stopped(_) => { words::stopped(lang).to_owned() };
}

/// Why a program's files cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    Io(#[from] io::Error),
    Device {
        what: &'static str,
        source: io::Error,
    },
    /// What the tool that makes devices said.
    Tool {
        what: &'static str,
        said: String,
    },
    Size(String),
}

bytehop_core::says! { PrepareError, lang:
    Self::Io(e) => "cannot prepare the lab's files: {why}" | "无法准备实验的文件：{why}", why = e.say(lang);
    Self::Device { what, source } => "cannot make a {what} device: {why}" | "无法创建 {what} 设备：{why}",
        why = source.say(lang);
    Self::Tool { what, said } => "cannot make a {what} device: {said}" | "无法创建 {what} 设备：{said}";
    Self::Size(file) => "the size of {file} cannot be told, or is too large" | "无法算出 {file} 的大小，或者它太大";
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    Work(#[from] WorkError),
    Prepare(#[from] PrepareError),
    Record(#[from] RecordError),
    Start {
        what: String,
        source: io::Error,
    },
    /// The output cannot be compared with the original's.
    Compare(io::Error),
    /// What bytehop said when it could not trace.
    Trace(String),
    /// It used more than it may, and was ended with all that it started.
    Limit(String, Limit),
    /// Somebody wanted it to end: by which signal.
    Stopped(i32),
    NoRecording(String),
    NoProgram(String),
}

bytehop_core::says! { RunError, lang:
    Self::Work(e) => { e.say(lang) };
    Self::Prepare(e) => { e.say(lang) };
    Self::Record(e) => { e.say(lang) };
    Self::Start { what, source } => "cannot run {what}: {why}" | "无法运行 {what}：{why}", why = source.say(lang);
    Self::Compare(e) => "cannot compare the outputs: {why}" | "无法比较输出：{why}", why = e.say(lang);
    Self::Trace(said) => { said.clone() };
    Self::Limit(program, limit) => { limit.told(lang, program) };
    Self::Stopped(_) => { words::stopped(lang).to_owned() };
    Self::NoRecording(name) => { words::no_recording(lang, name) };
    Self::NoProgram(name) => { words::no_program(lang, name) };
}

impl RunError {
    /// Whether somebody wanted the end.
    pub fn is_stopped(&self) -> bool {
        self.signal().is_some()
    }

    /// The signal by which somebody wanted the end.
    pub fn signal(&self) -> Option<i32> {
        match self {
            Self::Stopped(signal) | Self::Work(WorkError::Stopped(signal)) => Some(*signal),
            _ => None,
        }
    }
}

/// What a run may not use more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Time(Duration),
    /// Bytes.
    Memory(u64),
    /// Processes and threads.
    Tasks(usize),
}

impl Limit {
    /// What happened to a program that went beyond it.
    pub fn told(self, lang: Lang, program: &str) -> String {
        match self {
            Self::Time(time) => words::too_long(lang, program, time.as_secs()),
            Self::Memory(bytes) => words::too_much_memory(lang, program, units::bytes(bytes)),
            Self::Tasks(n) => words::too_many_tasks(lang, program, n),
        }
    }
}

/// A traced run.
pub struct Run {
    pub summary: Summary,
    pub recording: PathBuf,
    pub output: [u8; 32],
    pub stderr: String,
}

/// A check of the learner's program.
pub struct Checked {
    pub run: Run,
    pub outcome: Outcome,
    /// What the data of this run was made from, with the student and the lab.
    pub nonce: u64,
}

/// Makes a lab's runs, and knows the learner's programs. What is not said otherwise is so where nothing
/// can be traced.
pub trait Runs: Send + Sync {
    /// Why nothing can be traced; empty if only recordings were asked for.
    fn cannot(&self) -> Option<&str> {
        Some("")
    }

    /// The folder of the learner's programs, for people.
    fn folder(&self, lab: &Lab) -> String {
        lab.id.clone()
    }

    /// Brings the learner's folder up to date, with the programs in this language.
    ///
    /// # Errors
    /// If it cannot be written.
    fn prepare(&self, _labs: &[Arc<Lab>], _code: Code) -> Result<(), WorkError> {
        Ok(())
    }

    /// Builds the original programs of a session's lab.
    ///
    /// # Errors
    /// If they cannot be built.
    fn build(&self, _session: &Session) -> Result<(), RunError> {
        Ok(())
    }

    /// Traces one program of the lab, or takes its recording where that is not possible.
    ///
    /// # Errors
    /// If there is no recording either.
    fn observe(&self, session: &mut Session, name: &str) -> Result<(), RunError> {
        let summary = self.replay(session, name)?;
        session.observe(name, summary, Origin::Recorded(None));
        Ok(())
    }

    /// The bundled recording of a program.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    fn replay(&self, session: &Session, name: &str) -> Result<Summary, RunError> {
        let bytes = session.lab.recording(name);
        let bytes = bytes.ok_or_else(|| RunError::NoRecording(name.to_owned()))?;
        Ok(summary_of(bytes)?)
    }

    /// Measures a lab's chart anew; `None` if it has none, or that isn't possible here: then the
    /// recorded one stands.
    fn chart(&self, _session: &Session) -> Option<Chart> {
        None
    }

    /// Builds the learner's program (or a given one), traces it on new data, and judges it.
    ///
    /// # Errors
    /// If it cannot be built or traced: that is not yet a failed check.
    fn check(&self, session: &mut Session, _whose: Whose) -> Result<Checked, RunError> {
        Err(RunError::NoProgram(session.lab.spec.change.program.clone()))
    }

    /// Writes the result of a check, unless a better one is there: the file.
    ///
    /// # Errors
    /// If it cannot be written.
    fn keep_result(&self, _session: &Session, _checked: &Checked) -> io::Result<Option<PathBuf>> {
        Ok(None)
    }

    /// The file of a run that was traced in this session; the bundled recording stands in without one.
    fn recording(&self, _name: &str) -> Option<PathBuf> {
        None
    }

    /// The learner's file of a lab's change exercise, where they have one.
    fn source(&self, _lab: &Lab, _code: Code) -> Option<PathBuf> {
        None
    }

    /// Whether the learner has changed that file.
    fn is_changed(&self, _lab: &Lab, _code: Code) -> bool {
        false
    }

    /// Puts a lab's programs back as they were.
    ///
    /// # Errors
    /// If they cannot be written.
    fn reset(&self, _lab: &Lab) -> Result<(), WorkError> {
        Ok(())
    }

    /// The learner's editor on their file, and its name; `None` if they named none.
    fn editor(&self, _lab: &Lab, _code: Code) -> Option<(String, Command)> {
        None
    }

    /// Ends what runs, from another thread, as if by a signal; whether anything does.
    fn stop(&self, _signal: i32) -> bool {
        false
    }

    /// What was stopped is done with: runs may start again.
    fn begin(&self) {}
}

/// Recordings only: what every machine can.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Why nothing can be traced; empty if only recordings were asked for.
    pub why: String,
}

impl Replay {
    /// A lab with the recordings of all its programs, nothing answered.
    ///
    /// # Errors
    /// If a program has no recording, or one that cannot be read.
    pub fn session(lab: Arc<Lab>, lang: Lang) -> Result<Session, RunError> {
        let mut session = Session::new(lab.clone(), lang, None);
        for program in &lab.spec.programs {
            Self::default().observe(&mut session, &program.name)?;
        }
        Ok(session)
    }
}

impl Runs for Replay {
    fn cannot(&self) -> Option<&str> {
        Some(&self.why)
    }
}

#[cfg(test)]
mod tests {
    use bytehop_core::i18n::problems;

    use super::{PrepareError, RunError, WorkError};
    use crate::chart::ChartError;
    use crate::lab::{LabError, Refusal};
    use crate::progress::NotKnown;
    use crate::text::TextError;
    use bytehop_core::expr::{EvalError, ParseError};

    #[test]
    fn errors_speak_the_readers_language() {
        for texts in [
            ChartError::TEXTS,
            EvalError::TEXTS,
            LabError::TEXTS,
            NotKnown::TEXTS,
            ParseError::TEXTS,
            PrepareError::TEXTS,
            Refusal::TEXTS,
            RunError::TEXTS,
            TextError::TEXTS,
            WorkError::TEXTS,
        ] {
            assert_eq!(problems(texts), [""; 0]);
        }
    }
}
