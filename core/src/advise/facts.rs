//! What a trace says that advice can be given on, added up while it is read.

use std::collections::{BTreeMap, HashMap};

use tracer_ebpf::{Exec, Exit, Fork, Switch};

use super::data::{Step, Way, data_call};
use super::end::{End, Id, id};
use super::flow::{Flow, Side, Tried};
use super::memory::{Memory, PageShift};
use super::runs::Runs;
use crate::annotate::Annotator;
use crate::arch::{O_APPEND, O_DSYNC, O_SYNC_ONLY};
use crate::event::{CalledFrom, Frame, Meta, Name};
use crate::model::{CallId, Hop, HopKind, Place};
use crate::reconstruct::{Call, File, Sink, What};
use crate::rules::Fs;

/// Calls and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    pub calls: u64,
    pub bytes: u64,
    pub time_ns: u64,
}

impl Tally {
    fn add(&mut self, call: &Call<'_>, bytes: u64) {
        self.calls += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.time_ns = self.time_ns.saturating_add(call.dur);
    }
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Facts {
    pub flow: Flow,
    pub runs: Runs,
    pub memory: Memory,
    /// Writes followed at once by `fsync` or `fdatasync` of the same file; and on files with `O_SYNC`,
    /// `O_DSYNC`.
    pub synced: BTreeMap<(Id, Option<u64>), Tally>,
    /// Calls with `O_DIRECT` that were copied through the page cache after all.
    pub fell_back: BTreeMap<(Id, Option<u64>), Tally>,
    /// Sends by reference: `MSG_ZEROCOPY`, `SEND_ZC`; and what of them was copied after all.
    pub zerocopy: BTreeMap<Option<u64>, Tally>,
    pub zerocopy_late: u64,
    /// Paths by file.
    names: HashMap<Id, String>,
    lines: Annotator,
    wrote: HashMap<u32, (Id, u64)>,
}

/// `O_SYNC` and `O_DSYNC` (the same on both architectures).
const SYNC: u32 = O_DSYNC | O_SYNC_ONLY;
/// `CLONE_VM`: no memory is shared out.
const CLONE_VM: u64 = 0x100;

/// A system call as advice looks at it.
struct Seen<'a> {
    name: &'a str,
    ret: i64,
    args: &'a [u64; 6],
    file: Option<File>,
    file2: Option<File>,
}

impl Facts {
    /// The name of a file, if it was opened while we looked.
    pub fn name(&self, id: Id) -> Option<&str> {
        let path = self.names.get(&id)?;
        Some(path.rsplit('/').next().unwrap_or(path))
    }

    /// Whether a file is the program's own code, or what its start reads.
    pub fn is_code(&self, id: Id) -> bool {
        const START: [&str; 4] = [
            "/etc/ld.so",
            "/usr/lib/locale/",
            "/usr/share/locale/",
            "/usr/lib/x86_64-linux-gnu/gconv/",
        ];
        if self.memory.code.contains(&id) {
            return true;
        }
        let Some(path) = self.names.get(&id) else {
            return false;
        };
        path.ends_with(".so")
            || path.contains(".so.")
            || START.iter().any(|start| path.starts_with(start))
    }

    pub fn is_named(&self, id: Id) -> bool {
        self.names.contains_key(&id)
    }

    /// The program's own line on a stack.
    pub fn line(&self, stack: u64) -> Option<&Frame> {
        self.lines.frame(stack)
    }

