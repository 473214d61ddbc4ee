//! Level F: the functions that hold the copy loops, pass references on, or fill page tables.
//!
//! Each program adds what its function moved to the thread's call; the sums are sent before the record
//! of the call. Every function is optional: which of them a kernel has, and under what name, is in
//! `tracer::functions`.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::{fentry, fexit};
use aya_ebpf::programs::{FEntryContext, FExitContext};
use tracer_ebpf::{Copied, SUMS, Task, kind, moved, task};

use crate::emit::send;
use crate::kread::probe;
use crate::maps::{config, off};
use crate::tasks::{find, head, traced_or_worker};

// include/linux/socket.h
const MSG_SPLICE_PAGES: u32 = 0x800_0000;
const TMPFS_MAGIC: u64 = 0x0102_1994;

/// What is at the other end of a function's iterator.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    User,
    Kernel,
    Pipe,
}

#[inline(always)]
fn end(iter: u64) -> End {
    let Some(kind) = probe::<u8>(iter, off!(iter_type)) else {
        return End::Kernel;
    };
    let kind = kind as u32;
    if kind == config!(iter_iovec) || kind == config!(iter_ubuf) {
        End::User
    } else if kind == config!(iter_pipe) {
        End::Pipe
    } else {
        End::Kernel
    }
}

/// The iterator of a `struct msghdr`.
#[inline(always)]
fn msg_end(msg: u64) -> End {
    end(msg.wrapping_add(off!(msg_iter) as u64))
}

/// Whether a `struct kiocb` is on a file of tmpfs.
#[inline(always)]
fn on_tmpfs(iocb: u64) -> bool {
    let magic = || {
        let file: u64 = probe(iocb, off!(kiocb_filp))?;
        let inode: u64 = probe(file, off!(file_inode))?;
        let sb: u64 = probe(inode, off!(inode_sb))?;
        probe::<u64>(sb, off!(sb_magic))
    };
    magic() == Some(TMPFS_MAGIC)
}

/// Return value of a function that returns `ssize_t`; 0 for an error.
#[inline(always)]
fn long(ctx: &FExitContext) -> u64 {
    match ctx.ret::<i64>() {
        Ok(n) if n > 0 => n as u64,
        _ => 0,
    }
}

/// The same of one that returns `int`: the upper half of the register means nothing.
#[inline(always)]
fn int(ctx: &FExitContext) -> u64 {
    match ctx.ret::<i32>() {
        Ok(n) if n > 0 => n as u64,
        _ => 0,
    }
}

/// Adds bytes to the call of the thread.
#[inline(never)]
fn add(t: *mut Task, what: u16, bytes: u64) -> i32 {
    if bytes == 0 {
        return 0;
    }
    // SAFETY: a map value.
    unsafe {
        let flags = (*t).flags;
        let in_call = flags & (task::IN_CALL | task::FAULT_OPEN) != 0;
        if in_call && flags & task::IO_THREAD == 0 {
            let mut i = 0;
            while i < SUMS {
                let sum = &raw mut (*t).sums[i];
                if (*sum).count == 0 {
                    (*sum).what = what as u32;
                    (*sum).bytes = 0;
                    (*t).has_sums = 1;
                }
                if (*sum).what == what as u32 {
                    (*sum).bytes += bytes;
                    (*sum).count += 1;
                    return 0;
                }
                i += 1;
            }
        }
        send_sum(t, what, 1, bytes);
    }
    0
}

#[inline(always)]
unsafe fn send_sum(t: *mut Task, what: u16, count: u32, bytes: u64) {
    // SAFETY: a map value.
    unsafe {
        let head = head(t, kind::COPY, bpf_ktime_get_ns());
        let r = Copied {
            head,
            bytes,
            count,
            what,
            reserved: 0,
        };
        send(&head, &r);
    }
}

/// Sends the sums of the call of the thread.
#[inline(always)]
pub unsafe fn flush_sums(t: *mut Task) {
    // SAFETY: a map value.
    unsafe {
        if (*t).has_sums != 0 {
            send_sums((*t).tid);
        }
    }
}

/// Global, so that the verifier checks it once and not on every path through its callers.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn send_sums(tid: u32) -> u64 {
    let Some(t) = find(tid) else { return 0 };
    // SAFETY: a map value.
    unsafe {
        let mut i = 0;
        while i < SUMS {
            let sum = (*t).sums[i];
            if sum.count != 0 {
                send_sum(t, sum.what as u16, sum.count, sum.bytes);
                (*t).sums[i].count = 0;
            }
            i += 1;
        }
        (*t).has_sums = 0;
    }
    0
}

