//! What the reconstruction hands out while it runs.

use tracer_ebpf::{CalledFrom, Exec, Exit, FileRef, Fork, Switch};

use crate::event::{Meta, Name};
use crate::ledger::Unaccounted;
use crate::model::{CallId, Hop};
use crate::regions::Region;
use crate::rules::Class;

/// A descriptor of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    pub at: FileRef,
    pub class: Class,
}

/// A system call or a page fault that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call<'a> {
    pub id: CallId,
    /// Its process.
    pub tgid: u32,
    /// When it began, and how long it took, ns; a fault's duration is not measured (0).
    pub ts: u64,
    pub dur: u64,
    /// Off the CPU and blocked during it, ns.
    pub waited: u64,
    /// Interrupts that landed on the thread since the call before.
    pub irqs: u32,
    /// Why not all bytes that it returned are accounted for; what a device may still move is not meant.
    pub open: Option<Unaccounted>,
    /// What it returned, where that is a number of bytes: as in lists of calls.
    pub bytes: u64,
    /// The regions that it was in.
    pub regions: Within<'a>,
    pub what: What<'a>,
}

/// Some of a trace's regions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Within<'a> {
    all: &'a [Region],
    some: &'a [u32],
}

impl<'a> Within<'a> {
    pub fn new(all: &'a [Region], some: &'a [u32]) -> Self {
        Self { all, some }
    }

    /// Their numbers: the same for one name throughout a trace.
    pub fn numbers(&self) -> &'a [u32] {
        self.some
    }

    /// The name of one.
    pub fn name(&self, number: u32) -> &'a str {
        let region = self.all.get(number as usize);
        region.map_or("", |region| &region.name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What<'a> {
    Syscall {
        name: &'a str,
        nr: u16,
        /// Of the 32-bit table.
        compat: bool,
        ret: i64,
        args: [u64; 6],
        file: Option<File>,
        file2: Option<File>,
    },
    Fault {
        addr: u64,
        ip: u64,
        write: bool,
        major: bool,
        /// `(dev, ino, page offset)` of the file behind it, if a tracepoint named it.
        file: Option<(u32, u64, u32)>,
    },
}

/// Takes what the reconstruction finds. Every method may be left out.
///
/// Order: a thread's calls come in the order in which they ended; hops that run later than their
/// call come when they are known, with the call's id.
pub trait Sink {
    /// Whether calls and hops are wanted. Without them the reconstruction allocates less.
    const WANTED: bool = true;

    /// A call is complete, with its hops in the order in which the bytes moved.
    fn call(&mut self, _call: &Call<'_>, _hops: &[Hop]) {}
    /// A hop that ended after its call's record: readahead, write-back, a packet sent later. The
    /// call may be unknown (`seq` 0, or both 0).
    fn late_hop(&mut self, _call: CallId, _hop: &Hop) {}
    /// A thread was off the CPU.
    fn switch(&mut self, _switch: &Switch) {}
    fn fork(&mut self, _fork: &Fork) {}
    fn exec(&mut self, _exec: &Exec) {}
    fn exit(&mut self, _exit: &Exit) {}
    fn name(&mut self, _name: &Name) {}
    /// The call `head.seq` of a thread and all after it came from another stack.
    fn called_from(&mut self, _from: &CalledFrom) {}
    fn meta(&mut self, _meta: &Meta) {}
}

/// Wants nothing but the summary.
pub struct NoSink;

impl Sink for NoSink {
    const WANTED: bool = false;
}
