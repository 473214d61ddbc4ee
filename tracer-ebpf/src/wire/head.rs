//! What every record begins with.

/// What a ring-buffer record is: the value of [`Head::kind`].
pub mod kind {
    /// A system call without a descriptor argument has ended: [`crate::Syscall`].
    pub const SYSCALL: u8 = 1;
    /// A system call on a descriptor has ended: [`crate::SyscallFile`].
    pub const SYSCALL_FILE: u8 = 2;
    /// More about the call that follows with the same `tid` and `seq`: [`crate::Extra`].
    pub const EXTRA: u8 = 3;
    /// A user page fault, sent when its thread does the next thing: [`crate::Fault`].
    pub const FAULT: u8 = 4;
    /// Block I/O that the program caused has completed: [`crate::Block`].
    pub const BLOCK: u8 = 5;
    /// A packet of one of the program's sockets was handed to a device: [`crate::Xmit`].
    pub const XMIT: u8 = 6;
    /// An io_uring request has completed: [`crate::Uring`].
    pub const URING: u8 = 7;
    /// A thread is back on a CPU after having been off it: [`crate::Switch`].
    pub const SWITCH: u8 = 8;
    /// A thread or process was created: [`crate::Fork`].
    pub const FORK: u8 = 9;
    /// `execve` replaced the program: [`crate::Exec`].
    pub const EXEC: u8 = 10;
    /// A thread has ended: [`crate::Exit`].
    pub const EXIT: u8 = 11;
    /// The path that an `open` was called with: [`crate::Name`].
    pub const NAME: u8 = 12;
    /// A range of file pages that a call made dirty: [`crate::Dirty`].
    pub const DIRTY: u8 = 13;
    /// Bytes that a function of the kernel moved (level F): [`crate::Copied`].
    pub const COPY: u8 = 14;
    /// A stack of return addresses that a call was made from, the first time: [`crate::Stack`].
    pub const STACK: u8 = 16;
    /// A thread's calls come from another stack than the one before: [`crate::CalledFrom`].
    pub const CALLED_FROM: u8 = 17;
    /// A packet of the program has arrived: [`crate::Arrival`].
    pub const ARRIVAL: u8 = 18;
    /// Number of kinds (for tables indexed by kind).
    pub const COUNT: usize = 19;
}

/// The common start of every record. 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// One of [`kind`].
    pub kind: u8,
    /// Bits of [`flag`].
    pub flags: u8,
    /// System call number ([`kind::SYSCALL`], [`kind::SYSCALL_FILE`], [`kind::EXTRA`]), else 0.
    pub nr: u16,
    /// Thread id in the initial PID namespace.
    pub tid: u32,
    /// Thread group (process) id.
    pub tgid: u32,
    /// Number of the call within its thread; 0 if outside any call.
    pub seq: u32,
    /// When it happened (a call: when it began), ns.
    pub ts: u64,
}

impl Head {
    pub const NONE: Self = Self {
        kind: 0,
        flags: 0,
        nr: 0,
        tid: 0,
        tgid: 0,
        seq: 0,
        ts: 0,
    };
}

/// Bits of [`Head::flags`].
pub mod flag {
    /// A 32-bit system call on a 64-bit kernel: `nr` is of the other table, arguments unread.
    pub const COMPAT: u8 = 1;
    /// The current task was not a thread of the program (a kernel worker, an interrupt).
    pub const ELSEWHERE: u8 = 2;
    /// The task is a kernel thread of the program's own (io_uring worker or SQPOLL thread).
    pub const IO_THREAD: u8 = 4;
    /// A page fault that the kernel took itself, on the program's behalf: a part of the call `seq`, and counted
    /// there.
    pub const KERNEL: u8 = 8;
}
