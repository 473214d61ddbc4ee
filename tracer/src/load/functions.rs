//! Level F: programs on functions, by fentry and fexit or, where the kernel has those not, by kprobes.

use aya::programs::{FEntry, FExit, KProbe, ProgramError};
use aya::{Btf, Ebpf};
use bytehop_core::catalogue::functions::Hook;
use bytehop_core::notice::FUNCTIONS;

use super::ahead::Ahead;
use super::hooks::{Hooks, no_program};
use super::plan::{OnFunction, Stage};
use super::retry::persistently;
use crate::caps::Level;

/// Attaches the functions of a plan; tells the level that this makes.
///
/// What is refused goes to `hooks.missing`. A kernel that refuses the first function in every way refuses
/// all: then no other is tried.
pub(super) fn attach(
    ebpf: &mut Ebpf,
    btf: &Btf,
    stage: Stage<OnFunction>,
    hooks: &mut Hooks,
) -> Level {
    let mut level = if stage.hooks.is_empty() {
        Level::T
    } else {
        Level::F
    };
    let mut ahead = Ahead::default();
    for (i, hook) in stage.hooks.iter().enumerate() {
        // Where the kernel takes the first in this way.
        if i == 1
            && hooks
                .attached
                .iter()
                .any(|label| label == stage.hooks[0].row.label)
        {
            let others = stage.hooks[1..].iter().filter(|hook| hook.fentry);
            let wanted = others.map(|hook| (hook.row.program, hook.name)).collect();
            ahead = Ahead::load(ebpf, btf, &wanted);
        }
        match met(ebpf, hook, btf, &mut ahead) {
            Ok(label) => hooks.attached.push(label.to_owned()),
            Err(e) if i == 0 => {
                hooks.refused(FUNCTIONS, &e);
                return Level::T;
            }
            Err(e) => {
                hooks.refused(hook.row.label, &e);
                if hook.row.core {
                    level = Level::T;
                }
            }
        }
    }
    hooks.lack_all(&stage.missing);
    level
}

/// By either means; tells the label of the one that worked.
fn met(
    ebpf: &mut Ebpf,
    hook: &OnFunction,
    btf: &Btf,
    ahead: &mut Ahead,
) -> Result<&'static str, ProgramError> {
    let mut refused = None;
    if hook.fentry {
        match traced(ebpf, hook, btf, ahead.said(hook.row.program)) {
            Ok(()) => return Ok(hook.row.label),
            Err(why) => refused = Some(why),
        }
    }
    match probed(ebpf, hook) {
        Ok(()) => Ok(hook.row.kprobe_label),
        Err(why) => Err(refused.unwrap_or(why)),
    }
}

/// By fentry or fexit; `said`: what the kernel said of the program, if it has been asked.
fn traced(
    ebpf: &mut Ebpf,
    hook: &OnFunction,
    btf: &Btf,
    said: Option<Result<(), ProgramError>>,
) -> Result<(), ProgramError> {
    let program = ebpf
        .program_mut(hook.row.program)
        .ok_or_else(|| no_program(hook.row.program))?;
    match hook.row.hook {
        Hook::Entry => {
            let program: &mut FEntry = program.try_into()?;
            said.unwrap_or_else(|| persistently(|| program.load(hook.name, btf)))?;
            persistently(|| program.attach())?;
        }
        Hook::Exit => {
            let program: &mut FExit = program.try_into()?;
            said.unwrap_or_else(|| persistently(|| program.load(hook.name, btf)))?;
            persistently(|| program.attach())?;
        }
    }
    Ok(())
}

/// By a kprobe, and one at the return: by all of them or by none, since a return whose beginning nobody noted
/// would take another function's.
fn probed(ebpf: &mut Ebpf, hook: &OnFunction) -> Result<(), ProgramError> {
    let attached = hook.halves().iter().try_for_each(|half| {
        let program = kprobe(ebpf, hook, half)?;
        persistently(|| program.load())?;
        persistently(|| program.attach(hook.name, 0))?;
        Ok(())
    });
    if attached.is_err() {
        for half in hook.halves() {
            // One that was not loaded is no failure.
            let _ = kprobe(ebpf, hook, half).and_then(KProbe::unload);
        }
    }
    attached
}

fn kprobe<'a>(
    ebpf: &'a mut Ebpf,
    hook: &OnFunction,
    half: &str,
) -> Result<&'a mut KProbe, ProgramError> {
    let program = format!("{}_{half}", hook.row.program);
    ebpf.program_mut(&program)
        .ok_or_else(|| no_program(&program))?
        .try_into()
}
