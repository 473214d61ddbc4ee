//! `bytehop lab`: the guided labs.

mod flags;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use bytehop_core::report::Style;
use clap::Parser;
use labs::grade::{self, Grade, Roster};
use labs::lab::{self as catalogue, Lab, LabError};
use labs::own::{guardian, tidy};
use labs::progress::Progress;
use labs::run::Runner;
use labs::runs::{RunError, Runs, Whose, WorkError};
use labs::session::{Origin, Session};
use labs::spec::Code;
use labs::text::{Answers, Text, TextError};
use labs::work::{self, Work};
use labs::{compile, guide, lint, recording, words};
use tracer::caps;
use tracer::privileges::Privileges;
use tracer::user::Identity;

use crate::cli::{self, Cli, LabVerb, Verb};
use crate::fail::{FAILED, Fail, USAGE};
use crate::output::{self, complain, print};
use crate::resolve::Look;

pub fn lab(args: &cli::Lab) -> Result<i32, Fail> {
    flags::check(args)?;
    if let Some(LabVerb::Lint { dir, bless }) = &args.verb {
        return lint_labs(dir.as_deref(), *bless);
    }
    match &args.verb {
        Some(LabVerb::Own {
            learner,
            alone,
            command,
        }) => return Ok(guardian::own(command, *learner, *alone)),
        Some(LabVerb::Tidy) => {
            tidy::tidy();
            return Ok(0);
        }
        _ => {}
    }
    if args.elevate {
        tracer::elevate::elevate()?;
    }
    let (labs, errors) = catalogue::all(&args.labs_dir)?;
    for error in errors {
        complain(&error.to_string());
    }
    let context = Context::new(args, labs)?;
    match (&args.verb, &args.id) {
        (None, id) if context.on_screen() => context.screen(id.as_deref()),
        (None, Some(id)) => context.open(id),
        (None, None) | (Some(LabVerb::List), None) => context.list(),
        (Some(_), Some(id)) => Err(Fail::new(
            USAGE,
            format!("'{id}' and another verb: one of them"),
        )),
        (Some(LabVerb::Reset { id, yes }), None) => context.reset(id.as_deref(), *yes),
        (
            Some(LabVerb::Export {
                id,
                output,
                solutions,
            }),
            None,
        ) => context.export(id, output, *solutions),
        (
            Some(LabVerb::Grade {
                roster,
                rerun,
                dirs,
            }),
            None,
        ) => context.grade(roster.as_deref(), *rerun, dirs),
        (Some(LabVerb::Record { to, ids }), None) => context.record(to, ids),
        (Some(LabVerb::Lint { .. } | LabVerb::Own { .. } | LabVerb::Tidy), None) => Ok(0),
    }
}

/// `bytehop` alone: the menu where there is a terminal, else help.
pub fn menu() -> Result<i32, Fail> {
    match (
        tui::needs_terminal(),
        Cli::try_parse_from(["bytehop", "lab"]),
    ) {
        (
            Ok(()),
            Ok(Cli {
                verb: Some(Verb::Lab(args)),
                ..
            }),
        ) => lab(&args),
        _ => crate::show::help(),
    }
}

struct Context<'a> {
    args: &'a cli::Lab,
    labs: Vec<Lab>,
    lang: Lang,
    identity: Identity,
    work: Work,
    /// The language of the programs.
    code: Code,
}

impl<'a> Context<'a> {
    fn new(args: &'a cli::Lab, labs: Vec<Lab>) -> Result<Self, Fail> {
        let identity = Identity::invoking()?;
        // What is checked says it by its name.
        let given = args.program.as_deref().and_then(Code::of_file);
        let chosen = || work::progress(&identity).code();
        let code = given.or(args.code.map(code_of)).or_else(chosen);
        Ok(Self {
            code: code.unwrap_or_else(|| work::usual_code(&identity)),
            work: Work::locate(args.work.as_deref(), &identity),
            lang: Lang::from_env(args.look.lang),
            args,
            labs,
            identity,
        })
    }

