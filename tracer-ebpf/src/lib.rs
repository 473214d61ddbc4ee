//! The types that the eBPF programs and user space share.
//!
//! Everything here is `#[repr(C)]`, made of fixed-width integers and byte arrays, without implicit
//! padding, and little-endian on the wire (both supported architectures are). User space never
//! casts a pointer to these: `tracer::decode` reads field by field from checked slices.
//!
//! A record in the ring buffer starts with a [`Head`]; `Head::kind` is one of [`kind`]. All times
//! are nanoseconds of `CLOCK_MONOTONIC` (`bpf_ktime_get_ns`), all sizes bytes unless a name says
//! pages.
//!
//! **Calls.** Each thread numbers its calls (system calls and user page faults) from 1: `Head::seq`.
//! A record that belongs to a call carries the call's thread and `seq`, whichever task was current
//! when it was made. The record *of* the call comes last, when the call has ended, so a reader meets
//! a call's parts before the call (except for what completes after it).
#![no_std]
#![forbid(unsafe_code)]

/// What a ring-buffer record is: the value of [`Head::kind`].
pub mod kind {
    /// A system call without a descriptor argument has ended: [`super::Syscall`].
    pub const SYSCALL: u8 = 1;
    /// A system call on a descriptor has ended: [`super::SyscallFile`].
    pub const SYSCALL_FILE: u8 = 2;
    /// More about the call that follows with the same `tid` and `seq`: [`super::Extra`].
    pub const EXTRA: u8 = 3;
    /// A user page fault, sent when its thread does the next thing: [`super::Fault`].
    pub const FAULT: u8 = 4;
    /// Block I/O that the program caused has completed: [`super::Block`].
    pub const BLOCK: u8 = 5;
    /// A packet of one of the program's sockets was handed to a device: [`super::Xmit`].
    pub const XMIT: u8 = 6;
    /// An io_uring request has completed: [`super::Uring`].
    pub const URING: u8 = 7;
    /// A thread is back on a CPU after having been off it: [`super::Switch`].
    pub const SWITCH: u8 = 8;
    /// A thread or process was created: [`super::Fork`].
    pub const FORK: u8 = 9;
    /// `execve` replaced the program: [`super::Exec`].
    pub const EXEC: u8 = 10;
    /// A thread has ended: [`super::Exit`].
    pub const EXIT: u8 = 11;
    /// The path that an `open` was called with: [`super::Name`].
    pub const NAME: u8 = 12;
    /// A range of file pages that a call made dirty: [`super::Dirty`].
    pub const DIRTY: u8 = 13;
    /// Bytes that a function of the kernel moved (level F): [`super::Copied`].
    pub const COPY: u8 = 14;
    /// A stack of return addresses that a call was made from, the first time: [`super::Stack`].
    pub const STACK: u8 = 16;
    /// A thread's calls come from another stack than the one before: [`super::CalledFrom`].
    pub const CALLED_FROM: u8 = 17;
    /// Number of kinds (for tables indexed by kind).
    pub const COUNT: usize = 18;
}

