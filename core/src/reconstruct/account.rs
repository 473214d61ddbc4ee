//! The account: what calls said they moved, and what became of those bytes.
//!
//! For every call that returns a number of payload bytes, the bytes of its hops add up to it, or the
//! difference stands open with its reason ([`Unaccounted`]). A device may finish after the call whose bytes it
//! moves was told: until then these wait in `pending`. Which request of io_uring a device serves is not
//! told, so theirs are compared as sums.

use std::collections::{HashMap, HashSet};

use super::tally::{At, Moved};
use super::{PAGE_ALLOC, measured::Outcome};
use crate::ledger::{Open, Unaccounted};
use crate::model::{CallId, HopKind};
use crate::rules::{Does, Rule};

/// Calls that wait for a device; the bytes of more than these stand open at once.
const PENDING_MAX: usize = 65_536;

/// Which call: of the 32-bit table, number; or an operation of io_uring
/// ([`tracer_ebpf::OPERATION`] and its number).
pub type Which = (bool, u16);

/// A file: device and inode.
pub type Inode = (u32, u64);

/// In the place of an operation's number: of several.
pub const ANY: u16 = 0xff;

/// The sums of a trace.
#[derive(Debug, Default)]
pub struct Account {
    /// Payload bytes that calls said they moved.
    pub returned: u64,
    open: Open<Which>,
    pending: HashMap<CallId, (Which, u64)>,
    /// Of these, direct reads that may have met holes, with the index of the process and the file.
    holes: Vec<(CallId, usize, Inode)>,
    /// Files of which direct reads went through the page cache: of pages that lie there already no hook tells, so a
    /// read that no device served is not known to be of a hole. (ext4 also writes into a hole that way, and reads it
    /// directly.)
    fell_back: HashSet<Inode>,
    /// What requests of io_uring left to devices, and what devices moved outside other calls.
    requests: (u64, u64),
}

/// What became of the bytes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Hops, or a rule that says they went nowhere, account for all of them.
    Closed,
    /// So many are left, for this reason.
    Open(u64, Unaccounted),
    /// A device is to move so many more.
    Pending(u64),
}

impl Fate {
    /// Why bytes are left, if they are.
    pub fn open(self) -> Option<Unaccounted> {
        match self {
            Self::Open(_, why) => Some(why),
            Self::Closed | Self::Pending(_) => None,
        }
    }

    /// Of `bytes` that a call returned, `found` are known.
    pub fn of(bytes: u64, found: u64, why: Unaccounted) -> Self {
        match bytes.saturating_sub(found) {
            0 => Self::Closed,
            left => Self::Open(left, why),
        }
    }

    /// What a rule, and the probes that could have measured the same, say of a call's bytes; `moved`: its
    /// hops.
    pub fn by_rule(rule: &Rule, outcome: Outcome, bytes: u64, moved: &[Moved]) -> Self {
        match (rule.does, outcome) {
            (Does::Moves(_), Outcome::Unmeasured) | (Does::Discards, _) => Self::Closed,
            (Does::Moves(_), Outcome::Measured(found)) => {
                Self::of(bytes, found, Unaccounted::Less(rule.id))
            }
            (Does::Moves(_), Outcome::Refuted) => Self::of(bytes, 0, Unaccounted::Silent(rule.id)),
            (Does::CannotTell, _) => Self::of(bytes, 0, Unaccounted::CannotTell(rule.id)),
            (Does::LeavesToDevice, _) => {
                let found = moved.iter().filter(|hop| is_transfer(hop));
                let found = found.fold(0, |sum: u64, hop| sum.saturating_add(hop.bytes));
                match bytes.saturating_sub(found) {
                    0 => Self::Closed,
                    left => Self::Pending(left),
                }
            }
        }
    }
}

