//! What a descriptor is, read from its `struct file`.

use tracer_ebpf::{CACHED_FDS, Cached, FileRef, MSG_FLAGS, Task, sysinfo};

use crate::emit::recording;
use crate::kread::{Span, arg, load, probe};
use crate::maps::{CLASSES, NEXT, SOCKS, SockOwner, off};
use crate::special;
use crate::tasks::{current, generation};
use crate::top::{everyone, process};

pub const S_IFMT: u16 = 0o170000;
const S_IFCHR: u16 = 0o020000;
pub const S_IFBLK: u16 = 0o060000;
const S_IFREG: u16 = 0o100000;
const S_IFSOCK: u16 = 0o140000;
/// include/linux/socket.h
const AF_ALG: u16 = 38;
/// Bits of `f_flags` that matter to the path a byte takes; the rest only splits classes of `stat`.
const PATH_FLAGS: u32 = 0o240000; // O_DIRECT: 0o40000 on x86, 0o200000 on arm64

/// Address of the `struct file` of a descriptor of the current task, 0 if it is not open.
#[inline(always)]
pub fn file_of(fd: i32) -> u64 {
    let files: *const u8 = load(current(), off!(task_files));
    if files.is_null() || fd < 0 {
        return 0;
    }
    let fdt: *const u8 = load(files, off!(files_fdt));
    if fdt.is_null() {
        return 0;
    }
    let max: u32 = load(fdt, off!(fdt_max_fds));
    if fd as u32 >= max {
        return 0;
    }
    let array: u64 = load(fdt, off!(fdt_fd));
    // The same mask as the kernel's own look-up is not needed: `fd` is below `max`.
    probe(array.wrapping_add(fd as u64 * 8), 0).unwrap_or(0)
}

/// The `struct sock` of a socket's inode.
#[inline(always)]
fn sock(inode: u64) -> Option<u64> {
    // struct socket_alloc { struct socket socket; struct inode vfs_inode; } (include/net/sock.h)
    let socket = inode
        .wrapping_sub(off!(socket_alloc_inode) as u64)
        .wrapping_add(off!(socket_alloc_socket) as u64);
    probe::<u64>(socket, off!(socket_sk))
}

/// The `struct sock` of an open file, if it is a socket.
#[inline(always)]
pub fn socket_of(file: u64) -> Option<u64> {
    let inode = probe::<u64>(file, off!(file_inode))?;
    let mode: u16 = probe(inode, off!(inode_mode))?;
    match mode & S_IFMT {
        S_IFSOCK => sock(inode),
        _ => None,
    }
}

/// Describes an open file.
#[inline(always)]
pub fn describe(file: u64, out: &mut FileRef) {
    *out = FileRef::NONE;
    if file != 0 {
        described(file, out);
    }
}

/// Global, so that the verifier checks it once and not on every path through its callers.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn described(file: u64, out: *mut FileRef) -> u64 {
    // SAFETY: the verifier checks that it is one, or null.
    let Some(out) = (unsafe { out.as_mut() }) else {
        return 0;
    };
    let mut span = Span::<9>::new();
    span.read(file);
    let inode: u64 = span.field(off!(file_inode));
    if inode == 0 {
        return 0;
    }
    out.f_flags = span.field(off!(file_flags));
    span.read(inode);
    out.mode = span.field(off!(inode_mode));
    out.ino = span.field(off!(inode_ino));
    if matches!(out.mode & S_IFMT, S_IFCHR | S_IFBLK) {
        out.rdev = span.field(off!(inode_rdev));
    }
    let sb: u64 = span.field(off!(inode_sb));
    if sb != 0 {
        span.read(sb);
        out.dev = span.field(off!(sb_dev));
        out.magic = span.field::<u64>(off!(sb_magic)) as u32;
    }
    match out.mode & S_IFMT {
        S_IFSOCK => {
            if let Some(sk) = sock(inode) {
                out.family = probe(sk, off!(sk_family)).unwrap_or(0);
                out.sock_type = probe(sk, off!(sk_type)).unwrap_or(0);
                out.protocol = probe(sk, off!(sk_protocol)).unwrap_or(0);
                if out.family == AF_ALG {
                    out.protocol = special::crypto(sk) as u16;
                }
                owned(sk, out.ino);
            }
        }
        S_IFREG => out.protocol = special::regular(file, inode, out.magic as u64) as u16,
        _ => {}
    }
    0
}

