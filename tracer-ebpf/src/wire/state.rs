//! What the kernel side remembers of a traced thread between two hooks.

use super::call::Fault;
use super::file::FileRef;

/// Slots of the table of traced threads, indexed by `tid % TASK_SLOTS`; collisions go to a hash map.
pub const TASK_SLOTS: usize = 8192;

/// Bits of [`Task::flags`].
pub mod task {
    /// Between entry and exit of a system call.
    pub const IN_CALL: u32 = 2;
    /// A page fault has begun and is not sent yet.
    pub const FAULT_OPEN: u32 = 4;
    /// An io_uring worker or SQPOLL thread.
    pub const IO_THREAD: u32 = 8;
    /// Its descriptor table is shared with another process: nothing about it is cached.
    pub const NO_CACHE: u32 = 16;
    /// The call in progress is a 32-bit one.
    pub const COMPAT: u32 = 32;
    /// Left the CPU of its own will.
    pub const BLOCKED: u32 = 64;
    /// Was there before tracing began: its fault counters don't start at 0.
    pub const OLDER: u32 = 128;
    /// Breakpoints were armed when the call in progress began (a thread of io_uring: when it was last
    /// between two requests).
    pub const WATCHED: u32 = 256;
    /// The last call has been told of.
    pub const RETURNED: u32 = 512;
    /// In a call, the kernel may be taking a fault itself: `fault` holds what is known of it.
    pub const FAULT_INNER: u32 = 1024;
}

/// A cached classification of one descriptor. 56 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Cached {
    /// `Task::gen` of the process when it was read; 0 is never valid.
    pub generation: u32,
    pub fd: i32,
    pub file: FileRef,
    /// `stat`: index of the class in `CLASSES`.
    pub class: u32,
    /// `stat`: the last call made on it, and the counter cell of that call.
    pub nr: u32,
    pub cell: u32,
    /// `stat`: 1 once the class is set.
    pub met: u32,
}

/// Number of descriptors whose classification each thread remembers (indexed by `fd % CACHED_FDS`).
pub const CACHED_FDS: usize = 4;

/// Kinds of moves that are summed up per call; a call rarely has more than two, each by a function and
/// by a primitive.
pub const SUMS: usize = 8;

/// Bytes moved in the call in progress, by one kind of [`crate::moved`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    pub bytes: u64,
    /// 0: not in use.
    pub count: u32,
    /// One of [`crate::moved`], and shifted by [`BY_SHIFT`] one of [`crate::primitive`].
    pub what: u32,
}

/// See [`Sum::what`].
pub const BY_SHIFT: u32 = 16;

/// Kinds of copies that primitives make: [`crate::moved`] from [`crate::moved::TO_USER`] on, in this order; the last is
/// [`crate::moved::INTO_CACHE`]. A power of two, for the verifier's sake.
pub const PRIMITIVES: usize = 8;

/// A hit of a breakpoint: a copy that may not have gone through as a whole.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Hit {
    /// Bytes asked for; 0: nothing is pending.
    pub asked: u64,
    /// The iterator, and how many bytes it had left at the time.
    pub iter: u64,
    pub left: u64,
    /// Index of [`Task::primitives`].
    pub which: u32,
    pub reserved: u32,
}

/// What the kernel side remembers of a traced thread. User space only writes `tid`, `tgid` and
/// `flags` of the first one.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Task {
    /// 0: this slot is free.
    pub tid: u32,
    pub tgid: u32,
    /// Bits of [`task`].
    pub flags: u32,
    /// Number of the current or last call.
    pub seq: u32,
    /// Descriptor-table generation of the process (used in the leader's slot).
    pub generation: u32,
    /// Number of the system call in progress.
    pub nr: u32,
    /// When it began; 0: not timed.
    pub enter: u64,
    /// How far `min_flt` and `maj_flt` of the task have been reported; in `stat`, their values when
    /// tracing began.
    pub min_flt: u64,
    pub maj_flt: u64,
    /// What is sent as [`crate::Extra`] if not 0.
    pub skb_copied: u64,
    pub zeroed: u64,
    pub cache_pages: u32,
    pub meta_pages: u32,
    pub irqs: u32,
    pub irqs_user: u32,
    pub iif: u32,
    pub network_pages: u32,
    /// `stat`: the counter cell of which enough calls were timed, of those met last.
    pub settled: u32,
    /// Set where any of the above is not 0.
    pub has_extra: u32,
    /// When it left the CPU, 0: it is on it.
    pub off_ts: u64,
    /// First and second descriptor of the call in progress.
    pub file: FileRef,
    pub file2: FileRef,
    pub has_file: u32,
    pub has_file2: u32,
    /// `stat`: counter cell of the call in progress.
    pub cell: u32,
    /// Set where `sums` has something to send.
    pub has_sums: u32,
    pub sums: [Sum; SUMS],
    /// Of the send in progress: bytes that the socket took by reference.
    pub by_reference: u64,
    /// Bytes of the last copy out of a packet that the tracepoint told.
    pub skb_last: u64,
    /// Dirty pages not sent yet.
    pub dirty_ino: u64,
    pub dirty_index: u64,
    pub dirty_dev: u32,
    pub dirty_pages: u32,
    /// The open fault.
    pub fault: Fault,
    /// `min_flt` and `maj_flt` of the task when the fault inside a call began.
    pub inner_min: u64,
    pub inner_maj: u64,
    pub cache: [Cached; CACHED_FDS],
    /// What primitives copied since a function last claimed it.
    pub primitives: [Sum; PRIMITIVES],
    pub hit: Hit,
    /// Bytes that the tracepoint announced as coming out of packets and no primitive has copied yet.
    pub announced: u64,
    /// Level F by kprobes: arguments of the functions that have not returned, innermost last.
    pub frames: [Frame; FRAMES],
    /// How many functions have not returned.
    pub depth: u32,
    /// A primitive's record of the copy in hand has been sent.
    pub told: u32,
    /// `stat`: of the last request of io_uring counted, the class of its second file, the operation, the class of its
    /// file, and the counter cell; 16 bits each
    /// from the top. One word, since other processors complete requests, too.
    pub operation: u64,
    /// Where a pointer becomes a number: the verifier knows it as what it points to otherwise.
    pub number: u64,
    /// The stack that the thread was last told to call from: [`crate::Stack::id`].
    pub stack: u64,
}

/// Functions that are remembered at a time, one inside the other. A power of two.
pub const FRAMES: usize = 4;

/// Arguments that are remembered of each.
pub const FRAME_ARGS: usize = 4;

/// A function that has been entered (level F by kprobes).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame {
    pub args: [u64; FRAME_ARGS],
    pub function: u32,
    pub reserved: u32,
}
