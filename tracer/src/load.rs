//! Loading and attaching the eBPF programs. The only place, with [`crate::capture`], that needs
//! privileges.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::time::Instant;

use aya::maps::{Array, HashMap as BpfHashMap, MapData, MapError, PerCpuArray, RingBuf};
use aya::programs::{BtfTracePoint, ProgramError};
use aya::{Btf, Ebpf, EbpfError, EbpfLoader, VerifierLogLevel};
use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use thiserror::Error;
use tracer_ebpf::{
    Awaited, Block, Config, NO_OFFSET, Offsets, Range, Regs, SYSCALLS_MAX, TASK_SLOTS, TOP_INODES,
    TOP_PROCESSES, TOP_ROWS, Task, TopCell, bio, kind, mode, task,
};

use crate::btf::{self, BtfError, KernelBtf};
use crate::caps::Level;
use crate::ksyms::Symbols;
use bytehop_core::arch::Arch;
use bytehop_core::event::{Lost, Sampled};
use bytehop_core::probes::{self, Probe};

mod breakpoints;
mod functions;
mod refusal;
mod samples;

pub use breakpoints::BUDGET as BREAKPOINT_BUDGET;
use breakpoints::Breakpoints;
use refusal::{errno, refusal, refused};
use samples::Sampling;

/// The eBPF object, built from `tracer-ebpf` by `cargo xtask ebpf`; `build.rs` chooses and checks it.
static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("BYTEHOP_EBPF_OBJECT"));

/// Default size of the ring buffer, bytes: about half a second of the fastest system calls.
pub const DEFAULT_BUFFER: u32 = 64 << 20;

/// The kernel's ring buffer, mapped.
pub type Ring = RingBuf<MapData>;

