//! The domain model: places, hops, calls, and the summary of a run. See `docs/` and `domain.md`.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::arch::Arch;
use crate::catalogue::{Method, ProbeId, RuleId, Subject, Tracepoint};
use crate::event::{self, Engine, is_zero};
use crate::histogram::Histogram;
use crate::i18n::Lang;
use crate::ledger::Ledger;
use crate::notice::Notice;

/// Where bytes live.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A process's anonymous memory.
    User,
    /// File pages, also when they are mapped.
    PageCache,
    /// tmpfs and shared anonymous pages.
    Shmem,
    Pipe,
    /// skb data.
    Socket,
    /// Another kernel buffer (tty, procfs, eventfd …).
    Kernel,
    /// A block device: `device:vda`.
    Device(String),
    /// A network device: `nic:eth0`.
    Nic(String),
    /// The kernel's source of zeros.
    Zero,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::User => f.write_str("user"),
            Place::PageCache => f.write_str("page_cache"),
            Place::Shmem => f.write_str("shmem"),
            Place::Pipe => f.write_str("pipe"),
            Place::Socket => f.write_str("socket"),
            Place::Kernel => f.write_str("kernel"),
            Place::Device(name) => write!(f, "device:{name}"),
            Place::Nic(name) => write!(f, "nic:{name}"),
            Place::Zero => f.write_str("zero"),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// Who moves the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HopKind {
    /// The CPU, byte by byte.
    Copy,
    /// A device.
    Dma,
    /// Nobody: a reference to the same pages is passed on.
    Share,
    /// Nobody: page-table entries are installed.
    Map,
    /// The CPU writes zeros.
    Fill,
}

impl HopKind {
    pub const ALL: [Self; 5] = [Self::Copy, Self::Dma, Self::Share, Self::Map, Self::Fill];

    /// As JSON and names of totals write it.
    pub const fn word(self) -> &'static str {
        match self {
            HopKind::Copy => "copy",
            HopKind::Dma => "dma",
            HopKind::Share => "share",
            HopKind::Map => "map",
            HopKind::Fill => "fill",
        }
    }

    /// The letter that stands for it on screen.
    pub fn letter(self) -> char {
        match self {
            HopKind::Copy => 'C',
            HopKind::Dma => 'D',
            HopKind::Share => 'S',
            HopKind::Map => 'M',
            HopKind::Fill => 'F',
        }
    }
}

/// How a number is known, in a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Known {
    #[default]
    Measured,
    Inferred,
    Estimated,
}

impl Known {
    /// As JSON and expressions write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Inferred => "inferred",
            Self::Estimated => "estimated",
        }
    }
}

/// How a number is known, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// A probe saw it.
    Measured(ProbeId),
    /// A rule concluded it.
    Inferred(RuleId),
    /// Sampling.
    Estimated(Method),
}

impl Evidence {
    /// A tracepoint saw it.
    pub const fn tracepoint(id: Tracepoint) -> Self {
        Self::Measured(ProbeId::Tracepoint(id))
    }

    pub const fn known(self) -> Known {
        match self {
            Self::Measured(_) => Known::Measured,
            Self::Inferred(_) => Known::Inferred,
            Self::Estimated(_) => Known::Estimated,
        }
    }

    /// Name of the probe, rule or method.
    pub fn by(self) -> &'static str {
        match self {
            Self::Measured(probe) => probe.label(),
            Self::Inferred(rule) => rule.name(),
            Self::Estimated(method) => method.name(),
        }
    }
}

/// One step that brings bytes, or the right to use them, from one place to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    pub kind: HopKind,
    pub from: Place,
    pub to: Place,
    /// Bytes actually moved, shared or mapped.
    pub bytes: u64,
    /// Operations it took (copies, requests, faults).
    pub count: u64,
    pub evidence: Evidence,
    /// It ran later, or elsewhere, than the call that caused it.
    pub deferred: bool,
    /// For `dma`: what kind of device.
    pub engine: Option<Engine>,
    /// For `dma`: how the kernel was told of it; `None`: not seen.
    pub interrupt: Option<Interrupt>,
    /// When it began and how long it took, ns; 0 where no probe tells.
    pub ts: u64,
    pub dur: u64,
}

