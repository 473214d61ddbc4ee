//! Births and deaths of threads, and their time off the CPU.

use super::head::Head;

/// A thread was off the CPU and is back. 40 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switch {
    /// `ts` is when it left the CPU; `seq` the call in which it did, 0 in user mode.
    pub head: Head,
    /// How long it was off, ns.
    pub off: u64,
    /// 1 if it blocked (voluntary), 0 if it was preempted (involuntary).
    pub voluntary: u32,
    /// Reserved, 0.
    pub reserved: u32,
}

/// A new thread or process. `head` is the creator. 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fork {
    pub head: Head,
    pub child_tid: u32,
    pub child_tgid: u32,
    /// `clone_flags`.
    pub clone_flags: u64,
    /// 1 if the child is an io_uring thread.
    pub io_thread: u32,
    /// 1 if the child is traced.
    pub traced: u32,
}

/// `execve` succeeded. 40 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exec {
    pub head: Head,
    /// The new `comm`, NUL padded.
    pub comm: [u8; 16],
}

/// A thread has ended. 72 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    pub head: Head,
    /// `task->exit_code`: wait status.
    pub exit_code: u32,
    /// 1 if the whole process is gone with it.
    pub group_dead: u32,
    /// The kernel's own counts of this thread, for cross-checks.
    pub min_flt: u64,
    pub maj_flt: u64,
    pub nvcsw: u64,
    pub nivcsw: u64,
    /// The call that it was in (`exit_group`, a blocked call): number, and 1 in `in_call`.
    pub nr: u32,
    pub in_call: u32,
}
