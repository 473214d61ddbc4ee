//! What user space sets before and while tracing.

/// What tracing does with what it sees: the value of `Config::mode`.
pub mod mode {
    /// Records go to the ring buffer.
    pub const RECORD: u32 = 0;
    /// Per-CPU counters only (`bytehop stat`).
    pub const STAT: u32 = 1;
    /// The same, of every process apart (`bytehop top`).
    pub const TOP: u32 = 2;
}

/// Set once by user space before load, read-only afterwards (the verifier folds it).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Config {
    /// One of [`mode`].
    pub mode: u32,
    /// 1: children are traced too.
    pub follow: u32,
    /// Bytes waiting in the ring buffer at which user space is woken.
    pub wakeup_bytes: u32,
    /// 1 if `io_uring_complete` passes a `struct io_uring_cqe *` (from 6.15), 0 if `user_data`, `res`.
    pub uring_complete_cqe: u32,
    /// 1 if `sched_process_exit` passes `group_dead`.
    pub exit_group_dead: u32,
    /// log2 of the page size.
    pub page_shift: u32,
    /// Numbers of `execve` and `execveat`.
    pub nr_execve: u32,
    pub nr_execveat: u32,
    /// Of calls that say what paths and sockets are.
    pub nr_chdir: u32,
    pub nr_connect: u32,
    /// Values of `enum iter_type`; [`crate::NO_OFFSET`] for those that this kernel lacks.
    pub iter_iovec: u32,
    pub iter_ubuf: u32,
    pub iter_pipe: u32,
    pub iter_xarray: u32,
    pub iter_folioq: u32,
    /// Bits of a page's flags (`enum pageflags`): `PG_swapbacked`, `PG_swapcache`; [`crate::NO_OFFSET`] likewise.
    pub swap_backed: u32,
    pub swap_cache: u32,
    /// Bit of the flags of an io_uring request that completes more than once (`REQ_F_APOLL_MULTISHOT`), or
    /// [`crate::NO_OFFSET`].
    pub req_multishot: u32,
    /// The same of one that does not complete where it succeeds (`REQ_F_CQE_SKIP`).
    pub req_skips: u32,
    /// `top`: our own process, which is left out, and the number of `rt_sigreturn`.
    pub ourselves: u32,
    pub nr_sigreturn: u32,
    /// 1 if the kernel runs the programs of `sys_enter` and `sys_exit` preemptibly: it then skips them
    /// for a thread that comes to run in the middle of one.
    pub preemptible: u32,
    /// Numbers of calls that leave sizes in memory.
    pub nr_sendmmsg: u32,
    pub nr_recvmmsg: u32,
    pub nr_ioctl: u32,
    pub nr_getsockopt: u32,
    /// Numbers of the calls of Linux AIO.
    pub nr_io_submit: u32,
    pub nr_io_getevents: u32,
    pub nr_io_pgetevents: u32,
}

/// Byte offsets in the structure of user registers; filled in by the architecture's module.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Regs {
    /// The six system call arguments.
    pub args: [u32; 6],
    /// The instruction pointer.
    pub ip: u32,
    /// Bit of `thread_info.status` that marks a 32-bit call, 0 if that does not tell.
    pub compat_bit: u32,
    /// A field of the registers that tells instead ([`crate::NO_OFFSET`]: none does), and its bit.
    pub mode: u32,
    pub mode_bit: u32,
    /// The stack pointer, the frame pointer, and the link register ([`crate::NO_OFFSET`]: there is none).
    pub sp: u32,
    pub fp: u32,
    pub lr: u32,
    /// The first arguments of a kernel function, at its first instruction.
    pub function: [u32; 4],
    /// What a function returned.
    pub result: u32,
    /// The system call's number; negative where there is none.
    pub nr: u32,
    /// Bits of an address in the program's memory; those above may be a signature.
    pub address_bits: u32,
}

/// The command that is about to be started: traced from its `execve` on. The value of `AWAITED`.
///
/// Its process id is known to user space as its own pid namespace numbers it; the kernel side asks
/// for the number in that namespace, so bytehop works inside a container too.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Awaited {
    /// Device and inode of the pid namespace.
    pub ns_dev: u64,
    pub ns_ino: u64,
    /// Process id in it; 0: none is awaited.
    pub pid: u32,
    pub reserved: u32,
}