/// How the kernel was told that a device was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Interrupt {
    pub context: Context,
    /// As `/proc/interrupts` numbers it; `None` where no interrupt of a device is known to have led there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The thread that waited slept until then, and went on: nothing else came that it had waited for.
    pub woke: bool,
}

/// Where the kernel was when it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// In the interrupt's handler.
    Handler,
    /// In a soft interrupt that the handler had raised.
    Soft,
    /// In a soft interrupt that no handler on that processor had raised: another processor handed it on, or
    /// the device is polled.
    SoftAlone,
    /// In a thread.
    Thread,
}

/// What one interrupt told of one device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InterruptRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    pub context: Context,
    pub device: String,
    /// Requests or packets, and their bytes.
    pub count: u64,
    pub bytes: u64,
    /// How often the thread that waited went on after it.
    pub woke: u64,
}

/// Packets that have arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Arrived {
    pub packets: u64,
    pub bytes: u64,
}

impl Arrived {
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Identifies a call: thread, and number within the thread. `seq` 0: outside any call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId {
    pub tid: u32,
    pub seq: u32,
}

/// Totals of one row of the hop table: hops alike in all that is not a quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct HopRow {
    pub kind: HopKind,
    pub from: Place,
    pub to: Place,
    pub count: u64,
    pub bytes: u64,
    pub evidence: Evidence,
    pub deferred: bool,
    pub engine: Option<Engine>,
    /// CPU time, where a probe measured it.
    pub cpu_ns: Option<u64>,
    /// Of the hops as they happened, one for each call or request: how many bytes, and how long those took of which
    /// a probe tells it, ns. Counters tell neither, and rows by name are not divided so.
    pub sizes: Histogram,
    pub times: Histogram,
}

/// Changes of privilege level. `total` = 2 × system calls + 2 × user page faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Crossings {
    pub total: u64,
    /// 2 × system calls.
    pub syscall: u64,
    /// 2 × user page faults.
    pub page_fault: u64,
    /// 2 × interrupts taken in user mode; beside `total`, not in it. `None`: not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupt: Option<u64>,
}

impl Summary {
    /// Whether faults taken in user mode were told of: else their number, and that of all crossings, is not known.
    pub fn knows_user_faults(&self) -> bool {
        let hook = Tracepoint::page_fault_user;
        let arch = Arch::from_name(&self.arch);
        let label = arch.map_or(hook.label(), |arch| arch.label(hook));
        let mut missing = self.missing_probes.iter();
        !missing.any(|(name, _)| name == label || name == hook.label())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ContextSwitches {
    pub voluntary: u64,
    pub involuntary: u64,
}

/// One system call by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SyscallRow {
    pub name: String,
    pub calls: u64,
    pub errors: u64,
    /// Sum of the return values that are sizes, 0 for calls that return none.
    pub bytes: u64,
    pub time_ns: u64,
    /// Measured, or estimated from the calls that were timed (`stat`).
    pub time_evidence: Known,
    /// Of the calls that moved any: how many bytes; of all calls: how long they took, ns. Counters tell neither.
    #[serde(skip_serializing_if = "Histogram::is_empty")]
    pub sizes: Histogram,
    #[serde(skip_serializing_if = "Histogram::is_empty")]
    pub times: Histogram,
}

/// Requests of io_uring for one operation, by their completions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RequestRow {
    /// `io_uring:read`.
    pub name: String,
    pub count: u64,
    /// Of them, failed ones.
    pub errors: u64,
    /// The errors by name, most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errnos: Vec<(String, u64)>,
    /// Sum of the results that are sizes.
    pub bytes: u64,
    /// From submission to completion, ns.
    pub time_ns: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PageFaults {
    /// Without I/O, user mode and kernel mode together (as `getrusage` counts).
    pub minor: u64,
    /// With I/O.
    pub major: u64,
    /// Pages mapped by faults.
    pub mapped_pages: u64,
    /// Of all faults, those taken in user mode: these are crossings.
    pub user: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProcessRow {
    pub pid: u32,
    pub comm: String,
    /// Its parent, if that is traced too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ppid: Option<u32>,
    pub syscalls: u64,
    pub user_faults: u64,
    /// Bytes that the CPU copied for it.
    pub copied: u64,
}

/// I/O that is not payload or cannot be tied to a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IoTotals {
    pub read_requests: u64,
    pub read_bytes: u64,
    pub write_requests: u64,
    pub write_bytes: u64,
}

/// A device that the program's bytes met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceRow {
    pub name: String,
    pub class: crate::event::DeviceClass,
    pub engine: Engine,
    pub driver: String,
    /// Bytes from and to it that were tied to the program.
    pub read_bytes: u64,
    pub write_bytes: u64,
    /// Of these, bytes of requests whose pages the driver was seen to map for DMA. Some drivers map
    /// without the kernel's events (virtio), some kernels have none (6.1).
    #[serde(skip_serializing_if = "is_zero")]
    pub mapped_bytes: u64,
}