    /// Keeps the choice of a language, if one was made now.
    fn choose(&self, progress: &mut Progress) -> Result<(), Fail> {
        let Some(code) = self.args.code.map(code_of) else {
            return Ok(());
        };
        let kept = progress.choose(code);
        kept.map_err(|e| Fail::new(FAILED, format!("cannot keep the choice of a language: {e}")))
    }

    fn find(&self, id: &str) -> Result<&Lab, Fail> {
        let found = self.labs.iter().find(|lab| lab.id == id);
        Ok(found.ok_or_else(|| LabError::Unknown(id.to_owned()))?)
    }

    fn style(&self) -> Style {
        output::style(&self.args.look, &io::stdout())
    }

    /// Whether the terminal UI is wanted, and can be.
    fn on_screen(&self) -> bool {
        let args = self.args;
        !args.no_tui && !args.check && args.answers.is_none() && tui::needs_terminal().is_ok()
    }

    fn screen(&self, id: Option<&str>) -> Result<i32, Fail> {
        if let Some(id) = id {
            self.find(id)?;
        }
        let options = output::ui(Look::from(&self.args.look));
        let mut progress = work::progress(&self.identity);
        self.choose(&mut progress)?;
        let setup = tui::lab::Setup {
            code: self.code,
            labs: self.labs.iter().cloned().map(Arc::new).collect(),
            open: id.map(str::to_owned),
            runner: Arc::new(self.runner()?),
            progress,
            seed: self.seed(),
        };
        Ok(tui::lab::run(setup, &options)?)
    }

    fn list(&self) -> Result<i32, Fail> {
        let progress = work::progress(&self.identity);
        if let Some(warning) = &progress.warning {
            complain(warning);
        }
        print(&labs::menu::text(&self.labs, &progress, &self.style()))?;
        Ok(0)
    }

    /// What the parameters come from: a student's id is their seed. Recordings have the sizes that they
    /// were made with.
    fn seed(&self) -> Option<String> {
        let given = self.args.seed.clone().or(self.args.student.clone());
        given.filter(|_| !self.args.replay)
    }

    fn session(&self, lab: &Lab) -> Session {
        let session = Session::new(Arc::new(lab.clone()), self.lang, self.seed());
        let mut session = session.in_code(self.code);
        session.folder = self.work.dir.join(&lab.id).display().to_string();
        session.titles = self
            .labs
            .iter()
            .map(|lab| (lab.id.clone(), lab.spec.title.clone()))
            .collect();
        session
    }

    /// What makes runs; where nothing can be traced, it knows why.
    fn runner(&self) -> Result<Runner, Fail> {
        let failed = |e: io::Error| Fail::new(FAILED, format!("cannot prepare the lab: {e}"));
        let bytehop = std::env::current_exe().map_err(failed)?;
        let mut runner =
            Runner::new(bytehop, self.identity.clone(), self.work.clone()).map_err(failed)?;
        if let Some(student) = &self.args.student {
            runner.student.clone_from(student);
        }
        runner.cannot = match self.args.replay {
            true => Some(String::new()),
            false => Privileges::check()
                .map_err(|e| Fail::new(FAILED, e))?
                .require()
                .err()
                .map(|missing| missing.to_string()),
        };
        if runner.cannot.is_none() {
            let plan = caps::plan(&caps::facts());
            runner.level = plan.level.map(|level| format!("{level:?}"));
            self.work.prepare(self.labs.iter(), self.code)?;
        }
        Ok(runner)
    }