    fn syscall(&mut self, call: &Call<'_>, seen: &Seen<'_>, hops: &[Hop]) {
        let stack = self.lines.stacks.of(call.id);
        self.runs.ended(call, seen.name, seen.args, seen.ret);
        for hop in hops {
            if hop.kind == HopKind::Share && hop.from == Place::User && hop.to == Place::Socket {
                self.zerocopy.entry(stack).or_default().add(call, hop.bytes);
            }
        }
        if seen.ret < 0 {
            self.failed(call, seen);
        }
        let Some(file) = seen.file else { return };
        if matches!(seen.name, "fsync" | "fdatasync") {
            let wrote = self.wrote.remove(&call.id.tid);
            if let Some((wrote, bytes)) = wrote.filter(|(wrote, _)| *wrote == id(&file)) {
                let synced = self.synced.entry((wrote, stack)).or_default();
                synced.add(call, bytes);
            }
            return;
        }
        let Some(data) = data_call(seen.name) else {
            return;
        };
        let asked = data.buffer(seen.args).map_or(u64::MAX, |(_, len)| len);
        let bytes = u64::try_from(seen.ret).unwrap_or_default().min(asked);
        if bytes == 0 || data.peeks(seen.args) {
            return;
        }
        let copies = hops.iter().filter(|hop| hop.kind == HopKind::Copy);
        let copied = copies.clone().map(|hop| hop.bytes);
        let copied = copied.fold(0, u64::saturating_add);
        let (end, at) = (End::of(&file), id(&file));
        let synced = file.at.f_flags & SYNC != 0;
        if data.way == Way::Out {
            self.wrote.insert(call.id.tid, (at, bytes));
            if synced && end.is_file() {
                self.synced.entry((at, stack)).or_default().add(call, bytes);
            }
        }
        let cached: u64 = copies
            .filter(|hop| hop.from == Place::PageCache || hop.to == Place::PageCache)
            .map(|hop| hop.bytes)
            .fold(0, u64::saturating_add);
        if file.class.direct && cached > 0 {
            let tally = self.fell_back.entry((at, stack)).or_default();
            tally.add(call, cached);
        }
        let side = Side {
            end,
            id: at,
            shareable: file.class.fs == Fs::Reflink,
            append: file.at.f_flags & O_APPEND != 0,
            direct: file.class.direct,
        };
        let step = Step {
            call,
            data,
            args: seen.args,
            bytes,
            copied,
            stack,
        };
        self.flow.moved(&step, side);
        if !file.class.direct && !synced {
            self.runs.moved(&step, end, at);
        }
    }

    /// A call that copies nothing to user memory was tried.
    fn failed(&mut self, call: &Call<'_>, seen: &Seen<'_>) {
        let name = match seen.name {
            "copy_file_range" => "copy_file_range",
            "sendfile" | "sendfile64" => "sendfile",
            "splice" => "splice",
            _ => return,
        };
        let Ok(errno) = u32::try_from(seen.ret.saturating_neg()) else {
            return;
        };
        let passing = matches!(crate::linux::error_name(errno), Some("EAGAIN" | "EINTR"));
        if passing || errno > 4095 {
            return;
        }
        let tried = Tried { call: name, errno };
        let known = |file: Option<File>| file.map(|file| id(&file)).filter(|id| *id != (0, 0));
        let ends = [known(seen.file), known(seen.file2)];
        self.flow.failed(call.tgid, tried, ends);
    }
}

impl Sink for Facts {
    fn call(&mut self, call: &Call<'_>, hops: &[Hop]) {
        match &call.what {
            What::Syscall {
                name,
                ret,
                args,
                file,
                file2,
                ..
            } => {
                let seen = Seen {
                    name,
                    ret: *ret,
                    args,
                    file: *file,
                    file2: *file2,
                };
                self.syscall(call, &seen, hops);
            }
            What::Fault { addr, ip, file, .. } => {
                let stack = self.lines.stacks.of(call.id);
                let file = file.map(|(dev, ino, _)| (dev, ino));
                self.memory
                    .fault(call.tgid, (*addr, *ip), file, hops, stack);
            }
        }
    }

    fn late_hop(&mut self, _: CallId, hop: &Hop) {
        if hop.kind == HopKind::Copy && hop.from == Place::User && hop.to == Place::Socket {
            self.zerocopy_late = self.zerocopy_late.saturating_add(hop.bytes);
        }
    }

    fn switch(&mut self, switch: &Switch) {
        self.flow.off(switch.head.tid, switch.off);
    }

    fn fork(&mut self, fork: &Fork) {
        if fork.clone_flags & CLONE_VM == 0 {
            self.memory.forked(fork.head.tgid, fork.child_tgid);
        }
    }

    fn exec(&mut self, exec: &Exec) {
        self.memory.forget(exec.head.tgid);
        self.flow.forget(exec.head.tgid);
    }

    fn exit(&mut self, exit: &Exit) {
        let head = &exit.head;
        self.flow.forget_thread(head.tid);
        self.runs.forget_thread(head.tid);
        self.wrote.remove(&head.tid);
        if head.tid == head.tgid {
            self.memory.forget(head.tgid);
            self.flow.forget(head.tgid);
            self.runs.forget(head.tgid);
        }
    }

    fn name(&mut self, name: &Name) {
        self.names.insert((name.dev, name.ino), name.path.clone());
    }

    fn called_from(&mut self, from: &CalledFrom) {
        self.lines.called_from(from);
    }

    fn meta(&mut self, meta: &Meta) {
        if let Meta::Start(start) = meta {
            self.memory.attached = start.attached;
            // Of a damaged recording the size may be anything.
            let shift = start.page_size.trailing_zeros();
            if start.page_size.is_power_of_two() && (12..=16).contains(&shift) {
                self.memory.page_shift = PageShift(shift);
            }
        }
        self.lines.meta(meta);
    }
}
