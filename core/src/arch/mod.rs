//! What depends on the processor architecture: one module each, chosen at run time.
//!
//! Both are always compiled, because a recording is read on any machine: ask [`Arch::from_name`]
//! for the architecture a trace was made on, and [`Arch::host`] for the one to load programs on.
//! What system calls do with their arguments is the same everywhere and stands in [`calls`].

mod aarch64;
pub mod calls;
pub mod uring;
mod x86_64;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::catalogue::Tracepoint;
use tracer_ebpf::{NO_OFFSET, Regs, SYSCALLS_MAX};

/// An architecture that bytehop knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arch {
    X86_64,
    Aarch64,
}

/// Everything that differs between architectures.
pub struct Spec {
    /// As `uname -m` prints it.
    name: &'static str,
    /// Where the six system call arguments are: field of `struct pt_regs`, and bytes to add.
    args: [(&'static str, u32); 6],
    /// The same for the first arguments of a kernel function, and for what it returns.
    function: [(&'static str, u32); 4],
    result: &'static str,
    /// Field that keeps the system call's number until it returns.
    nr: &'static str,
    /// Field of `struct pt_regs` that holds the instruction pointer.
    ip: &'static str,
    /// The same for the stack pointer, the frame pointer, and the link register, if there is one.
    sp: (&'static str, u32),
    fp: (&'static str, u32),
    lr: Option<(&'static str, u32)>,
    /// What marks a 32-bit call.
    compat: Compat,
    /// See [`Regs::address_bits`].
    address_bits: u32,
    /// Hooks whose tracepoints its kernels do not have, because another hook tells the same.
    elsewhere: &'static [(Tracepoint, Elsewhere)],
    /// Length that an execution breakpoint takes (`perf_event_attr.bp_len`), bytes.
    breakpoint_len: u64,
    open_flags: OpenFlags,
    /// Runs of system call names: number of the first, and the names in order.
    syscalls: &'static [(u16, &'static str)],
}

/// What marks a 32-bit call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compat {
    /// A bit of `thread_info.status`.
    Status(u32),
    /// A bit of a field of `struct pt_regs`.
    Regs(&'static str, u32),
}

/// Where an architecture's kernels tell what others tell at a tracepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// At the software event of page faults.
    PageFaults,
    /// At this hook, among others.
    Among(Tracepoint),
}

/// As evidence names the software event of page faults.
pub const PAGE_FAULTS: &str = "perf:page-faults";

/// `open` flags whose values differ between architectures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFlags {
    /// `O_DIRECT`.
    pub direct: u32,
    /// `O_LARGEFILE`.
    pub large_file: u32,
    /// `O_DIRECTORY`.
    pub directory: u32,
    /// `O_NOFOLLOW`.
    pub no_follow: u32,
}

/// `O_APPEND`, on both.
pub const O_APPEND: u32 = 0o2000;
/// `O_NONBLOCK`, on both.
pub const O_NONBLOCK: u32 = 0o4000;
/// `O_DSYNC`, on both.
pub const O_DSYNC: u32 = 0o10000;
/// `O_SYNC` without the bit of [`O_DSYNC`] that it includes, on both.
pub const O_SYNC_ONLY: u32 = 0o4000000;

/// System calls from here on have the same number on every architecture.
const SHARED: (u16, &str) = (
    424,
    "pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree \
         move_mount fsopen fsconfig fsmount fspick pidfd_open clone3 close_range openat2 \
         pidfd_getfd faccessat2 process_madvise epoll_pwait2 mount_setattr quotactl_fd \
         landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret \
         process_mrelease futex_waitv set_mempolicy_home_node cachestat fchmodat2 \
         map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount \
         lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal setxattrat getxattrat \
         listxattrat removexattrat open_tree_attr file_getattr file_setattr listns \
         rseq_slice_yield",
);

struct Names {
    by_number: Vec<&'static str>,
    by_name: HashMap<&'static str, u16>,
}

impl Names {
    fn of(spec: &Spec) -> Self {
        let mut by_number = vec![""; SYSCALLS_MAX];
        for (first, names) in spec.syscalls.iter().chain([&SHARED]) {
            let slots = by_number.iter_mut().skip(usize::from(*first));
            slots
                .zip(names.split_whitespace())
                .for_each(|(slot, name)| *slot = name);
        }
        let by_name = (0u16..)
            .zip(&by_number)
            .filter(|(_, name)| !name.is_empty());
        let by_name = by_name.map(|(nr, name)| (*name, nr)).collect();
        Self { by_number, by_name }
    }
}

impl Arch {
    /// All architectures.
    pub const ALL: [Self; 2] = [Self::X86_64, Self::Aarch64];

    /// The architecture named as `uname -m` does; `None` if bytehop does not know it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.as_str() == name)
    }

    /// The architecture this program runs on; `None` if bytehop cannot trace there.
    pub fn host() -> Option<Self> {
        Self::from_name(std::env::consts::ARCH)
    }

    fn spec(self) -> &'static Spec {
        match self {
            Self::X86_64 => &x86_64::SPEC,
            Self::Aarch64 => &aarch64::SPEC,
        }
    }

    /// As `uname -m` prints it.
    pub fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// Values of the `open` flags that differ.
    pub fn open_flags(self) -> OpenFlags {
        self.spec().open_flags
    }

    /// Where its kernels tell what others tell at this tracepoint, if not there.
    pub fn elsewhere(self, hook: Tracepoint) -> Option<Elsewhere> {
        let mut rows = self.spec().elsewhere.iter();
        rows.find(|(id, _)| *id == hook).map(|(_, place)| *place)
    }

    /// As evidence names the hook that tells it.
    pub fn label(self, hook: Tracepoint) -> &'static str {
        match self.elsewhere(hook) {
            None => hook.label(),
            Some(Elsewhere::PageFaults) => PAGE_FAULTS,
            Some(Elsewhere::Among(other)) => self.label(other),
        }
    }

