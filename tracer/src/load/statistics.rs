//! What the kernel counts of its BPF programs: how often each ran and how long, how often it was skipped.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use aya::programs::Program;
use aya::sys::{Stats, enable_stats};
use bytehop_core::event::{Cost, ProgramCost};

use super::error::LoadError;

/// The times of programs' runs, which the kernel takes only while somebody asks for them: taking them costs
/// time at each run, of any program on the machine.
#[derive(Default)]
pub(super) struct Statistics {
    wanted: bool,
    /// While this is open they are taken.
    open: Option<OwnedFd>,
}

impl Statistics {
    /// Begins, if they are wanted.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn begin(wanted: bool) -> Result<Self, LoadError> {
        let open = wanted.then(|| enable_stats(Stats::RunTime));
        Ok(Self {
            wanted,
            open: open.transpose().map_err(LoadError::Statistics)?,
        })
    }

    /// What each program took so far, if that is wanted.
    pub fn cost<'a>(&self, programs: impl Iterator<Item = (&'a str, &'a Program)>) -> Option<Cost> {
        let cost = |(name, program): (&str, &Program)| {
            let info = ProgramInfo::of(program)?;
            Some(ProgramCost {
                name: name.to_owned(),
                runs: info.number("run_cnt").filter(|runs| *runs > 0)?,
                time_ns: info.number("run_time_ns")?,
            })
        };
        self.wanted.then(|| Cost {
            programs: programs.filter_map(cost).collect(),
        })
    }

    /// What has been counted stays.
    pub fn end(&mut self) {
        self.open = None;
    }
}

/// What the kernel tells whoever holds a program, without any rights.
pub(super) struct ProgramInfo(String);

impl ProgramInfo {
    /// `None`: it is not loaded.
    pub fn of(program: &Program) -> Option<Self> {
        let fd = program.fd().ok()?.as_fd().as_raw_fd();
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}"));
        info.ok().map(Self)
    }

    /// A number by its name, which older kernels may not give.
    pub fn number(&self, name: &str) -> Option<u64> {
        let mut lines = self.0.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_their_whole_name() {
        let info =
            "pos:\t0\nprog_type:\t5\nrun_time_ns:\t1234\nrun_cnt:\t56\nrecursion_misses:\t0\n";
        let info = ProgramInfo(info.to_owned());
        assert_eq!(info.number("run_time_ns"), Some(1234));
        assert_eq!(info.number("run_cnt"), Some(56));
        assert_eq!(info.number("recursion_misses"), Some(0));
        assert_eq!(info.number("run"), None);
        assert_eq!(info.number("verified_insns"), None);
    }
}
