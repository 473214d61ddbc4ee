//! Loading and attaching the eBPF programs. The only place, with [`crate::capture`], that needs
//! privileges.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::os::unix::fs::MetadataExt;

use aya::maps::{Array, HashMap as BpfHashMap, MapData, MapError, PerCpuArray, RingBuf};
use aya::programs::{BtfTracePoint, FEntry, FExit, ProgramError};
use aya::{Btf, Ebpf, EbpfError, EbpfLoader, VerifierLogLevel};
use nix::sys::resource::{Resource, setrlimit};
use thiserror::Error;
use tracer_ebpf::{
    Awaited, Block, Config, NO_OFFSET, Offsets, Regs, SYSCALLS_MAX, TASK_SLOTS, Task, bio, kind,
    mode, task,
};

use crate::arch::Arch;
use crate::btf::{self, BtfError, KernelBtf};
use crate::caps::Level;
use crate::event::Lost;
use crate::functions::{self, Function, Hook};
use crate::probes::{self, Probe};

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
    #[error("the kernel refused probe {probe}, which nothing works without: {source}")]
    Required {
        probe: &'static str,
        source: ProgramError,
    },
    #[error("this kernel has no {probe}, which nothing works without")]
    Absent { probe: &'static str },
    #[error("an eBPF map failed: {0}")]
    Map(#[from] MapError),
    #[error("cannot tell our pid namespace (is /proc mounted?): {0}")]
    PidNamespace(#[source] std::io::Error),
    #[error("not allowed to load eBPF programs")]
    NotAllowed,
    #[error("this kernel does not give level F: {0}")]
    Level(String),
}

/// What to load.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Count in the kernel only, send no records.
    pub stat: bool,
    /// Trace children too.
    pub follow: bool,
    /// Size of the ring buffer; rounded up to a power of two of at least a page.
    pub buffer: u32,
    /// `None`: T.
    pub level: Option<Level>,
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

impl Probes {
    /// Loads and attaches everything that this kernel offers. Nothing is traced until
    /// [`Probes::trace`].
    ///
    /// # Errors
    /// If a hook that nothing works without is missing or refused.
    pub fn load(kernel: &KernelBtf, options: Options) -> Result<Self, LoadError> {
        let arch = Arch::host().ok_or(LoadError::Arch(std::env::consts::ARCH))?;
        let (offsets, absent) = btf::offsets(kernel);
        let regs: Regs = arch.regs(kernel)?;
        let syscalls: [u16; SYSCALLS_MAX] = arch.syscall_table();
        let config = Config {
            mode: if options.stat {
                mode::STAT
            } else {
                mode::RECORD
            },
            follow: options.follow.into(),
            wakeup_bytes: 0,
            uring_complete_cqe: has_argument(kernel, "io_uring_complete", 2, "io_uring_cqe").into(),
            page_shift: crate::capture::page_size().trailing_zeros(),
            exit_group_dead: u32::from(arguments(kernel, "sched_process_exit") > 1),
            nr_execve: number(arch, "execve"),
            nr_execveat: number(arch, "execveat"),
            iter_iovec: iterator(kernel, "ITER_IOVEC"),
            iter_ubuf: iterator(kernel, "ITER_UBUF"),
            iter_pipe: iterator(kernel, "ITER_PIPE"),
            reserved: 0,
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
        let mut ebpf = EbpfLoader::new()
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
            .map_max_entries("EVENTS", if options.stat { 4096 } else { ring })
            .load(&object)
            .map_err(refused)?;

        let mut attached = Vec::new();
        let mut missing = Vec::new();
        let table: Vec<&Probe> = if options.null {
            Vec::new()
        } else {
            probes::TABLE
                .iter()
                .filter(|p| !(options.stat && p.only_record))
                .collect()
        };
        if options.null {
            for (program, tracepoint) in [("null_enter", "sys_enter"), ("null_exit", "sys_exit")] {
                attach(&mut ebpf, program, tracepoint, &btf).map_err(|source| {
                    LoadError::Required {
                        probe: "null",
                        source,
                    }
                })?;
            }
        }
        for probe in table {
            let Some(tracepoint) = probe.tracepoints.iter().find(|t| kernel.has_tracepoint(t))
            else {
                if probe.required {
                    return Err(LoadError::Absent { probe: probe.label });
                }
                missing.push((probe.label.to_owned(), "not in this kernel".to_owned()));
                continue;
            };
            match attach(&mut ebpf, probe.program, tracepoint, &btf) {
                Ok(()) => attached.push(probe.label.to_owned()),
                Err(source) if probe.required => {
                    return Err(LoadError::Required {
                        probe: probe.label,
                        source,
                    });
                }
                Err(e) => missing.push((probe.label.to_owned(), one_line(&e))),
            }
        }
        if options.stacks && !options.stat && !options.null {
            // After the programs that number the calls.
            for (program, tracepoint) in probes::STACKS {
                let label = format!("stacks: {tracepoint}");
                match attach(&mut ebpf, program, tracepoint, &btf) {
                    Ok(()) => attached.push(label),
                    Err(e) => missing.push((label, one_line(&e))),
                }
            }
        }
        let mut level = Level::T;
        // Asked for only: not proven yet on every kernel (docs/kernels.md).
        if !options.null && !options.stat && options.level == Some(Level::F) {
            level = attach_functions(&mut ebpf, kernel, &btf, &mut attached, &mut missing);
            if let Some(wanted) = options.level
                && level < wanted
            {
                let reason = missing.iter().find(|(what, _)| what == FUNCTIONS);
                let reason = reason.map_or("the functions are not there", |(_, why)| why);
                return Err(LoadError::Level(reason.to_owned()));
            }
        }
        for field in absent {
            missing.push((format!("field {field}"), "not in this kernel".to_owned()));
        }
        Ok(Self {
            ebpf,
            level,
            attached,
            missing,
        })
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

    fn map_mut(&mut self, name: &'static str) -> Result<&mut aya::maps::Map, LoadError> {
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
    WireBlock(Block);
}

fn attach(ebpf: &mut Ebpf, program: &str, tracepoint: &str, btf: &Btf) -> Result<(), ProgramError> {
    let program: &mut BtfTracePoint = ebpf
        .program_mut(program)
        .ok_or(ProgramError::InvalidName {
            name: program.to_owned(),
        })?
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

/// Whether to ask the verifier why it refuses a program, and to print it: for whoever changes the
/// programs. It makes loading slow.
fn verifier_log() -> bool {
    std::env::var_os("BYTEHOP_VERIFIER_LOG").is_some()
}

/// As missing hooks are named where the kernel refuses every program on functions.
const FUNCTIONS: &str = "functions (level F)";

/// Attaches what the kernel gives of [`functions::TABLE`]; tells the level that this makes.
///
/// What is refused or absent goes to `missing`. A kernel that refuses the first function refuses all:
/// then no other is tried.
fn attach_functions(
    ebpf: &mut Ebpf,
    kernel: &KernelBtf,
    btf: &Btf,
    attached: &mut Vec<String>,
    missing: &mut Vec<(String, String)>,
) -> Level {
    let names: HashSet<&str> = functions::TABLE
        .iter()
        .flat_map(|row| row.names)
        .copied()
        .collect();
    let present = kernel.functions(&names);
    let known = |program: &str| {
        let row = functions::TABLE.iter().find(|row| row.program == program);
        row.is_some_and(|row| row.name(|name| present.contains(name)).is_some())
    };
    let mut level = Level::F;
    for (i, row) in functions::TABLE.iter().enumerate() {
        let Some(name) = row.name(|name| present.contains(name)) else {
            if row.or.is_none_or(|or| !known(or)) {
                missing.push((row.label.to_owned(), "not in this kernel".to_owned()));
            }
            continue;
        };
        match attach_function(ebpf, row, name, btf) {
            Ok(()) => attached.push(row.label.to_owned()),
            Err(e) if i == 0 => {
                missing.push((FUNCTIONS.to_owned(), one_line(&e)));
                return Level::T;
            }
            Err(e) => {
                missing.push((row.label.to_owned(), one_line(&e)));
                if row.core {
                    level = Level::T;
                }
            }
        }
    }
    level
}

fn attach_function(
    ebpf: &mut Ebpf,
    row: &Function,
    name: &str,
    btf: &Btf,
) -> Result<(), ProgramError> {
    let program = ebpf
        .program_mut(row.program)
        .ok_or(ProgramError::InvalidName {
            name: row.program.to_owned(),
        })?;
    match row.hook {
        Hook::Entry => {
            let program: &mut FEntry = program.try_into()?;
            program.load(name, btf)?;
            program.attach()?;
        }
        Hook::Exit => {
            let program: &mut FExit = program.try_into()?;
            program.load(name, btf)?;
            program.attach()?;
        }
    }
    Ok(())
}

/// The embedded object, or (for the check of a rebuilt one, and only if root asks as root) a file.
fn object() -> Cow<'static, [u8]> {
    let root = nix::unistd::getuid().is_root();
    match std::env::var_os("BYTEHOP_EBPF_OBJECT") {
        Some(path) if root => std::fs::read(path).map_or(Cow::Borrowed(OBJECT), Cow::Owned),
        _ => Cow::Borrowed(OBJECT),
    }
}

/// Value of `enum iter_type`.
fn iterator(kernel: &KernelBtf, name: &str) -> u32 {
    kernel.enumerator("iter_type", name).unwrap_or(NO_OFFSET)
}

fn number(arch: Arch, name: &str) -> u32 {
    arch.syscall_number(name).map_or(NO_OFFSET, u32::from)
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

fn refused(e: EbpfError) -> LoadError {
    if one_line(&e).contains("(os error 1)") {
        LoadError::NotAllowed
    } else {
        LoadError::Object(e)
    }
}

/// An error and its causes, the first line of each (a verifier log has thousands).
pub(crate) fn one_line(e: &(dyn std::error::Error + 'static)) -> String {
    let mut out = String::new();
    let mut next = Some(e);
    while let Some(e) = next {
        let text = e.to_string();
        let first = text.lines().next().unwrap_or_default();
        let first = first.split(". Verifier output:").next().unwrap_or_default();
        if !out.contains(first) {
            if !out.is_empty() {
                out.push_str(": ");
            }
            out.push_str(first);
        }
        next = e.source();
    }
    out
}
