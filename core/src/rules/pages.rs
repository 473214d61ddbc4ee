//! Calls that fill, copy or map pages of the program's memory, or of a file, and return no size: what they
//! moved stands in the pages that a probe saw, or is said to be unknown.

use crate::arch::calls;
use crate::ledger::Unaccounted;

/// `HUGETLBFS_MAGIC`, `OVERLAYFS_SUPER_MAGIC`
const HUGETLBFS: u32 = 0x9584_58F6;
const OVERLAY: u32 = 0x794C_7630;

// include/uapi/asm-generic/mman-common.h
const MADV_COLLAPSE: u64 = 25;
const MAP_HUGETLB: u64 = 0x4_0000;
// include/linux/shm.h
const SHM_HUGETLB: u64 = 0o4000;
// include/uapi/linux/mempolicy.h
const MPOL_MF_MOVE: u64 = 2;
const MPOL_MF_MOVE_ALL: u64 = 4;
// include/uapi/linux/fs.h: `ioctl` requests are 32 bits.
const FS_IOC_SETFLAGS: u64 = 0x4008_6602;
const FS_IOC_FSSETXATTR: u64 = 0x401c_5820;

/// Calls of which [`untold`] knows something.
const NAMES: &str =
    "madvise process_madvise move_pages migrate_pages mbind mmap shmget fallocate ioctl";

/// Whether [`untold`] is to be asked about a call.
pub(super) fn moves(name: &str) -> bool {
    NAMES.split_whitespace().any(|known| known == name)
}

/// Why nobody knows what pages a call that succeeded moved; `None` if it moves none, or it is known. `magic`: of
/// the file system of the call's file, 0 without one.
pub fn untold(name: &str, args: &[u64; 6], magic: u32) -> Option<Unaccounted> {
    let copied = match name {
        "madvise" => args[2] == MADV_COLLAPSE,
        "process_madvise" => args[3] == MADV_COLLAPSE,
        // Without a list of nodes it only asks where the pages are.
        "move_pages" => args[3] != 0,
        "migrate_pages" => true,
        "mbind" => args[5] & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL) != 0,
        _ => false,
    };
    let huge = match name {
        "mmap" => args[3] & MAP_HUGETLB != 0 || magic == HUGETLBFS,
        "shmget" => args[2] & SHM_HUGETLB != 0,
        "fallocate" => magic == HUGETLBFS,
        _ => false,
    };
    let request = args[1] & 0xFFFF_FFFF;
    let mapped = name == "ioctl" && [calls::UFFDIO_CONTINUE, calls::UFFDIO_MOVE].contains(&request);
    match (copied, huge, mapped) {
        (true, ..) => Some(Unaccounted::PagesCopied),
        (_, true, _) => Some(Unaccounted::HugePages),
        (.., true) => Some(Unaccounted::PagesMapped),
        _ => None,
    }
}

/// Whether a call changes a file's attributes by an `ioctl`: on an overlay, it is copied up first.
pub fn alters(args: &[u64; 6], magic: u32) -> bool {
    let request = args[1] & 0xFFFF_FFFF;
    magic == OVERLAY && [FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR].contains(&request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_pages_and_does_not_tell() {
        const SHARED: u64 = 1;
        let cases: &[(&str, [u64; 6], u32, Option<Unaccounted>)] = &[
            (
                "madvise",
                [0, 4096, 25, 0, 0, 0],
                0,
                Some(Unaccounted::PagesCopied),
            ),
            ("madvise", [0, 4096, 4, 0, 0, 0], 0, None),
            (
                "process_madvise",
                [3, 0, 1, 25, 0, 0],
                0,
                Some(Unaccounted::PagesCopied),
            ),
            (
                "move_pages",
                [0, 1, 9, 9, 9, 2],
                0,
                Some(Unaccounted::PagesCopied),
            ),
            ("move_pages", [0, 1, 9, 0, 9, 0], 0, None),
            (
                "mbind",
                [0, 4096, 2, 9, 9, 2],
                0,
                Some(Unaccounted::PagesCopied),
            ),
            ("mbind", [0, 4096, 2, 9, 9, 1], 0, None),
            (
                "mmap",
                [0, 4096, 3, SHARED | MAP_HUGETLB, 0, 0],
                0,
                Some(Unaccounted::HugePages),
            ),
            (
                "mmap",
                [0, 4096, 3, SHARED, 3, 0],
                HUGETLBFS,
                Some(Unaccounted::HugePages),
            ),
            ("mmap", [0, 4096, 3, SHARED, 3, 0], 0xEF53, None),
            (
                "fallocate",
                [3, 0, 0, 4096, 0, 0],
                HUGETLBFS,
                Some(Unaccounted::HugePages),
            ),
            ("fallocate", [3, 0, 0, 4096, 0, 0], 0xEF53, None),
            (
                "ioctl",
                [3, 0xc020_aa07, 9, 0, 0, 0],
                0,
                Some(Unaccounted::PagesMapped),
            ),
            (
                "ioctl",
                [3, 0xc028_aa05, 9, 0, 0, 0],
                0,
                Some(Unaccounted::PagesMapped),
            ),
            ("ioctl", [3, calls::UFFDIO_COPY, 9, 0, 0, 0], 0, None),
        ];
        for (name, args, magic, why) in cases {
            assert_eq!(untold(name, args, *magic), *why, "{name} {args:x?}");
        }
    }

    #[test]
    fn attributes_of_files_on_an_overlay() {
        let set = [3, 0xFFFF_FFFF_4008_6602, 9, 0, 0, 0];
        assert!(alters(&set, OVERLAY));
        assert!(!alters(&set, 0xEF53));
        assert!(!alters(&[3, 0x8008_6601, 9, 0, 0, 0], OVERLAY));
    }
}
