//! arm64.

use super::{Compat, Elsewhere, OpenFlags, Spec};
use crate::catalogue::Tracepoint;

const AMONG_INTERRUPTS: Elsewhere = Elsewhere::Among(Tracepoint::irq_handler_entry);

/// All of it.
pub static SPEC: Spec = Spec {
    name: "aarch64",
    // The first argument is read from `orig_x0`: the return value overwrites `regs[0]`.
    args: [
        ("orig_x0", 0),
        ("regs", 8),
        ("regs", 16),
        ("regs", 24),
        ("regs", 32),
        ("regs", 40),
    ],
    function: [("regs", 0), ("regs", 8), ("regs", 16), ("regs", 24)],
    result: "regs",
    nr: "syscallno",
    ip: "pc",
    sp: ("sp", 0),
    fp: ("regs", 29 * 8),
    lr: Some(("regs", 30 * 8)),
    // PSTATE.nRW: the processor is in AArch32 state.
    compat: Compat::Regs("pstate", 0x10),
    // Programs get no more unless they ask for it (Documentation/arch/arm64/memory.rst); the rest may be a signature.
    address_bits: 48,
    // Timers and the interrupts between processors are ordinary interrupts there (`handle_percpu_devid_irq`).
    elsewhere: &[
        (Tracepoint::page_fault_user, Elsewhere::PageFaults),
        (
            Tracepoint::page_fault_kernel,
            Elsewhere::Among(Tracepoint::page_fault_user),
        ),
        (Tracepoint::local_timer_entry, AMONG_INTERRUPTS),
        (Tracepoint::reschedule_entry, AMONG_INTERRUPTS),
        (Tracepoint::call_function_entry, AMONG_INTERRUPTS),
        (Tracepoint::call_function_single_entry, AMONG_INTERRUPTS),
    ],
    breakpoint_len: 4,
    open_flags: OpenFlags {
        direct: 0o200000,
        large_file: 0o400000,
        directory: 0o40000,
        no_follow: 0o100000,
    },
    // include/uapi/asm-generic/unistd.h, without what only 32-bit systems have.
    syscalls: &[
        (
            0,
            "io_setup io_destroy io_submit io_cancel io_getevents setxattr lsetxattr fsetxattr \
             getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr \
             lremovexattr fremovexattr getcwd lookup_dcookie eventfd2 epoll_create1 epoll_ctl \
             epoll_pwait dup dup3 fcntl inotify_init1 inotify_add_watch inotify_rm_watch ioctl \
             ioprio_set ioprio_get flock mknodat mkdirat unlinkat symlinkat linkat renameat \
             umount2 mount pivot_root nfsservctl statfs fstatfs truncate ftruncate fallocate \
             faccessat chdir fchdir chroot fchmod fchmodat fchownat fchown openat close vhangup \
             pipe2 quotactl getdents64 lseek read write readv writev pread64 pwrite64 preadv \
             pwritev sendfile pselect6 ppoll signalfd4 vmsplice splice tee readlinkat newfstatat \
             fstat sync fsync fdatasync sync_file_range timerfd_create timerfd_settime \
             timerfd_gettime utimensat acct capget capset personality exit exit_group waitid \
             set_tid_address unshare futex set_robust_list get_robust_list nanosleep getitimer \
             setitimer kexec_load init_module delete_module timer_create timer_gettime \
             timer_getoverrun timer_settime timer_delete clock_settime clock_gettime clock_getres \
             clock_nanosleep syslog ptrace sched_setparam sched_setscheduler sched_getscheduler \
             sched_getparam sched_setaffinity sched_getaffinity sched_yield \
             sched_get_priority_max sched_get_priority_min sched_rr_get_interval restart_syscall \
             kill tkill tgkill sigaltstack rt_sigsuspend rt_sigaction rt_sigprocmask \
             rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_sigreturn setpriority getpriority \
             reboot setregid setgid setreuid setuid setresuid getresuid setresgid getresgid \
             setfsuid setfsgid times setpgid getpgid getsid setsid getgroups setgroups uname \
             sethostname setdomainname getrlimit setrlimit getrusage umask prctl getcpu \
             gettimeofday settimeofday adjtimex getpid getppid getuid geteuid getgid getegid \
             gettid sysinfo mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify \
             mq_getsetattr msgget msgctl msgrcv msgsnd semget semctl semtimedop semop shmget \
             shmctl shmat shmdt socket socketpair bind listen accept connect getsockname \
             getpeername sendto recvfrom setsockopt getsockopt shutdown sendmsg recvmsg readahead \
             brk munmap mremap add_key request_key keyctl clone execve mmap fadvise64 swapon \
             swapoff mprotect msync mlock munlock mlockall munlockall mincore madvise \
             remap_file_pages mbind get_mempolicy set_mempolicy migrate_pages move_pages \
             rt_tgsigqueueinfo perf_event_open accept4 recvmmsg",
        ),
        (
            260,
            "wait4 prlimit64 fanotify_init fanotify_mark name_to_handle_at open_by_handle_at \
             clock_adjtime syncfs setns sendmmsg process_vm_readv process_vm_writev kcmp \
             finit_module sched_setattr sched_getattr renameat2 seccomp getrandom memfd_create \
             bpf execveat userfaultfd membarrier mlock2 copy_file_range preadv2 pwritev2 \
             pkey_mprotect pkey_alloc pkey_free statx io_pgetevents rseq kexec_file_load",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use tracer_ebpf::{NO_ERROR_CODE, esr};

    /// As binutils 2.40 assembles them.
    #[rustfmt::skip] // one a line
    const INSTRUCTIONS: &[(u32, bool, &str)] = &[
        (0xf940_0020, false, "ldr x0, [x1]"),
        (0xf900_0020, true, "str x0, [x1]"),
        (0x3940_0420, false, "ldrb w0, [x1, #1]"),
        (0x3900_0420, true, "strb w0, [x1, #1]"),
        (0xb980_0020, false, "ldrsw x0, [x1]"),
        (0xf85f_8020, false, "ldur x0, [x1, #-8]"),
        (0xf81f_8020, true, "stur x0, [x1, #-8]"),
        (0xf862_6820, false, "ldr x0, [x1, x2]"),
        (0xf822_7820, true, "str x0, [x1, x2, lsl #3]"),
        (0xf840_8420, false, "ldr x0, [x1], #8"),
        (0xf800_8c20, true, "str x0, [x1, #8]!"),
        (0xa940_0440, false, "ldp x0, x1, [x2]"),
        (0xa900_0440, true, "stp x0, x1, [x2]"),
        (0xad40_0440, false, "ldp q0, q1, [x2]"),
        (0xadbf_0440, true, "stp q0, q1, [x2, #-32]!"),
        (0x3dc0_0020, false, "ldr q0, [x1]"),
        (0x3d80_0020, true, "str q0, [x1]"),
        (0xfd40_0020, false, "ldr d0, [x1]"),
        (0xbd00_0020, true, "str s0, [x1]"),
        (0xc85f_7c20, false, "ldxr x0, [x1]"),
        (0xc802_7c20, true, "stxr w2, x0, [x1]"),
        (0xc87f_8c20, false, "ldaxp x0, x3, [x1]"),
        (0xc822_8c20, true, "stlxp w2, x0, x3, [x1]"),
        (0xc8df_fc20, false, "ldar x0, [x1]"),
        (0xc89f_fc20, true, "stlr x0, [x1]"),
        (0xc8a0_7c22, true, "cas x0, x2, [x1]"),
        (0x4820_7c82, true, "casp x0, x1, x2, x3, [x4]"),
        (0xf820_0022, true, "ldadd x0, x2, [x1]"),
        (0xf820_003f, true, "stadd x0, [x1]"),
        (0xf820_8022, true, "swp x0, x2, [x1]"),
        (0xf8bf_c020, false, "ldapr x0, [x1]"),
        (0xf840_0820, false, "ldtr x0, [x1]"),
        (0xf800_0820, true, "sttr x0, [x1]"),
        (0x4c40_a020, false, "ld1 {v0.16b, v1.16b}, [x1]"),
        (0x4c00_7020, true, "st1 {v0.16b}, [x1]"),
        (0x4c40_0820, false, "ld4 {v0.4s-v3.4s}, [x1]"),
        (0xd50b_7420, true, "dc zva, x0"),
        (0xd50b_7b20, false, "dc cvau, x0"),
        (0xf820_0420, false, "ldraa x0, [x1]"),
        (0xd900_0020, true, "stlur x0, [x1]"),
        (0xd940_0020, false, "ldapur x0, [x1]"),
        (0xd920_0820, true, "stg x0, [x1]"),
        (0xd960_0020, false, "ldg x0, [x1]"),
        (0xd9e0_0820, true, "stz2g x0, [x1]"),
        (0xa5e0_a020, false, "ld1d {z0.d}, p0/z, [x1]"),
        (0xe5e0_e020, true, "st1d {z0.d}, p0, [x1]"),
        (0x8580_4020, false, "ldr z0, [x1]"),
        (0xe580_4020, true, "str z0, [x1]"),
        (0xf980_0020, false, "prfm pldl1keep, [x1]"),
    ];

    #[test]
    fn whether_an_instruction_writes() {
        for (instruction, writes, text) in INSTRUCTIONS {
            let code = esr::of(*instruction);
            assert_eq!(code & esr::WRITE != 0, *writes, "{text}");
            assert_eq!(code & esr::STATUS, 0);
        }
        // cpyp [x0]!, [x1]!, x2! reads and writes; setp [x0]!, x1!, x2 writes.
        assert_eq!(esr::of(0x1D01_0440), NO_ERROR_CODE);
        assert_eq!(esr::of(0x19C2_0420), esr::WRITE);
    }
}
