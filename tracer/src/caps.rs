//! What this kernel lets us measure: [`Facts`] are gathered, a [`Plan`] follows from them.
//!
//! Facts are of two sorts: read from the kernel's files, or tried ([`attempt`]). What could not be
//! tried is [`Tried::Untried`], never guessed.

use std::collections::HashSet;
use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};

use bytehop_core::arch::{Arch, Elsewhere, PAGE_FAULTS};
use bytehop_core::catalogue::functions::{self, Function};
use bytehop_core::catalogue::primitives::{self, Primitive};
use bytehop_core::catalogue::probes::{self, Probe};
use bytehop_core::catalogue::{FunctionId, PrimitiveId, Tracepoint};
use bytehop_core::event::Device;
use bytehop_core::i18n::{Lang, Say};
use nix::errno::Errno;
use nix::sys::utsname::uname;

use crate::btf::{self, KernelBtf};
use crate::capset::{CapSet, cap};
use crate::device::Sysfs;
use crate::ksyms::Symbols;
use crate::lent;
use crate::privileges::Privileges;
use crate::share;

mod attempt;

/// How much a kernel lets us measure: see the domain model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Tracepoints.
    T,
    /// Functions, on top.
    F,
    /// Execution breakpoints, on top.
    B,
}

impl Level {
    /// The highest that this build traces at.
    pub const BUILT: Self = Self::B;

    pub fn as_str(self) -> &'static str {
        match self {
            Self::T => "T",
            Self::F => "F",
            Self::B => "B",
        }
    }
}

/// Answer to "does it work here?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    Yes,
    No(Why),
    Untried(Why),
}

/// Why something does not work, or was not tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// We lack the rights.
    Rights,
    /// The kernel has no type information.
    NoBtf,
    /// The kernel does not have what it takes: the name of it.
    Absent(&'static str),
    /// The kernel said no.
    Refused(Errno),
    /// The kernel shows no addresses (`kptr_restrict`).
    HiddenAddresses,
    /// An architecture that bytehop does not know.
    Arch,
}

/// Everything that bears on what can be measured.
#[derive(Clone, Debug)]
pub struct Facts {
    /// `uname -r`.
    pub kernel: String,
    /// `uname -m`.
    pub arch: String,
    /// `None` where bytehop cannot trace.
    pub known_arch: Option<Arch>,
    /// Why there is no type information, one line in English and Chinese.
    pub no_btf: Option<[String; 2]>,
    /// Each hook of [`probes::TABLE`] that has a place of its own on this architecture, and the tracepoint (or
    /// event) that this kernel has for it.
    pub hooks: Vec<(&'static Probe, Option<&'static str>)>,
    /// Each function of [`functions::TABLE`], and the name that this kernel has for it.
    pub function_names: Vec<(&'static Function, Option<&'static str>)>,
    /// Each primitive of [`primitives::TABLE`], and the name that this kernel has for it.
    pub primitives: Vec<(&'static Primitive, Option<&'static str>)>,
    /// Kernel struct fields that are not there.
    pub absent_fields: Vec<&'static str>,
    pub privileges: Privileges,
    /// A BPF program attaches to a tracepoint.
    pub tracepoints: Tried,
    /// A BPF program attaches to a function, by fentry or by a kprobe.
    pub functions: Tried,
    /// An execution breakpoint can be set on kernel text.
    pub breakpoints: Tried,
    /// kprobe events exist.
    pub kprobes: bool,
    /// The program may use io_uring.
    pub io_uring: Tried,
    /// `/proc/sys/kernel/unprivileged_bpf_disabled`.
    pub unprivileged_bpf_disabled: Option<i64>,
    /// `/proc/sys/kernel/perf_event_paranoid`.
    pub perf_event_paranoid: Option<i64>,
    /// Kernel lockdown: "none", "integrity" or "confidentiality"; `None` if it is not shown.
    pub lockdown: Option<String>,
    /// Runs in a virtual machine, as far as the processor or firmware admit it.
    pub virtual_machine: bool,
    /// Runs in a container.
    pub container: bool,
    /// Runs on Windows (WSL2).
    pub wsl: bool,
    /// Our rights are lent to a caller who lacks them.
    pub lent: bool,
    /// Our own file, if it lends capabilities to everyone.
    pub open_to_all: Option<PathBuf>,
    pub devices: Vec<Device>,
}

/// Something that stands in the way of any tracing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// [`Privileges::require`] has the advice.
    Rights,
    /// No type information, one line.
    NoBtf([String; 2]),
    /// The architecture is not known.
    Arch(String),
    /// A hook that nothing works without is not there.
    Hook(&'static str),
    /// The kernel refuses programs on tracepoints.
    Refused(Errno),
}