/// What a function moved: the value of [`Copied::what`]. Numbers are never used again for something
/// else; what each means to a trace stands in `tracer::rules::measure`.
///
/// `KERNEL`: the other end was not the program's memory; `PIPE`: it was a pipe inside the kernel, which
/// got references (before Linux 6.5).
pub mod moved {
    pub const FILE_READ: u16 = 1;
    pub const FILE_READ_KERNEL: u16 = 2;
    pub const FILE_READ_PIPE: u16 = 3;
    pub const SHMEM_READ: u16 = 4;
    pub const SHMEM_READ_KERNEL: u16 = 5;
    pub const SHMEM_READ_PIPE: u16 = 6;
    /// `generic_perform_write` on a file in the page cache.
    pub const WRITE: u16 = 7;
    pub const WRITE_KERNEL: u16 = 8;
    /// The same on tmpfs.
    pub const SHMEM_WRITE: u16 = 9;
    pub const SHMEM_WRITE_KERNEL: u16 = 10;
    pub const IOMAP_WRITE: u16 = 11;
    pub const IOMAP_WRITE_KERNEL: u16 = 12;
    pub const PIPE_READ: u16 = 15;
    pub const PIPE_WRITE: u16 = 16;
    pub const TCP_SEND: u16 = 17;
    pub const UDP_SEND: u16 = 18;
    pub const UNIX_SEND: u16 = 19;
    pub const UDP_RECEIVE: u16 = 20;
    /// References to a file's pages, into a pipe.
    pub const SPLICE_FOLIO: u16 = 21;
    /// References to pages, into a packet.
    pub const SKB_SPLICE: u16 = 22;
    pub const TCP_SENDPAGE: u16 = 23;
    pub const UNIX_SENDPAGE: u16 = 24;
    pub const ZEROCOPY_SEND: u16 = 25;
    /// Copy-on-write.
    pub const COW: u16 = 26;
    /// File pages entered into the page table.
    pub const MAP: u16 = 27;
    pub const PROCESS_VM: u16 = 28;
    /// All of `copy_file_range`: what was not copied in it was shared.
    pub const COPY_RANGE: u16 = 29;
    pub const CLONE: u16 = 30;
    pub const TEE: u16 = 31;
    pub const SPLICE_TO_PIPE: u16 = 32;
    pub const PIPE_TO_USER: u16 = 33;
    pub const ADD_TO_PIPE: u16 = 34;
    pub const BTRFS_WRITE: u16 = 42;
    pub const BTRFS_WRITE_KERNEL: u16 = 43;
    /// The late copy of bytes that had been sent by reference.
    pub const LATE_COPY: u16 = 44;
    /// To or from a bounce buffer (`swiotlb`).
    pub const BOUNCE: u16 = 45;
    /// Packets' pages mapped into the program (TCP zero-copy receive).
    pub const ZEROCOPY_RECEIVE: u16 = 46;
    /// As [`MAP`], one by one (`do_set_pte`), and the same of shmem.
    pub const MAP_PAGE: u16 = 47;
    pub const MAP_SHMEM_PAGE: u16 = 48;

    // What a primitive copied (level B) outside of every function above.
    pub const TO_USER: u16 = 35;
    pub const TO_KERNEL: u16 = 36;
    pub const FROM_USER: u16 = 37;
    pub const FROM_KERNEL: u16 = 38;
    /// Into pages of the page cache or of tmpfs.
    pub const INTO_PAGES: u16 = 39;
    pub const INTO_PAGES_KERNEL: u16 = 40;
    /// Out of a packet, as the tracepoint `skb_copy_datagram_iovec` announced it.
    pub const PACKET_READ: u16 = 41;
}

/// The primitives that hold the copy loops (level B): the value of [`Copied::primitive`].
pub mod primitive {
    /// No primitive: the function itself told.
    pub const NONE: u16 = 0;
    /// `_copy_to_iter`
    pub const TO_ITER: u16 = 1;
    /// `_copy_from_iter`
    pub const FROM_ITER: u16 = 2;
    /// `copy_folio_from_iter_atomic`; `copy_page_from_iter_atomic` on older kernels (Linux 6.12).
    pub const FROM_ITER_ATOMIC: u16 = 3;
    /// Size of a table indexed by primitive.
    pub const COUNT: usize = 4;
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
}

/// What a descriptor refers to, read from the `struct file` itself. 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileRef {
    /// `inode->i_ino`.
    pub ino: u64,
    /// `super_block->s_dev` in the kernel's encoding (major << 20 | minor).
    pub dev: u32,
    /// Low 32 bits of `super_block->s_magic` (`EXT4_SUPER_MAGIC`, `TMPFS_MAGIC`, …).
    pub magic: u32,
    /// `inode->i_rdev` of a character or block device (kernel encoding), else 0.
    pub rdev: u32,
    /// `file->f_flags` (`O_DIRECT`, `O_APPEND`, …, the architecture's values).
    pub f_flags: u32,
    /// `inode->i_mode`: file type and permissions. 0: the descriptor was not open.
    pub mode: u16,
    /// Sockets: `sk_family` (`AF_INET` …), else 0.
    pub family: u16,
    /// Sockets: `sk_type` (`SOCK_STREAM` …), else 0.
    pub sock_type: u16,
    /// Sockets: `sk_protocol` (`IPPROTO_TCP` …), else 0.
    pub protocol: u16,
}

impl FileRef {
    /// No file, or not read.
    pub const NONE: Self = Self {
        ino: 0,
        dev: 0,
        magic: 0,
        rdev: 0,
        f_flags: 0,
        mode: 0,
        family: 0,
        sock_type: 0,
        protocol: 0,
    };
}

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

