//! What a trace says that advice can be given on, added up while it is read.

use std::collections::{BTreeMap, HashMap};

use crate::annotate::Annotator;
use crate::event::{CalledFrom, Frame, Meta, Name};
use crate::model::{CallId, Hop, HopKind, Place};
use crate::reconstruct::{Call, File, Sink, What};
use crate::rules::FileKind;

/// Which file: device and inode.
pub type Id = (u32, u64);

/// Calls and their bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub calls: u64,
    pub bytes: u64,
    pub time_ns: u64,
    /// Bytes that the CPU copied in them.
    pub copied: u64,
    /// The stack that the last such call came from, if the trace tells.
    pub stack: Option<u64>,
}

impl Tally {
    fn add(&mut self, call: &Call<'_>, bytes: u64, copied: u64, stack: Option<u64>) {
        self.calls += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.time_ns = self.time_ns.saturating_add(call.dur);
        self.copied = self.copied.saturating_add(copied);
        self.stack = stack.or(self.stack);
    }

    /// Bytes of a call, on average.
    pub fn size(&self) -> u64 {
        self.bytes / self.calls.max(1)
    }
}

/// Two ends of something that was read and then written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ends {
    pub from: FileKind,
    pub from_id: Id,
    pub to: FileKind,
    pub to_id: Id,
}

/// The last data call of a thread.
#[derive(Clone, Copy, Debug)]
struct Last {
    kind: FileKind,
    id: Id,
    /// Bytes read that were not written on yet.
    left: u64,
    copied: u64,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Facts {
    /// Data calls by name and file.
    pub calls: BTreeMap<(String, Id), (FileKind, Tally)>,
    /// Reads followed by writes of as many bytes.
    pub pairs: BTreeMap<Ends, Tally>,
    /// Writes followed at once by `fsync` or `fdatasync` of the same file; and on files with `O_SYNC`,
    /// `O_DSYNC`.
    pub synced: BTreeMap<Id, Tally>,
    /// Page faults on mapped files, without and with I/O, and pages that they mapped.
    pub file_faults: BTreeMap<Id, (Tally, u64)>,
    /// Bytes and faults of memory that the kernel zeroed.
    pub zeroed: Tally,
    /// Copy-on-write.
    pub cow: Tally,
    /// Sends by reference: `MSG_ZEROCOPY`, `SEND_ZC`; and what of them was copied after all.
    pub zerocopy: Tally,
    pub zerocopy_late: u64,
    /// Paths by file.
    pub names: HashMap<Id, String>,
    lines: Annotator,
    last: HashMap<u32, Last>,
    wrote: HashMap<u32, (Id, u64)>,
}

/// `O_SYNC` and `O_DSYNC` (the same on both architectures).
const SYNC: u32 = crate::arch::O_DSYNC | crate::arch::O_SYNC_ONLY;

fn id(file: &File) -> Id {
    (file.at.dev, file.at.ino)
}

impl Facts {
    /// The name of a file, if it was opened while we looked.
    pub fn name(&self, id: Id) -> Option<&str> {
        let path = self.names.get(&id)?;
        Some(path.rsplit('/').next().unwrap_or(path))
    }

    /// The program's own line on a stack.
    pub fn line(&self, stack: u64) -> Option<&Frame> {
        let source = self.lines.sources.get(&stack)?;
        source.frames.get(source.own?)
    }

