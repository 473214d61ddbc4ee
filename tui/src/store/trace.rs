//! A trace, kept: what is asked of it.

use std::collections::HashMap;

use bytehop_core::annotate::{Annotation, Annotator};
use bytehop_core::event::{Engine, Frame};
use bytehop_core::histogram::Histogram;
use bytehop_core::model::{CallId, HopKind, Summary};

use super::call::{Call, FileId, Hop, HopKey, Sig, What};
use super::detail::Details;
use super::intern::{Keys, Lists};
use super::paged::Paged;
use super::sums::{Prefix, Sums};
use super::threads::Threads;

/// Paths by `(dev, ino)`.
type Names = HashMap<(u32, u64), Box<str>>;

/// What a [`Store`] needs only while it grows.
#[derive(Default)]
pub(super) struct Building {
    pub known: HashMap<Sig, u32>,
    /// The last call's `sig`: the next is often the same.
    pub last: u32,
    /// Number of the record that is being taken.
    pub record: u32,
    /// Later hops that have come since the last call, of this call.
    pub late: Option<(CallId, u64)>,
    pub hops: Vec<Hop>,
}

/// A trace, or what is known of it so far. [`Feed`](super::Feed) fills it.
#[derive(Default)]
pub struct Store {
    pub(super) calls: Paged<Call>,
    pub(super) sigs: Vec<Sig>,
    pub(super) keys: Keys,
    pub(super) lists: Lists,
    pub(super) prefix: Prefix,
    pub(super) names: Names,
    /// By [`HopKey`]: how many bytes each hop moved, and how long it took where that is known.
    pub(super) histograms: Vec<[Histogram; 2]>,
    /// Names of regions that calls were in, by number.
    pub(super) regions: Vec<Box<str>>,
    pub(super) threads: Threads,
    /// Which source line each call came from, if the trace tells.
    pub(super) annotator: Annotator,
    /// The end of the path of the one file that lines are wanted of, if it is one.
    pub(super) program: Option<String>,
    /// What each source line did; known at the end of the trace.
    pub annotation: Annotation,
    /// The whole run, or what is known of it.
    pub summary: Summary,
    /// When the first and the last call began, ns.
    pub span: (u64, u64),
    /// Where details are read from.
    pub details: Details,
    pub(super) building: Building,
}

impl Store {
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

    /// Sizes, and times where they are known, of all hops of the same kind, way and evidence.
    pub fn histograms(&self, hop: &Hop) -> &[Histogram; 2] {
        const NONE: &[Histogram; 2] = &[Histogram::EMPTY, Histogram::EMPTY];
        self.histograms.get(usize::from(hop.key)).unwrap_or(NONE)
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
    pub(super) fn crosses(&self, sig: u32) -> bool {
        let sig = self.sigs.get(sig as usize);
        sig.is_some_and(|sig| sig.what != What::Later)
    }

    /// The line of the program's source that made a call, or caused later hops.
    pub fn line(&self, index: usize) -> Option<&Frame> {
        let call = self.call(index)?;
        let tid = self.sig(&call)?.tid;
        self.own(CallId { tid, seq: call.seq })
    }

    /// Whether the trace tells source lines.
    pub fn has_lines(&self) -> bool {
        !self.annotation.files.is_empty()
    }

    /// The name of a region that calls were in.
    pub fn region(&self, number: u32) -> Option<&str> {
        let name = self.regions.get(number as usize)?;
        (!name.is_empty()).then_some(name)
    }

    /// The path that a file was opened by, if an `open` of it was seen.
    pub fn name(&self, file: &FileId) -> Option<&str> {
        self.names
            .get(&(file.dev, file.ino))
            .map(|name| name.as_ref())
    }
}