/// A page fault taken in user mode. Sent when the thread does the next thing. 104 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    pub head: Head,
    /// Faulting address.
    pub addr: u64,
    /// Instruction pointer in user mode.
    pub ip: u64,
    /// Error code of the architecture (x86: bit 0 protection, 1 write, 4 instruction fetch).
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

/// Bits of [`Fault::rss`]: the member of `rss_stat` (`mm_types_task.h`).
pub mod rss {
    pub const FILE: u32 = 1 << 0;
    pub const ANON: u32 = 1 << 1;
    pub const SWAP: u32 = 1 << 2;
    pub const SHMEM: u32 = 1 << 3;
}

/// Completed block I/O: the bios of one request that belong to one call.
///
/// `head` names the thread and call that submitted it or, where [`flag::ELSEWHERE`] is set, is
/// zero but for `ts` and `tgid` (the process that made the inode dirty): user space ties it by page.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// `ts` is when the first of the bios was queued.
    pub head: Head,
    /// When the request was given to the driver; 0 if that was not seen.
    pub issued: u64,
    /// When the request completed; 0 if that was not seen ([`bio::UNSEEN`]).
    pub completed: u64,
    /// First 512-byte sector, of the whole disk.
    pub sector: u64,
    /// Bytes of these bios.
    pub bytes: u32,
    /// Disk: major << 20 | first minor.
    pub disk: u32,
    /// Bits of [`bio`].
    pub bio: u32,
    /// `blk_status_t` of the completion, 0 is success.
    pub status: u32,
    /// Inode whose page cache the first page belongs to, 0 if none (anonymous memory: direct I/O).
    pub ino: u64,
    /// Page offset of that page in the inode.
    pub index: u64,
    /// `s_dev` of the inode.
    pub dev: u32,
    /// How many bios.
    pub bios: u32,
}

/// Bits of [`Block::bio`].
pub mod bio {
    /// Device ← memory; otherwise device → memory.
    pub const WRITE: u32 = 1;
    /// The page belongs to the page cache of a regular file (or directory).
    pub const FILE: u32 = 2;
    /// The page belongs to the page cache of a block device: file-system metadata, or the raw device.
    pub const BDEV: u32 = 4;
    /// The page is anonymous memory or a kernel buffer: direct I/O, swap, a file system's own buffer.
    pub const ANON: u32 = 8;
    /// `REQ_META` was set: file-system metadata.
    pub const META: u32 = 16;
    /// `REQ_SYNC`.
    pub const SYNC: u32 = 32;
    /// `REQ_RAHEAD`: readahead.
    pub const READAHEAD: u32 = 64;
    /// The page is on its way to or from a swap device.
    pub const SWAP: u32 = 128;
    /// Not the first record of its request: the request was counted with an earlier one.
    pub const CONTINUED: u32 = 256;
    /// Completed by a driver that takes bios, not requests (zram, dm, md): seen at the bio.
    pub const BIO_BASED: u32 = 512;
    /// The completion was not seen (`Block::completed` is 0): tracing ended before it, or it came where
    /// this kernel runs no BPF program.
    pub const UNSEEN: u32 = 1024;
    /// The driver mapped the request's pages for its device (`dma_map_…` events of as many bytes).
    pub const MAPPED: u32 = 2048;
}

impl Block {
    /// Which counter of `stat` this goes to; `None` if it failed.
    pub fn counter(&self) -> Option<CountKey> {
        if self.status != 0 {
            return None;
        }
        let mut flags = (self.bio & 0xff) as u16;
        if self.head.flags & flag::ELSEWHERE != 0 {
            flags |= count::BLOCK_ELSEWHERE;
        }
        let mut what = count::BLOCK;
        if self.bio & bio::UNSEEN != 0 {
            flags |= count::BLOCK_UNSEEN;
            if self.issued == 0 {
                what = count::BLOCK_UNKNOWN;
            }
        }
        Some(CountKey {
            what,
            flags,
            id: self.disk,
        })
    }

    /// How many requests this is: a part of one that was told before is none.
    pub fn requests(&self) -> u64 {
        u64::from(self.bio & bio::CONTINUED == 0)
    }
}

