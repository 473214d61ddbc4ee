//! Files and sockets that are not what their type says: which way their bytes take stands in a structure of their
//! own.

use tracer_ebpf::{NO_OFFSET, special};

use crate::kread::probe;
use crate::maps::{config, off};

/// include/uapi/linux/magic.h
const PROC_SUPER_MAGIC: u32 = 0x9FA0;
const FUSE_SUPER_MAGIC: u32 = 0x6573_5546;
/// include/uapi/linux/fuse.h
const FOPEN_DIRECT_IO: u32 = 1;

/// What a regular file is, as one of [`special`]; 0: nothing special. Global, as [`crypto`]: the verifier checks them
/// once, and not on every path through their callers.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn regular(file: u64, inode: u64, magic: u64) -> u64 {
    let what = match magic as u32 {
        PROC_SUPER_MAGIC if is_memory(file) => special::MEMORY,
        FUSE_SUPER_MAGIC => served(file, inode),
        _ => 0,
    };
    what as u64
}

/// Whether a file of proc is `/proc/PID/mem`: no other there has that name.
#[inline(always)]
fn is_memory(file: u64) -> bool {
    let name = || {
        let dentry: u64 = probe(file, off!(file_dentry))?;
        let name: u64 = probe(dentry, off!(dentry_name))?;
        probe::<[u8; 4]>(name, 0)
    };
    name() == Some(*b"mem\0")
}

/// A file of FUSE: whether its server, or the page cache, answers what is read.
#[inline(always)]
fn served(file: u64, inode: u64) -> u16 {
    let flags = || {
        let own: u64 = probe(file, off!(file_private))?;
        probe::<u32>(own, off!(fuse_open_flags))
    };
    let Some(flags) = flags() else {
        return special::FUSE_UNASKED;
    };
    let direct = flags & FOPEN_DIRECT_IO != 0;
    let first = || {
        let sb: u64 = probe(inode, off!(inode_sb))?;
        let kind: u64 = probe(sb, off!(sb_type))?;
        let name: u64 = probe(kind, off!(fs_type_name))?;
        probe::<u8>(name, 0)
    };
    match (first(), direct) {
        // virtiofs: the server is on the other side of a device.
        (Some(b'v'), true) => special::VIRTIOFS_DIRECT,
        (Some(b'v'), false) => special::VIRTIOFS,
        (_, false) => special::FUSE_CACHED,
        // Linux 6.5, which has no iterators of pipes any more, splices from the page cache whatever the server
        // asked for.
        (_, true) if config!(iter_pipe) == NO_OFFSET => special::FUSE_DIRECT,
        (_, true) => special::FUSE_DIRECT_SPLICED,
    }
}

/// What a socket of the kernel's cryptography does, as one of [`special`]; 0 if that was not found.
///
/// Its structure, which begins with a `struct sock`, is a module's, and may not be there yet when tracing begins. One
/// of the pointers behind that beginning leads to a structure of functions that has the kind's name.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn crypto(sk: u64) -> u64 {
    const HASH: u64 = u64::from_le_bytes(*b"hash\0\0\0\0");
    const CIPHER: u64 = u64::from_le_bytes(*b"skcipher");
    const AEAD: u64 = u64::from_le_bytes(*b"aead\0\0\0\0");
    const RANDOM: u64 = u64::from_le_bytes(*b"rng\0\0\0\0\0");
    /// Pointers, and words behind each, that are looked at.
    const POINTERS: u64 = 6;
    const WORDS: u64 = 16;
    if off!(sock_end) == NO_OFFSET {
        return 0;
    }
    let mut i = 0;
    while i < POINTERS * WORDS {
        let at = sk.wrapping_add(off!(sock_end) as u64 + i / WORDS * 8);
        let there: u64 = probe(at, 0).unwrap_or(0);
        let what = match probe::<u64>(there.wrapping_add(i % WORDS * 8), 0) {
            Some(HASH) => special::ALG_HASH,
            Some(CIPHER) => special::ALG_CIPHER,
            Some(AEAD) => special::ALG_AEAD,
            Some(RANDOM) => special::ALG_RANDOM,
            _ => 0,
        };
        if what != 0 {
            return what as u64;
        }
        i += 1;
    }
    0
}