    /// Whether `thread_info.status` marks its 32-bit calls.
    pub fn has_status(self) -> bool {
        matches!(self.spec().compat, Compat::Status(_))
    }

    /// Length that an execution breakpoint takes (`perf_event_attr.bp_len`), bytes.
    pub fn breakpoint_len(self) -> u64 {
        self.spec().breakpoint_len
    }

    fn names(self) -> &'static Names {
        static X86_64: LazyLock<Names> = LazyLock::new(|| Names::of(&x86_64::SPEC));
        static AARCH64: LazyLock<Names> = LazyLock::new(|| Names::of(&aarch64::SPEC));
        match self {
            Self::X86_64 => &X86_64,
            Self::Aarch64 => &AARCH64,
        }
    }

    /// Name of a system call; `syscall_600` if the number is newer than this build.
    pub fn syscall_name(self, nr: u16) -> Cow<'static, str> {
        match self.names().by_number.get(usize::from(nr)) {
            Some(&name) if !name.is_empty() => Cow::Borrowed(name),
            _ => Cow::Owned(format!("syscall_{nr}")),
        }
    }

    /// Number of a system call, if this architecture has it.
    pub fn syscall_number(self, name: &str) -> Option<u16> {
        self.names().by_name.get(name).copied()
    }

    /// The table for the kernel side: [`tracer_ebpf::sysinfo`] bits by system call number.
    pub fn syscall_table(self) -> [u16; SYSCALLS_MAX] {
        let mut table = [0; SYSCALLS_MAX];
        for (name, info) in calls::rows() {
            let slot = self
                .syscall_number(name)
                .and_then(|nr| table.get_mut(usize::from(nr)));
            if let Some(slot) = slot {
                *slot = info;
            }
        }
        table
    }

    /// Where a kernel keeps a task's user registers; `offset` tells where a field of its `struct pt_regs` is.
    ///
    /// # Errors
    /// The name of a field that is not there: not a kernel of this architecture.
    pub fn regs(self, offset: impl Fn(&'static str) -> Option<u32>) -> Result<Regs, &'static str> {
        let spec = self.spec();
        let at = |field: &'static str| offset(field).ok_or(field);
        let mut args = [0; 6];
        for (slot, (field, add)) in args.iter_mut().zip(spec.args) {
            *slot = at(field)? + add;
        }
        let mut function = [0; 4];
        for (slot, (field, add)) in function.iter_mut().zip(spec.function) {
            *slot = at(field)? + add;
        }
        Ok(Regs {
            args,
            ip: at(spec.ip)?,
            compat_bit: match spec.compat {
                Compat::Status(bit) => bit,
                Compat::Regs(..) => 0,
            },
            mode: match spec.compat {
                Compat::Status(_) => NO_OFFSET,
                Compat::Regs(field, _) => at(field)?,
            },
            mode_bit: match spec.compat {
                Compat::Status(_) => 0,
                Compat::Regs(_, bit) => bit,
            },
            sp: at(spec.sp.0)? + spec.sp.1,
            fp: at(spec.fp.0)? + spec.fp.1,
            lr: match spec.lr {
                Some((field, add)) => at(field)? + add,
                None => NO_OFFSET,
            },
            function,
            result: at(spec.result)?,
            nr: at(spec.nr)?,
            address_bits: spec.address_bits,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers() {
        let known = [
            (Arch::X86_64, "read", 0),
            (Arch::X86_64, "openat", 257),
            (Arch::X86_64, "rseq", 334),
            (Arch::X86_64, "io_uring_enter", 426),
            (Arch::X86_64, "mseal", 462),
            (Arch::X86_64, "file_setattr", 469),
            (Arch::Aarch64, "read", 63),
            (Arch::Aarch64, "openat", 56),
            (Arch::Aarch64, "accept4", 242),
            (Arch::Aarch64, "wait4", 260),
            (Arch::Aarch64, "rseq", 293),
            (Arch::Aarch64, "io_uring_enter", 426),
        ];
        for (arch, name, nr) in known {
            assert_eq!(arch.syscall_number(name), Some(nr), "{name} on {arch:?}");
            assert_eq!(arch.syscall_name(nr), name);
        }
        assert_eq!(Arch::Aarch64.syscall_number("open"), None);
    }

    #[test]
    fn unknown_numbers_have_a_name() {
        assert_eq!(Arch::X86_64.syscall_name(600), "syscall_600");
        assert_eq!(Arch::X86_64.syscall_name(400), "syscall_400");
        assert_eq!(Arch::Aarch64.syscall_name(u16::MAX), "syscall_65535");
    }

    #[test]
    fn every_name_is_used_once() {
        for arch in Arch::ALL {
            let used = arch
                .names()
                .by_number
                .iter()
                .filter(|name| !name.is_empty());
            assert_eq!(used.count(), arch.names().by_name.len(), "{arch:?}");
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn numbers_are_those_of_the_c_library() {
        for (name, nr) in [
            ("process_vm_readv", nix::libc::SYS_process_vm_readv),
            ("copy_file_range", nix::libc::SYS_copy_file_range),
            ("preadv2", nix::libc::SYS_preadv2),
            ("close_range", nix::libc::SYS_close_range),
            ("sendmmsg", nix::libc::SYS_sendmmsg),
        ] {
            assert_eq!(
                Arch::X86_64.syscall_number(name).map(i64::from),
                Some(nr),
                "{name}"
            );
        }
    }

    #[test]
    fn every_described_call_exists_somewhere() {
        for (name, _) in calls::rows() {
            assert!(
                Arch::ALL
                    .iter()
                    .any(|arch| arch.syscall_number(name).is_some()),
                "{name} is in no table"
            );
        }
    }
}
