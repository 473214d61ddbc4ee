//! What goes on in the kernel side's maps: whom to trace, and what was left there.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use aya::maps::{Array, HashMap as BpfHashMap, MapData, RingBuf};
use bytehop_core::event::Lost;
use tracer_ebpf::{Awaited, Block, SYSCALLS_MAX, TASK_SLOTS, Task, Uring, bio, kind, task, uring};

use super::counter::total;
use super::error::{LoadError, invalid, limited};
use super::probes::Probes;
use super::wire::{TaskBytes, WireAwaited, WireBlock, WireUring};

/// The kernel's ring buffer, mapped.
pub type Ring = RingBuf<MapData>;

impl Probes {
    /// Makes the kernel trace a process of our pid namespace from its next `execve` on.
    ///
    /// # Errors
    /// If our pid namespace cannot be told or a map cannot be written.
    pub fn await_execve(&mut self, pid: u32) -> Result<(), LoadError> {
        let ns = std::fs::metadata("/proc/self/ns/pid").map_err(LoadError::PidNamespace)?;
        let awaited = Awaited {
            ns_dev: ns.dev(),
            ns_ino: ns.ino(),
            pid,
            reserved: 0,
        };
        let mut map: Array<_, WireAwaited> = self.map_mut("AWAITED")?.try_into()?;
        map.set(0, WireAwaited(awaited), 0)?;
        Ok(())
    }

    /// Begins to trace a thread that is running; `tid` and `tgid` are those of the first pid
    /// namespace.
    ///
    /// # Errors
    /// If a map cannot be written.
    pub fn trace(&mut self, tid: u32, tgid: u32) -> Result<(), LoadError> {
        let slot = tid % TASK_SLOTS as u32;
        let seed = Task {
            tid,
            tgid,
            flags: task::OLDER,
            generation: 1,
            ..Task::default()
        };
        {
            let mut slots: BpfHashMap<_, u32, u32> = self.map_mut("SLOTS")?.try_into()?;
            const BPF_NOEXIST: u64 = 1;
            if slots.insert(slot, tid, BPF_NOEXIST).is_err() {
                // Taken already: by the thread itself, announced by a fork event; or by another one.
                return match slots.get(&slot, 0) {
                    Ok(other) if other != tid => self.trace_more(tid, seed),
                    _ => Ok(()),
                };
            }
        }
        let mut tasks: Array<_, TaskBytes> = self.map_mut("TASKS")?.try_into()?;
        tasks.set(slot, TaskBytes(seed), 0)?;
        Ok(())
    }

    /// The stream of records.
    ///
    /// # Errors
    /// If the ring buffer cannot be mapped.
    pub fn ring(&mut self) -> Result<Ring, LoadError> {
        let map = self
            .ebpf
            .take_map("EVENTS")
            .ok_or_else(|| invalid("EVENTS"))?;
        RingBuf::try_from(map).map_err(|e| limited(e.into()))
    }

    /// How many records have not fitted into the ring buffer so far.
    ///
    /// # Errors
    /// If a map cannot be read.
    pub fn lost(&self) -> Result<Lost, LoadError> {
        let mut lost = Lost {
            by_kind: self.lost_by_kind()?,
            ..Lost::default()
        };
        if lost.by_kind[kind::SYSCALL as usize] + lost.by_kind[kind::SYSCALL_FILE as usize] > 0 {
            for nr in 0..SYSCALLS_MAX as u32 {
                let n = self.total("LOST_CALLS", nr)?;
                if n > 0 {
                    lost.calls.push((nr as u16, n));
                }
            }
        }
        Ok(lost)
    }

    /// The same by kind only: calls have a counter for each number, too many for whoever asks often.
    ///
    /// # Errors
    /// If the map cannot be read.
    pub fn lost_by_kind(&self) -> Result<Vec<u64>, LoadError> {
        let kinds = 0..kind::COUNT as u32;
        kinds.map(|kind| self.total("LOST", kind)).collect()
    }

