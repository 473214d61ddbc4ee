//! Names: paths that the kernel was given, marks of the program's own, and the two ends of sockets.

use aya_ebpf::helpers::generated::{bpf_probe_read_kernel, bpf_probe_read_user_str};
use tracer_ebpf::{NAME_FIXED, NAME_MAX, NO_OFFSET, Name, Task, kind, named};

use crate::classify::{file_of, socket_of};
use crate::emit::send_bytes;
use crate::kread::probe;
use crate::maps::{SCRATCH_NAME, off};
use crate::tasks::find;

const INET: u16 = 2;
const INET6: u16 = 10;

/// Sends a path. The kernel has just read it: its page is there. Of marks only those that are some.
/// `lane`: see [`crate::lane::Lane`].
///
/// Global, so that the verifier checks it once and not on every path through its callers: Linux 6.1 and 7.2 refuse
/// those otherwise.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn send_name(tid: u32, path: u64, fd: i32, what: u32, lane: u32) -> u64 {
    let Some(t) = find(tid) else { return 0 };
    let Some(n) = SCRATCH_NAME.get_ptr_mut(lane) else {
        return 0;
    };
    // SAFETY: map values; the helper checks the user address.
    unsafe {
        let len = bpf_probe_read_user_str(
            (&raw mut (*n).path).cast(),
            NAME_MAX as u32,
            path as *const _,
        );
        if len <= 1 || len > NAME_MAX as i64 {
            return 0;
        }
        if what == named::MARK && !is_mark(n) {
            return 0;
        }
        head(t, n, fd, what, len as u32 - 1);
        // In steps, so that the length is a constant to the verifier of every kernel.
        let size = if len <= 32 {
            NAME_FIXED + 32
        } else if len <= 64 {
            NAME_FIXED + 64
        } else {
            NAME_FIXED + NAME_MAX
        };
        let head = (*n).head;
        send_bytes(&head, n.cast(), size as u64);
    }
    0
}

/// All but the name itself.
#[inline(always)]
unsafe fn head(t: *mut Task, n: *mut Name, fd: i32, what: u32, len: u32) {
    let of_file = what == named::OPENED || what == named::SOCKET;
    // SAFETY: map values.
    unsafe {
        (*n).head = crate::tasks::head(t, kind::NAME, (*t).enter);
        (*n).ino = if of_file { (*t).file.ino } else { 0 };
        (*n).dev = if of_file { (*t).file.dev } else { 0 };
        (*n).fd = fd;
        (*n).len = len;
        (*n).what = what;
    }
}

/// Whether the path lies below [`named::MARKS`].
#[inline(always)]
unsafe fn is_mark(n: *const Name) -> bool {
    let marks = named::MARKS.as_bytes();
    let mut same = true;
    let mut i = 0;
    while i < marks.len() {
        // SAFETY: a map value, and the marks are shorter than a path.
        same &= unsafe { (*n).path[i] } == marks[i];
        i += 1;
    }
    same
}

/// Sends the two ends of a socket of the Internet's families, once it has any.
/// Global for the same reason.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn send_ends(tid: u32, fd: i32, lane: u32) -> u64 {
    let Some(t) = find(tid) else { return 0 };
    let Some(n) = SCRATCH_NAME.get_ptr_mut(lane) else {
        return 0;
    };
    let Some(sk) = socket_of(file_of(fd)) else {
        return 0;
    };
    let family: u16 = probe(sk, off!(sk_family)).unwrap_or(0);
    let local: u16 = probe(sk, off!(sk_num)).unwrap_or(0);
    let peer: u16 = probe(sk, off!(sk_dport)).unwrap_or(0);
    if (family != INET && family != INET6) || (local == 0 && peer == 0) {
        return 0;
    }
    // SAFETY: a map value; all of it lies behind the digits, within a path.
    unsafe {
        let mut i = 0;
        while i < named::ENDS {
            set(n, i, 0);
            i += 1;
        }
        set(n, 0, family as u8);
        set(n, 2, local as u8);
        set(n, 3, (local >> 8) as u8);
        // As it stands in memory: in the network's order.
        set(n, 4, peer as u8);
        set(n, 5, (peer >> 8) as u8);
        if family == INET6 {
            address(n, 6, 16, sk, off!(sk_saddr6));
            address(n, 22, 16, sk, off!(sk_daddr6));
        } else {
            address(n, 6, 4, sk, off!(sk_saddr));
            address(n, 22, 4, sk, off!(sk_daddr));
        }
    }
    // SAFETY: map values; twice `ENDS` is less than a path.
    unsafe {
        let mut i = 0;
        while i < named::ENDS {
            let byte = core::ptr::read_volatile(&raw const (*n).path[RAW + i]);
            (*n).path[2 * i] = digit(byte >> 4);
            (*n).path[2 * i + 1] = digit(byte & 15);
            i += 1;
        }
        head(t, n, fd, named::SOCKET, 2 * named::ENDS as u32);
        let head = (*n).head;
        send_bytes(&head, n.cast(), (NAME_FIXED + 2 * named::ENDS + 4) as u64);
    }
    0
}

/// Where in a path the ends are put together, behind their digits: on the stack they would be too much for the
/// callers of Linux 6.1.
const RAW: usize = 2 * named::ENDS + 4;
const _: () = assert!(RAW + named::ENDS <= NAME_MAX);

/// (Volatile, or the compiler would call a function that does not exist here.)
#[inline(always)]
unsafe fn set(n: *mut Name, at: usize, byte: u8) {
    // SAFETY: a map value.
    unsafe { core::ptr::write_volatile(&raw mut (*n).path[RAW + at], byte) };
}

/// Reads an address of a socket to its place.
#[inline(always)]
unsafe fn address(n: *mut Name, at: usize, len: u32, sk: u64, offset: u32) {
    if offset == NO_OFFSET {
        return;
    }
    // SAFETY: a map value, and the helper checks the kernel's address.
    unsafe {
        bpf_probe_read_kernel(
            (&raw mut (*n).path[RAW + at]).cast(),
            len,
            (sk + offset as u64) as *const _,
        );
    }
}

#[inline(always)]
fn digit(n: u8) -> u8 {
    if n < 10 { b'0' + n } else { b'a' + n - 10 }
}