/// Whether a hop may be what a call with `O_DIRECT` asked a device for. The kernel may have taken the page
/// cache after all, or written zeros; but pages that it cleared, or copied for themselves, are the memory
/// that the transfer goes to.
fn is_transfer(hop: &Moved) -> bool {
    let key = &hop.key;
    let device = |at| matches!(at, At::Disk(_));
    let payload = match key.kind {
        HopKind::Dma => device(key.from) || device(key.to),
        HopKind::Copy => (key.from, key.to) != (At::User, At::User),
        HopKind::Fill => key.by != PAGE_ALLOC,
        HopKind::Share | HopKind::Map => false,
    };
    payload && !key.deferred
}

impl Account {
    /// Takes a request of io_uring that moved `bytes`.
    pub fn take_request(&mut self, which: Which, bytes: u64, fate: Fate) {
        match fate {
            Fate::Pending(left) => {
                self.returned = self.returned.saturating_add(bytes);
                self.requests.0 = self.requests.0.saturating_add(left);
            }
            fate => self.take(which, CallId::default(), bytes, fate),
        }
    }

    /// Takes the hops of a call that itself returns no number of bytes.
    pub fn beside(&mut self, moved: &[Moved]) {
        let found = moved
            .iter()
            .filter(|hop| is_transfer(hop) && hop.key.kind == HopKind::Dma);
        self.requests.1 = found.fold(self.requests.1, |sum, hop| sum.saturating_add(hop.bytes));
    }

    /// From now on the kernel fills memory that the program has mapped, or it has moved pages: no number is known.
    pub fn unknown(&mut self, which: Which, why: Unaccounted) {
        self.open.add(which, why, 1, 0);
    }

    /// Messages of which no size is known.
    pub fn unsized_messages(&mut self, which: Which, count: u64) {
        self.open.add(which, Unaccounted::Unsized, count, 0);
    }

    /// Takes a call that returned `bytes`.
    pub fn take(&mut self, which: Which, id: CallId, bytes: u64, fate: Fate) {
        self.returned = self.returned.saturating_add(bytes);
        match fate {
            Fate::Closed => {}
            Fate::Open(left, why) => self.open.add(which, why, 1, left),
            Fate::Pending(left) if self.pending.len() < PENDING_MAX => {
                self.pending.insert(id, (which, left));
            }
            Fate::Pending(left) => self.open.add(which, Unaccounted::NoDevice, 1, left),
        }
    }

    /// A direct read may have met a hole, where a file system fills zeros in: if no device moves what is left of
    /// it to the end of the trace, it did.
    pub fn may_be_hole(&mut self, id: CallId, process: usize, file: Inode) {
        if self.pending.contains_key(&id) && self.holes.len() < PENDING_MAX {
            self.holes.push((id, process, file));
        }
    }

    /// A direct read of this file went through the page cache.
    pub fn fell_back(&mut self, file: Inode) {
        if self.fell_back.len() < PENDING_MAX {
            self.fell_back.insert(file);
        }
    }

    /// Direct reads that met holes, with the process's index and the bytes: all devices have told.
    pub fn holes(&mut self) -> Vec<(CallId, usize, u64)> {
        let holes = std::mem::take(&mut self.holes).into_iter();
        let left = |id: &CallId| self.pending.get(id).map(|(_, left)| *left);
        holes
            .filter(|(.., file)| !self.fell_back.contains(file))
            .filter_map(|(id, process, _)| Some((id, process, left(&id)?)))
            .collect()
    }

    /// A hop that came after its call.
    pub fn late(&mut self, id: CallId, hop: &Moved) {
        if !is_transfer(hop) {
            return;
        }
        match self.pending.get_mut(&id) {
            Some((_, left)) => {
                *left = left.saturating_sub(hop.bytes);
                if *left == 0 {
                    self.pending.remove(&id);
                }
            }
            None => self.beside(std::slice::from_ref(hop)),
        }
    }

    /// What stands open, and what devices still owe.
    pub fn open(&self) -> Open<Which> {
        let mut open = self.open.clone();
        for &(which, left) in self.pending.values() {
            open.add(which, Unaccounted::NoDevice, 1, left);
        }
        let (left, found) = self.requests;
        if left > found {
            let any = (false, tracer_ebpf::OPERATION | ANY);
            open.add(any, Unaccounted::NoDevice, 1, left - found);
        }
        open
    }
}
