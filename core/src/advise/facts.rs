//! What a trace says that advice can be given on, added up while it is read.

use std::collections::{BTreeMap, HashMap};

use tracer_ebpf::{Exec, Exit, Fork, Switch};

use super::data::{Step, Way, data_call};
use super::end::{End, Id, NOBODY, Site};
use super::files::Files;
use super::flow::{Flow, Side, Tried};
use super::memory::{Memory, PageShift};
use super::positions::Positions;
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
    /// Writes followed at once by `fsync` or `fdatasync` of the same file.
    pub synced: BTreeMap<(Id, Site), Tally>,
    /// Writes to files with `O_SYNC` or `O_DSYNC`.
    pub sync_writes: BTreeMap<(Id, Site), Tally>,
    /// Calls with `O_DIRECT` that were copied through the page cache after all.
    pub fell_back: BTreeMap<(Id, Site), Tally>,
    /// Sends by reference: `MSG_ZEROCOPY`, `SEND_ZC`; and what of them was copied after all.
    pub zerocopy: BTreeMap<Site, Tally>,
    pub zerocopy_late: u64,
    /// Bytes that a process sent through sockets.
    pub sent: HashMap<u32, u64>,
    pub files: Files,
    positions: Positions,
    /// Names of programs, their numbers, and which of them each process is.
    programs: Vec<String>,
    numbers: HashMap<String, usize>,
    running: HashMap<u32, usize>,
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
    /// Nothing but page faults was seen.
    #[cfg(test)]
    pub fn of(memory: Memory) -> Self {
        Self {
            memory,
            ..Self::default()
        }
    }

    /// Whether a file is the program's own code, or what its start reads.
    pub fn is_code(&self, id: Id) -> bool {
        self.memory.code.contains(&id) || self.files.is_start(id)
    }

    /// The program's name, if there were several.
    pub fn program(&self, site: Site) -> Option<&str> {
        let program = site.program.filter(|_| self.programs.len() > 1)?;
        self.programs.get(program).map(String::as_str)
    }

    fn runs(&mut self, tgid: u32, name: &str) {
        let next = self.programs.len();
        let program = *self.numbers.entry(name.to_owned()).or_insert(next);
        if program == next {
            self.programs.push(name.to_owned());
        }
        self.running.insert(tgid, program);
    }

    fn id(&self, file: &File) -> Id {
        self.files.id(file.at.dev, file.at.ino)
    }

    fn site(&self, call: &Call<'_>) -> Site {
        Site {
            program: self.running.get(&call.tgid).copied(),
            stack: self.lines.stacks.of(call.id),
        }
    }

    /// The program's own line on a stack.
    pub fn line(&self, stack: u64) -> Option<&Frame> {
        self.lines.frame(stack)
    }

    fn syscall(&mut self, call: &Call<'_>, seen: &Seen<'_>, hops: &[Hop]) {
        let site = self.site(call);
        self.runs.ended(call, seen.name, seen.args, seen.ret);
        if let Ok(ret) = u64::try_from(seen.ret) {
            self.positions.ended(call.tgid, seen.name, seen.args, ret);
            self.memory.called(call.tgid, seen.name, seen.args, ret);
        }
        for hop in hops {
            if hop.kind == HopKind::Share && hop.from == Place::User && hop.to == Place::Socket {
                self.zerocopy.entry(site).or_default().add(call, hop.bytes);
            }
        }
        if seen.ret < 0 {
            self.failed(call, seen);
        }
        let Some(file) = seen.file else { return };
        let at = self.id(&file);
        if matches!(seen.name, "fsync" | "fdatasync") {
            let wrote = self.wrote.remove(&call.id.tid);
            if let Some((wrote, bytes)) = wrote.filter(|(wrote, _)| *wrote == at) {
                let synced = self.synced.entry((wrote, site)).or_default();
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
            if seen.ret == 0 && asked > 0 && data.way == Way::In {
                self.flow.at_end(call.tgid, at);
            }
            return;
        }
        let copies = hops.iter().filter(|hop| hop.kind == HopKind::Copy);
        let copied = copies.clone().map(|hop| hop.bytes);
        let copied = copied.fold(0, u64::saturating_add);
        let end = End::of(&file, at);
        let synced = file.at.f_flags & SYNC != 0;
        if data.way == Way::Out {
            self.wrote.insert(call.id.tid, (at, bytes));
            if end.is_file() {
                self.memory.wrote(call.tgid, bytes);
            }
            if end.is_socket() {
                let sent = self.sent.entry(call.tgid).or_default();
                *sent = sent.saturating_add(bytes);
            }
            if synced && end.is_file() {
                let tally = self.sync_writes.entry((at, site)).or_default();
                tally.add(call, bytes);
            }
        }
        // What a device that is only software copies on its side is another copy.
        let ends = |hop: &&Hop| {
            let ends = [&hop.from, &hop.to];
            ends.contains(&&Place::PageCache) && ends.contains(&&Place::User)
        };
        let cached = copies.filter(ends).map(|hop| hop.bytes);
        let cached = cached.fold(0, u64::saturating_add);
        if file.class.direct && cached > 0 {
            let tally = self.fell_back.entry((at, site)).or_default();
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
            position: self.positions.moved(call.tgid, data, seen.args, bytes),
            site,
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
        let known = |file: Option<File>| file.map(|file| self.id(&file)).filter(|id| *id != NOBODY);
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
                let site = self.site(call);
                let file = file.map(|(dev, ino, _)| self.files.id(dev, ino));
                self.memory.fault(call.tgid, (*addr, *ip), file, hops, site);
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
        let (parent, child) = (fork.head.tgid, fork.child_tgid);
        if let Some(program) = self.running.get(&parent) {
            self.running.insert(child, *program);
        }
        if fork.clone_flags & CLONE_VM == 0 {
            self.memory.forked(parent, child);
        }
    }

    fn exec(&mut self, exec: &Exec) {
        let tgid = exec.head.tgid;
        self.memory.exec(tgid);
        self.flow.forget(tgid);
        let name = exec.comm.split(|byte| *byte == 0).next();
        self.runs(tgid, &String::from_utf8_lossy(name.unwrap_or_default()));
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
            self.positions.forget(head.tgid);
            self.running.remove(&head.tgid);
        }
    }

    fn name(&mut self, name: &Name) {
        self.files.named(name);
    }

    fn called_from(&mut self, from: &CalledFrom) {
        self.lines.called_from(from);
    }

    fn meta(&mut self, meta: &Meta) {
        if let Meta::Start(start) = meta {
            self.memory.attached = start.attached;
            for (dev, ino, path) in &start.there.files {
                self.files.put(*dev, *ino, path);
            }
            for (pid, comm) in start
                .children
                .iter()
                .chain([&(start.pid, start.comm.clone())])
            {
                if start.attached && !comm.is_empty() {
                    self.runs(*pid, comm);
                }
            }
            // Of a damaged recording the size may be anything.
            let shift = start.page_size.trailing_zeros();
            if start.page_size.is_power_of_two() && (12..=16).contains(&shift) {
                self.memory.page_shift = PageShift(shift);
            }
        }
        self.lines.meta(meta);
    }
}