    fn open(&self, id: &str) -> Result<i32, Fail> {
        let lab = self.find(id)?;
        let mut session = self.session(lab);
        let runner = self.runner()?;
        session.editable = runner.cannot.is_none();
        stop_when_told(&runner)?;
        let mut progress = work::progress(&self.identity);
        if let Some(warning) = &progress.warning {
            complain(warning);
        }
        self.choose(&mut progress)?;
        let code = session.code;
        if code != self.code {
            complain(&words::no_code(self.lang, id, self.code.name()));
        }
        let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        let mut out = io::stdout();
        let mut text = Text {
            session: &mut session,
            runner: &runner,
            progress: &mut progress,
            style: self.style(),
            interactive: terminal,
            out: &mut out,
        };
        if self.args.check {
            let whose = match &self.args.program {
                Some(file) => {
                    let program = &lab.spec.change.program;
                    self.work.give(&lab.id, program, code, file)?;
                    Whose::Given
                }
                None => Whose::Learner,
            };
            // The conditions may compare with what the originals do.
            text.observe_quietly().map_err(fail)?;
            return match text.check(whose) {
                Ok(passed) => Ok(i32::from(!passed)),
                Err(e) => ended(e),
            };
        }
        let mut answers = match &self.args.answers {
            Some(path) => {
                let read = fs::read_to_string(path);
                let cannot = |e| Fail::new(USAGE, format!("cannot read {}: {e}", path.display()));
                Answers::of_file(&read.map_err(cannot)?)
            }
            None => Answers::Lines(Box::new(BufReader::new(io::stdin()))),
        };
        match text.run(&mut answers) {
            Ok(()) => Ok(0),
            Err(e) => ended(e),
        }
    }

    fn reset(&self, id: Option<&str>, yes: bool) -> Result<i32, Fail> {
        let lang = self.lang;
        let chosen: Vec<&Lab> = match id {
            Some(id) => vec![self.find(id)?],
            None => self.labs.iter().collect(),
        };
        let name = id.unwrap_or(words::labs(lang));
        if !yes {
            if !io::stdin().is_terminal() {
                return Err(Fail::new(
                    USAGE,
                    "there is no terminal to ask on: add --yes",
                ));
            }
            print(&format!("{} ", words::reset_ask(lang, name)))?;
            let mut line = String::new();
            let _ = io::stdin().read_line(&mut line);
            if !matches!(line.trim(), "y" | "Y" | "yes" | "是") {
                print(&format!("{}\n", words::nothing_reset(lang)))?;
                return Ok(0);
            }
        }
        let mut progress = work::progress(&self.identity);
        for lab in chosen {
            // Only what is there: nobody's folder is made for a reset.
            if self.work.dir.join(&lab.id).is_dir() {
                self.work.reset(lab)?;
            }
        }
        let kept = progress.reset(id);
        kept.map_err(|e| Fail::new(FAILED, format!("cannot keep the progress: {e}")))?;
        print(&format!("{}\n", words::reset_done(lang, name)))?;
        Ok(0)
    }

    /// A handout, from the recordings: pictures beside the Markdown, and within the HTML.
    fn export(&self, id: &str, to: &Path, solutions: bool) -> Result<i32, Fail> {
        let lab = self.find(id)?;
        let mut session = self.session(lab);
        session.seed = None;
        session.folder = id.to_owned();
        for program in &lab.spec.programs {
            let bytes = lab.recording(&program.name);
            let missing = || RunError::NoRecording(program.name.clone());
            let summary = recording::summary_of(bytes.ok_or_else(missing)?)?;
            session.observe(&program.name, summary, Origin::Recorded(None));
        }
        if let Some(bytes) = lab.recording("solution") {
            session.last = Some(recording::summary_of(bytes)?);
        }
        let lang = self.lang;
        let svg = |_: &str, run: &Summary| tui::svg::path_svg(run, lang, tui::theme::Theme::Light);
        let name = match lang {
            Lang::En => format!("{id}.en"),
            Lang::Zh => format!("{id}.zh"),
        };
        let picture = |program: &str| format!("{name}-{program}.svg");
        let link = |program: &str, _: &Summary| format!("![{program}]({})", picture(program));
        let mut files = vec![
            (
                format!("{name}.md"),
                labs::export::markdown(&session, solutions, &link),
            ),
            (
                format!("{name}.html"),
                labs::export::html(&session, solutions, &svg),
            ),
        ];
        // Pictures show what is asked.
        for (program, run) in session.runs.iter().filter(|_| solutions) {
            files.push((picture(program), svg(program, run)));
        }
        let cannot =
            |e: io::Error| Fail::new(USAGE, format!("cannot write to {}: {e}", to.display()));
        for (name, text) in files {
            let path = to.join(&name);
            let written = self.identity.with_file_rights(|| {
                fs::create_dir_all(to)?;
                fs::write(&path, text)
            });
            written.map_err(cannot)?;
            print(&format!("{}\n", path.display()))?;
        }
        Ok(0)
    }

