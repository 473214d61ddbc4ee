//! Names: paths that the kernel was given, marks of the program's own, and the two ends of sockets.

use aya_ebpf::helpers::generated::bpf_probe_read_user_str;
use tracer_ebpf::{NAME_FIXED, NAME_MAX, Name, Task, kind, named};

use crate::classify::{file_of, socket_of};
use crate::emit::send_bytes;
use crate::kread::probe;
use crate::maps::{SCRATCH_NAME, off};

const INET: u16 = 2;
const INET6: u16 = 10;

/// Sends a path. The kernel has just read it: its page is there. Of marks only those that are some.
/// `lane`: see [`crate::lane::Lane`].
#[inline(never)]
pub fn name(t: *mut Task, path: u64, fd: i32, what: u32, lane: u32) -> i32 {
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
#[inline(never)]
pub fn ends(t: *mut Task, fd: i32, lane: u32) -> i32 {
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
    let mut bytes = [0u8; named::ENDS];
    bytes[0] = family as u8;
    bytes[2] = local as u8;
    bytes[3] = (local >> 8) as u8;
    // As it stands in memory: in the network's order.
    bytes[4] = peer as u8;
    bytes[5] = (peer >> 8) as u8;
    if family == INET6 {
        let from = probe::<[u8; 16]>(sk, off!(sk_saddr6)).unwrap_or([0; 16]);
        let to = probe::<[u8; 16]>(sk, off!(sk_daddr6)).unwrap_or([0; 16]);
        let mut i = 0;
        while i < 16 {
            bytes[6 + i] = from[i];
            bytes[22 + i] = to[i];
            i += 1;
        }
    } else {
        let from = probe::<[u8; 4]>(sk, off!(sk_saddr)).unwrap_or([0; 4]);
        let to = probe::<[u8; 4]>(sk, off!(sk_daddr)).unwrap_or([0; 4]);
        let mut i = 0;
        while i < 4 {
            bytes[6 + i] = from[i];
            bytes[22 + i] = to[i];
            i += 1;
        }
    }
    // SAFETY: map values; twice `ENDS` is less than a path.
    unsafe {
        let mut i = 0;
        while i < named::ENDS {
            (*n).path[2 * i] = digit(bytes[i] >> 4);
            (*n).path[2 * i + 1] = digit(bytes[i] & 15);
            i += 1;
        }
        head(t, n, fd, named::SOCKET, 2 * named::ENDS as u32);
        let head = (*n).head;
        send_bytes(&head, n.cast(), (NAME_FIXED + 2 * named::ENDS + 4) as u64);
    }
    0
}

#[inline(always)]
fn digit(n: u8) -> u8 {
    if n < 10 { b'0' + n } else { b'a' + n - 10 }
}
