//! Events: the records of a trace, decoded.
//!
//! [`Event`] is what flows from the source (the kernel's ring buffer, or a recording) to whatever
//! reads a trace. Records made in the kernel are decoded field by field by [`crate::decode`];
//! records made in user space ([`Meta`]) are JSON.

use serde::{Deserialize, Serialize};
pub use tracer_ebpf::{
    Arrival, Block, CalledFrom, Copied, Dirty, Exec, Exit, Extra, Fault, FileRef, Fork, Head,
    Stack, Switch, Syscall, SyscallFile, Uring, Xmit,
};

/// One record of a trace.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A system call ended. `file` is `None` where the call has no descriptor.
    Syscall {
        call: Syscall,
        file: Option<FileRef>,
    },
    Extra(Extra),
    Fault(Fault),
    Block(Block),
    Xmit(Xmit),
    Arrival(Arrival),
    Uring(Uring),
    Switch(Switch),
    Fork(Fork),
    Exec(Exec),
    Exit(Exit),
    Name(Name),
    Dirty(Dirty),
    Copied(Copied),
    Stack(Box<Stack>),
    CalledFrom(CalledFrom),
    Meta(Meta),
}

/// A name that the kernel was given or has: [`tracer_ebpf::named`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub head: Head,
    pub ino: u64,
    pub dev: u32,
    pub fd: i32,
    /// What it is of: one of [`tracer_ebpf::named`].
    pub what: u32,
    /// As given by the program (may be relative); invalid UTF-8 is replaced.
    pub path: String,
}

/// Kind byte of a record made in user space. Kernel records use the numbers below 128.
pub const META: u8 = 128;

/// A record made in user space. New variants and fields may be added; readers skip what they don't
/// know, and every field added later has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "meta", rename_all = "snake_case")]
pub enum Meta {
    /// First record of every trace.
    Start(Start),
    /// A device, the first time it is met (or at start).
    Device(Device),
    /// Records that the kernel could not put into the ring buffer since the last such record.
    Lost(Lost),
    /// Breakpoints were taken off, because they were hit too often.
    Breakpoints(BreakpointsOff),
    /// Where the program's CPU time went, in all.
    Sampled(Sampled),
    /// Programs that the kernel skipped, in all.
    Skipped(Skipped),
    /// What tracing took, in all, where that was wanted.
    Cost(Cost),
    /// The source lines that calls came from: one for each stack, at the end of the trace.
    Source(Source),
    /// An executable file that sources' frames lie in: before the first of them.
    Module(crate::modules::Module),
    /// Last record of a trace that was ended in order.
    End(End),
    /// Something that a later version writes.
    #[serde(other)]
    Unknown,
}

/// Where a trace was made, and of what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Start {
    /// Version of bytehop.
    pub bytehop: String,
    /// `uname -r`.
    pub kernel: String,
    /// `uname -m`.
    pub arch: String,
    /// Level: "T", "F" or "B".
    pub level: String,
    /// Command line; empty for `attach`.
    pub command: Vec<String>,
    /// Process id of the command, or of the process attached to.
    pub pid: u32,
    /// Its name when tracing began, if it ran then.
    pub comm: String,
    /// Processes that it had made and that are traced too: number and name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<(u32, String)>,
    /// True if the process ran before tracing began.
    pub attached: bool,
    /// Whether children are traced.
    pub follow: bool,
    /// Wall-clock time of the start, ns since the epoch.
    pub realtime_ns: u64,
    /// `CLOCK_MONOTONIC` at the same moment, ns.
    pub monotonic_ns: u64,
    /// Page size, bytes.
    pub page_size: u32,
    /// Hooks that are attached, as shown in `probe` ("tp:block_rq_complete").
    pub probes: Vec<String>,
    /// Hooks that are not, with the reason.
    pub missing: Vec<(String, String)>,
    /// Calls of a running process that began before tracing did.
    #[serde(skip_serializing_if = "Cut::is_nothing")]
    pub cut: Cut,
    /// Where its processes were.
    #[serde(skip_serializing_if = "There::is_nothing")]
    pub there: Box<There>,
    /// What of the trace this is, if it is not all: each part is one of the part before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub part: Vec<Only>,
}

/// What of a trace is wanted, or was kept: all that is named has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Only {
    /// From this time on, counted from [`Start::monotonic_ns`], ns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ns: Option<u64>,
    /// Before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_ns: Option<u64>,
    /// What this process did, with all its threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// What was done in this region of the program's own ([`crate::regions`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What programs did from their `main` on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub from_main: bool,
}