/// A program at the end of a function: `|context, thread| body`.
macro_rules! at_exit {
    ($($(#[$doc:meta])* $name:ident |$ctx:ident, $t:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        #[fexit]
        pub fn $name($ctx: FExitContext) -> i32 {
            if let Some($t) = traced_or_worker() {
                $body;
            }
            0
        }
    )*};
}
/// The same at its beginning.
macro_rules! at_entry {
    ($($(#[$doc:meta])* $name:ident |$ctx:ident, $t:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        #[fentry]
        pub fn $name($ctx: FEntryContext) -> i32 {
            if let Some($t) = traced_or_worker() {
                $body;
            }
            0
        }
    )*};
}

at_exit! {
    /// `(iocb, iter, already_read)` returns what was read before, too.
    filemap_read |ctx, t| {
        let before: u64 = ctx.arg(2);
        let what = match end(ctx.arg(1)) {
            End::User => moved::FILE_READ,
            End::Kernel => moved::FILE_READ_KERNEL,
            End::Pipe => moved::FILE_READ_PIPE,
        };
        add(t, what, long(&ctx).saturating_sub(before))
    };
    /// `(iocb, iter)`
    shmem_file_read_iter |ctx, t| {
        let what = match end(ctx.arg(1)) {
            End::User => moved::SHMEM_READ,
            End::Kernel => moved::SHMEM_READ_KERNEL,
            End::Pipe => moved::SHMEM_READ_PIPE,
        };
        add(t, what, long(&ctx))
    };
    /// `(iocb, iter)`
    generic_perform_write |ctx, t| {
        let what = match (on_tmpfs(ctx.arg(0)), end(ctx.arg(1))) {
            (false, End::User) => moved::WRITE,
            (false, _) => moved::WRITE_KERNEL,
            (true, End::User) => moved::SHMEM_WRITE,
            (true, _) => moved::SHMEM_WRITE_KERNEL,
        };
        add(t, what, long(&ctx))
    };
    /// `(iocb, iter, …)`
    iomap_file_buffered_write |ctx, t| {
        let what = match end(ctx.arg(1)) {
            End::User => moved::IOMAP_WRITE,
            _ => moved::IOMAP_WRITE_KERNEL,
        };
        add(t, what, long(&ctx))
    };
    /// `(iocb, iter)`
    pipe_read |ctx, t| if end(ctx.arg(1)) == End::User {
        add(t, moved::PIPE_READ, long(&ctx));
    };
    /// `(iocb, iter)`
    pipe_write |ctx, t| if end(ctx.arg(1)) == End::User {
        add(t, moved::PIPE_WRITE, long(&ctx));
    };
    /// `(sk, msg, size)`: what was neither spliced nor taken by reference was copied.
    tcp_sendmsg_locked |ctx, t| {
        let msg: u64 = ctx.arg(1);
        let flags: u32 = probe(msg, off!(msg_flags)).unwrap_or(0);
        // SAFETY: a map value.
        let by_reference = unsafe {
            let n = (*t).by_reference;
            (*t).by_reference = 0;
            n
        };
        if flags & MSG_SPLICE_PAGES == 0 && msg_end(msg) == End::User {
            add(t, moved::TCP_SEND, int(&ctx).saturating_sub(by_reference));
        }
    };
    /// `(sk, skb, msg, len, uarg, …)`
    skb_zerocopy_iter_stream |ctx, t| {
        let n = int(&ctx);
        // SAFETY: a map value.
        unsafe { (*t).by_reference += n };
        add(t, moved::ZEROCOPY_SEND, n)
    };
    /// `(sk, msg, len, …)`
    udp_recvmsg |ctx, t| udp_received(&ctx, t);
    udpv6_recvmsg |ctx, t| udp_received(&ctx, t);
    splice_folio_into_pipe |ctx, t| add(t, moved::SPLICE_FOLIO, long(&ctx));
    skb_splice_from_iter |ctx, t| add(t, moved::SKB_SPLICE, long(&ctx));
    tcp_sendpage |ctx, t| add(t, moved::TCP_SENDPAGE, int(&ctx));
    unix_stream_sendpage |ctx, t| add(t, moved::UNIX_SENDPAGE, long(&ctx));
    process_vm_rw |ctx, t| add(t, moved::PROCESS_VM, long(&ctx));
    vfs_copy_file_range |ctx, t| add(t, moved::COPY_RANGE, long(&ctx));
    vfs_clone_file_range |ctx, t| add(t, moved::CLONE, long(&ctx));
    do_tee |ctx, t| add(t, moved::TEE, long(&ctx));
    splice_to_pipe |ctx, t| add(t, moved::SPLICE_TO_PIPE, long(&ctx));
    pipe_to_user |ctx, t| add(t, moved::PIPE_TO_USER, int(&ctx));
    add_to_pipe |ctx, t| add(t, moved::ADD_TO_PIPE, long(&ctx));
}

at_entry! {
    /// `(from, to, offset, len, odd, skb)`, `from` being the `struct msghdr`.
    ip_generic_getfrag |ctx, t| {
        let len: i32 = ctx.arg(3);
        if len > 0 && msg_end(ctx.arg(0)) == End::User {
            add(t, moved::UDP_SEND, len as u64);
        }
    };
    /// `(skb, offset, from, len)`
    skb_copy_datagram_from_iter |ctx, t| {
        let len: i32 = ctx.arg(3);
        if len > 0 && end(ctx.arg(2)) == End::User {
            add(t, moved::UNIX_SEND, len as u64);
        }
    };
    /// `(to, from, len)`: copies whole pages where it serves copy-on-write.
    copy_mc_to_kernel |ctx, t| {
        let len: u32 = ctx.arg(2);
        if len == 1 << config!(page_shift) {
            add(t, moved::COW, len as u64);
        }
    };
    /// `(vmf, folio, page, nr, addr)`: a page just made for a private mapping belongs to no file. (Nor
    /// do those of the vDSO, but they are not made for the fault.)
    set_pte_range |ctx, t| {
        let mapping: u64 = probe(ctx.arg(1), off!(folio_mapping)).unwrap_or(0);
        let pages: u32 = ctx.arg(3);
        // SAFETY: a map value.
        let made = unsafe { (*t).fault.unzeroed != 0 };
        if mapping != 0 || !made {
            add(t, moved::MAP, (pages as u64) << config!(page_shift));
        }
    };
}

/// A datagram is copied out at once: by a function that a tracepoint tells of too, or not.
#[inline(always)]
fn udp_received(ctx: &FExitContext, t: *mut Task) {
    let room: u64 = ctx.arg(2);
    let n = int(ctx).min(room);
    // SAFETY: a map value.
    unsafe {
        if n > 0 && (*t).skb_last == n && (*t).skb_copied >= n {
            (*t).skb_copied -= n;
        }
        (*t).skb_last = 0;
    }
    add(t, moved::UDP_RECEIVE, n);
}
