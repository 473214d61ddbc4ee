//! The labs' side without tracing: their recordings, on any machine.

use bytehop_core::i18n::Say;
use labs::lab::Lab;
use labs::progress::{self, InFile, Progress};
use labs::runs::Replay;
use labs::text::Text;

use super::Context;
use crate::cli::{self, LabVerb};
use crate::fail::{self, Fail, Trouble};

/// Refuses what takes a traced run.
pub fn before(args: &cli::Lab) -> Result<Option<i32>, Fail> {
    let wants_a_run = args.check || args.elevate || args.seed.is_some() || args.student.is_some();
    let verb = args.verb.as_ref();
    let shows = verb.is_none_or(|verb| matches!(verb, LabVerb::List));
    match shows && !wants_a_run && args.work.is_none() {
        true => Ok(None),
        false => Err(fail::cannot_trace()),
    }
}

pub struct Side;

impl Side {
    pub fn new(_: &cli::Lab) -> Result<Self, Fail> {
        Ok(Self)
    }

    pub fn progress(&self) -> Progress {
        let file = progress::file(|name| std::env::var_os(name));
        Progress::open(InFile(file))
    }

    pub fn folder(&self, lab: &Lab) -> String {
        lab.id.clone()
    }
}

impl Context<'_> {
    pub fn verb(&self, _: &LabVerb) -> Result<i32, Fail> {
        Err(fail::cannot_trace())
    }

    /// Recordings; if they were not asked for, it says why.
    pub fn runner(&self) -> Result<Replay, Fail> {
        Ok(Replay {
            why: match self.args.replay {
                true => String::new(),
                false => Trouble::Viewer.say(self.lang),
            },
        })
    }

    pub fn check(&self, _: &Lab, _: &mut Text<'_>) -> Result<i32, Fail> {
        Err(fail::cannot_trace())
    }
}

/// Nothing runs: a signal ends us as it does anyone.
pub fn stop_when_told(_: &Replay) -> Result<(), Fail> {
    Ok(())
}
