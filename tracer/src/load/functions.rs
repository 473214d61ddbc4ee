//! Level F: programs on functions, by fentry and fexit or, where the kernel has those not, by kprobes.

use aya::programs::{FEntry, FExit, KProbe, ProgramError};
use aya::{Btf, Ebpf};
use bytehop_core::catalogue::functions::Hook;
use bytehop_core::notice::FUNCTIONS;

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
    for (i, hook) in stage.hooks.iter().enumerate() {
        match met(ebpf, hook, btf) {
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
fn met(ebpf: &mut Ebpf, hook: &OnFunction, btf: &Btf) -> Result<&'static str, ProgramError> {
    let first = match hook.fentry {
        true => traced(ebpf, hook, btf),
        false => Err(ProgramError::NotLoaded),
    };
    let Err(why) = first else {
        return Ok(hook.row.label);
    };
    match probed(ebpf, hook) {
        Ok(()) => Ok(hook.row.kprobe_label),
        Err(_) if hook.typed => Err(why),
        Err(why) => Err(why),
    }
}

/// By fentry or fexit.
fn traced(ebpf: &mut Ebpf, hook: &OnFunction, btf: &Btf) -> Result<(), ProgramError> {
    let program = ebpf
        .program_mut(hook.row.program)
        .ok_or_else(|| no_program(hook.row.program))?;
    match hook.row.hook {
        Hook::Entry => {
            let program: &mut FEntry = program.try_into()?;
            persistently(|| program.load(hook.name, btf))?;
            persistently(|| program.attach())?;
        }
        Hook::Exit => {
            let program: &mut FExit = program.try_into()?;
            persistently(|| program.load(hook.name, btf))?;
            persistently(|| program.attach())?;
        }
    }
    Ok(())
}

/// By a kprobe, and one at the return.
fn probed(ebpf: &mut Ebpf, hook: &OnFunction) -> Result<(), ProgramError> {
    for half in hook.halves() {
        let program = format!("{}_{half}", hook.row.program);
        let program: &mut KProbe = ebpf
            .program_mut(&program)
            .ok_or_else(|| no_program(&program))?
            .try_into()?;
        persistently(|| program.load())?;
        persistently(|| program.attach(hook.name, 0))?;
    }
    Ok(())
}
