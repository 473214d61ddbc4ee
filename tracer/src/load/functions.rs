//! Level F: programs on functions, by fentry and fexit or, where the kernel has those not, by kprobes.

use std::collections::HashSet;

use aya::programs::{FEntry, FExit, KProbe, ProgramError};
use aya::{Btf, Ebpf};

use super::retry::persistently;
use super::{Hooks, no_program};
use crate::btf::KernelBtf;
use crate::caps::{Level, no_fentry};
use crate::ksyms::Symbols;
use bytehop_core::functions::{self, Function, Hook};

/// As missing hooks are named where the kernel refuses every program on functions.
pub const FUNCTIONS: &str = "functions (level F)";

/// Attaches what the kernel gives of [`functions::TABLE`]; tells the level that this makes.
///
/// What is refused or absent goes to `hooks.missing`. A kernel that refuses the first function in every
/// way refuses all: then no other is tried.
pub fn attach(
    ebpf: &mut Ebpf,
    kernel: &KernelBtf,
    btf: &Btf,
    symbols: Option<&Symbols>,
    hooks: &mut Hooks,
) -> Level {
    let names: HashSet<&str> = functions::TABLE
        .iter()
        .flat_map(|row| row.names)
        .copied()
        .collect();
    let typed = kernel.functions(&names);
    // Functions of modules have their types elsewhere.
    let has = |name: &str| {
        typed.contains(name) || symbols.is_some_and(|symbols| symbols.address(name).is_some())
    };
    let known = |program: &str| {
        let row = functions::TABLE.iter().find(|row| row.program == program);
        row.is_some_and(|row| row.name(has).is_some())
    };
    let mut level = Level::F;
    for (i, row) in functions::TABLE.iter().enumerate() {
        let Some(name) = row.name(has) else {
            if row.or.is_none_or(|or| !known(or)) {
                hooks.lack(row.label, "not in this kernel");
            }
            continue;
        };
        let first = match typed.contains(name) && !no_fentry() {
            true => traced(ebpf, row, name, btf),
            false => Err(ProgramError::NotLoaded),
        };
        let attached = match first {
            Ok(()) => Ok(row.label),
            Err(why) => match probed(ebpf, row, name) {
                Ok(()) => Ok(row.kprobe_label),
                Err(_) if typed.contains(name) => Err(why),
                Err(why) => Err(why),
            },
        };
        match attached {
            Ok(label) => hooks.attached.push(label.to_owned()),
            Err(e) if i == 0 => {
                hooks.refused(FUNCTIONS, &e);
                return Level::T;
            }
            Err(e) => {
                hooks.refused(row.label, &e);
                if row.core {
                    level = Level::T;
                }
            }
        }
    }
    level
}

/// By fentry or fexit.
fn traced(ebpf: &mut Ebpf, row: &Function, name: &str, btf: &Btf) -> Result<(), ProgramError> {
    let program = ebpf
        .program_mut(row.program)
        .ok_or_else(|| no_program(row.program))?;
    match row.hook {
        Hook::Entry => {
            let program: &mut FEntry = program.try_into()?;
            persistently(|| program.load(name, btf))?;
            persistently(|| program.attach())?;
        }
        Hook::Exit => {
            let program: &mut FExit = program.try_into()?;
            persistently(|| program.load(name, btf))?;
            persistently(|| program.attach())?;
        }
    }
    Ok(())
}

/// By a kprobe, and one at the return.
fn probed(ebpf: &mut Ebpf, row: &Function, name: &str) -> Result<(), ProgramError> {
    // The return first: one without a beginning counts nothing.
    let programs: &[&str] = match row.hook {
        Hook::Entry => &["in"],
        Hook::Exit => &["out", "in"],
    };
    for half in programs {
        let program = format!("{}_{half}", row.program);
        let program: &mut KProbe = ebpf
            .program_mut(&program)
            .ok_or_else(|| no_program(&program))?
            .try_into()?;
        persistently(|| program.load())?;
        persistently(|| program.attach(name, 0))?;
    }
    Ok(())
}
