//! The running kernel, as a plan asks it, and as the kernel side is told of it.

use std::collections::{HashMap, HashSet};

use bytehop_core::arch::{Arch, Elsewhere};
use bytehop_core::catalogue::{Tracepoint, functions};
use tracer_ebpf::{Config, NO_OFFSET, mode};

use super::plan::{Address, Kernel, Verb};
use crate::btf::KernelBtf;
use crate::caps::no_fentry;
use crate::ksyms::Symbols;

/// What is known of the running kernel.
pub(super) struct Running<'a> {
    btf: &'a KernelBtf,
    /// Functions of the table that have types, and their ids.
    pub typed: HashMap<&'static str, u32>,
    /// Without addresses there are still the functions that have types.
    symbols: Option<&'a Symbols>,
}

impl<'a> Running<'a> {
    pub fn new(btf: &'a KernelBtf, verb: Verb, symbols: Option<&'a Symbols>) -> Self {
        let rows = functions::TABLE.iter();
        let names: HashSet<_> = rows.flat_map(|row| row.names).copied().collect();
        Self {
            btf,
            // Looks at every type: for those who will ask.
            typed: match verb {
                Verb::Record => btf.functions(&names),
                _ => HashMap::new(),
            },
            symbols,
        }
    }
}

impl Kernel for Running<'_> {
    fn has_tracepoint(&self, name: &str) -> bool {
        self.btf.has_tracepoint(name)
    }

    fn has_type(&self, function: &str) -> bool {
        self.typed.contains_key(function)
    }

    fn address(&self, function: &str) -> Address {
        match self.symbols.and_then(|symbols| symbols.address(function)) {
            None => Address::Absent,
            Some(0) => Address::Hidden,
            Some(address) => Address::At(address),
        }
    }

    fn preemptible(&self) -> bool {
        preemptible(self.btf)
    }

    fn fentry(&self) -> bool {
        !no_fentry()
    }

    fn elsewhere(&self, hook: Tracepoint) -> Option<Elsewhere> {
        Arch::host()?.elsewhere(hook)
    }
}

/// What the kernel side is told.
pub(super) fn config(kernel: &KernelBtf, arch: Arch, verb: Verb, follow: bool) -> Config {
    Config {
        mode: match verb {
            Verb::Top => mode::TOP,
            Verb::Stat | Verb::Null => mode::STAT,
            Verb::Record => mode::RECORD,
        },
        follow: follow.into(),
        wakeup_bytes: 0,
        uring_complete_cqe: has_argument(kernel, Tracepoint::io_uring_complete, 2, "io_uring_cqe")
            .into(),
        page_shift: page_size().trailing_zeros(),
        exit_group_dead: u32::from(arguments(kernel, Tracepoint::sched_process_exit).len() > 1),
        nr_execve: number(arch, "execve"),
        nr_execveat: number(arch, "execveat"),
        nr_chdir: number(arch, "chdir"),
        nr_connect: number(arch, "connect"),
        iter_iovec: enumerator(kernel, "iter_type", "ITER_IOVEC"),
        iter_ubuf: enumerator(kernel, "iter_type", "ITER_UBUF"),
        iter_pipe: enumerator(kernel, "iter_type", "ITER_PIPE"),
        iter_xarray: enumerator(kernel, "iter_type", "ITER_XARRAY"),
        iter_folioq: enumerator(kernel, "iter_type", "ITER_FOLIOQ"),
        swap_backed: enumerator(kernel, "pageflags", "PG_swapbacked"),
        swap_cache: enumerator(kernel, "pageflags", "PG_swapcache"),
        req_multishot: enumerator(kernel, "", "REQ_F_APOLL_MULTISHOT_BIT"),
        req_skips: enumerator(kernel, "", "REQ_F_CQE_SKIP_BIT"),
        ourselves: std::process::id(),
        nr_sigreturn: number(arch, "rt_sigreturn"),
        preemptible: preemptible(kernel).into(),
        nr_io_submit: number(arch, "io_submit"),
        nr_io_getevents: number(arch, "io_getevents"),
        nr_io_pgetevents: number(arch, "io_pgetevents"),
        nr_sendmmsg: number(arch, "sendmmsg"),
        nr_recvmmsg: number(arch, "recvmmsg"),
        nr_ioctl: number(arch, "ioctl"),
        nr_getsockopt: number(arch, "getsockopt"),
    }
}

/// Size of a page, bytes.
pub fn page_size() -> u32 {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
    size.ok().flatten().map_or(4096, |n| n as u32)
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

/// The types of what a hook is given; none where the kernel lacks it.
fn arguments(kernel: &KernelBtf, hook: Tracepoint) -> Vec<String> {
    let name = hook.row().tracepoint(|name| kernel.has_tracepoint(name));
    name.and_then(|name| kernel.tracepoint_args(name))
        .unwrap_or_default()
}

fn has_argument(kernel: &KernelBtf, hook: Tracepoint, i: usize, type_name: &str) -> bool {
    let args = arguments(kernel, hook);
    args.get(i).is_some_and(|arg| arg.contains(type_name))
}