/// What follows from the [`Facts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The level in force; `None`: nothing can be traced.
    pub level: Option<Level>,
    /// Why nothing can be traced.
    pub obstacles: Vec<Obstacle>,
    /// Levels F and B: does this kernel let us?
    pub above: [(Level, Tried); 2],
}

/// Gathers the facts. Takes some hundred milliseconds: for `doctor`, not for every start.
pub fn facts() -> Facts {
    let (kernel, arch) = match uname() {
        Ok(names) => (
            names.release().to_string_lossy().into_owned(),
            names.machine().to_string_lossy().into_owned(),
        ),
        Err(_) => (String::new(), std::env::consts::ARCH.into()),
    };
    let known_arch = Arch::host();
    // A kernel too old for capget has no BPF either.
    let privileges = Privileges::check().unwrap_or(Privileges {
        effective: CapSet::EMPTY,
        confined: false,
    });
    let (btf, no_btf) = match KernelBtf::load() {
        Ok(btf) => (Some(btf), None),
        Err(error) => (None, Some([Lang::En, Lang::Zh].map(|lang| error.say(lang)))),
    };
    let primitives = primitives::TABLE.iter();
    let names: HashSet<&str> = functions::TABLE
        .iter()
        .flat_map(|row| row.names)
        .copied()
        .chain(
            primitives
                .clone()
                .flat_map(|row| row.names)
                .map(|name| name.function()),
        )
        .collect();
    let present = btf.as_ref().map(|btf| btf.functions(&names));
    let present = present.unwrap_or_default();
    let has = |name: &str| btf.as_ref().is_some_and(|btf| btf.has_tracepoint(name));
    let wsl = is_wsl(&kernel);
    Facts {
        kernel,
        arch,
        known_arch,
        no_btf,
        hooks: probes::TABLE
            .iter()
            .filter_map(|probe| {
                let elsewhere = known_arch.and_then(|arch| arch.elsewhere(probe.id));
                match elsewhere {
                    None => Some((probe, probe.tracepoint(has))),
                    Some(Elsewhere::PageFaults) => Some((probe, Some(PAGE_FAULTS))),
                    Some(Elsewhere::Among(_)) => None,
                }
            })
            .collect(),
        function_names: functions::TABLE
            .iter()
            .map(|row| (row, row.name(|name| present.contains_key(name))))
            .collect(),
        primitives: primitives
            .map(|row| (row, row.name(|name| present.contains_key(name))))
            .collect(),
        absent_fields: btf
            .as_ref()
            .map(|btf| btf::offsets(btf).1)
            .unwrap_or_default(),
        tracepoints: try_program(&privileges, btf.as_ref(), attempt::Attach::Tracepoint),
        functions: try_functions(&privileges, btf.as_ref()),
        breakpoints: try_breakpoint(&privileges, known_arch),
        privileges,
        kprobes: Path::new("/sys/bus/event_source/devices/kprobe").exists(),
        io_uring: match attempt::io_uring() {
            Ok(()) => Tried::Yes,
            Err(Errno::ENOSYS) => Tried::No(Why::Absent("io_uring")),
            Err(errno) => Tried::No(Why::Refused(errno)),
        },
        unprivileged_bpf_disabled: sysctl("unprivileged_bpf_disabled"),
        perf_event_paranoid: sysctl("perf_event_paranoid"),
        lockdown: lockdown(),
        virtual_machine: virtual_machine(),
        container: container(),
        wsl,
        lent: lent::caller().is_some(),
        open_to_all: std::env::current_exe()
            .ok()
            .filter(|exe| share::is_open_to_all(exe)),
        devices: Sysfs::host().all(),
    }
}

/// What is tried: the hook that nothing works without, and what holds a copy loop that level F or level B measures.
const HOOK: Tracepoint = Tracepoint::sys_enter;
const FUNCTION: FunctionId = FunctionId::filemap_read;
const PRIMITIVE: PrimitiveId = PrimitiveId::_copy_to_iter;

fn try_program(rights: &Privileges, btf: Option<&KernelBtf>, how: attempt::Attach) -> Tried {
    let Some(btf) = btf else {
        return Tried::Untried(Why::NoBtf);
    };
    if !rights.missing().is_empty() {
        return Tried::Untried(Why::Rights);
    }
    let (name, id) = match how {
        attempt::Attach::Tracepoint => {
            let name = HOOK.row().tracepoints[0];
            (name, btf.tracepoint_id(name))
        }
        attempt::Attach::FunctionEntry => {
            let name = FUNCTION.row().names[0];
            (name, btf.function_id(name))
        }
    };
    match id.map(|id| attempt::attach_program(how, id)) {
        Some(Ok(())) => Tried::Yes,
        Some(Err(errno)) => Tried::No(Why::Refused(errno)),
        None => Tried::No(Why::Absent(name)),
    }
}

