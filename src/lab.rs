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
use labs::guide;
use labs::lab::{self as catalogue, Lab, LabError};
use labs::progress::Progress;
use labs::run::Runner;
use labs::session::{Origin, Session};
use labs::text::{Answers, Text, TextError};
use labs::work::{Whose, Work};
use labs::{lint, result, words};
use tracer::caps;
use tracer::privileges::Privileges;
use tracer::user::Identity;

use crate::cli::{self, Cli, LabVerb, Verb};
use crate::fail::{FAILED, Fail, USAGE};
use crate::output::{self, complain, print};

pub fn lab(args: &cli::Lab) -> Result<i32, Fail> {
    flags::check(args)?;
    if let Some(LabVerb::Lint { dir, bless }) = &args.verb {
        return lint_labs(dir.as_deref(), *bless);
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
        (Some(LabVerb::Grade { dirs }), None) => context.grade(dirs),
        (Some(LabVerb::Record { to, ids }), None) => context.record(to, ids),
        (Some(LabVerb::Lint { .. }), None) => Ok(0),
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
}

impl<'a> Context<'a> {
    fn new(args: &'a cli::Lab, labs: Vec<Lab>) -> Result<Self, Fail> {
        let identity = Identity::invoking()?;
        Ok(Self {
            work: Work::locate(args.work.as_deref(), &identity),
            lang: Lang::from_env(args.look.lang),
            args,
            labs,
            identity,
        })
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
        let look = &self.args.look;
        let mut options = tui::Options::from_env(look.lang);
        options.ascii = look.ascii;
        let setup = tui::lab::Setup {
            labs: self.labs.iter().cloned().map(Arc::new).collect(),
            open: id.map(str::to_owned),
            runner: self.runner()?,
            progress: Progress::open(&self.identity),
            seed: self.args.seed.clone(),
        };
        tui::lab::run(setup, &options)?;
        Ok(0)
    }

    fn list(&self) -> Result<i32, Fail> {
        let progress = Progress::open(&self.identity);
        if let Some(warning) = &progress.warning {
            complain(warning);
        }
        print(&labs::menu::text(&self.labs, &progress, &self.style()))?;
        Ok(0)
    }

    fn session(&self, lab: &Lab) -> Session {
        let seed = self.args.seed.clone();
        let mut session = Session::new(Arc::new(lab.clone()), self.lang, seed);
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
            self.work.prepare(self.labs.iter())?;
        }
        Ok(runner)
    }

    fn open(&self, id: &str) -> Result<i32, Fail> {
        let lab = self.find(id)?;
        let mut session = self.session(lab);
        let runner = self.runner()?;
        stop_when_told(&runner)?;
        let mut progress = Progress::open(&self.identity);
        if let Some(warning) = &progress.warning {
            complain(warning);
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
                    self.work.give(&lab.id, program, file)?;
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
                return Err(Fail::new(USAGE, "nobody is there to be asked: --yes"));
            }
            print(&format!("{} ", words::reset_ask(lang, name)))?;
            let mut line = String::new();
            let _ = io::stdin().read_line(&mut line);
            if !matches!(line.trim(), "y" | "Y" | "yes" | "是") {
                print(&format!("{}\n", words::nothing_reset(lang)))?;
                return Ok(0);
            }
        }
        let mut progress = Progress::open(&self.identity);
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
            let missing = || labs::run::RunError::NoRecording(program.name.clone());
            let summary = result::summary_of(bytes.ok_or_else(missing)?)?;
            session.observe(&program.name, summary, Origin::Recorded(None));
        }
        if let Some(bytes) = lab.recording("solution") {
            session.last = Some(result::summary_of(bytes)?);
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
        for (program, run) in &session.runs {
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

    fn grade(&self, dirs: &[PathBuf]) -> Result<i32, Fail> {
        let grades = result::grade(dirs, &self.labs);
        let grades =
            grades.map_err(|e| Fail::new(USAGE, format!("cannot read the results: {e}")))?;
        print(&result::csv(&grades))?;
        Ok(0)
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
            )?;
            let mut session = self.session(&lab);
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
    let folder = runner.folder().to_owned();
    std::thread::spawn(move || {
        for _ in signals.forever() {
            if !interrupt.stop() {
                let _ = fs::remove_dir_all(&folder);
                std::process::exit(crate::fail::INTERRUPTED.into());
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