/// A packet handed to a network device. 64 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Xmit {
    pub head: Head,
    /// `skb->len`, headers included, bytes.
    pub len: u32,
    /// `dev->ifindex`.
    pub ifindex: u32,
    /// `skb->data_len`: of it, bytes in page fragments.
    pub data_len: u32,
    /// 1 if the device has no hardware: it hangs on no other (`dev->dev.parent`), as what sysfs lists under
    /// `/sys/devices/virtual`. 0 if it has, or if it is not known.
    pub no_parent: u32,
    /// `i_ino` of the socket (`sockfs`).
    pub sock_ino: u64,
    /// `dev->name`, NUL padded.
    pub name: [u8; 16],
}

/// A completed io_uring request. 88 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uring {
    /// The thread that submitted it and, if it did so in a call, that call. `ts`: submission.
    pub head: Head,
    /// When the completion was posted.
    pub completed: u64,
    /// The program's own tag.
    pub user_data: u64,
    /// `cqe->res`.
    pub res: i32,
    /// `IORING_OP_*`.
    pub opcode: u8,
    /// Bits of [`uring`].
    pub how: u8,
    /// `cqe->flags`, low 16 bits (`IORING_CQE_F_MORE`, `F_NOTIF` …).
    pub cqe_flags: u16,
    /// The file, if the request has one.
    pub file: FileRef,
    /// Identifies the ring.
    pub ring: u64,
}

/// Bits of [`Uring::how`].
pub mod uring {
    /// Punted to an io-wq worker.
    pub const ASYNC: u8 = 1;
    /// Submitted by an SQPOLL thread.
    pub const SQPOLL: u8 = 2;
    /// Completed in another task's context.
    pub const ELSEWHERE: u8 = 4;
}

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

/// Longest path kept of an `open`, with its NUL.
pub const NAME_MAX: usize = 256;

/// The path given to `open`, `openat`, `openat2`, `creat`: [`NAME_FIXED`] + `len` bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    pub head: Head,
    pub ino: u64,
    pub dev: u32,
    /// The descriptor returned.
    pub fd: i32,
    /// Bytes of `path` that are set, NUL not counted.
    pub len: u32,
    /// Reserved, 0.
    pub reserved: u32,
    pub path: [u8; NAME_MAX],
}

/// Bytes of a [`Name`] before its path.
pub const NAME_FIXED: usize = 48;

/// Pages of a file that the current call made dirty. 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dirty {
    pub head: Head,
    pub ino: u64,
    /// First page offset.
    pub index: u64,
    /// `s_dev`, kernel encoding.
    pub dev: u32,
    /// Number of pages from `index` on.
    pub pages: u32,
}

/// Bytes that one function of the kernel, or one primitive inside it, moved in a call; sent before the call's own record, or at once
/// where the task has no calls (io_uring's threads). 40 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    pub head: Head,
    pub bytes: u64,
    /// How often the function was called.
    pub count: u32,
    /// One of [`moved`].
    pub what: u16,
    /// One of [`primitive`]: who told. A function and its primitive send a record each.
    pub primitive: u16,
}

/// Words of a stack that are looked at, from the stack pointer up.
pub const STACK_DEPTH: usize = 256;
/// Words of it that are kept at most.
pub const STACK_WORDS: usize = 64;

/// What it takes to unwind a user stack: registers, and those words of the stack that are addresses in
/// the program's code, in mapped libraries, or in the stack itself. Nothing else on a stack is kept:
/// it could be payload. Sent the first time that a stack is met. 664 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    pub head: Head,
    /// A hash of the process and the addresses.
    pub id: u64,
    /// Instruction pointer, stack pointer, frame pointer, and link register (0 where there is none).
    pub ip: u64,
    pub sp: u64,
    pub fp: u64,
    pub lr: u64,
    /// The code of the program's executable file in memory: from, to (`mm->start_code`, `end_code`).
    pub code: u64,
    pub code_end: u64,
    /// Words that are set.
    pub words: u32,
    /// Reserved, 0.
    pub reserved: u32,
    /// The words, and where each lies: in words from `sp`.
    pub word: [u64; STACK_WORDS],
    pub at: [u8; STACK_WORDS],
}

