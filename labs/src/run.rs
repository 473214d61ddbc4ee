//! Running programs traced. Each run is a `bytehop record` of its own: it takes the rights that it
//! needs and gives them up, and the lab goes on.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bytehop_core::i18n::Say;
use tempfile::TempDir;
use tracer::user::Identity;

use crate::chart::Chart;
use crate::guide::hex;
use crate::lab::Lab;
use crate::own::tidy::{Thing, Tidy};
use crate::own::{Interrupt, Job, Limits, Unfinished, as_user, text_of};
use crate::prepare::{Prepared, hash_output, unmet};
use crate::recording::summarise;
use crate::result::{Wrote, payload};
use crate::runs::{Checked, Run, RunError, Runs, Whose, WorkError};
use crate::session::{Origin, Output, Session};
use crate::spec::Code;
use crate::work::Work;

/// By which a program says that this machine can't do what it shows (`support::UNAVAILABLE`).
const UNAVAILABLE: i32 = 77;

/// Makes runs.
pub struct Runner {
    /// bytehop itself.
    pub bytehop: PathBuf,
    pub identity: Identity,
    pub work: Work,
    /// Why nothing can be traced: `--replay`, or no rights.
    pub cannot: Option<String>,
    /// The level that the kernel gives.
    pub level: Option<String>,
    /// Programs run without a network, and as nobody.
    pub alone: bool,
    /// Whose result files are written.
    pub student: String,
    /// Recordings of this session.
    dir: TempDir,
    tidy: Tidy,
}

impl Runner {
    /// # Errors
    /// If there is no room for recordings.
    pub fn new(bytehop: PathBuf, identity: Identity, work: Work) -> io::Result<Self> {
        let temp = || {
            tempfile::Builder::new()
                .prefix("bytehop-lab-runs-")
                .permissions(Permissions::from_mode(0o700))
                .tempdir()
        };
        let user = ["USER", "LOGNAME"]
            .iter()
            .find_map(|name| identity.var(name));
        let mut work = work;
        work.owner.bytehop = Some(bytehop.clone());
        let tidy = Tidy::start(&bytehop)?;
        let dir = identity.with_file_rights(temp)?;
        tidy.made(Thing::Folder, dir.path());
        Ok(Self {
            dir,
            tidy,
            student: user.unwrap_or_default().to_string_lossy().into_owned(),
            bytehop,
            identity,
            work,
            cannot: None,
            alone: false,
            level: None,
        })
    }

    /// What ends a run from another thread.
    pub fn interrupt(&self) -> Interrupt {
        self.work.owner.interrupt.clone()
    }