impl Only {
    /// Whether nothing is left out.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it depends on the process alone which of its calls are wanted.
    pub(crate) fn is_of_processes(&self) -> bool {
        self.pid.is_some() || self.from_main
    }

    /// Whether only some of the calls are wanted, whenever they were made.
    pub(crate) fn is_of_calls(&self) -> bool {
        self.is_of_processes() || self.region.is_some()
    }
}

/// Where the processes of a trace were when it began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct There {
    /// Files that were open already: file system (kernel encoding), inode, path.
    pub files: Vec<(u32, u64, String)>,
    /// Working directories and cgroups by process.
    pub cwds: Vec<(u32, String)>,
    pub cgroups: Vec<(u32, String)>,
}

impl There {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Calls of which only a part was traced: their ends, or their beginnings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cut {
    /// How many, by number.
    pub calls: Vec<(u16, u64)>,
    /// Threads on a CPU, of which nobody tells whether they were in a call.
    pub unknown: u64,
}

impl Cut {
    /// Whether there are none.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// One more call of this number.
    pub fn add(&mut self, nr: u16) {
        match self.calls.iter_mut().find(|(known, _)| *known == nr) {
            Some((_, n)) => *n += 1,
            None => self.calls.push((nr, 1)),
        }
    }
}

/// When breakpoints (level B) were taken off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BreakpointsOff {
    /// How often they were hit.
    pub hits: u64,
    /// `CLOCK_MONOTONIC`, ns.
    pub monotonic_ns: u64,
}

/// How often the kernel did not run a program, because the same was running on that processor already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Skipped {
    /// Name of the program, and how often.
    pub programs: Vec<(String, u64)>,
}

/// Samples of the CPU clock of the traced threads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sampled {
    /// CPU time between two samples of a thread, ns.
    pub period_ns: u64,
    /// Samples in user mode.
    pub user: u64,
    /// Samples in the kernel, but for those in `functions`.
    pub kernel: u64,
    /// Samples in functions of the kernel that copy or clear memory.
    pub functions: Vec<(String, u64)>,
}

/// Whether a device moves bytes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// A real device with a DMA engine (NVMe, AHCI, e1000e …).
    Hardware,
    /// A device that the hypervisor provides (virtio, Xen, Hyper-V): this machine's CPU is free.
    Paravirtual,
    /// No device at all: a CPU does the work (loop, zram, loopback, veth).
    Software,
    /// sysfs did not tell.
    Unknown,
}

/// A block or network device, classified from sysfs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// "block" or "net".
    pub class: DeviceClass,
    /// Kernel name: `vda`, `nvme0n1`, `eth0`.
    pub name: String,
    /// Block: major << 20 | minor. Net: ifindex.
    pub id: u32,
    pub engine: Engine,
    /// Driver (`virtio_blk`, `nvme`), empty if none.
    #[serde(default)]
    pub driver: String,
    /// Bus (`virtio`, `pci`), empty if none.
    #[serde(default)]
    pub bus: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceClass {
    Block,
    Net,
}

/// Numbers of lost records, by kernel record kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lost {
    /// Index: [`tracer_ebpf::kind`].
    pub by_kind: Vec<u64>,
    /// Lost system calls, by number.
    pub calls: Vec<(u16, u64)>,
}

/// Names of the kernel's record kinds, indexed by [`tracer_ebpf::kind`] (0 is no kind).
pub const KIND_NAMES: [&str; tracer_ebpf::kind::COUNT] = [
    "unknown",
    "syscall",
    "syscall_file",
    "extra",
    "fault",
    "block",
    "xmit",
    "uring",
    "switch",
    "fork",
    "exec",
    "exit",
    "name",
    "dirty",
    "copy",
    "unknown",
    "stack",
    "called_from",
    "arrival",
];

impl Lost {
    /// Lost records by the kind's name, kinds that lost none left out.
    pub fn named(&self) -> Vec<(String, u64)> {
        let name = |kind| *KIND_NAMES.get(kind).unwrap_or(&KIND_NAMES[0]);
        let lost = self.by_kind.iter().enumerate().filter(|(_, n)| **n > 0);
        lost.map(|(kind, n)| (name(kind).to_owned(), *n)).collect()
    }

