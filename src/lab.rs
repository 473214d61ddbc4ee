//! `bytehop lab`: the guided labs.
//!
//! What shows a lab is here. Where its runs come from is one of two sides: `tracing`, or in a build
//! without the capture side `viewer`, which has the recordings only.

mod flags;
#[cfg(feature = "capture")]
mod lint;
#[cfg(feature = "capture")]
mod tracing;
#[cfg(not(feature = "capture"))]
mod viewer;

use std::fs;
use std::io::{self, BufReader, IsTerminal};
use std::sync::Arc;

use bytehop_core::i18n::{Lang, Say};
use bytehop_core::report::Style;
use clap::Parser;
use labs::lab::{self as catalogue, Lab, LabError};
use labs::progress::Progress;
use labs::session::Session;
use labs::spec::Code;
use labs::text::{Answers, Text, TextError};
use labs::words;

use crate::cli::{self, Cli, LabVerb, Verb};
use crate::fail::{FAILED, Fail, Trouble, USAGE};
use crate::output::{self, complain, print};
use crate::resolve::Look;
use side::Side;
#[cfg(feature = "capture")]
use tracing as side;
#[cfg(not(feature = "capture"))]
use viewer as side;

pub fn lab(args: &cli::Lab) -> Result<i32, Fail> {
    flags::check(args)?;
    if let Some(status) = side::before(args)? {
        return Ok(status);
    }
    let lang = crate::config::lang(args.look.lang);
    let (labs, errors) = catalogue::all(&args.labs_dir)?;
    for error in errors {
        complain(&error.say(lang));
    }
    let side = Side::new(args)?;
    // What is checked says it by its name.
    let given = args.program.as_deref().and_then(Code::of_file);
    let chosen = || side.progress().code();
    let code = given.or(args.code.map(code_of)).or_else(chosen);
    let context = Context {
        code: code.unwrap_or_else(|| side.usual_code()),
        side,
        lang,
        args,
        labs,
    };
    match (&args.verb, &args.id) {
        (None, id) if context.on_screen() => context.screen(id.as_deref()),
        (None, Some(id)) => context.open(id),
        (Some(LabVerb::List), None) => context.list(),
        // Where there is no terminal for the menu.
        (None, None) => {
            flags::refuse(args, &LabVerb::List)?;
            context.list()
        }
        (Some(_), Some(id)) => Err(Fail::new(USAGE, Trouble::LabAndVerb(id.clone()))),
        (Some(verb), None) => context.verb(verb),
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
    side: Side,
    /// The language of the programs.
    code: Code,
}

impl Context<'_> {
    /// Keeps the choice of a language, if one was made now.
    fn choose(&self, progress: &mut Progress) -> Result<(), Fail> {
        let Some(code) = self.args.code.map(code_of) else {
            return Ok(());
        };
        let kept = progress.choose(code);
        kept.map_err(|e| Fail::new(FAILED, Trouble::Choice(e)))
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
        let mut progress = self.side.progress();
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
        let progress = self.side.progress();
        if let Some(warning) = &progress.warning {
            complain(&warning.say(self.lang));
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
        session.folder = self.side.folder(lab);
        session.titles = self
            .labs
            .iter()
            .map(|lab| (lab.id.clone(), lab.spec.title.clone()))
            .collect();
        session
    }

    /// A lab as text.
    fn open(&self, id: &str) -> Result<i32, Fail> {
        use labs::runs::Runs;
        let lab = self.find(id)?;
        let mut session = self.session(lab);
        let runner = self.runner()?;
        session.editable = runner.cannot().is_none();
        side::stop_when_told(&runner)?;
        let mut progress = self.side.progress();
        if let Some(warning) = &progress.warning {
            complain(&warning.say(self.lang));
        }
        self.choose(&mut progress)?;
        if session.code != self.code {
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
            return self.check(lab, &mut text);
        }
        let mut answers = match &self.args.answers {
            Some(path) => {
                let read = fs::read_to_string(path);
                let cannot = |e| Fail::new(USAGE, Trouble::Read(path.clone(), e));
                Answers::of_file(&read.map_err(cannot)?)
            }
            None => Answers::Lines(Box::new(BufReader::new(io::stdin()))),
        };
        match text.run(&mut answers) {
            Ok(()) => Ok(0),
            Err(e) => ended(e),
        }
    }
}

fn code_of(typed: cli::Code) -> Code {
    match typed {
        cli::Code::Rust => Code::Rust,
        cli::Code::C => Code::C,
    }
}

fn fail(e: TextError) -> Fail {
    match e {
        TextError::Run(e) => e.into(),
        e => Fail::new(FAILED, e),
    }
}

/// A reader that has had enough is no failure.
fn ended(e: TextError) -> Result<i32, Fail> {
    match e {
        TextError::Io(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        e => Err(fail(e)),
    }
}