    /// Where the recording of a program is, once it was traced.
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("{name}.bhop"))
    }

    /// Why a program cannot be traced; empty if its recording was asked for.
    fn why_not(&self, session: &Session, name: &str) -> Option<String> {
        if self.cannot.is_some() {
            return self.cannot.clone();
        }
        let spec = &session.lab.spec;
        let needs = spec.needs.iter();
        let own = spec.program(name).into_iter().flat_map(|p| &p.needs);
        needs
            .chain(own)
            .find_map(|need| unmet(*need, self.level.as_deref(), &self.identity))
    }

    /// Traces a program on fresh files.
    ///
    /// # Errors
    /// If it cannot be built, prepared, or traced.
    pub fn trace(
        &self,
        session: &Session,
        name: &str,
        whose: Whose,
        payload: u64,
        recording: &str,
    ) -> Result<Run, RunError> {
        let _running = self.interrupt().running();
        let built = self
            .work
            .build(&session.lab.id, &[name], whose, session.code)?;
        let recording = self.path(recording);
        // Of the run before.
        let _ = std::fs::remove_file(&recording);
        let (prepared, argv) = self.prepare(session, name, built.get(name), payload)?;
        // What the summary says is read from the recording.
        let mut args: Vec<OsString> = [
            "record",
            "-q",
            "--stacks",
            "--lang",
            session.lang.name(),
            "--summary",
            "/dev/null",
            "-o",
        ]
        .map(OsString::from)
        .into();
        args.extend([recording.clone().into(), "--".into()]);
        args.extend(argv.into_iter().map(OsString::from));
        let (status, stdout, stderr) = self.wait(self.bytehop.as_os_str(), args, None, name)?;
        if !recording.is_file() {
            return Err(RunError::Trace(stderr));
        }
        let mut summary = summarise(&recording)?;
        if summary.exit_status.is_none() {
            summary.exit_status = Some(status);
        }
        Ok(Run {
            output: self.hash(&stdout, &prepared)?,
            summary,
            recording,
            stderr,
        })
    }

    fn prepare(
        &self,
        session: &Session,
        name: &str,
        binary: Option<&PathBuf>,
        payload: u64,
    ) -> Result<(Prepared, Vec<String>), RunError> {
        let spec = &session.lab.spec;
        let unknown = || RunError::NoProgram(name.to_owned());
        let program = spec.program(name).ok_or_else(unknown)?;
        let binary = binary.ok_or_else(unknown)?;
        let params = session.params_scope();
        let prepared = Prepared::new(spec, program, &params, payload, &self.identity, &self.tidy)?;
        // Who runs it may have no way to where it was built.
        let copied = prepared
            .folder()
            .join(binary.file_name().unwrap_or_default());
        let binary = match self.alone {
            true => {
                let mut text = Vec::new();
                let read = File::open(binary).and_then(|mut file| file.read_to_end(&mut text));
                let copy = |_| {
                    self.identity
                        .with_file_rights(|| put_program(&copied, &text))
                };
                read.and_then(copy).map_err(|source| RunError::Start {
                    what: name.to_owned(),
                    source,
                })?;
                &copied
            }
            false => binary,
        };
        warm(binary);
        let mut argv = vec![binary.display().to_string()];
        argv.extend(prepared.args(program, &params));
        Ok((prepared, argv))
    }

    fn hash(&self, stdout: &Path, prepared: &Prepared) -> Result<[u8; 32], RunError> {
        let hash = hash_output(stdout, &prepared.out(), &self.identity);
        hash.map_err(RunError::Compare)
    }

    /// SHA-256 of what the original writes for the data of a student's check.
    ///
    /// # Errors
    /// If it cannot be built or run.
    pub fn original_wrote(
        &self,
        session: &Session,
        student: &str,
        nonce: u64,
    ) -> Result<String, RunError> {
        let payload = payload(student, &session.lab.id, nonce);
        let name = &session.lab.spec.change.program;
        Ok(hex(&self.expected(session, name, payload)?))
    }

    /// What the original writes for the same data, untraced.
    fn expected(&self, session: &Session, name: &str, payload: u64) -> Result<[u8; 32], RunError> {
        let built = self
            .work
            .build(&session.lab.id, &[name], Whose::Original, session.code)?;
        let (prepared, argv) = self.prepare(session, name, built.get(name), payload)?;
        let (_, stdout, _) = self.untraced(argv, name)?;
        self.hash(&stdout, &prepared)
    }

    /// Traces everything that a lab bundles, into its folder; what cannot be traced here, and why.
    pub fn record_all(
        &self,
        session: &mut Session,
        dir: &Path,
    ) -> Vec<(String, Result<PathBuf, String>)> {
        let lab = session.lab.clone();
        let mut done = Vec::new();
        let keep = |name: &str, extension: &str, from: &Path| {
            let to = dir.join(format!("recordings/{name}.{extension}"));
            let copied = self.identity.with_file_rights(|| {
                std::fs::create_dir_all(dir.join("recordings"))?;
                std::fs::copy(from, &to)
            });
            copied.map(|_| to).map_err(|e| e.to_string())
        };
        for program in &lab.spec.programs {
            let name = &program.name;
            let observed = self.observe(session, name).map_err(|e| e.to_string());
            let kept = observed.and_then(|()| match session.origins.get(name) {
                Some(Origin::Live) => keep(name, "bhop", &self.path(name)),
                Some(Origin::Recorded(why)) => Err(why.clone().unwrap_or_default()),
                None => Err("not traced".to_owned()),
            });
            done.push((name.clone(), kept));
        }
        let program = &lab.spec.change.program;
        let file = dir.join(format!("solution/{program}.{}", session.code.extension()));
        let given = self
            .work
            .give(&lab.id, program, session.code, &file)
            .map_err(RunError::from);
        let checked = given.and_then(|()| self.check(session, Whose::Given));
        let kept = match checked {
            Ok(checked) if checked.outcome.passed() => {
                keep("solution", "bhop", &checked.run.recording)
            }
            Ok(checked) => Err(format!(
                "the solution fails its check: {:?}",
                checked.outcome
            )),
            Err(e) => Err(e.to_string()),
        };
        done.push(("solution".to_owned(), kept));
        if let Some(chart) = &lab.spec.chart {
            let name = &chart.program.name;
            let measured = self.measure(session, name);
            let kept = measured.map_err(|e| e.to_string());
            let kept = kept.and_then(|path| keep(name, "csv", &path));
            done.push((name.clone(), kept));
        }
        done
    }

    /// Runs a measuring program, untraced: the file that it wrote to standard output.
    ///
    /// # Errors
    /// If it cannot be built or run.
    pub fn measure(&self, session: &Session, name: &str) -> Result<PathBuf, RunError> {
        let built = self
            .work
            .build(&session.lab.id, &[name], Whose::Original, session.code)?;
        let (_prepared, argv) = self.prepare(session, name, built.get(name), 0)?;
        let (status, stdout, stderr) = self.untraced(argv, name)?;
        match status {
            0 => Ok(stdout),
            _ => Err(RunError::Trace(stderr)),
        }
    }

    /// Runs a program as the learner would.
    fn untraced(&self, argv: Vec<String>, name: &str) -> Result<Ended, RunError> {
        let mut argv = argv.into_iter().map(OsString::from);
        let program = argv.next().unwrap_or_default();
        self.wait(&program, argv.collect(), Some(&self.identity), name)
    }

    /// Waits for a command, its output in files.
    fn wait(
        &self,
        program: &OsStr,
        args: Vec<OsString>,
        learner: Option<&Identity>,
        name: &str,
    ) -> Result<Ended, RunError> {
        let _running = self.interrupt().running();
        let start = |source| RunError::Start {
            what: name.to_owned(),
            source,
        };
        let stdout = self.dir.path().join("stdout");
        let out = self.identity.create_file(&stdout).map_err(start)?;
        let mut err = tempfile::tempfile().map_err(start)?;
        let ended = self.work.owner.run(Job {
            program,
            args,
            learner,
            dir: None,
            stdout: out.into(),
            stderr: err.try_clone().map_err(start)?.into(),
            limits: Limits::of_program(),
            alone: self.alone,
        });
        let status = ended.map_err(|why| match why {
            Unfinished::Start(e) => start(e),
            Unfinished::Stopped(signal) => RunError::Stopped(signal),
            Unfinished::Limit(limit) => RunError::Limit(name.to_owned(), limit),
        })?;
        Ok((status, stdout, text_of(&mut err)))
    }
}