    fn grade(&self, roster: Option<&Path>, rerun: bool, dirs: &[PathBuf]) -> Result<i32, Fail> {
        let read = |path: &Path| {
            let cannot = |e| Fail::new(USAGE, format!("cannot read {}: {e}", path.display()));
            fs::read_to_string(path)
                .map(|text| Roster::of(&text))
                .map_err(cannot)
        };
        let roster = roster.map(read).transpose()?;
        for dir in dirs {
            fs::symlink_metadata(dir)
                .map_err(|e| Fail::new(USAGE, format!("cannot read {}: {e}", dir.display())))?;
        }
        let mut grades = grade::grade(dirs, &self.labs, roster.as_ref());
        if rerun {
            self.rerun(&mut grades)?;
        }
        print(&grade::csv(&grades))?;
        Ok(0)
    }

    /// Builds and checks here what was handed in; only what passes here, too, has passed.
    fn rerun(&self, grades: &mut [Grade]) -> Result<(), Fail> {
        let mut runner = self.runner()?;
        if let Some(why) = &runner.cannot {
            return Err(Fail::new(crate::fail::NOT_ALLOWED, why));
        }
        runner.alone = true;
        stop_when_told(&runner)?;
        let codes: BTreeSet<Code> = grades.iter().map(Grade::code).collect();
        for code in codes {
            self.work.prepare(self.labs.iter(), code)?;
        }
        for grade in grades.iter_mut().filter(|grade| grade.result.is_some()) {
            let Some(lab) = self.labs.iter().find(|lab| lab.id == grade.lab) else {
                continue;
            };
            let seed = grade.result.as_ref().map(|result| result.seed.clone());
            let seed = seed.filter(|seed| !seed.is_empty());
            let session = Session::new(Arc::new(lab.clone()), Lang::En, seed);
            let mut session = session.in_code(grade.code());
            let failed = match grade.source() {
                Ok(source) => self.rerun_one(&runner, &mut session, &source)?,
                Err(why) => Some(why),
            };
            if let Some(why) = failed {
                grade.passed = false;
                grade.remarks.push(format!("rerun: {why}"));
            }
        }
        Ok(())
    }

    /// Why a program does not pass here; nothing if it does.
    fn rerun_one(
        &self,
        runner: &Runner,
        session: &mut Session,
        source: &[u8],
    ) -> Result<Option<String>, Fail> {
        let checked = || -> Result<_, RunError> {
            let lab = session.lab.clone();
            let program = &lab.spec.change.program;
            let text = String::from_utf8_lossy(source);
            runner
                .work
                .give_text(&lab.id, program, session.code, &text)?;
            for name in session.compared() {
                runner.observe(session, &name)?;
            }
            runner.check(session, Whose::Given)
        }();
        let outcome = match checked {
            Ok(checked) => checked.outcome,
            Err(e) if e.is_stopped() => return Err(e.into()),
            Err(RunError::Work(WorkError::Build(_))) => {
                return Ok(Some("it does not compile".to_owned()));
            }
            Err(e) => {
                let said = e.to_string();
                return Ok(Some(said.lines().next().unwrap_or_default().to_owned()));
            }
        };
        let mut lines = labs::page::outcome_lines(&outcome, Lang::En).into_iter();
        Ok(lines.find_map(|(passed, text)| (!passed).then_some(text)))
    }

