//! Programs are given to the kernel on several processors at once: its verifier takes most of the time until a trace
//! begins, and looks at each program by itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread;

use aya::programs::{Program, ProgramError};
use aya::{Btf, Ebpf};

use super::retry::persistently;
use crate::inherited::{is_first, set_first};

/// More would only wait for each other's memory.
const THREADS: usize = 8;

/// What the kernel said of programs that were given to it ahead of being attached.
#[derive(Default)]
pub(super) struct Ahead(HashMap<String, Result<(), ProgramError>>);

impl Ahead {
    /// Gives the kernel programs of the object: each by its name, and the tracepoint or function that it is for.
    pub fn load(ebpf: &mut Ebpf, btf: &Btf, wanted: &HashMap<&str, &str>) -> Self {
        let mut programs: Vec<_> = ebpf
            .programs_mut()
            .filter_map(|(name, program)| Some((name, program, *wanted.get(name)?)))
            .collect();
        // What takes longest comes first.
        programs.sort_by_key(|(name, ..)| !name.starts_with("sys_"));
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(THREADS).min(programs.len());
        let waiting = Mutex::new(programs.into_iter());
        let next = || {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.next()
        };
        let work = || {
            let mut said = Vec::new();
            while let Some((name, program, on)) = next() {
                said.push((name.to_owned(), load(program, on, btf)));
            }
            said
        };
        let first = is_first();
        let other = || {
            // It does not inherit this, and is gone before it would have to give it back.
            if first {
                let _ = set_first(true);
            }
            work()
        };
        let said = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(other)).collect();
            let mut said = work();
            for other in others {
                said.extend(other.join().unwrap_or_default());
            }
            said
        });
        Self(said.into_iter().collect())
    }

    /// What the kernel said of a program; `None` if it was not asked.
    pub fn said(&mut self, program: &str) -> Option<Result<(), ProgramError>> {
        self.0.remove(program)
    }
}

fn load(program: &mut Program, on: &str, btf: &Btf) -> Result<(), ProgramError> {
    match program {
        Program::BtfTracePoint(program) => persistently(|| program.load(on, btf)),
        Program::FEntry(program) => persistently(|| program.load(on, btf)),
        Program::FExit(program) => persistently(|| program.load(on, btf)),
        _ => Err(ProgramError::UnexpectedProgramType),
    }
}