/// The current task uses this socket.
#[inline(always)]
fn owned(sk: u64, ino: u64) {
    let id = aya_ebpf::helpers::bpf_get_current_pid_tgid();
    let mut owner = SockOwner {
        ino,
        tid: id as u32,
        tgid: (id >> 32) as u32,
        start: 0,
        pad: 0,
    };
    if everyone() {
        let Some(proc) = process() else { return };
        owner.start = proc.start;
        // Asked at every call, and rarely new.
        let known = SOCKS.get_ptr(sk);
        // SAFETY: a map value.
        let same = |o: *const SockOwner| unsafe {
            (*o).ino == ino && (*o).tgid == owner.tgid && (*o).start == owner.start
        };
        if known.is_some_and(same) {
            return;
        }
    }
    let _ = SOCKS.insert(sk, owner, 0);
}

/// The classification of descriptor `fd`, from the thread's cache if nothing can have changed it.
#[inline(always)]
pub unsafe fn descriptor(t: *mut Task, fd: i32) -> Option<*mut Cached> {
    let i = (fd as usize) & (CACHED_FDS - 1);
    // SAFETY: `i` is below CACHED_FDS; `t` is a map value.
    unsafe {
        let c = &raw mut (*t).cache[i];
        let generation = generation(t);
        if generation != 0 && (*c).generation == generation && (*c).fd == fd {
            return Some(c);
        }
        (*c).fd = fd;
        let file = file_of(fd);
        if recording() {
            (*c).generation = generation;
            describe(file, &mut (*c).file);
            return Some(c);
        }
        let (before, met) = ((*c).file, (*c).met);
        (*c).generation = generation;
        (*c).met = 1;
        describe(file, &mut (*c).file);
        // Another file of the same kind, mostly: then its class is known, and the cell with it.
        if met == 0 || !alike(&before, &(*c).file) {
            (*c).nr = u32::MAX;
            (*c).class = class(&(*c).file);
        }
        Some(c)
    }
}

/// Whether two files differ at most in what [`class`] leaves out.
#[inline(always)]
fn alike(a: &FileRef, b: &FileRef) -> bool {
    a.dev == b.dev
        && a.magic == b.magic
        && a.rdev == b.rdev
        && a.f_flags == b.f_flags
        && a.mode == b.mode
        && a.family == b.family
        && a.sock_type == b.sock_type
        && a.protocol == b.protocol
}

/// What of a socket call's flags decides the way of its bytes: bits of [`tracer_ebpf::how`]; `info`: of the call.
#[inline(always)]
pub fn how_of(info: u32, regs: *const u8) -> u16 {
    let at = (info >> sysinfo::FLAGS_SHIFT) & 7;
    let mut how = 0;
    if at != 0 {
        let flags = arg(regs, at - 1) as u32;
        for (flag, bit) in MSG_FLAGS {
            if flags & flag != 0 {
                how |= bit;
            }
        }
    }
    how
}

/// `stat`: a dense index for everything about a file that decides which way its bytes take.
#[inline(never)]
pub fn class(file: &FileRef) -> u32 {
    let mut key = *file;
    key.ino = 0;
    if everyone() {
        // One of many file systems: their kind is enough.
        key.dev = 0;
    }
    key.f_flags &= PATH_FLAGS;
    // Anonymous inodes have no type, and are open all the same.
    key.mode = (key.mode & S_IFMT) | u16::from(key.mode != 0);
    if let Some(id) = CLASSES.get_ptr(key) {
        // SAFETY: a map value.
        return unsafe { *id };
    }
    let Some(next) = NEXT.get_ptr_mut(1) else {
        return 0;
    };
    // SAFETY: a map value. Two CPUs may meet a new class at once: then one index stays unused.
    let id = unsafe {
        *next += 1;
        *next
    };
    match CLASSES.insert(key, id, 1 /* BPF_NOEXIST */) {
        Ok(()) => id,
        // SAFETY: a map value.
        Err(_) => CLASSES.get_ptr(key).map_or(0, |id| unsafe { *id }),
    }
}
