//! `bytehop top`: what the bytes of every process cost, interval by interval.
//!
//! The kernel counts per process; the crate `tracer` reads the counters now and then, [`group`] subtracts
//! what they were before, and [`conclude`](mod@conclude) makes rows of it, by the rules that `stat` asks.
//!
//! There is no event stream, so there are things that nobody counted: a row says so ([`Unknown`]).

pub mod conclude;
pub mod group;

use std::time::Duration;

use serde::Serialize;
pub use tracer_ebpf::Proc;

use crate::ledger::Ledger;
use crate::model::{HopKind, HopRow, IoTotals};
pub use crate::unknown::{Unknown, What};

/// A table: every process that is known, and what it did meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The first is 1.
    pub round: u64,
    /// When it was taken, ns since 1970.
    pub realtime_ns: u64,
    /// What the rows count over.
    pub interval: Duration,
    /// Since the beginning, not since the last table.
    pub total: bool,
    pub rows: Vec<Row>,
    pub lost: Lost,
}

/// What one process did.
#[derive(Clone, Debug)]
pub struct Row {
    pub who: Who,
    /// `comm`.
    pub name: String,
    /// Its command line, empty if it could not be read.
    pub command: String,
    /// Its cgroup, where that was asked for and could be read; else empty.
    pub cgroup: String,
    /// It has ended.
    pub ended: bool,
    /// System calls that returned; of them, errors.
    pub calls: u64,
    pub errors: u64,
    /// Page faults taken in user mode; `None`: this kernel does not tell.
    pub faults: Option<u64>,
    pub copied: Amount,
    pub dma: Amount,
    pub shared: Amount,
    pub filled: Amount,
    /// What the amounts are made of, most bytes first.
    pub hops: Vec<HopRow>,
    /// Calls by name, and requests of io_uring; most first.
    pub syscalls: Vec<CallRow>,
    pub unknown: Vec<Unknown>,
    /// What calls returned, and what became of it.
    pub ledger: Ledger,
    /// Totals that may be too small, by name ([`at_least`](mod@crate::at_least)).
    pub at_least: Vec<String>,
    /// The file system's own I/O.
    pub metadata_io: IoTotals,
}

impl Row {
    /// Changes of privilege level: 2 × system calls + 2 × page faults.
    pub fn crossings(&self) -> u64 {
        2 * self.calls + 2 * self.faults.unwrap_or(0)
    }

    /// Whether it did nothing that was counted.
    pub fn is_idle(&self) -> bool {
        let amounts = [&self.copied, &self.dma, &self.shared, &self.filled];
        let metadata = self.metadata_io.read_requests + self.metadata_io.write_requests;
        self.crossings() == 0 && metadata == 0 && amounts.iter().all(|a| a.is_none())
    }

    /// The amount of a kind; `None`: counters cannot tell it at all.
    pub fn amount(&self, kind: HopKind) -> Option<&Amount> {
        Some(match kind {
            HopKind::Copy => &self.copied,
            HopKind::Dma => &self.dma,
            HopKind::Share => &self.shared,
            HopKind::Fill => &self.filled,
            HopKind::Map => return None,
        })
    }
}

/// Whose row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    Process(Proc),
    /// Kernel threads, for nobody that is known.
    Kernel,
    /// So many processes that have ended (of a table of totals).
    Ended(u64),
    /// All that whoever looks may not see, so many processes and the kernel's own work.
    Others(u64),
}

impl Who {
    /// Its process id, if it is one process.
    pub fn pid(self) -> Option<u32> {
        match self {
            Self::Process(proc) => Some(proc.tgid),
            Self::Kernel | Self::Ended(_) | Self::Others(_) => None,
        }
    }
}

impl From<Proc> for Who {
    fn from(proc: Proc) -> Self {
        match proc {
            Proc::KERNEL => Self::Kernel,
            proc => Self::Process(proc),
        }
    }
}

/// Bytes, and how they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub bytes: u64,
    /// Of it, what a rule concluded; the rest was measured.
    pub inferred: u64,
    pub more: More,
}

impl Amount {
    /// It is known that there were none.
    pub fn is_none(&self) -> bool {
        self.bytes == 0 && self.more == More::Nothing
    }
}

/// What there may have been beyond what is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum More {
    #[default]
    Nothing,
    /// At most so many bytes.
    UpTo(u64),
    Unbounded,
}

impl More {
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unbounded, _) | (_, Self::Unbounded) => Self::Unbounded,
            (Self::Nothing, more) | (more, Self::Nothing) => more,
            (Self::UpTo(a), Self::UpTo(b)) => Self::UpTo(a.saturating_add(b)),
        }
    }
}

/// A system call, or an operation of io_uring, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallRow {
    pub name: String,
    pub calls: u64,
    pub errors: u64,
    /// Sum of the return values that are sizes.
    pub bytes: u64,
    /// Of requests that failed: the errors by name, most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errnos: Vec<(String, u64)>,
}

/// What found no room in the kernel's maps, or was not seen at all; since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lost {
    pub calls: u64,
    /// Bytes that these calls returned.
    pub bytes: u64,
    /// Of other counters: how often.
    pub counts: u64,
    /// Descriptors whose kind found no room.
    pub descriptors: u64,
    /// How often the kernel skipped a program because the same ran already on that processor.
    pub skipped: u64,
}

impl Lost {
    /// Whether every number is whole.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