/// A difference between a rule and a measurement, or between two measurements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    pub what: Subject,
    /// It is about requests of io_uring.
    pub by_requests: bool,
    pub expected: u64,
    pub found: u64,
    pub claim: Claim,
    /// Programs that either number is of, and that the kernel skipped in this trace: what they did not tell
    /// may be the difference.
    pub skipped: Vec<String>,
}

impl Disagreement {
    /// What it is about, in words; the English ones are its name in JSON.
    pub fn words(&self, lang: Lang) -> String {
        let what = self.what.words(lang);
        match (self.by_requests, lang) {
            (false, _) => what.to_owned(),
            (true, Lang::En) => format!("{what} by io_uring"),
            (true, Lang::Zh) => format!("{what}（经 io_uring）"),
        }
    }
}

/// Who claimed the expected number of a [`Disagreement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    Rule(RuleId),
    /// A probe further from the bytes.
    Probe(ProbeId),
    /// No rule fits such a call: nothing was expected.
    NoRule,
    /// The kernel's own account.
    Kernel,
}

impl Claim {
    /// As reports and JSON name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.name(),
            Self::Probe(probe) => probe.label(),
            Self::NoRule => "none",
            Self::Kernel => "",
        }
    }
}

/// Off-CPU time of the program's threads.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Waits {
    pub count: u64,
    pub time_ns: u64,
    /// Of it, while a block request of the same call was under way.
    pub device_ns: u64,
}

/// A time known from samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Estimate {
    pub samples: u64,
    pub ns: u64,
    /// The true time is within `ns` ± this in 19 of 20 cases.
    pub error_ns: u64,
}

impl Estimate {
    /// From samples taken once in `period` ns of CPU time.
    pub fn of(samples: u64, period: u64) -> Self {
        let ns = samples.saturating_mul(period);
        // Samples that fall independently are Poisson distributed; none at all rules out more than three.
        let samples_off = match samples {
            0 => 3.0,
            n => 1.96 * (n as f64).sqrt(),
        };
        Self {
            samples,
            ns,
            error_ns: (samples_off * period as f64) as u64,
        }
    }
}

/// CPU time in one function of the kernel that copies or clears memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FunctionTime {
    pub name: String,
    /// `copy` or `fill`.
    pub work: HopKind,
    #[serde(flatten)]
    pub time: Estimate,
}