    /// Lost system calls by the name that `name` gives them, in its order.
    pub fn named_calls(&self, name: impl Fn(u16) -> String) -> Vec<(String, u64)> {
        let mut calls: Vec<_> = self.calls.iter().map(|(nr, n)| (name(*nr), *n)).collect();
        calls.sort();
        calls
    }

    /// All lost records.
    pub fn total(&self) -> u64 {
        self.by_kind.iter().sum()
    }

    /// What was lost since `before`, an earlier reading of the same counters.
    pub fn since(&self, before: &Self) -> Self {
        let earlier = |nr| {
            before
                .calls
                .iter()
                .find(|(n, _)| *n == nr)
                .map_or(0, |(_, c)| *c)
        };
        let by_kind = self.by_kind.iter().enumerate();
        let calls = self
            .calls
            .iter()
            .map(|(nr, n)| (*nr, n.saturating_sub(earlier(*nr))));
        Self {
            by_kind: by_kind
                .map(|(i, n)| n.saturating_sub(before.by_kind.get(i).copied().unwrap_or(0)))
                .collect(),
            calls: calls.filter(|(_, n)| *n > 0).collect(),
        }
    }
}

/// A stack in the words of the program's source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// [`Stack::id`].
    pub id: u64,
    /// From the call outwards, as far as the stack could be followed.
    pub frames: Vec<Frame>,
    /// Which of them is the program's own line, if one is: libraries and the language's runtime are
    /// passed over.
    pub own: Option<usize>,
}

/// What tracing took, by the kernel's run-time statistics of BPF programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    pub programs: Vec<ProgramCost>,
}

/// The same of one program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgramCost {
    pub name: String,
    /// How often it ran, and how long in all, ns: for every process of the machine.
    pub runs: u64,
    pub time_ns: u64,
}

/// One function on a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Frame {
    /// As the source writes it; empty if not known.
    pub function: String,
    /// As the compiler was given it; empty without debug information.
    pub file: String,
    /// Counted from 1; 0 if not known.
    pub line: u32,
    /// The executable file or library.
    pub module: String,
    /// Its number among the recording's modules; 0 in older recordings, and for code that is in no file.
    #[serde(skip_serializing_if = "is_zero")]
    pub of: u32,
    /// The address, as that file states it. 0 for a function that is inlined into the next one.
    #[serde(skip_serializing_if = "is_zero")]
    pub address: u64,
    /// The line is the one where the function begins: which of its lines made the call is not known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub begins: bool,
}

/// Whether a number that is left out if it is 0 is left out.
pub(crate) fn is_zero<T: Default + PartialEq>(n: &T) -> bool {
    *n == T::default()
}

/// How a trace ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct End {
    /// Exit status as a shell would give it (128 + n after signal n); `None` if still running.
    pub exit_status: Option<i32>,
    /// `CLOCK_MONOTONIC` at the end, ns.
    pub monotonic_ns: u64,
    /// Time from the release of the command to its end, ns.
    pub duration_ns: u64,
    /// User + system CPU time of the command and its children, ns, from `wait4`; of processes that ran before, what
    /// their clocks went on by, if none of them has ended.
    pub cpu_ns: Option<u64>,
    /// Why it ended: "exit", "interrupted", "duration".
    pub reason: String,
    /// Threads of the program that were still alive.
    pub still_running: Vec<u32>,
    /// Calls that these were in.
    #[serde(skip_serializing_if = "Cut::is_nothing")]
    pub cut: Cut,
}

impl Event {
    /// The common head, if the record was made in the kernel.
    pub fn head(&self) -> Option<&Head> {
        Some(match self {
            Event::Syscall { call, .. } => &call.head,
            Event::Extra(e) => &e.head,
            Event::Fault(e) => &e.head,
            Event::Block(e) => &e.head,
            Event::Xmit(e) => &e.head,
            Event::Arrival(e) => &e.head,
            Event::Uring(e) => &e.head,
            Event::Switch(e) => &e.head,
            Event::Fork(e) => &e.head,
            Event::Exec(e) => &e.head,
            Event::Exit(e) => &e.head,
            Event::Name(e) => &e.head,
            Event::Dirty(e) => &e.head,
            Event::Copied(e) => &e.head,
            Event::Stack(e) => &e.head,
            Event::CalledFrom(e) => &e.head,
            Event::Meta(_) => return None,
        })
    }
}
