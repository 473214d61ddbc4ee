//! What goes to devices or completes later: block I/O, packets, io_uring's requests.

use super::file::FileRef;
use super::head::Head;

/// Completed block I/O: the bios of one request that belong to one call.
///
/// `head` names the thread and call that submitted it or, where [`crate::flag::ELSEWHERE`] is set, is
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
    /// First sector of [`Self::upper`] that this serves.
    pub upper_sector: u64,
    /// A device that is only software and hands its work on: this is what it asked of another device
    /// ([`crate::flag::ELSEWHERE`]). As `disk`; 0: none.
    pub upper: u32,
    /// What was under way where the completion came: bits of [`interrupt`]. 0: not seen.
    pub reserved: u32,
}

/// [`Block::reserved`] and [`Arrival::interrupt`]: a number, and what it says.
pub mod interrupt {
    /// Bits of the number of the interrupt, as `/proc/interrupts` has it.
    pub const NUMBER: u32 = 0xff_ffff;
    /// The other bits: one of those below.
    pub const CONTEXT: u32 = !NUMBER;
    /// The handler of that interrupt.
    pub const HANDLER: u32 = 1 << 24;
    /// A soft interrupt that the handler of that interrupt had raised.
    pub const SOFT: u32 = 2 << 24;
    /// A soft interrupt that no handler on this processor had raised: another processor handed it on, or the
    /// device is polled. No number.
    pub const SOFT_ALONE: u32 = 3 << 24;
    /// A thread: a worker, a threaded handler, or whoever polls. No number.
    pub const THREAD: u32 = 4 << 24;
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
    /// To or from a loop device that hands the pages themselves to the file system below (`LO_FLAGS_DIRECT_IO`):
    /// no CPU copies them.
    pub const BY_REFERENCE: u32 = 4096;
    /// With [`ANON`]: the pages are no program's, either: a file system's, or a device's own that is only software.
    pub const BUFFER: u32 = 8192;
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

/// A packet that a device brought for a socket of the program. 64 bytes.
///
/// `head` names the thread that used the socket last, and no call: user space finds out which one takes the bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    pub head: Head,
    /// Bytes, headers included: of all packets that the kernel had merged into this one.
    pub len: u32,
    /// Of them, bytes for the program.
    pub payload: u32,
    /// The device that it came in by.
    pub ifindex: u32,
    /// Bits of [`interrupt`].
    pub interrupt: u32,
    /// `i_ino` of the socket (`sockfs`).
    pub sock_ino: u64,
    /// TCP: sequence number of the first byte.
    pub tcp_seq: u32,
    /// How many packets were merged.
    pub packets: u32,
    /// `IPPROTO_TCP` or `IPPROTO_UDP`.
    pub protocol: u32,
    pub reserved: u32,
}

/// A completed request of io_uring, or one of Linux AIO ([`uring::AIO`]). 120 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uring {
    /// The thread that submitted it and, if it did so in a call, that call. `ts`: submission.
    pub head: Head,
    /// When the completion was posted; of Linux AIO when the program fetched it, 0 if it was not seen to.
    pub completed: u64,
    /// The program's own tag.
    pub user_data: u64,
    /// `cqe->res`; where [`uring::UNTOLD`] is set, as many bytes as were asked for.
    pub res: i32,
    /// `IORING_OP_*`; of Linux AIO `IOCB_CMD_*`.
    pub opcode: u8,
    /// Bits of [`uring`].
    pub how: u8,
    /// `cqe->flags`, low 16 bits (`IORING_CQE_F_MORE`, `F_NOTIF` …).
    pub cqe_flags: u16,
    /// The file, if the request has one.
    pub file: FileRef,
    /// Identifies the ring, or the context of Linux AIO.
    pub ring: u64,
    /// `splice` and `tee`: where the bytes come from ([`Self::file`] is where they go).
    pub file2: FileRef,
}

/// Bits of [`Uring::how`].
pub mod uring {
    /// Punted to an io-wq worker.
    pub const ASYNC: u8 = 1;
    /// Submitted by an SQPOLL thread.
    pub const SQPOLL: u8 = 2;
    /// Completed in another task's context.
    pub const ELSEWHERE: u8 = 4;
    /// Not io_uring: submitted by `io_submit`.
    pub const AIO: u8 = 8;
    /// The result was not seen: the program fetched it without a call, or not at all.
    pub const UNTOLD: u8 = 16;
}
