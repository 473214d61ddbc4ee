//! How long the program ran, by the kernel's clock: our own scheduling is in no number of it.

use std::collections::BTreeSet;
use std::mem::offset_of;

use tracer_ebpf::{Exit, Head, kind};

use super::{u32_at, u64_at};

/// When the program began and ended, as the records of its `execve` and of its threads' ends tell.
///
/// Times are of `CLOCK_MONOTONIC`, ns.
#[derive(Clone, Debug)]
pub(super) struct Lifetime {
    /// Where no record tells: just before the command's `execve`, or when tracing of a process began.
    began: u64,
    /// `None` until the command executes: its number may be another one in our pid namespace.
    process: Option<u32>,
    exec: Option<u64>,
    exit: Option<u64>,
    /// Processes that are gone with their last thread.
    pub(super) ended: BTreeSet<u32>,
}

impl Lifetime {
    /// Of a command.
    pub fn of_command(began: u64) -> Self {
        Self {
            began,
            process: None,
            exec: None,
            exit: None,
            ended: BTreeSet::new(),
        }
    }

    /// Of a process that ran before.
    pub fn of_process(pid: u32, began: u64) -> Self {
        Self {
            process: Some(pid),
            ..Self::of_command(began)
        }
    }

    /// Of several.
    pub fn of_processes(began: u64) -> Self {
        // None has this number: no `execve` or end is that of all.
        Self::of_process(0, began)
    }

    pub fn take(&mut self, record: &[u8]) {
        let Some(&kind @ (kind::EXEC | kind::EXIT)) = record.first() else {
            return;
        };
        let process = u32_at(record, offset_of!(Head, tgid));
        let time = u64_at(record, offset_of!(Head, ts));
        let gone = u32_at(record, offset_of!(Exit, group_dead)).is_some_and(|gone| gone != 0);
        if kind == kind::EXIT && gone {
            self.ended.extend(process);
        }
        match kind {
            // The first is the command's: nobody else is traced before it.
            kind::EXEC if self.process.is_none() => (self.process, self.exec) = (process, time),
            // Its last thread's end is the process's.
            kind::EXIT if process.is_some() && process == self.process => {
                self.exit = self.exit.max(time);
            }
            _ => {}
        }
    }

    /// How long; `last`: where no record tells of the end, or there was none yet.
    pub fn duration(&self, last: u64) -> u64 {
        let end = self.exit.unwrap_or(last);
        end.saturating_sub(self.exec.unwrap_or(self.began))
    }
}

#[cfg(test)]
mod tests {
    use bytehop_core::decode::encode;
    use bytehop_core::event::{Event, Exec, Exit};

    use super::*;

    fn record(kind: u8, tgid: u32, ts: u64) -> Vec<u8> {
        let head = Head {
            kind,
            tid: tgid,
            tgid,
            ts,
            ..Head::default()
        };
        let event = match kind {
            kind::EXEC => Event::Exec(Exec {
                head,
                ..Exec::default()
            }),
            _ => Event::Exit(Exit {
                head,
                ..Exit::default()
            }),
        };
        let mut bytes = Vec::new();
        encode(&event, &mut bytes);
        bytes
    }

    #[test]
    fn from_the_first_execve_to_the_last_threads_end() {
        let mut lifetime = Lifetime::of_command(50);
        assert_eq!(lifetime.duration(60), 10);
        for (kind, process, time) in [
            (kind::EXEC, 7, 100),
            (kind::EXEC, 7, 200),
            (kind::EXEC, 8, 300),
            (kind::EXIT, 7, 400),
            (kind::EXIT, 7, 500),
            (kind::EXIT, 8, 900),
        ] {
            lifetime.take(&record(kind, process, time));
        }
        assert_eq!(lifetime.duration(1000), 400);
    }

    #[test]
    fn of_a_process_from_the_first_moment_traced() {
        let mut lifetime = Lifetime::of_process(7, 50);
        lifetime.take(&record(kind::EXEC, 7, 100));
        assert_eq!(lifetime.duration(150), 100);
        lifetime.take(&record(kind::EXIT, 8, 110));
        lifetime.take(&record(kind::EXIT, 7, 120));
        assert_eq!(lifetime.duration(150), 70);
    }
}