    /// Block I/O of the program that was not seen to complete, in the order in which it was queued.
    ///
    /// # Errors
    /// If the map cannot be read.
    pub fn unfinished(&self) -> Result<Vec<Block>, LoadError> {
        let bios: BpfHashMap<_, u64, WireBlock> = self.map("BIOS")?.try_into()?;
        let mut blocks = Vec::new();
        for entry in bios.iter() {
            let (_, WireBlock(mut block)) = entry?;
            block.bio |= bio::UNSEEN;
            blocks.push(block);
        }
        blocks.sort_by_key(|block| (block.head.ts, block.sector));
        Ok(blocks)
    }

    /// Requests of Linux AIO whose results the program did not fetch by a call, in the order in which they were
    /// submitted.
    ///
    /// # Errors
    /// If the map cannot be read.
    pub fn unfetched(&self) -> Result<Vec<Uring>, LoadError> {
        let aios: BpfHashMap<_, [u64; 2], WireUring> = self.map("AIOS")?.try_into()?;
        let mut requests = Vec::new();
        for entry in aios.iter() {
            let (_, WireUring(mut request)) = entry?;
            request.how |= uring::UNTOLD;
            requests.push(request);
        }
        requests.sort_by_key(|request| (request.head.ts, request.user_data));
        Ok(requests)
    }

    /// Takes the requests away of those that match: their process is no more, and nobody will fetch their results.
    ///
    /// # Errors
    /// If the map cannot be used.
    pub(crate) fn abandoned(
        &mut self,
        is_of: impl Fn(&Uring) -> bool,
    ) -> Result<Vec<Uring>, LoadError> {
        let mut aios: BpfHashMap<_, [u64; 2], WireUring> = self.map_mut("AIOS")?.try_into()?;
        let all: Vec<_> = aios.iter().filter_map(Result::ok).collect();
        let theirs = all
            .into_iter()
            .filter(|(_, WireUring(request))| is_of(request));
        let mut taken = Vec::new();
        for (key, WireUring(request)) in theirs {
            if aios.remove(&key).is_ok() {
                taken.push(request);
            }
        }
        Ok(taken)
    }

    /// A counter of all processors.
    pub(crate) fn total(&self, map: &'static str, i: u32) -> Result<u64, LoadError> {
        total(&self.ebpf, map, i)
    }

    pub(crate) fn map(&self, name: &'static str) -> Result<&aya::maps::Map, LoadError> {
        self.ebpf.map(name).ok_or_else(|| invalid(name))
    }

    pub(crate) fn map_mut(&mut self, name: &'static str) -> Result<&mut aya::maps::Map, LoadError> {
        self.ebpf.map_mut(name).ok_or_else(|| invalid(name))
    }

    /// Threads that are traced now.
    ///
    /// # Errors
    /// If a map cannot be read.
    pub fn threads(&self) -> Result<BTreeMap<u32, Left>, LoadError> {
        let slots: BpfHashMap<_, u32, u32> = self.map("SLOTS")?.try_into()?;
        let tasks: Array<_, TaskBytes> = self.map("TASKS")?.try_into()?;
        let mut threads = BTreeMap::new();
        for slot in slots.keys() {
            let TaskBytes(t) = tasks.get(&slot?, 0)?;
            if t.tid != 0 {
                threads.insert(t.tid, Left::of(&t));
            }
        }
        let more: BpfHashMap<_, u32, TaskBytes> = self.map("TASKS_MORE")?.try_into()?;
        for entry in more.iter() {
            let (tid, TaskBytes(t)) = entry?;
            threads.insert(tid, Left::of(&t));
        }
        Ok(threads)
    }
}

/// A thread that is traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    pub process: u32,
    /// The system call that it is in, `None` in user mode.
    pub call: Option<u32>,
}

impl Left {
    fn of(t: &Task) -> Self {
        Self {
            process: t.tgid,
            call: (t.flags & task::IN_CALL != 0).then_some(t.nr),
        }
    }
}