/// Whether to do as if the kernel had neither fentry nor fexit: for whoever tests the kprobes.
pub fn no_fentry() -> bool {
    std::env::var_os("BYTEHOP_NO_FENTRY").is_some()
}

/// What tracing does: where fentry is refused, kprobes.
fn try_functions(rights: &Privileges, btf: Option<&KernelBtf>) -> Tried {
    let fentry = match no_fentry() {
        false => try_program(rights, btf, attempt::Attach::FunctionEntry),
        true => Tried::No(Why::Absent("fentry")),
    };
    let kprobe = || {
        let name = CString::new(FUNCTION.row().names[0]);
        name.is_ok_and(|name| attempt::kprobe(&name).is_ok())
    };
    match fentry {
        Tried::No(_) if kprobe() => Tried::Yes,
        tried => tried,
    }
}

fn try_breakpoint(rights: &Privileges, arch: Option<Arch>) -> Tried {
    let Some(arch) = arch else {
        return Tried::Untried(Why::Arch);
    };
    // The kernel asks for it where a breakpoint lies in its own text.
    if rights.confined || !rights.effective.has(cap::SYS_ADMIN) {
        return Tried::Untried(Why::Rights);
    }
    let symbols = Symbols::load().ok();
    match symbols.and_then(|symbols| symbols.address(PRIMITIVE.function())) {
        Some(0) => Tried::Untried(Why::HiddenAddresses),
        Some(address) => match attempt::kernel_breakpoint(address, arch.breakpoint_len()) {
            Ok(()) => Tried::Yes,
            Err(errno) => Tried::No(Why::Refused(errno)),
        },
        None => Tried::No(Why::Absent(PRIMITIVE.function())),
    }
}

fn sysctl(name: &str) -> Option<i64> {
    let text = fs::read_to_string(Path::new("/proc/sys/kernel").join(name)).ok()?;
    text.trim().parse().ok()
}

/// The file reads `none [integrity] confidentiality`: the one in brackets is in force.
fn lockdown() -> Option<String> {
    let text = fs::read_to_string("/sys/kernel/security/lockdown").ok()?;
    let (_, rest) = text.split_once('[')?;
    Some(rest.split_once(']')?.0.into())
}

fn virtual_machine() -> bool {
    let flagged = || {
        let text = fs::read_to_string("/proc/cpuinfo").ok()?;
        let flags = text.lines().find(|line| line.starts_with("flags"))?;
        Some(
            flags
                .split_ascii_whitespace()
                .any(|flag| flag == "hypervisor"),
        )
    };
    Path::new("/sys/hypervisor/type").exists()
        || Path::new("/proc/device-tree/hypervisor").exists()
        || flagged().unwrap_or(false)
}

/// The kernel of WSL2 has its maker's name in its release.
fn is_wsl(release: &str) -> bool {
    release.to_lowercase().contains("microsoft")
}

fn container() -> bool {
    let marks = [
        "/.dockerenv",
        "/run/.containerenv",
        "/run/systemd/container",
    ];
    // LXC and podman tell the first process; Kubernetes every one.
    let told = fs::read("/proc/1/environ").unwrap_or_default();
    let told = told
        .split(|b| *b == 0)
        .any(|v| v.starts_with(b"container="));
    let kubernetes = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    told || kubernetes || marks.iter().any(|mark| Path::new(mark).exists())
}

/// What can be traced, and what stands in the way.
pub fn plan(facts: &Facts) -> Plan {
    let mut obstacles = Vec::new();
    if facts.known_arch.is_none() {
        obstacles.push(Obstacle::Arch(facts.arch.clone()));
    }
    match &facts.no_btf {
        Some(error) => obstacles.push(Obstacle::NoBtf(error.clone())),
        None => {
            let lacking = facts
                .hooks
                .iter()
                .filter(|(hook, at)| hook.required && at.is_none());
            obstacles.extend(lacking.map(|(hook, _)| Obstacle::Hook(hook.label)));
        }
    }
    if !facts.privileges.missing().is_empty() {
        obstacles.push(Obstacle::Rights);
    }
    if let Tried::No(Why::Refused(errno)) = facts.tracepoints {
        obstacles.push(Obstacle::Refused(errno));
    }
    // What the kernel would allow is in `above`; a level is in force only if this build has it.
    let highest = match (&facts.functions, &facts.breakpoints) {
        (Tried::Yes, Tried::Yes) => Level::B,
        (Tried::Yes, _) => Level::F,
        _ => Level::T,
    };
    let level = obstacles.is_empty().then_some(highest);
    let above = [
        (Level::F, facts.functions.clone()),
        (Level::B, facts.breakpoints.clone()),
    ];
    Plan {
        level,
        obstacles,
        above,
    }
}

#[cfg(test)]
#[path = "caps_tests.rs"]
pub(crate) mod tests;
