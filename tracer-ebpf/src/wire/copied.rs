//! Bytes that a function or a primitive of the kernel moved.

use super::head::Head;

/// What a function moved: the value of [`Copied::what`]. Numbers are never used again for something
/// else; what each means to a trace stands in `bytehop_core::rules::measure`.
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

    /// No move that a function told of: how many bytes the call says it moved, where it does not return that
    /// (`sendmmsg`, reflinks, `userfaultfd`).
    pub const SIZE: u16 = 49;

    /// The program's memory, into a core file.
    pub const DUMPED: u16 = 50;
    pub const IOMAP_DUMPED: u16 = 51;
    pub const BTRFS_DUMPED: u16 = 52;

    /// As [`COW`], a page (arm64, `copy_user_highpage`).
    pub const COW_PAGE: u16 = 56;

    /// Between the program's memory and that of the process that serves a file of FUSE.
    pub const FUSE_READ: u16 = 60;
    pub const FUSE_WRITE: u16 = 61;

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
    /// Into pages of the page cache, which a network file system fills from an answer of its server.
    pub const INTO_CACHE: u16 = 62;
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