/// The call `head.seq` of a thread, and all after it until told otherwise, came from the stack `id`.
/// 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CalledFrom {
    pub head: Head,
    /// [`Stack::id`].
    pub id: u64,
}

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
    /// Values of `enum iter_type`; [`NO_OFFSET`] for those that this kernel lacks.
    pub iter_iovec: u32,
    pub iter_ubuf: u32,
    pub iter_pipe: u32,
    /// Bits of a page's flags (`enum pageflags`): `PG_swapbacked`, `PG_swapcache`; [`NO_OFFSET`] likewise.
    pub swap_backed: u32,
    pub swap_cache: u32,
    /// `top`: our own process, which is left out, and the number of `rt_sigreturn`.
    pub ourselves: u32,
    pub nr_sigreturn: u32,
    /// 1 if the kernel runs the programs of `sys_enter` and `sys_exit` preemptibly: it then skips them
    /// for a thread that comes to run in the middle of one.
    pub preemptible: u32,
}

/// Offset that means "this kernel has no such field": whatever needs it is off.
pub const NO_OFFSET: u32 = u32::MAX;

macro_rules! offsets {
    ($($(#[$doc:meta])* $name:ident = $ty:literal . $path:literal $(| $ty2:literal . $path2:literal)*;)*) => {
        /// Byte offsets of kernel struct fields, filled in from the running kernel's BTF before load.
        #[repr(C)]
        #[derive(Clone, Copy, Debug)]
        pub struct Offsets { $($(#[$doc])* pub $name: u32,)* }

        impl Offsets {
            /// All fields absent.
            pub const NONE: Self = Self { $($name: NO_OFFSET,)* };
            /// For each field: its name here, and the kernel `(struct, path)` places it may have,
            /// in the order to try.
            pub const FIELDS: &'static [(&'static str, &'static [(&'static str, &'static str)])] =
                &[$((stringify!($name), &[($ty, $path) $(, ($ty2, $path2))*]),)*];
            /// Sets the `i`th field of [`Self::FIELDS`].
            pub fn set(&mut self, i: usize, value: u32) {
                let mut n = 0;
                $(if n == i { self.$name = value; } n += 1;)*
                let _ = n;
            }
        }
    };
}

offsets! {
    task_pid = "task_struct"."pid";
    task_tgid = "task_struct"."tgid";
    task_flags = "task_struct"."flags";
    task_status = "task_struct"."thread_info.status";
    task_leader = "task_struct"."group_leader";
    /// When it began, ns since boot.
    task_start = "task_struct"."start_boottime" | "task_struct"."real_start_time";
    task_files = "task_struct"."files";
    task_min_flt = "task_struct"."min_flt";
    task_maj_flt = "task_struct"."maj_flt";
    task_nvcsw = "task_struct"."nvcsw";
    task_nivcsw = "task_struct"."nivcsw";
    task_exit_code = "task_struct"."exit_code";
    task_signal = "task_struct"."signal";
    task_pagefault_disabled = "task_struct"."pagefault_disabled";
    signal_flags = "signal_struct"."flags";
    signal_exit_code = "signal_struct"."group_exit_code";
    task_comm = "task_struct"."comm";
    files_fdt = "files_struct"."fdt";
    fdt_max_fds = "fdtable"."max_fds";
    fdt_fd = "fdtable"."fd";
    file_inode = "file"."f_inode";
    file_flags = "file"."f_flags";
    file_private = "file"."private_data";
    kiocb_filp = "kiocb"."ki_filp";
    /// Behind the context of a program of a perf event.
    perf_regs = "bpf_perf_event_data_kern"."regs";
    iter_type = "iov_iter"."iter_type";
    iter_count = "iov_iter"."count";
    msg_flags = "msghdr"."msg_flags";
    msg_iter = "msghdr"."msg_iter";
    inode_mode = "inode"."i_mode";
    inode_ino = "inode"."i_ino";
    inode_rdev = "inode"."i_rdev";
    inode_sb = "inode"."i_sb";
    sb_dev = "super_block"."s_dev";
    sb_magic = "super_block"."s_magic";
    mapping_host = "address_space"."host";
    folio_mapping = "folio"."mapping" | "page"."mapping";
    folio_index = "folio"."index" | "page"."index";
    page_flags = "page"."flags";
    /// `_flags_1` of a large folio holds the order in its low byte (Linux 6.6 on).
    folio_flags_1 = "folio"."_flags_1";
    /// Before that the order had a byte of its own.
    folio_order = "folio"."_folio_order";
    page_compound_head = "page"."compound_head" | "page"."compound_info";
    bio_next = "bio"."bi_next";
    bio_bdev = "bio"."bi_bdev";
    bio_opf = "bio"."bi_opf";
    bio_sector = "bio"."bi_iter.bi_sector";
    bio_size = "bio"."bi_iter.bi_size";
    bio_idx = "bio"."bi_iter.bi_idx";
    bio_io_vec = "bio"."bi_io_vec";
    bio_private = "bio"."bi_private";
    bio_status = "bio"."bi_status";
    bvec_page = "bio_vec"."bv_page";
    bdev_disk = "block_device"."bd_disk";
    disk_major = "gendisk"."major";
    disk_minor = "gendisk"."first_minor";
    rq_bio = "request"."bio";
    rq_sector = "request"."__sector";
    rq_len = "request"."__data_len";
    rq_opf = "request"."cmd_flags";
    socket_sk = "socket"."sk";
    /// Where the socket lies in its inode's container.
    socket_alloc_socket = "socket_alloc"."socket";
    socket_alloc_inode = "socket_alloc"."vfs_inode";
    sk_family = "sock"."__sk_common.skc_family";
    sk_state = "sock"."__sk_common.skc_state";
    sk_type = "sock"."sk_type";
    sk_protocol = "sock"."sk_protocol";
    sk_socket = "sock"."sk_socket";
    skb_len = "sk_buff"."len";
    skb_data_len = "sk_buff"."data_len";
    skb_sk = "sk_buff"."sk";
    skb_iif = "sk_buff"."skb_iif";
    skb_cb = "sk_buff"."cb";
    skb_head = "sk_buff"."head";
    skb_end = "sk_buff"."end";
    skb_destructor_arg = "skb_shared_info"."destructor_arg";
    dev_ifindex = "net_device"."ifindex";
    dev_name = "net_device"."name";
    dev_parent = "net_device"."dev.parent";
    zerocopy_length = "tcp_zerocopy_receive"."length";
    req_opcode = "io_kiocb"."opcode";
    req_file = "io_kiocb"."file";
    req_ctx = "io_kiocb"."ctx";
    req_user_data = "io_kiocb"."cqe.user_data";
    cqe_user_data = "io_uring_cqe"."user_data";
    cqe_res = "io_uring_cqe"."res";
    cqe_flags = "io_uring_cqe"."flags";
    task_mm = "task_struct"."mm";
    mm_start_code = "mm_struct"."start_code";
    mm_end_code = "mm_struct"."end_code";
    mm_mmap_base = "mm_struct"."mmap_base";
    mm_start_stack = "mm_struct"."start_stack";
    binprm_file = "linux_binprm"."file";
    binprm_interp = "linux_binprm"."interp";
}

/// Byte offsets in the structure of user registers; filled in by the architecture's module.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Regs {
    /// The six system call arguments.
    pub args: [u32; 6],
    /// The instruction pointer.
    pub ip: u32,
    /// Bit of `thread_info.status` that marks a 32-bit call, 0 if it cannot be told.
    pub compat_bit: u32,
    /// The stack pointer, the frame pointer, and the link register ([`NO_OFFSET`]: there is none).
    pub sp: u32,
    pub fp: u32,
    pub lr: u32,
    /// The first arguments of a kernel function, at its first instruction.
    pub function: [u32; 4],
    /// What a function returned.
    pub result: u32,
    /// The system call's number; negative where there is none.
    pub nr: u32,
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
    pub reserved: u32,
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

/// Number of descriptors whose classification each thread remembers (indexed by `fd % CACHED_FDS`).
pub const CACHED_FDS: usize = 4;

/// Kinds of moves that are summed up per call; a call rarely has more than two, each by a function and
/// by a primitive.
pub const SUMS: usize = 8;

/// Bytes moved in the call in progress, by one kind of [`moved`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    pub bytes: u64,
    /// 0: not in use.
    pub count: u32,
    /// One of [`moved`], and shifted by [`BY_SHIFT`] one of [`primitive`].
    pub what: u32,
}
/// See [`Sum::what`].
pub const BY_SHIFT: u32 = 16;

/// Kinds of copies that primitives make: [`moved`] from [`moved::TO_USER`] on, in this order. A power of
/// two, for the verifier's sake.
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
    /// What is sent as [`Extra`] if not 0.
    pub skb_copied: u64,
    pub zeroed: u64,
    pub cache_pages: u32,
    pub meta_pages: u32,
    pub irqs: u32,
    pub irqs_user: u32,
    pub iif: u32,
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

/// Samples of the CPU clock: the index into the `SAMPLES` map.
pub mod sample {
    /// In user mode.
    pub const USER: u32 = 0;
    /// In the kernel, in no range of interest.
    pub const KERNEL: u32 = 1;
    /// In the first range; the others follow.
    pub const FIRST: u32 = 2;
}

/// Ranges of kernel text whose samples are counted apart. A power of two.
pub const RANGES_MAX: usize = 64;

/// Addresses of kernel text: the value of `RANGES`, in order.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub start: u64,
    /// The first address behind it.
    pub end: u64,
}

/// `stat`: cells below this are the counters of calls without a descriptor, by number.
pub const CELL_FIRST: u32 = SYSCALLS_MAX as u32;
/// `stat`: number of counter cells.
pub const CELLS: usize = 4096;

/// `stat`: what the `COUNTS` map counts; the key's `what`.
pub mod count {
    /// Block I/O; `id` = disk, `flags` = low [`super::bio`] bits and the two below.
    pub const BLOCK: u16 = 1;
    /// In `flags` of [`BLOCK`]: submitted by another task than the program's.
    pub const BLOCK_ELSEWHERE: u16 = 1 << 15;
    /// In `flags` of [`BLOCK`]: issued, but the completion was not seen ([`super::bio::UNSEEN`]).
    pub const BLOCK_UNSEEN: u16 = 1 << 14;
    /// Packets; `id` = ifindex, `flags` = [`XMIT_NO_PARENT`].
    pub const XMIT: u16 = 2;
    /// User page faults; `flags` = 1 write to a present page, 2 file-backed.
    pub const FAULT: u16 = 3;
    /// Bytes copied socket → user (`skb_copy_datagram_iovec`). `top`: `id` = interface that they came in by.
    pub const SKB: u16 = 4;
    /// Off-CPU times: `flags` = 1 voluntary; bytes = ns.
    pub const SWITCH: u16 = 5;
    /// Interrupts; `flags` = 1 in user mode.
    pub const IRQ: u16 = 6;
    /// Pages zeroed for user memory.
    pub const ZEROED: u16 = 7;
    /// Pages made dirty.
    pub const DIRTY: u16 = 8;
    /// Minor and major faults of ended threads (`flags` = 1 major): the kernel's own counters.
    pub const RUSAGE_FAULTS: u16 = 9;
    /// Completed io_uring requests; `id` = opcode.
    pub const URING: u16 = 10;
    /// Block I/O that was queued, and neither issued nor completed as far as was seen; as [`BLOCK`].
    pub const BLOCK_UNKNOWN: u16 = 11;
    /// Pages allocated for user memory or the page cache, not zeroed; `flags` = 1 larger than one page.
    pub const FRESH: u16 = 12;
    /// Pages put into the page cache; `flags` as in [`FRESH`].
    pub const CACHED: u16 = 13;

    /// In `flags` of [`XMIT`]: the device has no hardware ([`super::Xmit::no_parent`]).
    pub const XMIT_NO_PARENT: u16 = 1;
}

/// Key of the `COUNTS` map.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CountKey {
    /// One of [`count`].
    pub what: u16,
    pub flags: u16,
    pub id: u32,
}

/// Value of the `COUNTS` map.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub count: u64,
    pub bytes: u64,
}

impl core::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// `stat` reads the clock for the first calls of each cell on each CPU, and then for one in
/// [`TIMED_EVERY`]: on a fast call two readings cost more than everything else together.
pub const TIMED_FIRST: u64 = 64;
/// A power of two.
pub const TIMED_EVERY: u32 = 16;

/// Counters of one system call on one kind of file, per CPU (`bytehop stat`). 40 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatCell {
    pub calls: u64,
    pub errors: u64,
    /// Sum of the return values that are sizes.
    pub bytes: u64,
    /// Sum of the times from entry to exit of the calls that were timed, ns.
    pub time: u64,
    /// How many were.
    pub timed: u64,
}