/// Where the program's CPU time went, by sampling: `copy` and `fill` are part of `kernel`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CpuTime {
    /// Estimated.
    pub evidence: Known,
    /// What was sampled.
    pub method: Method,
    /// CPU time between two samples of a thread, ns.
    pub period_ns: u64,
    pub samples: u64,
    pub user: Estimate,
    pub kernel: Estimate,
    pub copy: Estimate,
    pub fill: Estimate,
    /// Most samples first.
    pub functions: Vec<FunctionTime>,
}

/// What tracing itself took: the times of calls, waits and CPU include what of it was in the program's time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Measured, by the kernel's run-time statistics of BPF programs.
    pub evidence: Known,
    /// Time in probes, ns, and how often they ran: for every process of the machine. Not in it: entering and
    /// leaving a probe, reading its records, what it drives out of caches.
    pub time_ns: u64,
    pub runs: u64,
    /// Most time first.
    pub probes: Vec<ProbeCost>,
}

/// The same of one probe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProbeCost {
    pub probe: String,
    pub time_ns: u64,
    pub runs: u64,
}

impl From<&event::Cost> for Cost {
    fn from(told: &event::Cost) -> Self {
        let ran = told.programs.iter().filter(|program| program.runs > 0);
        let mut probes: Vec<_> = ran
            .map(|program| ProbeCost {
                probe: program.name.clone(),
                time_ns: program.time_ns,
                runs: program.runs,
            })
            .collect();
        probes.sort_by(|a, b| {
            (b.time_ns, b.runs)
                .cmp(&(a.time_ns, a.runs))
                .then_with(|| a.probe.cmp(&b.probe))
        });
        let sum = |of: fn(&ProbeCost) -> u64| probes.iter().map(of).fold(0, u64::saturating_add);
        Self {
            evidence: Known::Measured,
            time_ns: sum(|probe| probe.time_ns),
            runs: sum(|probe| probe.runs),
            probes,
        }
    }
}

/// Which end of a hop a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    From,
    To,
}

/// What has a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Thing {
    File {
        /// In full as far as is known; `None`: it was not seen to be opened.
        path: Option<String>,
        /// `major:minor` of its file system.
        device: String,
        inode: u64,
    },
    Socket {
        /// `tcp`, `udp`, `unix` …
        protocol: String,
        /// The program's end and the other one, where the kernel told.
        #[serde(skip_serializing_if = "Option::is_none")]
        local: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        peer: Option<String>,
        inode: u64,
    },
    Device {
        device: String,
    },
    Process {
        pid: u32,
        comm: String,
    },
    Thread {
        tid: u32,
        pid: u32,
        comm: String,
    },
    Cgroup {
        cgroup: String,
    },
    /// What the program marked itself ([`crate::regions`]).
    Region {
        region: String,
        passes: u64,
        /// From begin to end, over all passes and threads.
        duration_ns: u64,
        /// Page faults taken in user mode in it.
        user_faults: u64,
    },
    /// All that no probe gave a name.
    Unnamed {
        /// Always true.
        unnamed: bool,
    },
}

/// A row of the hop table, as far as it is one thing's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NamedHop {
    /// Of files, sockets and devices: which end it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    #[serde(flatten)]
    pub hop: HopRow,
}

/// What one thing had to do with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NamedRow {
    #[serde(flatten)]
    pub thing: Thing,
    /// System calls on it or by it, and the time that they took.
    pub calls: u64,
    pub time_ns: u64,
    pub hops: Vec<NamedHop>,
}

impl NamedRow {
    /// Bytes of all its hops: what rows are ordered by.
    pub fn bytes(&self) -> u64 {
        let hops = self.hops.iter();
        hops.fold(0, |sum, named| sum.saturating_add(named.hop.bytes))
    }
}

impl HopRow {
    /// Whether two rows are of the same kind of hop: alike in all that is not a quantity.
    pub fn is_like(&self, other: &Self) -> bool {
        let key = |row: &Self| (row.kind, row.evidence, row.deferred, row.engine);
        key(self) == key(other) && (&self.from, &self.to) == (&other.from, &other.to)
    }
}