/// A command's status, the file with its standard output, and its standard error.
type Ended = (i32, PathBuf, String);

impl Runs for Runner {
    fn cannot(&self) -> Option<&str> {
        self.cannot.as_deref()
    }

    fn folder(&self, lab: &Lab) -> String {
        self.work.dir.join(&lab.id).display().to_string()
    }

    fn prepare(&self, labs: &[Arc<Lab>], code: Code) -> Result<(), WorkError> {
        match self.cannot {
            Some(_) => Ok(()),
            None => self.work.prepare(labs.iter().map(|lab| &**lab), code),
        }
    }

    fn build(&self, session: &Session) -> Result<(), RunError> {
        let programs = session.lab.spec.programs.iter();
        let names: Vec<&str> = programs.map(|program| program.name.as_str()).collect();
        self.work
            .build(&session.lab.id, &names, Whose::Original, session.code)?;
        Ok(())
    }

    fn observe(&self, session: &mut Session, name: &str) -> Result<(), RunError> {
        let payload = payload(&self.student, &session.lab.id, nonce());
        let live = match self.why_not(session, name) {
            Some(why) => Err(why),
            None => match self.trace(session, name, Whose::Original, payload, name) {
                Ok(run) if run.summary.exit_status == Some(UNAVAILABLE) => {
                    Err(first_line(&run.stderr))
                }
                Ok(run) if run.summary.exit_status != Some(0) => {
                    Err(format!("{name} failed: {}", first_line(&run.stderr)))
                }
                Ok(run) => Ok(run),
                Err(e) if e.is_stopped() => return Err(e),
                Err(e) => Err(first_line(&e.say(session.lang))),
            },
        };
        match live {
            Ok(run) => session.observe(name, run.summary, Origin::Live),
            Err(why) => {
                // Without a recording, why there is no live run is what matters.
                let summary = self
                    .replay(session, name)
                    .map_err(|e| match (e, &why[..]) {
                        (RunError::NoRecording(_), why) if !why.is_empty() => {
                            RunError::Trace(why.to_owned())
                        }
                        (e, _) => e,
                    })?;
                let why = (!why.is_empty()).then_some(why);
                session.observe(name, summary, Origin::Recorded(why));
            }
        }
        Ok(())
    }