/// Key of the `CELL_IDS` map: which call on which kinds of files.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StatKey {
    pub nr: u32,
    /// Index of the first and second descriptor's class; 0 for none.
    pub class: u16,
    pub class2: u16,
}

/// `top`: which process. The number alone is used again; with the time it is what `/proc/PID/stat` tells.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proc {
    /// Process id in the initial PID namespace; 0 for all kernel threads.
    pub tgid: u32,
    /// When it began, in hundredths of a second since boot (modulo 2³²).
    pub start: u32,
}

impl Proc {
    /// What kernel threads do for nobody that is known.
    pub const KERNEL: Self = Self { tgid: 0, start: 0 };
    /// Nanoseconds of one unit of [`Self::start`] (`USER_HZ` is 100 on every architecture that we know).
    pub const UNIT: u64 = 10_000_000;
}

/// Key of the `TOP_CALLS` map: which calls of which process.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TopKey {
    pub proc: Proc,
    /// Number of the call, or [`OPERATION`] and an operation of io_uring.
    pub nr: u16,
    /// Bits of [`how`].
    pub how: u16,
    /// Index of the first and second descriptor's class; 0 for none, and where no bytes were moved.
    pub class: u16,
    pub class2: u16,
}

impl TopKey {
    pub const NONE: Self = Self {
        proc: Proc::KERNEL,
        nr: 0,
        how: 0,
        class: 0,
        class2: 0,
    };
}