/// Where the bytes went, by name: tables, each with most bytes first.
///
/// Each shares out the rows of the hop table: what its rows say of one kind of hop adds up to it. Files and sockets
/// have the hops that begin or end in them, so a hop between two files stands twice: where it leaves
/// ([`End::From`]), and where it arrives ([`End::To`]).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ByName {
    pub files: Vec<NamedRow>,
    pub sockets: Vec<NamedRow>,
    pub devices: Vec<NamedRow>,
    pub processes: Vec<NamedRow>,
    pub threads: Vec<NamedRow>,
    pub cgroups: Vec<NamedRow>,
    /// Regions that the program marked itself, in the order in which they were met. They share out nothing: they may
    /// lie in each other, and most of a program lies in none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<NamedRow>,
}

impl ByName {
    /// Whether nothing was shared out: counters have no names.
    pub fn is_empty(&self) -> bool {
        let Self {
            files,
            sockets,
            devices,
            processes,
            threads,
            cgroups,
            regions,
        } = self;
        [
            files, sockets, devices, processes, threads, cgroups, regions,
        ]
        .iter()
        .all(|table| table.is_empty())
    }
}

/// What one run did: the content of the JSON summary (schema 1, `contract.md`) and of the text report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub schema: u32,
    pub bytehop: String,
    pub kernel: String,
    pub arch: String,
    pub level: String,
    pub command: Vec<String>,
    pub exit_status: Option<i32>,
    pub duration_ns: u64,
    pub lost_events: u64,
    /// The same by record kind ([`crate::event::Lost::named`]), summed over the run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost_by_kind: Vec<(String, u64)>,
    /// Lost system calls by name: captured ([`SyscallRow::calls`]) and lost make up all calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost_calls: Vec<(String, u64)>,
    pub crossings: Crossings,
    pub context_switches: ContextSwitches,
    pub syscalls: Vec<SyscallRow>,
    /// What was asked of io_uring: beside `syscalls`, not in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestRow>,
    pub page_faults: PageFaults,
    pub hops: Vec<HopRow>,
    pub ledger: Ledger,
    /// Totals that a missed event may have made too small: `copy page_cache->user`, or `dma` where no such
    /// hop was seen at all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub at_least: Vec<String>,
    pub disagreements: Vec<Disagreement>,
    pub by_process: Vec<ProcessRow>,
    /// The hop table, shared out among files, sockets, devices, processes, threads and cgroups.
    #[serde(skip_serializing_if = "ByName::is_empty")]
    pub by_name: ByName,
    /// Calls that never returned (`exit_group`, blocked at the end): not in `syscalls`.
    pub never_returned: Vec<(String, u64)>,
    pub waits: Waits,
    /// Block I/O of file-system metadata and journal that the program's calls submitted.
    pub metadata_io: IoTotals,
    /// Block I/O in the program's name that no call could be found for.
    pub unattributed: IoTotals,
    /// Packets for the program's sockets that no call is known to have taken bytes of; they are in `hops`, too.
    #[serde(skip_serializing_if = "Arrived::is_none")]
    pub untied_arrivals: Arrived,
    /// How the kernel was told that devices were done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interrupts: Vec<InterruptRow>,
    /// Bytes that the program made dirty and that had not been written back at the end.
    pub dirty_bytes: u64,
    pub devices: Vec<DeviceRow>,
    /// User + system CPU time, ns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ns: Option<u64>,
    /// Of it, what copying took. `None`: not sampled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_time: Option<CpuTime>,
    /// What tracing took. `None`: not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Hooks that this kernel did not give, with the reason.
    pub missing_probes: Vec<(String, String)>,
    /// What is not complete: a damaged recording, a trace cut off.
    pub warnings: Vec<Notice>,
}
