//! The threads that are traced, as we change them from outside.

use aya::maps::{Array, HashMap as BpfHashMap};
use bytehop_core::arch::Arch;
use tracer_ebpf::{Awaited, TASK_SLOTS, Task, task};

use super::error::LoadError;
use super::probes::Probes;
use super::wire::{TaskBytes, WireAwaited};

/// Threads make others while we look.
const ROUNDS: usize = 100;

impl Probes {
    /// Begins to trace a thread whose slot is another one's.
    pub(super) fn trace_more(&mut self, tid: u32, seed: Task) -> Result<(), LoadError> {
        let mut more: BpfHashMap<_, u32, TaskBytes> = self.map_mut("TASKS_MORE")?.try_into()?;
        more.insert(tid, TaskBytes(seed), 0)?;
        let mut collisions: Array<_, u64> = self.map_mut("COLLISIONS")?.try_into()?;
        let ever = collisions.get(&0, 0)?;
        Ok(collisions.set(0, ever + 1, 0)?)
    }

    /// Ends tracing of every thread: the programs stay, and find nothing to tell of.
    ///
    /// # Errors
    /// If a map cannot be used.
    pub fn stop(&mut self) -> Result<(), LoadError> {
        self.statistics.end();
        let mut awaited: Array<_, WireAwaited> = self.map_mut("AWAITED")?.try_into()?;
        awaited.set(0, WireAwaited(Awaited::default()), 0)?;
        for _ in 0..ROUNDS {
            let slots: BpfHashMap<_, u32, u32> = self.map("SLOTS")?.try_into()?;
            let slots: Vec<u32> = slots.keys().filter_map(Result::ok).collect();
            let more: BpfHashMap<_, u32, TaskBytes> = self.map("TASKS_MORE")?.try_into()?;
            let more: Vec<u32> = more.keys().filter_map(Result::ok).collect();
            if slots.is_empty() && more.is_empty() {
                break;
            }
            let mut tasks: Array<_, TaskBytes> = self.map_mut("TASKS")?.try_into()?;
            for slot in &slots {
                tasks.set(*slot, TaskBytes(Task::default()), 0)?;
            }
            // Whoever ends meanwhile takes its own entry away.
            let mut map: BpfHashMap<_, u32, u32> = self.map_mut("SLOTS")?.try_into()?;
            slots.iter().for_each(|slot| drop(map.remove(slot)));
            let mut map: BpfHashMap<_, u32, TaskBytes> = self.map_mut("TASKS_MORE")?.try_into()?;
            more.iter().for_each(|tid| drop(map.remove(tid)));
        }
        Ok(())
    }

    /// When a process that has ended asked for it, `CLOCK_MONOTONIC`, ns: counters have no record of it, but
    /// what was remembered of its first thread lies where it was. `None` if a signal ended it, another of
    /// its threads, or the place is taken by now.
    ///
    /// # Errors
    /// If a map cannot be read.
    pub fn asked_to_end(&self, pid: u32) -> Result<Option<u64>, LoadError> {
        let tasks: Array<_, TaskBytes> = self.map("TASKS")?.try_into()?;
        let TaskBytes(last) = tasks.get(&(pid % TASK_SLOTS as u32), 0)?;
        let number = Arch::host().and_then(|arch| arch.syscall_number("exit_group"));
        let ended = last.tid == 0
            && last.tgid == pid
            && last.flags & task::IN_CALL != 0
            && number.is_some_and(|number| last.nr == u32::from(number));
        Ok((ended && last.enter != 0).then_some(last.enter))
    }
}