/// In [`TopKey::nr`]: an operation of io_uring, by its opcode.
pub const OPERATION: u16 = 1 << 15;

/// Bits of [`TopKey::how`].
pub mod how {
    /// `MSG_TRUNC`, `MSG_ERRQUEUE`, `MSG_ZEROCOPY`.
    pub const TRUNC: u16 = 1;
    pub const ERRQUEUE: u16 = 2;
    pub const ZEROCOPY: u16 = 4;
    /// A 32-bit call: its number is of another table.
    pub const COMPAT: u16 = 8;
}

/// `MSG_*` flags of a socket call that decide which way its bytes take, as bits of [`how`]
/// (include/linux/socket.h).
pub const MSG_FLAGS: [(u32, u16); 3] = [
    (0x20, how::TRUNC),
    (0x2000, how::ERRQUEUE),
    (0x400_0000, how::ZEROCOPY),
];

/// Value of the `TOP_CALLS` map.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopCell {
    pub calls: u64,
    pub errors: u64,
    /// Sum of the return values that are sizes.
    pub bytes: u64,
}

impl core::ops::AddAssign for TopCell {
    fn add_assign(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.errors = self.errors.saturating_add(other.errors);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Key of the `TOP_COUNTS` map; value: [`Count`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TopCountKey {
    pub proc: Proc,
    pub key: CountKey,
}

/// Value of the `TOP_NAMES` map: `comm` of a process, NUL padded.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopName {
    pub comm: [u8; 16],
}

/// `top`: most rows of `TOP_CALLS`; of `TOP_COUNTS` there are half as many. Most processes in `TOP_NAMES`.
pub const TOP_ROWS: u32 = 1 << 15;
pub const TOP_PROCESSES: u32 = 1 << 14;
/// `top`: of so many inodes it is known who made them dirty.
pub const TOP_INODES: u32 = 1 << 14;

/// Indices of the `TOP_LOST` map: what found no room in the maps above.
pub mod top_lost {
    /// Calls, and bytes that they returned.
    pub const CALLS: u32 = 0;
    pub const BYTES: u32 = 1;
    /// Of everything else: times that it was to be counted.
    pub const COUNTS: u32 = 2;
    /// Descriptors whose kind found no room in `CLASSES`.
    pub const CLASSES: u32 = 3;
    pub const COUNT: usize = 4;
}

const _: () = {
    assert!(size_of::<Head>() == 24);
    assert!(size_of::<FileRef>() == 32);
    assert!(size_of::<Syscall>() == 88);
    assert!(size_of::<SyscallFile>() == 120);
    assert!(size_of::<Extra>() == 104);
    assert!(size_of::<Fault>() == 104);
    assert!(size_of::<Block>() == 88);
    assert!(size_of::<Xmit>() == 64);
    assert!(size_of::<Uring>() == 88);
    assert!(size_of::<Switch>() == 40);
    assert!(size_of::<Fork>() == 48);
    assert!(size_of::<Exec>() == 40);
    assert!(size_of::<Exit>() == 72);
    assert!(size_of::<Name>() == NAME_FIXED + NAME_MAX);
    assert!(size_of::<Dirty>() == 48);
    assert!(size_of::<Copied>() == 40);
};
