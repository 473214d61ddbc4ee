//! Sizes that a call does not return, but leaves in the caller's memory, or that stand in an inode. Of the
//! program's memory only these numbers are read.

use tracer_ebpf::{moved, sysinfo};

use crate::classify::file_of;
use crate::kread::{arg, probe, user};
use crate::maps::{config, off};
use crate::rounds::Over;
use crate::sums::add;
use crate::tasks::traced;

/// `struct mmsghdr` of 64-bit programs, and where the number of bytes lies in it (include/linux/socket.h).
const MMSGHDR: u64 = 64;
const MSG_LEN: u64 = 56;
/// Messages of one call (`UIO_MAXIOV`).
const MESSAGES: u64 = 1024;

// include/uapi/linux/fs.h
const FICLONE: u32 = 0x4004_9409;
const FICLONERANGE: u32 = 0x4020_940D;
const FIDEDUPERANGE: u32 = 0xC018_9436;
/// Files of one FIDEDUPERANGE: the structure is no larger than a page (`vfs_dedupe_file_range`).
const TARGETS: u64 = 127;
// include/uapi/linux/userfaultfd.h
const UFFDIO_COPY: u32 = 0xC028_AA03;
const UFFDIO_ZEROPAGE: u32 = 0xC020_AA04;
// include/uapi/linux/tcp.h
const IPPROTO_TCP: u32 = 6;
const TCP_ZEROCOPY_RECEIVE: u32 = 35;

/// Whether a call of this number leaves sizes.
#[inline(always)]
pub fn leaves(nr: u32) -> bool {
    nr == config!(nr_ioctl)
        || nr == config!(nr_getsockopt)
        || nr == config!(nr_sendmmsg)
        || nr == config!(nr_recvmmsg)
}

/// A call that did not fail is over: adds what it says of itself to its sums.
#[inline(always)]
pub fn tell(nr: u32, regs: *const u8, ret: u64) {
    told(nr, arg(regs, 1), arg(regs, 2), arg(regs, 3), ret);
}

/// Global, so that the verifier checks it once and not on every path through its callers.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn told(nr: u32, second: u64, third: u64, fourth: u64, ret: u64) -> u64 {
    if let Some(t) = traced() {
        let (bytes, count) = said(nr, second, third, fourth, ret);
        add(t, moved::SIZE as u32, bytes, count);
    }
    0
}

/// How many bytes a call says that it moved, and in how many pieces.
#[inline(always)]
fn said(nr: u32, second: u64, third: u64, fourth: u64, ret: u64) -> (u64, u32) {
    if nr == config!(nr_sendmmsg) || nr == config!(nr_recvmmsg) {
        return (messages(second, ret), ret as u32);
    }
    if nr == config!(nr_getsockopt) {
        let receives = (second as u32, third as u32) == (IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE);
        // `length` of `struct tcp_zerocopy_receive`: what was asked for, then what was mapped.
        let bytes = match receives {
            true => user::<u32>(fourth + 8) as u64,
            false => 0,
        };
        return (bytes, 1);
    }
    let bytes = match second as u32 {
        FICLONE => size_of_file(third as i32),
        FICLONERANGE => range(third),
        FIDEDUPERANGE => deduplicated(third),
        UFFDIO_COPY => done(third + 32),
        UFFDIO_ZEROPAGE => done(third + 24),
        _ => 0,
    };
    (bytes, 1)
}

/// `stat` and `top`: of the bytes that a call returned, those that it can have moved. With `MSG_TRUNC`
/// `recvfrom` returns the length of the message, however short the buffer was.
#[inline(always)]
pub fn kept(info: u32, regs: *const u8, ret: u64) -> u64 {
    // Only `recvfrom` and `sendto` have their flags there, behind the size.
    const FLAGS: u32 = 4;
    const SIZE: u32 = 2;
    match (info >> sysinfo::FLAGS_SHIFT) & 7 {
        FLAGS => ret.min(arg(regs, SIZE)),
        _ => ret,
    }
}

/// Bytes of the messages that were sent or received.
#[inline(always)]
fn messages(vector: u64, count: u64) -> u64 {
    Over::sum(vector, count.min(MESSAGES), message)
}

unsafe extern "C" fn message(i: u32, over: *mut Over) -> i64 {
    // SAFETY: what `Over::sum` hands on.
    unsafe { (*over).sum += user::<u32>((*over).array + i as u64 * MMSGHDR + MSG_LEN) as u64 };
    0
}

#[inline(always)]
fn size_of_file(fd: i32) -> u64 {
    let inode: u64 = probe(file_of(fd), off!(file_inode)).unwrap_or(0);
    probe(inode, off!(inode_size)).unwrap_or(0)
}

/// `struct file_clone_range`: a length of 0 goes to the end of the file.
#[inline(always)]
fn range(at: u64) -> u64 {
    let length: u64 = user(at + 16);
    if length != 0 {
        return length;
    }
    size_of_file(user::<i64>(at) as i32).saturating_sub(user(at + 8))
}

/// `struct file_dedupe_range`, and behind it what became of each file.
#[inline(always)]
fn deduplicated(at: u64) -> u64 {
    let count = user::<u16>(at + 16) as u64;
    Over::sum(at + 24, count.min(TARGETS), target)
}

unsafe extern "C" fn target(i: u32, over: *mut Over) -> i64 {
    // SAFETY: what `Over::sum` hands on.
    unsafe {
        let target = (*over).array + i as u64 * 32;
        // FILE_DEDUPE_RANGE_SAME
        if user::<i32>(target + 24) == 0 {
            (*over).sum += user::<u64>(target + 16);
        }
    }
    0
}

/// How many bytes `userfaultfd` dealt with; negative is an error.
#[inline(always)]
fn done(at: u64) -> u64 {
    user::<i64>(at).max(0) as u64
}
