//! A running process that is traced with rights that its user was only lent: what it becomes by `execve` may
//! have more rights than its user (setuid), and is not shown.
//!
//! Of a command that we start this needs no care: it can gain no rights (`no_new_privs`).

use std::collections::HashSet;
use std::mem::offset_of;

use tracer_ebpf::{Fork, Head, kind};

use super::u32_at;

/// Lets records of the programs through that ran when their user was asked about.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Processes that have become something else, and what these made.
    closed: HashSet<u32>,
    /// Records that wait until it is known that no `execve` was lost before them.
    held: Vec<Vec<u8>>,
    /// How many programs were not shown.
    pub programs: u64,
}

impl Gate {
    /// Takes a record that may be shown soon.
    pub fn take(&mut self, record: &[u8]) {
        let process = u32_at(record, offset_of!(Head, tgid)).unwrap_or_default();
        let is = |wanted: u8| record.first() == Some(&wanted);
        if is(kind::EXEC) {
            self.closed.insert(process);
            self.programs += 1;
        }
        let closed = self.closed.contains(&process);
        if closed && is(kind::FORK) {
            let child = u32_at(record, offset_of!(Fork, child_tgid));
            self.closed.extend(child);
        }
        if !closed {
            self.held.push(record.to_vec());
        }
    }

    /// Whether a process is not shown any more.
    pub fn is_closed(&self, process: u32) -> bool {
        self.closed.contains(&process)
    }

    /// The records that may be shown. `lost`: how many have not fitted, by kind; `None` if one was lost by which a
    /// process may have become another program: nothing more can be shown.
    pub fn open(&mut self, lost: &[u64]) -> Option<Vec<Vec<u8>>> {
        let held = std::mem::take(&mut self.held);
        let blind = [kind::EXEC, kind::FORK].into_iter().any(|kind| {
            let lost = lost.get(usize::from(kind));
            lost.is_some_and(|n| *n > 0)
        });
        (!blind).then_some(held)
    }
}

#[cfg(test)]
mod tests {
    use bytehop_core::decode::encode;
    use bytehop_core::event::{Event, Exec, Switch};

    use super::*;

    fn head(kind: u8, tgid: u32) -> Head {
        Head {
            kind,
            tgid,
            tid: tgid,
            ..Head::default()
        }
    }

    fn bytes(event: &Event) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(event, &mut bytes);
        bytes
    }

    fn switch(tgid: u32) -> Vec<u8> {
        bytes(&Event::Switch(Switch {
            head: head(kind::SWITCH, tgid),
            ..Switch::default()
        }))
    }

    fn fork(tgid: u32, child: u32) -> Vec<u8> {
        bytes(&Event::Fork(Fork {
            head: head(kind::FORK, tgid),
            child_tid: child,
            child_tgid: child,
            ..Fork::default()
        }))
    }

    fn exec(tgid: u32) -> Vec<u8> {
        bytes(&Event::Exec(Exec {
            head: head(kind::EXEC, tgid),
            ..Exec::default()
        }))
    }

    #[test]
    fn another_program_and_all_that_it_makes_is_not_shown() {
        let mut gate = Gate::default();
        let shown = [switch(1), fork(1, 2), switch(2)];
        let hidden = [exec(2), switch(2), fork(2, 3), switch(3)];
        for record in shown.iter().chain(&hidden) {
            gate.take(record);
        }
        gate.take(&switch(1));
        let mut expected = shown.to_vec();
        expected.push(switch(1));
        assert_eq!(gate.open(&[]), Some(expected));
        assert_eq!(gate.programs, 1);
    }

    #[test]
    fn nothing_is_shown_after_a_loss_that_may_have_been_a_program() {
        let mut lost = [0; kind::COUNT];
        lost[usize::from(kind::SYSCALL)] = 9;
        let mut gate = Gate::default();
        gate.take(&switch(1));
        assert_eq!(gate.open(&lost).map(|shown| shown.len()), Some(1));
        gate.take(&switch(1));
        lost[usize::from(kind::EXEC)] = 1;
        assert_eq!(gate.open(&lost), None);
        assert_eq!(gate.open(&[]), Some(Vec::new()));
    }
}
