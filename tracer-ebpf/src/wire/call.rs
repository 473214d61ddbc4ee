//! System calls and page faults.

use super::file::FileRef;
use super::head::Head;

/// A system call that has ended. 88 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Syscall {
    pub head: Head,
    /// Time from entry to exit, ns.
    pub dur: u64,
    /// Return value; −4095 … −1 is an errno.
    pub ret: i64,
    /// The six argument registers as they were at entry.
    pub args: [u64; 6],
}

/// A system call on a descriptor: the call, and what the descriptor is. 120 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyscallFile {
    pub call: Syscall,
    /// The descriptor argument, or the descriptor returned (`openat`, `accept4` …).
    pub file: FileRef,
}

/// What else happened in a call; sent before the call's own record, and only if a field is not 0.
/// 104 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    pub head: Head,
    /// The second descriptor (`out_fd` of `sendfile` is first, `in_fd` second; `fd_out` of `splice`).
    pub file2: FileRef,
    /// Bytes seen by `skb_copy_datagram_iovec`: copied socket → user in this call.
    pub skb_copied: u64,
    /// Pages inserted into the page cache for file data by this call.
    pub cache_pages: u32,
    /// Pages inserted for file-system metadata (page cache of the block device).
    pub meta_pages: u32,
    /// Page faults that the kernel took in this call on user memory: minor.
    pub min_flt: u32,
    /// The same: major.
    pub maj_flt: u32,
    /// Interrupts that landed on this thread, in user or kernel mode, since its last record.
    pub irqs: u32,
    /// Of these, those that landed in user mode.
    pub irqs_user: u32,
    /// Interface index from which the bytes in `skb_copied` came (`skb_iif`), 0 if none.
    pub iif: u32,
    /// Reserved, 0.
    pub reserved: u32,
    /// Bytes of zeroed user pages allocated (first touch by the kernel on the program's behalf).
    pub zeroed: u64,
}

/// A page fault taken in user mode, sent when the thread does the next thing; or one that the kernel took in
/// a call (`flag::KERNEL`), sent before the call's record. 104 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    pub head: Head,
    /// Faulting address.
    pub addr: u64,
    /// Instruction pointer in user mode.
    pub ip: u64,
    /// Error code of the architecture (x86: bit 0 protection, 1 write, 4 instruction fetch); [`NO_ERROR_CODE`]
    /// where no exception was taken.
    pub error_code: u32,
    /// Counters of `task_struct` moved by this fault: minor.
    pub min_flt: u16,
    /// The same: major.
    pub maj_flt: u16,
    /// Bytes of user pages that the allocator zeroed (`__GFP_ZERO`) in this fault.
    pub zeroed: u64,
    /// Bytes of user pages allocated without zeroing (to be filled by a copy or by I/O).
    pub unzeroed: u64,
    /// Pages inserted into the page cache by this fault.
    pub cache_pages: u32,
    /// Bits of [`rss`]: which `mm` counters this fault moved (`rss_stat`, from Linux 6.2).
    pub rss: u32,
    /// Pages in the range that fault-around was asked to map (`mm_filemap_map_pages`), 0 if none.
    pub around_pages: u32,
    /// 1 if `mm_filemap_fault` fired.
    pub filemap: u32,
    /// The file behind the fault, if a `filemap` tracepoint named it: `i_ino`.
    pub ino: u64,
    /// The same: `s_dev`, kernel encoding.
    pub dev: u32,
    /// The same: first page offset in the file.
    pub pgoff: u32,
    /// Interrupts that landed on this thread while it ran from here to the next record.
    pub irqs: u32,
    /// Of these, those that landed in user mode.
    pub irqs_user: u32,
}

/// In [`Fault::error_code`]: the kernel asked for the page without touching it (`get_user_pages`).
pub const NO_ERROR_CODE: u32 = u32::MAX;

/// Bits of [`Fault::rss`]: the member of `rss_stat` (`mm_types_task.h`).
pub mod rss {
    pub const FILE: u32 = 1 << 0;
    pub const ANON: u32 = 1 << 1;
    pub const SWAP: u32 = 1 << 2;
    pub const SHMEM: u32 = 1 << 3;
}

/// How the path needs a system call's arguments: one entry of the `SYSCALLS` map, indexed by number.
///
/// Bits 0–2: 1 + index of the descriptor argument, 0 if none; 3–5: the second one; 6: returns a
/// descriptor; 7–9: 1 + index of a path argument; 10: pure data movement, cannot change which file
/// any descriptor refers to (so cached classifications stay valid); 11: returns a number of bytes;
/// 12: returns in the child, too; 13–15: 1 + index of the argument with `MSG_*` flags.
pub mod sysinfo {
    pub const FD_SHIFT: u32 = 0;
    pub const FD2_SHIFT: u32 = 3;
    pub const RETURNS_FD: u32 = 1 << 6;
    pub const PATH_SHIFT: u32 = 7;
    pub const PURE: u32 = 1 << 10;
    /// The return value is a number of bytes.
    pub const BYTES: u32 = 1 << 11;
    /// Makes a thread or process, in which it returns 0.
    pub const FORKS: u32 = 1 << 12;
    pub const FLAGS_SHIFT: u32 = 13;
}

/// Size of the tables indexed by system call number; numbers from here on count as the last entry.
pub const SYSCALLS_MAX: usize = 512;
