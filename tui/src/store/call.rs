//! Calls and hops as they are kept.

use bytehop_core::event::Engine;
use bytehop_core::ledger::Unaccounted;
use bytehop_core::model::{Evidence, HopKind, Interrupt, Place};
use bytehop_core::rules::Class;

use super::paged::{Fields, Fixed};

/// A call, a page fault, or hops that came later. 40 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it began, ns of `CLOCK_MONOTONIC`.
    pub ts: u64,
    /// What it moved: what it returned, where that is a number of bytes; else the most that one of its hops moved.
    pub bytes: u64,
    /// How long it took, and how long of it the thread was blocked, ns; `u32::MAX`: that or longer.
    pub dur: u32,
    pub waited: u32,
    /// Number within its thread. Later hops: of the call that caused them.
    pub seq: u32,
    /// Index of its [`Sig`].
    pub sig: u32,
    /// Index of its list of hops.
    pub list: u32,
    /// Number of its record in the recording. Later hops: index of the call that caused them,
    /// [`NONE`] if unknown.
    pub record: u32,
}

/// No index.
pub const NONE: u32 = u32::MAX;

/// What calls may have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sig {
    pub tid: u32,
    pub tgid: u32,
    pub what: What,
    pub file: Option<FileId>,
    pub file2: Option<FileId>,
    /// Numbers of the regions that it was in ([`Store::region`](super::Store::region)).
    pub regions: Box<[u32]>,
    /// Why not all bytes that it returned are accounted for.
    pub open: Option<Unaccounted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// `error`: its number, 0 for none.
    Syscall {
        name: Box<str>,
        error: u16,
    },
    Fault {
        write: bool,
        major: bool,
    },
    Later,
}

/// A file, and what kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    pub dev: u32,
    pub ino: u64,
    pub class: Class,
}

/// What hops may have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopKey {
    pub kind: HopKind,
    pub from: Place,
    pub to: Place,
    pub evidence: Evidence,
    pub deferred: bool,
    pub engine: Option<Engine>,
    pub interrupt: Option<Interrupt>,
}

/// A hop. 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    pub bytes: u64,
    pub count: u32,
    /// When it began, counted from its call's beginning, and how long it took, ns; 0 where unknown.
    pub after: u32,
    pub dur: u32,
    /// Index of its [`HopKey`].
    pub key: u16,
}

impl Fixed for Call {
    const SIZE: usize = 40;

    fn put(&self, to: &mut Vec<u8>) {
        to.extend(self.ts.to_le_bytes());
        to.extend(self.bytes.to_le_bytes());
        let rest = [
            self.dur,
            self.waited,
            self.seq,
            self.sig,
            self.list,
            self.record,
        ];
        rest.iter().for_each(|n| to.extend(n.to_le_bytes()));
    }

    fn get(from: &mut Fields<'_>) -> Self {
        Self {
            ts: from.u64(),
            bytes: from.u64(),
            dur: from.u32(),
            waited: from.u32(),
            seq: from.u32(),
            sig: from.u32(),
            list: from.u32(),
            record: from.u32(),
        }
    }
}

impl Fixed for Hop {
    const SIZE: usize = 22;

    fn put(&self, to: &mut Vec<u8>) {
        to.extend(self.bytes.to_le_bytes());
        let rest = [self.count, self.after, self.dur];
        rest.iter().for_each(|n| to.extend(n.to_le_bytes()));
        to.extend(self.key.to_le_bytes());
    }

    fn get(from: &mut Fields<'_>) -> Self {
        Self {
            bytes: from.u64(),
            count: from.u32(),
            after: from.u32(),
            dur: from.u32(),
            key: from.u16(),
        }
    }
}