    fn syscall(&mut self, call: &Call<'_>, name: &str, ret: i64, file: Option<File>, hops: &[Hop]) {
        let tid = call.id.tid;
        let stack = self.lines.stacks.of(call.id);
        let copied = hops.iter().filter(|hop| hop.kind == HopKind::Copy);
        let copied = copied.map(|hop| hop.bytes).fold(0, u64::saturating_add);
        let Some(file) = file else { return };
        let (bytes, at, kind) = (ret.max(0) as u64, id(&file), file.class.kind);
        let (reads, writes) = (is_read(name), is_write(name));
        if matches!(name, "fsync" | "fdatasync") {
            if let Some((wrote, bytes)) = self.wrote.remove(&tid).filter(|(wrote, _)| *wrote == at)
            {
                self.synced
                    .entry(wrote)
                    .or_default()
                    .add(call, bytes, 0, stack);
            }
            return;
        }
        if !(reads || writes || is_other(name)) || ret < 0 {
            return;
        }
        let entry = self.calls.entry((name.to_owned(), at));
        let (_, tally) = entry.or_insert_with(|| (kind, Tally::default()));
        tally.add(call, bytes, copied, stack);
        if reads && bytes > 0 {
            let left = bytes;
            self.last.insert(
                tid,
                Last {
                    kind,
                    id: at,
                    left,
                    copied,
                },
            );
        } else if writes && bytes > 0 {
            self.wrote.insert(tid, (at, bytes));
            if file.at.f_flags & SYNC != 0 {
                self.synced
                    .entry(at)
                    .or_default()
                    .add(call, bytes, copied, stack);
            }
            let before = self.last.get_mut(&tid);
            if let Some(last) = before.filter(|last| last.id != at && last.left >= bytes) {
                last.left -= bytes;
                let ends = Ends {
                    from: last.kind,
                    from_id: last.id,
                    to: kind,
                    to_id: at,
                };
                let copied = copied.saturating_add(std::mem::take(&mut last.copied));
                self.pairs
                    .entry(ends)
                    .or_default()
                    .add(call, bytes, copied, stack);
            } else {
                self.last.remove(&tid);
            }
        }
        for hop in hops {
            if hop.kind == HopKind::Share && hop.from == Place::User && hop.to == Place::Socket {
                self.zerocopy.add(call, hop.bytes, 0, stack);
            }
        }
    }

    fn fault(&mut self, call: &Call<'_>, file: Option<Id>, hops: &[Hop]) {
        let stack = self.lines.stacks.of(call.id);
        for hop in hops {
            match (hop.kind, file) {
                (HopKind::Map, Some(file)) => {
                    let (tally, bytes) = self.file_faults.entry(file).or_default();
                    tally.add(call, hop.bytes, 0, stack);
                    *bytes = bytes.saturating_add(hop.bytes);
                }
                (HopKind::Fill, _) => self.zeroed.add(call, hop.bytes, 0, stack),
                (HopKind::Copy, _) => self.cow.add(call, hop.bytes, hop.bytes, stack),
                _ => {}
            }
        }
    }
}

fn is_read(name: &str) -> bool {
    matches!(
        name,
        "read" | "pread64" | "readv" | "preadv" | "preadv2" | "recvfrom" | "recvmsg"
    )
}

fn is_write(name: &str) -> bool {
    matches!(
        name,
        "write" | "pwrite64" | "writev" | "pwritev" | "pwritev2" | "sendto" | "sendmsg"
    )
}

fn is_other(name: &str) -> bool {
    matches!(
        name,
        "sendfile" | "splice" | "copy_file_range" | "vmsplice" | "tee"
    )
}

impl Sink for Facts {
    fn call(&mut self, call: &Call<'_>, hops: &[Hop]) {
        match call.what {
            What::Syscall {
                name, ret, file, ..
            } => self.syscall(call, name, ret, file, hops),
            What::Fault { file, .. } => {
                self.fault(call, file.map(|(dev, ino, _)| (dev, ino)), hops)
            }
        }
    }

    fn late_hop(&mut self, _: CallId, hop: &Hop) {
        if hop.kind == HopKind::Copy && hop.from == Place::User && hop.to == Place::Socket {
            self.zerocopy_late = self.zerocopy_late.saturating_add(hop.bytes);
        }
    }

    fn name(&mut self, name: &Name) {
        self.names.insert((name.dev, name.ino), name.path.clone());
    }

    fn called_from(&mut self, from: &CalledFrom) {
        self.lines.called_from(from);
    }

    fn meta(&mut self, meta: &Meta) {
        self.lines.meta(meta);
    }
}