    /// Traces all programs of labs, and the solutions, and keeps the recordings with the labs.
    fn record(&self, to: &Path, ids: &[String]) -> Result<i32, Fail> {
        let runner = self.runner()?;
        if let Some(why) = &runner.cannot {
            return Err(Fail::new(crate::fail::NOT_ALLOWED, why));
        }
        let mut code = 0;
        for id in ids {
            let dir = to.join(id);
            let lab = Lab::open(&dir)?;
            self.work.prepare(
                self.labs
                    .iter()
                    .filter(|other| other.id != *id)
                    .chain([&lab]),
                Code::Rust,
            )?;
            // Recordings are of the programs in Rust.
            let mut session = self.session(&lab).in_code(Code::Rust);
            session.seed = None;
            for (name, outcome) in runner.record_all(&mut session, &dir) {
                match outcome {
                    Ok(path) => print(&format!("{}\n", path.display()))?,
                    Err(why) => {
                        code = 1;
                        complain(&format!("{id}/{name}: {why}"));
                    }
                }
            }
        }
        Ok(code)
    }
}

/// Ctrl-C and the like end a run in good order, and bytehop at once where nothing runs.
fn stop_when_told(runner: &Runner) -> Result<(), Fail> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]);
    let mut signals = signals.map_err(|e| Fail::new(FAILED, e))?;
    let interrupt = runner.interrupt();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            // What the session made goes with us.
            if !interrupt.stop(signal) {
                std::process::exit(128 + signal);
            }
        }
    });
    Ok(())
}

fn fail(e: TextError) -> Fail {
    match e {
        TextError::Run(e) => e.into(),
        TextError::Io(e) => Fail::new(FAILED, e),
    }
}

/// A reader that has had enough is no failure.
fn ended(e: TextError) -> Result<i32, Fail> {
    match e {
        TextError::Io(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        e => Err(fail(e)),
    }
}

fn lint_labs(dir: Option<&Path>, bless: bool) -> Result<i32, Fail> {
    let (mut labs, mut errors) = match dir {
        Some(dir) => catalogue::in_folder(dir)?,
        None => catalogue::bundled(),
    };
    // A folder may itself be one lab.
    if let Some(dir) = dir.filter(|dir| dir.join("lab.toml").is_file()) {
        (labs, errors) = match Lab::open(dir) {
            Ok(lab) => (vec![lab], Vec::new()),
            Err(e) => (Vec::new(), vec![e]),
        };
    }
    if let Some(dir) = dir.filter(|_| bless) {
        for lab in &mut labs {
            let folder = match dir.join("lab.toml").is_file() {
                true => dir.to_owned(),
                false => dir.join(&lab.id),
            };
            let blessed = guide::bless(&folder);
            blessed.map_err(|e| Fail::new(FAILED, format!("cannot write the guide: {e}")))?;
            *lab = Lab::open(&folder)?;
        }
    }
    let (bundled, _) = catalogue::bundled();
    let ids: BTreeSet<&str> = bundled
        .iter()
        .chain(&labs)
        .map(|lab| lab.id.as_str())
        .collect();
    let mut problems: Vec<String> = errors.iter().map(ToString::to_string).collect();
    for lab in &labs {
        problems.extend(lint::lint(lab, &ids));
    }
    problems.extend(lint_c(&labs)?);
    if labs.is_empty() && problems.is_empty() {
        problems.push("no lab.toml was found".to_owned());
    }
    let mut text = problems.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    print(&text)?;
    let _ = io::stdout().flush();
    Ok(i32::from(!problems.is_empty()))
}

fn code_of(typed: cli::Code) -> Code {
    match typed {
        cli::Code::Rust => Code::Rust,
        cli::Code::C => Code::C,
    }
}

/// Compiles what labs have in C, with the learner's rights; what the compiler says.
fn lint_c(labs: &[Lab]) -> Result<Vec<String>, Fail> {
    let failed = |e: io::Error| Fail::new(FAILED, format!("cannot compile C programs: {e}"));
    let identity = Identity::invoking()?;
    if !compile::is_there(&identity) {
        complain("programs in C were not compiled: there is no C compiler here (gcc)");
        return Ok(Vec::new());
    }
    let dir = identity
        .with_file_rights(tempfile::tempdir)
        .map_err(failed)?;
    let mut work = Work::locate(Some(dir.path()), &identity);
    work.owner.bytehop = Some(std::env::current_exe().map_err(failed)?);
    let mut problems = Vec::new();
    for lab in labs {
        problems.extend(work.read_c(lab)?);
    }
    Ok(problems)
}