    fn check(&self, session: &mut Session, whose: Whose) -> Result<Checked, RunError> {
        let name = session.lab.spec.change.program.clone();
        let nonce = nonce();
        let payload = payload(&self.student, &session.lab.id, nonce);
        let run = self.trace(session, &name, whose, payload, "check")?;
        let output = match session.lab.spec.change.output {
            false => Output::NotCompared,
            true if self.expected(session, &name, payload)? == run.output => Output::Same,
            true => Output::Differs,
        };
        let outcome = session.judge(&run.summary, output);
        session.last = Some(run.summary.clone());
        Ok(Checked {
            run,
            outcome,
            nonce,
        })
    }

    fn chart(&self, session: &Session) -> Option<Chart> {
        let spec = session.lab.spec.chart.as_ref()?;
        let name = &spec.program.name;
        if self.why_not(session, name).is_some() {
            return None;
        }
        let csv = std::fs::read_to_string(self.measure(session, name).ok()?).ok()?;
        Chart::parse(&csv, spec).ok()
    }

    fn keep_result(&self, session: &Session, checked: &Checked) -> io::Result<Option<PathBuf>> {
        let dir = self.work.dir.join("results");
        let id = &session.lab.id;
        let there = dir.join(format!("{id}{}", crate::result::SUFFIX));
        if !checked.outcome.passed() && there.exists() {
            return Ok(None);
        }
        let program = &session.lab.spec.change.program;
        let live = session
            .runs
            .keys()
            .filter(|name| !session.is_recorded(name));
        let observed = live
            .filter_map(|name| Some((name.clone(), self.recording(name)?)))
            .collect();
        self.identity.with_file_rights(|| {
            let source = std::fs::read_to_string(self.work.source(
                id,
                program,
                Whose::Learner,
                session.code,
            ))?;
            let recording = &checked.run.recording;
            let outcome = &checked.outcome;
            crate::result::write(
                &dir,
                &self.student,
                session,
                outcome,
                &source,
                recording,
                &observed,
                Wrote {
                    nonce: checked.nonce,
                    sha256: hex(&checked.run.output),
                },
            )
            .map(Some)
        })
    }

    fn recording(&self, name: &str) -> Option<PathBuf> {
        Some(self.path(name)).filter(|path| path.is_file())
    }

    fn source(&self, lab: &Lab, code: Code) -> Option<PathBuf> {
        let program = &lab.spec.change.program;
        let editable = self.cannot.is_none();
        editable.then(|| self.work.source(&lab.id, program, Whose::Learner, code))
    }

    fn is_changed(&self, lab: &Lab, code: Code) -> bool {
        self.work.is_changed(lab, &lab.spec.change.program, code)
    }

    fn reset(&self, lab: &Lab) -> Result<(), WorkError> {
        // Only what is there: nobody's folder is made for a reset.
        match self.work.dir.join(&lab.id).is_dir() {
            true => self.work.reset(lab),
            false => Ok(()),
        }
    }

    fn editor(&self, lab: &Lab, code: Code) -> Option<(String, Command)> {
        let mut named = ["VISUAL", "EDITOR"]
            .iter()
            .filter_map(|name| self.identity.var(name));
        let editor = named.find(|editor| !editor.is_empty())?;
        let editor = editor.to_string_lossy().into_owned();
        // As shells do: the variable may have arguments.
        let mut command = as_user("sh", &self.identity);
        command
            .args(["-c", &format!("{editor} \"$1\""), "sh"])
            .arg(self.source(lab, code)?);
        Some((editor, command))
    }

    fn stop(&self, signal: i32) -> bool {
        self.interrupt().stop(signal)
    }

    fn begin(&self) {
        self.interrupt().forget();
    }
}

/// Brings a program and its libraries into the page cache: what comes from the disk is its work's
/// then, not its start's. The libraries are ours, too.
fn warm(binary: &Path) {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let libraries = maps.lines().filter_map(|line| {
        let path = line.find('/').map(|at| &line[at..])?;
        path.contains(".so").then(|| PathBuf::from(path))
    });
    let files: std::collections::BTreeSet<PathBuf> = libraries.chain([binary.to_owned()]).collect();
    for path in files {
        // If that fails, the trace shows it.
        let _ = File::open(path).and_then(|mut file| io::copy(&mut file, &mut io::sink()));
    }
}

fn put_program(path: &Path, text: &[u8]) -> io::Result<()> {
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o700))
}

fn first_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or_default().trim().to_owned()
}

/// Another one for each run.
fn nonce() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |now| now.subsec_nanos() ^ now.as_secs() as u32);
    // TOML has no number beyond an i64.
    (u64::from(std::process::id()) << 32 | u64::from(now)) & i64::MAX as u64
}
