//! Threads and processes: birth, `execve`, death, and time off the CPU.

use tracer_ebpf::{Exec, Exit, Fork, Switch, flag};

use super::interrupts::SLEEPS_MAX;
use super::{Part, Reconstructor, Sink};
use crate::catalogue::Subject;
use crate::model::Claim;

impl Reconstructor {
    pub(super) fn switch<S: Sink>(&mut self, switch: &Switch, sink: &mut S) {
        if switch.head.flags & flag::IO_THREAD == 0 {
            match switch.voluntary {
                0 => self.sums.switches.involuntary += 1,
                _ => self.sums.switches.voluntary += 1,
            }
        }
        if switch.voluntary != 0 {
            let mut device = 0;
            if let Part::Open(slot) = self.part(&switch.head, sink) {
                let open = self.threads.open(slot);
                open.waited = open.waited.saturating_add(switch.off);
                if open.sleeps.len() < SLEEPS_MAX {
                    let from = switch.head.ts;
                    open.sleeps.push((from, from.saturating_add(switch.off)));
                }
                device = open.device_wait(switch.head.ts, switch.off);
            }
            let waits = &mut self.sums.waits;
            waits.count += 1;
            waits.time_ns = waits.time_ns.saturating_add(switch.off);
            waits.device_ns = waits.device_ns.saturating_add(device);
        }
        sink.switch(switch);
    }

    pub(super) fn fork<S: Sink>(&mut self, fork: &Fork, sink: &mut S) {
        if fork.traced != 0 {
            if fork.child_tgid != fork.head.tgid {
                self.sums.processes.fork(fork.head.tgid, fork.child_tgid);
                self.names.paths().fork(fork.head.tgid, fork.child_tgid);
            }
            // Whatever had this number is gone, even if its end was not seen.
            self.threads.remove(fork.child_tid);
            self.names.born(fork.child_tid);
            let process = self.sums.processes.find(fork.child_tgid);
            self.threads
                .insert(fork.child_tid, process, fork.io_thread == 0);
        }
        sink.fork(fork);
    }

    pub(super) fn exec<S: Sink>(&mut self, exec: &Exec, sink: &mut S) {
        let head = &exec.head;
        self.sums.processes.rename(head.tgid, &exec.comm);
        let slot = self.thread(head.tid, head.tgid);
        // A thread other than the leader that executes takes over the leader's id, and brings its
        // own numbers along.
        if self.threads.open_seq(slot) != head.seq {
            self.close(slot, sink);
            let thread = self.threads.at(slot);
            if thread.is_late(head.seq) {
                thread.done = head.seq.wrapping_sub(1);
                thread.born = false;
            }
        }
        sink.exec(exec);
    }

    pub(super) fn exit<S: Sink>(&mut self, exit: &Exit, sink: &mut S) {
        let head = &exit.head;
        if exit.in_call != 0 && head.flags & flag::IO_THREAD == 0 {
            let compat = head.flags & flag::COMPAT != 0;
            let nr = u16::try_from(exit.nr).unwrap_or(u16::MAX);
            *self.sums.never_returned.entry((compat, nr)).or_default() += 1;
        }
        if head.tid == self.setup.start.pid {
            self.sums.leader_exit = Some(shell_status(exit.exit_code));
        }
        if let Some(slot) = self.threads.find(head.tid) {
            self.close(slot, sink);
            self.core_dumped(slot, exit, sink);
            let thread = self.threads.at(slot);
            if thread.born && !self.partial {
                let minor = (exit.min_flt, thread.min_flt);
                let major = (exit.maj_flt, thread.maj_flt);
                for (what, (expected, found)) in
                    [(Subject::MinorFaults, minor), (Subject::MajorFaults, major)]
                {
                    if expected != found {
                        self.sums
                            .differences
                            .add(what, Claim::Kernel, expected, found);
                    }
                }
            }
            self.threads.remove(head.tid);
        }
        self.regions.exit(head.tid, head.ts);
        if exit.group_dead != 0 {
            self.sums.processes.gone(head.tgid);
            self.names.paths().gone(head.tgid);
        }
        sink.exit(exit);
    }
}

/// A wait status (`task->exit_code`) as a shell tells it: the exit status, or 128 + the signal.
fn shell_status(wait: u32) -> i32 {
    match wait & 0x7f {
        0 => (wait >> 8 & 0xff) as i32,
        signal => 128 + signal as i32,
    }
}
