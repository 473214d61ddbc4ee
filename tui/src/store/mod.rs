//! The calls and hops of a trace, kept small.
//!
//! A call takes 32 bytes ([`Call`]); what many calls have in common (thread, name, files, hops) is
//! kept once and named by number. What is only looked at now and then, the arguments and the result,
//! is not kept at all: [`Details`] reads it again from the recording, by the number of its record.
//! Of the calls themselves only those in sight and the last ones are in memory ([`Paged`]).
//!
//! A store grows while it is looked at: live, and while a large recording is read ([`Feed`]). What is
//! in it does not change any more.
//!
//! Hops that ran later than their call (write-back, readahead, packets) stand as calls of their own
//! ([`What::Later`]) at the place in the order where they became known, so stepping meets them late.

mod build;
mod detail;
mod feed;
mod intern;
mod paged;
mod sums;
mod threads;

use std::path::Path;

use bytehop_core::annotate::{Annotation, Annotator};
use bytehop_core::arch::Arch;
use bytehop_core::event::{Engine, Event, Frame};
use bytehop_core::ledger::Unaccounted;
use bytehop_core::model::{CallId, Evidence, HopKind, Place, Summary};
use bytehop_core::reconstruct::Reconstructor;
use bytehop_core::record::RecordError;
use bytehop_core::rules::Class;
pub use detail::{Detail, Details};
pub use feed::Feed;
use intern::{Keys, Lists};
pub use paged::{Fields, Fixed, Paged};
use sums::Prefix;
use threads::Threads;

pub use sums::{Amount, Sums};

/// A call, a page fault, or hops that came later. 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it began, ns of `CLOCK_MONOTONIC`.
    pub ts: u64,
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
    /// Why not all bytes that it returned are accounted for.
    pub open: Option<Unaccounted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    Syscall { name: Box<str>, failed: bool },
    Fault { write: bool, major: bool },
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
    const SIZE: usize = 32;

    fn put(&self, to: &mut Vec<u8>) {
        to.extend(self.ts.to_le_bytes());
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

/// A trace, or what is known of it so far. [`Feed`] fills it.
#[derive(Default)]
pub struct Store {
    calls: Paged<Call>,
    sigs: Vec<Sig>,
    keys: Keys,
    lists: Lists,
    prefix: Prefix,
    names: build::Names,
    threads: Threads,
    /// Which source line each call came from, if the trace tells.
    annotator: Annotator,
    /// What each source line did; known at the end of the trace.
    pub annotation: Annotation,
    /// The whole run, or what is known of it.
    pub summary: Summary,
    /// When the first and the last call began, ns.
    pub span: (u64, u64),
    /// Where details are read from.
    pub details: Details,
    building: build::Building,
}

impl Store {
    /// Reads a recording from beginning to end.
    ///
    /// # Errors
    /// If the file cannot be opened or is no recording; damage further on becomes a warning in the
    /// summary.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let (mut feed, mut store) = Feed::of_file(path)?;
        feed.pull(&mut store, None);
        Ok(store)
    }

    /// Takes events that are in no recording: arguments of calls are not known then.
    pub fn of_events<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut reconstructor = Reconstructor::new(Arch::host().unwrap_or(Arch::X86_64));
        let mut store = Self::default();
        for event in events {
            reconstructor.push(event, &mut store);
        }
        reconstructor.drain(&mut store);
        store.summary = reconstructor.finish();
        store.finish();
        store
    }

    /// Calls, faults and later hops together.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub fn call(&self, index: usize) -> Option<Call> {
        self.calls.get(index)
    }

    pub fn sig(&self, call: &Call) -> Option<&Sig> {
        self.sigs.get(call.sig as usize)
    }

    /// The hops of a call, in the order in which the bytes moved.
    pub fn hops(&self, index: usize) -> Vec<Hop> {
        self.call(index)
            .map_or_else(Vec::new, |call| self.lists.hops(call.list).collect())
    }

    pub fn has_hops(&self, index: usize) -> bool {
        self.call(index)
            .is_some_and(|call| !self.lists.is_empty(call.list))
    }

    /// Whether a device moved the bytes of a hop, and not a CPU in its name.
    pub fn is_dma(&self, hop: &Hop) -> bool {
        let key = self.key(hop);
        key.is_some_and(|key| key.kind == HopKind::Dma && key.engine != Some(Engine::Software))
    }

    pub fn key(&self, hop: &Hop) -> Option<&HopKey> {
        self.keys.get(hop.key)
    }

    /// All [`HopKey`]s of the trace, by index.
    pub fn keys(&self) -> &[HopKey] {
        self.keys.all()
    }

    /// Whether two calls are told as one when they follow each other: the same call on the same
    /// files, with hops alike in all but amounts.
    pub fn alike(&self, a: usize, b: usize) -> bool {
        match (self.call(a), self.call(b)) {
            (Some(a), Some(b)) => {
                a.sig == b.sig && self.lists.shape(a.list) == self.lists.shape(b.list)
            }
            _ => false,
        }
    }

    /// What was done up to and with the call `index`.
    pub fn sums_until(&self, index: usize) -> Sums {
        if index + 1 == self.len() {
            return self.sums();
        }
        let (mut sums, from) = self.prefix.before(index);
        self.add_to(&mut sums, from..=index);
        sums
    }

    /// What was done in all.
    pub fn sums(&self) -> Sums {
        self.prefix.all().clone()
    }

    /// What was done in some calls.
    pub fn sums_of(&self, calls: impl IntoIterator<Item = usize>) -> Sums {
        let mut sums = Sums::default();
        self.add_to(&mut sums, calls);
        sums
    }

    /// Adds what was done in some calls.
    pub fn add_to(&self, sums: &mut Sums, calls: impl IntoIterator<Item = usize>) {
        for call in calls.into_iter().filter_map(|index| self.call(index)) {
            sums.add(self.crosses(call.sig), self.lists.hops(call.list));
        }
    }

    /// Whether a call crosses between user mode and the kernel.
    fn crosses(&self, sig: u32) -> bool {
        let sig = self.sigs.get(sig as usize);
        sig.is_some_and(|sig| sig.what != What::Later)
    }

    /// The line of the program's source that made a call, or caused later hops.
    pub fn line(&self, index: usize) -> Option<&Frame> {
        let call = self.call(index)?;
        let tid = self.sig(&call)?.tid;
        self.annotator.own(CallId { tid, seq: call.seq })
    }

    /// Whether the trace tells source lines.
    pub fn has_lines(&self) -> bool {
        !self.annotation.files.is_empty()
    }

    /// The path that a file was opened by, if an `open` of it was seen.
    pub fn name(&self, file: &FileId) -> Option<&str> {
        self.names
            .get(&(file.dev, file.ino))
            .map(|name| name.as_ref())
    }
}
