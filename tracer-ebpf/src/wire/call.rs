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
    /// Of `cache_pages`, those of a network file system whose client copies them out of packets (NFS, SMB, Ceph,
    /// AFS). The name is from when nothing was here.
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
    /// Error code of the architecture (x86: bit 0 protection, 1 write, 4 instruction fetch; arm64: `ESR_EL1`, as
    /// far as [`esr`] knows it); [`NO_ERROR_CODE`] where no exception was taken, or nothing is known of it.
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
    /// 1 if `mm_filemap_fault` fired; [`NETWORK`] if the pages inserted are of a network file system, as in
    /// [`Extra::reserved`].
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

/// In [`Fault::filemap`].
pub const NETWORK: u32 = 1 << 1;

/// In [`Fault::error_code`]: the kernel asked for the page without touching it (`get_user_pages`).
pub const NO_ERROR_CODE: u32 = u32::MAX;

/// What arm64's `ESR_EL1` would say of a fault whose instruction is known, but not the register: whether it
/// writes (bit 6, `WnR`). The fault's status (bits 0 to 5) stays 0, which no page fault has: not told.
pub mod esr {
    /// It writes.
    pub const WRITE: u32 = 1 << 6;
    /// The bits of the fault's status.
    pub const STATUS: u32 = 0x3F;

    /// Of an A64 instruction that met a fault of data ([`super::NO_ERROR_CODE`]: it does both, or it is unknown).
    ///
    /// "Loads and stores" in the Arm Architecture Reference Manual; words of the classes are from there.
    pub const fn of(instruction: u32) -> u32 {
        let class = instruction >> 25 & 0xF;
        let writes = match class {
            // SVE: bits 31 to 29.
            0b0010 => instruction >> 29 == 0b111,
            0b0100 | 0b0110 | 0b1100 | 0b1110 => match stores(instruction) {
                Some(stores) => stores,
                None => return super::NO_ERROR_CODE,
            },
            // Of instructions that are neither, `DC ZVA` and its like write.
            _ => instruction & 0xFFFF_FF00 == 0xD50B_7400,
        };
        if writes { WRITE } else { 0 }
    }

    /// Whether a load or a store is a store.
    const fn stores(i: u32) -> Option<bool> {
        let vector = i >> 26 & 1 == 1;
        let opc = i >> 22 & 3;
        // `L` of most classes.
        let loads = opc & 1 == 1;
        let (bit_24, bit_21) = (i >> 24 & 1 == 1, i >> 21 & 1 == 1);
        let low = i >> 10 & 3;
        Some(match i >> 28 & 3 {
            // Exclusive and ordered: of these, compare and swap (pairs, too) does both, as a write.
            0b00 if !vector
                && (i & 0x00A0_0000 == 0x00A0_0000 || i & 0x80A0_0000 == 0x0020_0000) =>
            {
                true
            }
            0b00 => !loads,
            // Literals.
            0b01 if !bit_24 => false,
            // Tags of memory.
            0b01 if bit_21 => !(low == 0 && loads),
            // Copies of memory, and sets.
            0b01 if low == 1 => return if opc == 3 { Some(true) } else { None },
            0b01 => opc == 0,
            // Pairs.
            0b10 => !loads,
            // Vectors: 128 bits have a size of their own.
            _ if vector => !loads,
            // Atomic operations; of these, `LDAPR` and `LD64B` only read.
            _ if !bit_24 && bit_21 && low == 0 => {
                !(i >> 15 & 1 == 1 && matches!(i >> 12 & 7, 4 | 5))
            }
            // With a signed address.
            _ if !bit_24 && bit_21 && low & 1 == 1 => false,
            _ => opc == 0,
        })
    }
}

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
