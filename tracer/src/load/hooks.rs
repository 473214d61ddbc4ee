//! What is attached and what is not, and the programs on tracepoints.

use aya::programs::{BtfTracePoint, ProgramError};
use aya::{Btf, Ebpf};
use bytehop_core::notice::Why;

use super::ahead::Ahead;
use super::error::LoadError;
use super::object::verifier_log;
use super::plan::{Need, OnTracepoint, Stage};
use super::refusal::refusal;
use super::retry::persistently;

/// What is attached, and what is not.
#[derive(Default)]
pub(super) struct Hooks {
    pub attached: Vec<String>,
    pub missing: Vec<(String, Why)>,
}

impl Hooks {
    pub fn lack(&mut self, what: &str, why: Why) {
        self.missing.push((what.to_owned(), why));
    }

    pub fn lack_all(&mut self, missing: &[(&str, Why)]) {
        for (what, why) in missing {
            self.lack(what, why.clone());
        }
    }

    /// Why the first of these is missing.
    pub fn why(&self, what: &[&str]) -> Option<&Why> {
        let mut missing = self.missing.iter();
        let found = missing.find(|(hook, _)| what.contains(&hook.as_str()));
        found.map(|(_, why)| why)
    }

    pub fn refused(&mut self, what: &str, e: &ProgramError) {
        self.lack(what, refusal(e));
    }

    /// A program that tracing can do without; whether it is there.
    pub fn optional(&mut self, what: &str, attached: Result<(), ProgramError>) -> bool {
        match &attached {
            Ok(()) => self.attached.push(what.to_owned()),
            Err(e) => self.refused(what, e),
        }
        attached.is_ok()
    }
}

/// Attaches programs to tracepoints; tells whether those that tell again are attached, all of them.
///
/// # Errors
/// If the kernel refuses one that nothing works without.
pub(super) fn tracepoints(
    ebpf: &mut Ebpf,
    btf: &Btf,
    stage: Stage<OnTracepoint>,
    hooks: &mut Hooks,
) -> Result<bool, LoadError> {
    hooks.lack_all(&stage.missing);
    let mut again = stage.hooks.iter().any(|hook| hook.need == Need::Again);
    let wanted = stage.hooks.iter();
    let wanted = wanted.map(|hook| (hook.program, hook.tracepoint)).collect();
    let mut ahead = Ahead::load(ebpf, btf, &wanted);
    for hook in stage.hooks {
        let attached = attach(ebpf, &hook, &mut ahead);
        match (hook.need, attached) {
            (Need::Required, Err(source)) => {
                return Err(LoadError::Required {
                    probe: hook.label,
                    source,
                });
            }
            (need, attached) => {
                let there = hooks.optional(&hook.label, attached);
                again &= there || need != Need::Again;
            }
        }
    }
    Ok(again)
}

fn attach(ebpf: &mut Ebpf, hook: &OnTracepoint, ahead: &mut Ahead) -> Result<(), ProgramError> {
    let loaded = ahead.said(hook.program);
    let loaded = loaded.unwrap_or_else(|| Err(no_program(hook.program)));
    if let Err(error) = &loaded
        && verifier_log()
    {
        eprintln!("{}: {error}", hook.tracepoint);
    }
    loaded?;
    let program: &mut BtfTracePoint = ebpf
        .program_mut(hook.program)
        .ok_or_else(|| no_program(hook.program))?
        .try_into()?;
    persistently(|| program.attach())?;
    Ok(())
}

pub(super) fn no_program(name: &str) -> ProgramError {
    ProgramError::InvalidName {
        name: name.to_owned(),
    }
}