/// Why probes could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Btf(#[from] BtfError),
    #[error("this build of bytehop does not know the architecture {0}")]
    Arch(&'static str),
    #[error("the kernel refused the eBPF object: {0}")]
    Object(#[source] EbpfError),
    #[error("the kernel refused probe {probe}, and bytehop cannot trace without it: {source}")]
    Required {
        probe: &'static str,
        source: ProgramError,
    },
    #[error("this kernel has no {probe}, and bytehop cannot trace without it")]
    Absent { probe: &'static str },
    #[error("an eBPF map failed: {0}")]
    Map(#[from] MapError),
    #[error("cannot tell our pid namespace (is /proc mounted?): {0}")]
    PidNamespace(#[source] std::io::Error),
    #[error("not allowed to load eBPF programs")]
    NotAllowed,
    #[error("this kernel does not give level {level}: {why}")]
    Level { level: &'static str, why: String },
}

/// What to load.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Count in the kernel only, send no records.
    pub stat: bool,
    /// The same, of every process apart.
    pub top: bool,
    /// Trace children too.
    pub follow: bool,
    /// Size of the ring buffer; rounded up to a power of two of at least a page.
    pub buffer: u32,
    /// `None`: the best that the kernel gives, breakpoints within their budget.
    pub level: Option<Level>,
    /// Hits of breakpoints that are allowed at once, see [`BREAKPOINT_BUDGET`].
    pub budget: u64,
    /// The process that will be traced, in our pid namespace.
    pub pid: u32,
    /// Sample where the program's CPU time goes.
    pub sampling: bool,
    /// Tell where in the program each call was made.
    pub stacks: bool,
    /// Attach only programs that do nothing to the two system call hooks (for the benchmark).
    pub null: bool,
}

/// Loaded programs and their maps. Dropping it detaches everything: the kernel holds the programs
/// only through our descriptors, so a crash detaches them too.
pub struct Probes {
    ebpf: Ebpf,
    /// What is in force.
    pub level: Level,
    /// Labels of the hooks that are attached.
    pub attached: Vec<String>,
    /// Labels of those that are not, with the reason.
    pub missing: Vec<(String, String)>,
    breakpoints: Option<Breakpoints>,
    sampling: Option<Sampling>,
    /// All of [`probes::AGAIN`] are attached.
    again: bool,
}

/// A wire type as a map's key or value.
macro_rules! wire {
    ($($name:ident($inner:ty);)*) => {$(
        #[derive(Clone, Copy)]
        #[repr(transparent)]
        struct $name($inner);
        // SAFETY: `repr(C)`, made of integers only, without padding.
        unsafe impl aya::Pod for $name {}
    )*};
}
pub(crate) use wire;

/// The bytes of a `repr(C)` value made of integers without padding, as the kernel side reads it.
fn bytes_of<T: Copy>(value: &T) -> &[u8] {
    // SAFETY: only called with the wire types below, which have no padding (asserted by their sizes).
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

impl Default for Options {
    /// A trace with records of nothing in particular, at the best level.
    fn default() -> Self {
        Self {
            stat: false,
            top: false,
            follow: true,
            buffer: DEFAULT_BUFFER,
            level: None,
            budget: BREAKPOINT_BUDGET,
            pid: 0,
            sampling: false,
            stacks: false,
            null: false,
        }
    }
}

impl Probes {
    /// Loads and attaches everything that this kernel offers. Nothing is traced until
    /// [`Probes::trace`].
    ///
    /// # Errors
    /// If a hook that nothing works without is missing or refused.
    pub fn load(kernel: &KernelBtf, options: Options) -> Result<Self, LoadError> {
        let arch = Arch::host().ok_or(LoadError::Arch(std::env::consts::ARCH))?;
        let (offsets, absent) = btf::offsets(kernel);
        let regs: Regs = kernel.regs(arch)?;
        let syscalls: [u16; SYSCALLS_MAX] = arch.syscall_table();
        let config = Config {
            mode: match (options.top, options.stat) {
                (true, _) => mode::TOP,
                (_, true) => mode::STAT,
                _ => mode::RECORD,
            },
            follow: options.follow.into(),
            wakeup_bytes: 0,
            uring_complete_cqe: has_argument(kernel, "io_uring_complete", 2, "io_uring_cqe").into(),
            page_shift: crate::capture::page_size().trailing_zeros(),
            exit_group_dead: u32::from(arguments(kernel, "sched_process_exit") > 1),
            nr_execve: number(arch, "execve"),
            nr_execveat: number(arch, "execveat"),
            iter_iovec: enumerator(kernel, "iter_type", "ITER_IOVEC"),
            iter_ubuf: enumerator(kernel, "iter_type", "ITER_UBUF"),
            iter_pipe: enumerator(kernel, "iter_type", "ITER_PIPE"),
            swap_backed: enumerator(kernel, "pageflags", "PG_swapbacked"),
            swap_cache: enumerator(kernel, "pageflags", "PG_swapcache"),
            ourselves: std::process::id(),
            nr_sigreturn: number(arch, "rt_sigreturn"),
            preemptible: preemptible(kernel).into(),
        };

        // Before Linux 5.11 maps count as locked memory; later it has no effect.
        let _ = setrlimit(Resource::RLIMIT_MEMLOCK, u64::MAX, u64::MAX);
        let ring = options
            .buffer
            .max(4096)
            .checked_next_power_of_two()
            .unwrap_or(1 << 31);
        let btf = Btf::from_sys_fs().map_err(|e| LoadError::Object(EbpfError::BtfError(e)))?;
        let object = object();
        let mut loader = EbpfLoader::new();
        let rows = top_rows();
        for (map, entries) in [
            ("TOP_CALLS", rows),
            ("TOP_COUNTS", rows / 2),
            ("TOP_NAMES", TOP_PROCESSES),
            ("TOP_DIRTIED", TOP_INODES),
        ] {
            loader.map_max_entries(map, if options.top { entries } else { 1 });
        }
        let counts_only = options.stat || options.top;
        let mut ebpf = loader
            .btf(Some(&btf))
            .verifier_log_level(if verifier_log() {
                VerifierLogLevel::DEBUG | VerifierLogLevel::STATS
            } else {
                VerifierLogLevel::DISABLE
            })
            .override_global("CONFIG", bytes_of(&config), true)
            .override_global("OFFSETS", bytes_of::<Offsets>(&offsets), true)
            .override_global("REGS", bytes_of(&regs), true)
            .override_global("SYSCALLS", bytes_of(&syscalls), true)
            .map_max_entries("EVENTS", if counts_only { 4096 } else { ring })
            .load(&object)
            .map_err(refused)?;

        let mut hooks = Hooks::default();
        let table: Vec<&Probe> = if options.null {
            Vec::new()
        } else {
            probes::TABLE
                .iter()
                .filter(|p| match options.top {
                    true => probes::TOP.contains(&p.program),
                    false => !(options.stat && p.only_record),
                })
                .collect()
        };
        if options.top {
            let (program, tracepoint) = probes::CALL_OF_ANYONE;
            required("tp:sys_exit", attach(&mut ebpf, program, tracepoint, &btf))?;
            hooks.attached.push("tp:sys_exit".to_owned());
        }
        if options.null {
            for (program, tracepoint) in [("null_enter", "sys_enter"), ("null_exit", "sys_exit")] {
                required("null", attach(&mut ebpf, program, tracepoint, &btf))?;
            }
        }
        for probe in table {
            let Some(tracepoint) = probe.tracepoints.iter().find(|t| kernel.has_tracepoint(t))
            else {
                if probe.required {
                    return Err(LoadError::Absent { probe: probe.label });
                }
                hooks.lack(probe.label, "not in this kernel");
                continue;
            };
            let mut attached = attach(&mut ebpf, probe.program, tracepoint, &btf);
            if probe.required {
                attached = Ok(required(probe.label, attached)?);
            }
            hooks.optional(probe.label, attached);
        }
        let mut again = config.preemptible != 0 && !options.null && !options.top;
        if again {
            for (program, tracepoint) in probes::AGAIN {
                again &= hooks.optional(
                    &format!("{tracepoint}, again"),
                    attach(&mut ebpf, program, tracepoint, &btf),
                );
            }
        }
        if options.stacks && !counts_only && !options.null {
            // After the programs that number the calls.
            for (program, tracepoint) in probes::STACKS {
                hooks.optional(
                    &format!("stacks: {tracepoint}"),
                    attach(&mut ebpf, program, tracepoint, &btf),
                );
            }
        }
        let mut level = Level::T;
        let (mut breakpoints, mut sampling) = (None, None);
        if !options.null && !counts_only {
            let wanted = options.level.unwrap_or(Level::B);
            // Without addresses there are still the functions that have types.
            let symbols = Symbols::load().ok();
            let symbols = symbols.as_ref();
            if wanted >= Level::F {
                level = functions::attach(&mut ebpf, kernel, &btf, symbols, &mut hooks);
            }
            if wanted == Level::B && level == Level::F {
                let budget = options.level.is_none().then_some(options.budget);
                breakpoints =
                    breakpoints::arm(&mut ebpf, symbols, options.pid, budget, &mut hooks)?;
                if breakpoints.is_some() {
                    level = Level::B;
                }
            }
            if let Some(wanted) = options.level
                && level < wanted
            {
                let what = [functions::FUNCTIONS, breakpoints::BREAKPOINTS];
                let mut missing = hooks.missing.iter();
                let reason = missing.find(|(hook, _)| what.contains(&hook.as_str()));
                return Err(LoadError::Level {
                    level: wanted.as_str(),
                    why: reason
                        .map_or("functions are missing", |(_, why)| why)
                        .to_owned(),
                });
            }
            if options.sampling {
                sampling = samples::begin(&mut ebpf, symbols, options.pid, &mut hooks)?;
            }
        }
        for field in absent {
            hooks.lack(&format!("field {field}"), "not in this kernel");
        }
        let Hooks { attached, missing } = hooks;
        Ok(Self {
            ebpf,
            level,
            attached,
            missing,
            breakpoints,
            sampling,
            again,
        })
    }

    /// Takes the breakpoints off if they were hit more often than their budget allows; tells how often.
    /// Asked often, looks now and then.
    ///
    /// # Errors
    /// If a map cannot be used.
    pub fn check_breakpoints(&mut self, now: Instant) -> Result<Option<u64>, LoadError> {
        let Some(breakpoints) = &mut self.breakpoints else {
            return Ok(None);
        };
        let exceeded = breakpoints.exceeded(&self.ebpf, now)?;
        if exceeded.is_some()
            && let Some(breakpoints) = self.breakpoints.take()
        {
            breakpoints.disarm(&mut self.ebpf)?;
        }
        Ok(exceeded)
    }

    /// Programs that the kernel skipped, and how often: it runs none while the same runs already on that
    /// processor, for another thread. It counts them since Linux 5.12.
    ///
    /// Those of [`probes::AGAIN`] stand in for each other, and a call that one told of and another did not is
    /// counted as lost. Only what all missed is not known at all: no more than the one with the fewest.
    pub fn skipped(&self) -> Vec<(String, u64)> {
        let misses = |program: &aya::programs::Program| -> Option<u64> {
            let fd = program.fd().ok()?.as_fd().as_raw_fd();
            let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
            let mut lines = info.lines();
            let count = lines.find_map(|line| line.strip_prefix("recursion_misses:"))?;
            count.trim().parse().ok()
        };
        let programs = self.ebpf.programs();
        let programs = programs.filter_map(|(name, program)| Some((name, misses(program)?)));
        let of_calls = |(name, _): &(&str, u64)| {
            let mut rows = probes::AGAIN.iter();
            self.again && rows.any(|(again, first)| name == again || name == first)
        };
        let (calls, others): (Vec<_>, Vec<_>) = programs.partition(of_calls);
        let all_missed = calls.iter().min_by_key(|(_, n)| *n);
        let skipped = others.into_iter().chain(all_missed.copied());
        let skipped = skipped.filter(|(_, n)| *n > 0);
        skipped.map(|(name, n)| (name.to_owned(), n)).collect()
    }

    /// Where the program's CPU time went so far, if it is sampled.
    ///
    /// # Errors
    /// If a map cannot be read.
    pub fn sampled(&self) -> Result<Option<Sampled>, LoadError> {
        let sampling = self.sampling.as_ref();
        sampling
            .map(|sampling| sampling.read(&self.ebpf))
            .transpose()
    }

    /// Makes the kernel trace a process of our pid namespace from its next `execve` on.
    ///
    /// # Errors
    /// If our pid namespace cannot be told or a map cannot be written.
    pub fn await_execve(&mut self, pid: u32) -> Result<(), LoadError> {
        let ns = std::fs::metadata("/proc/self/ns/pid").map_err(LoadError::PidNamespace)?;
        let awaited = Awaited {
            ns_dev: ns.dev(),
            ns_ino: ns.ino(),
            pid,
            reserved: 0,
        };
        let mut map: Array<_, WireAwaited> = self.map_mut("AWAITED")?.try_into()?;
        map.set(0, WireAwaited(awaited), 0)?;
        Ok(())
    }

    /// Begins to trace a thread that is running; `tid` and `tgid` are those of the first pid
    /// namespace.
    ///
    /// # Errors
    /// If a map cannot be written.
    pub fn trace(&mut self, tid: u32, tgid: u32) -> Result<(), LoadError> {
        let slot = tid % TASK_SLOTS as u32;
        let seed = Task {
            tid,
            tgid,
            flags: task::OLDER,
            generation: 1,
            ..Task::default()
        };
        {
            let mut slots: BpfHashMap<_, u32, u32> = self.map_mut("SLOTS")?.try_into()?;
            // Taken already: by the thread itself, announced by a fork event.
            const BPF_NOEXIST: u64 = 1;
            if slots.insert(slot, tid, BPF_NOEXIST).is_err() {
                return Ok(());
            }
        }
        let mut tasks: Array<_, TaskBytes> = self.map_mut("TASKS")?.try_into()?;
        tasks.set(slot, TaskBytes(seed), 0)?;
        Ok(())
    }

    /// The stream of records.
    ///
    /// # Errors
    /// If the ring buffer cannot be mapped.
    pub fn ring(&mut self) -> Result<Ring, LoadError> {
        let map = self
            .ebpf
            .take_map("EVENTS")
            .ok_or_else(|| invalid("EVENTS"))?;
        Ok(RingBuf::try_from(map)?)
    }

    /// How many records have not fitted into the ring buffer so far.
    ///
    /// # Errors
    /// If a map cannot be read.
    pub fn lost(&self) -> Result<Lost, LoadError> {
        let sum = |name: &'static str, i: u32| -> Result<u64, LoadError> {
            let map: PerCpuArray<_, u64> = self.map(name)?.try_into()?;
            Ok(map.get(&i, 0)?.iter().sum())
        };
        let mut lost = Lost::default();
        for k in 0..kind::COUNT as u32 {
            lost.by_kind.push(sum("LOST", k)?);
        }
        if lost.by_kind[kind::SYSCALL as usize] + lost.by_kind[kind::SYSCALL_FILE as usize] > 0 {
            for nr in 0..SYSCALLS_MAX as u32 {
                let n = sum("LOST_CALLS", nr)?;
                if n > 0 {
                    lost.calls.push((nr as u16, n));
                }
            }
        }
        Ok(lost)
    }

    /// Block I/O of the program that was not seen to complete, in the order in which it was queued.
    ///
    /// # Errors
    /// If the map cannot be read.
    pub fn unfinished(&self) -> Result<Vec<Block>, LoadError> {
        let bios: BpfHashMap<_, u64, WireBlock> = self.map("BIOS")?.try_into()?;
        let mut blocks = Vec::new();
        for entry in bios.iter() {
            let (_, WireBlock(mut block)) = entry?;
            block.bio |= bio::UNSEEN;
            blocks.push(block);
        }
        blocks.sort_by_key(|block| (block.head.ts, block.sector));
        Ok(blocks)
    }

    /// Sums a per-CPU or plain map into memory; used by `stat`.
    pub(crate) fn map(&self, name: &'static str) -> Result<&aya::maps::Map, LoadError> {
        self.ebpf.map(name).ok_or_else(|| invalid(name))
    }

    pub(crate) fn map_mut(&mut self, name: &'static str) -> Result<&mut aya::maps::Map, LoadError> {
        self.ebpf.map_mut(name).ok_or_else(|| invalid(name))
    }

    /// Threads that are traced now, with the system call each of them is in (`None`: in user mode).
    ///
    /// # Errors
    /// If a map cannot be read.
    pub fn threads(&self) -> Result<BTreeMap<u32, Option<u32>>, LoadError> {
        let slots: BpfHashMap<_, u32, u32> = self.map("SLOTS")?.try_into()?;
        let tasks: Array<_, TaskBytes> = self.map("TASKS")?.try_into()?;
        let mut threads = BTreeMap::new();
        for slot in slots.keys() {
            let TaskBytes(t) = tasks.get(&slot?, 0)?;
            if t.tid != 0 {
                threads.insert(t.tid, (t.flags & task::IN_CALL != 0).then_some(t.nr));
            }
        }
        Ok(threads)
    }
}

wire! {
    TaskBytes(Task);
    WireAwaited(Awaited);
    WireRange(Range);
    WireBlock(Block);
}

fn attach(ebpf: &mut Ebpf, program: &str, tracepoint: &str, btf: &Btf) -> Result<(), ProgramError> {
    let program: &mut BtfTracePoint = ebpf
        .program_mut(program)
        .ok_or_else(|| no_program(program))?
        .try_into()?;
    let loaded = program.load(tracepoint, btf);
    if let Err(error) = &loaded
        && verifier_log()
    {
        eprintln!("{tracepoint}: {error}");
    }
    loaded?;
    program.attach()?;
    Ok(())
}

/// Fails if a program that nothing works without is not attached.
fn required(probe: &'static str, attached: Result<(), ProgramError>) -> Result<(), LoadError> {
    attached.map_err(|source| LoadError::Required { probe, source })
}

/// Whether to ask the verifier why it refuses a program, and to print it: for whoever changes the
/// programs. It makes loading slow.
fn verifier_log() -> bool {
    std::env::var_os("BYTEHOP_VERIFIER_LOG").is_some()
}

/// Rows of `top`'s table of calls: each takes memory for every processor.
fn top_rows() -> u32 {
    const MOST: usize = 64 << 20;
    let processors = aya::util::nr_cpus().unwrap_or(64);
    let rows = MOST / (size_of::<TopCell>() * processors.max(1));
    u32::try_from(rows)
        .unwrap_or(TOP_ROWS)
        .clamp(1024, TOP_ROWS)
}

/// What is attached, and what is not.
#[derive(Default)]
struct Hooks {
    attached: Vec<String>,
    missing: Vec<(String, String)>,
}

impl Hooks {
    fn lack(&mut self, what: &str, why: &str) {
        self.missing.push((what.to_owned(), why.to_owned()));
    }

    fn refused(&mut self, what: &str, e: &ProgramError) {
        self.lack(what, &refusal(e));
    }

    /// A program that tracing can do without; whether it is there.
    fn optional(&mut self, what: &str, attached: Result<(), ProgramError>) -> bool {
        match &attached {
            Ok(()) => self.attached.push(what.to_owned()),
            Err(e) => self.refused(what, e),
        }
        attached.is_ok()
    }
}

/// Does something for every thread of a process, those that it makes meanwhile included.
fn for_each_thread(
    pid: u32,
    mut each: impl FnMut(u32) -> Result<(), ProgramError>,
) -> Result<(), ProgramError> {
    let mut known = HashSet::new();
    loop {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
        let threads = threads.map_err(ProgramError::IOError)?;
        let threads = threads.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let new: Vec<u32> = threads.filter(|tid| known.insert(*tid)).collect();
        if new.is_empty() {
            return Ok(());
        }
        for tid in new {
            match each(tid) {
                // It has ended meanwhile.
                Err(e) if errno(&e) == Some(Errno::ESRCH) && tid != pid => {}
                other => other?,
            }
        }
    }
}

fn no_program(name: &str) -> ProgramError {
    ProgramError::InvalidName {
        name: name.to_owned(),
    }
}

/// The embedded object, or (for the check of a rebuilt one, and only if root asks as root) a file.
fn object() -> Cow<'static, [u8]> {
    let root = nix::unistd::getuid().is_root();
    match std::env::var_os("BYTEHOP_EBPF_OBJECT") {
        Some(path) if root => std::fs::read(path).map_or(Cow::Borrowed(OBJECT), Cow::Owned),
        _ => Cow::Borrowed(OBJECT),
    }
}

/// Value of an enumerator.
fn enumerator(kernel: &KernelBtf, enumeration: &str, name: &str) -> u32 {
    kernel.enumerator(enumeration, name).unwrap_or(NO_OFFSET)
}

fn number(arch: Arch, name: &str) -> u32 {
    arch.syscall_number(name).map_or(NO_OFFSET, u32::from)
}

/// Whether the programs of system call tracepoints run preemptibly: 7.2 has this function, which lets them
/// (`kernel/trace/bpf_trace.c`); 6.18 turns preemption off around them (`include/trace/bpf_probe.h`).
fn preemptible(kernel: &KernelBtf) -> bool {
    kernel.function_id("trace_call_bpf_faultable").is_some()
}

fn arguments(kernel: &KernelBtf, tracepoint: &str) -> usize {
    kernel
        .tracepoint_args(tracepoint)
        .map_or(0, |args| args.len())
}

fn has_argument(kernel: &KernelBtf, tracepoint: &str, i: usize, type_name: &str) -> bool {
    let args = kernel.tracepoint_args(tracepoint);
    args.is_some_and(|args| args.get(i).is_some_and(|a| a.contains(type_name)))
}

fn invalid(name: &'static str) -> LoadError {
    LoadError::Map(MapError::InvalidName {
        name: name.to_owned(),
    })
}
