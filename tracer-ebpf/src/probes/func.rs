//! Level F: the functions that hold the copy loops, pass references on, or fill page tables.
//!
//! Each program adds what its function moved to the thread's call; the sums are sent before the record
//! of the call. Every function is optional: which of them a kernel has, and under what name, is in
//! `bytehop_core::catalogue::functions`.

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::{fentry, fexit, kprobe, kretprobe};
use aya_ebpf::programs::{FEntryContext, FExitContext, ProbeContext, RetProbeContext};
use tracer_ebpf::{Copied, FRAME_ARGS, FRAMES, Head, Task, flag, kind, moved};

use crate::claims::take;
use crate::emit::{recording, send};
use crate::iter::{End, argument, end, iter_of, msg_end};
use crate::kread::probe;
use crate::maps::{SOCKS, config, off, reg};
use crate::probes::cache::swap_backed;
use crate::sums::moves;
use crate::tasks::{current, current_tid, traced_or_worker};

// include/linux/socket.h
const MSG_SPLICE_PAGES: u32 = 0x800_0000;
const TMPFS_MAGIC: u64 = 0x0102_1994;

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

/// A call of a function: its arguments, and what it returned.
pub trait Call {
    fn argument(&self, n: usize) -> u64;
    fn result(&self) -> i64;

    /// Return value of a function that returns `ssize_t`; 0 for an error.
    #[inline(always)]
    fn long(&self) -> u64 {
        self.result().max(0) as u64
    }

    /// The same of one that returns `int`: the upper half of the register means nothing.
    #[inline(always)]
    fn int(&self) -> u64 {
        (self.result() as i32).max(0) as u64
    }
}

impl Call for FExitContext {
    #[inline(always)]
    fn argument(&self, n: usize) -> u64 {
        self.arg(n)
    }
    #[inline(always)]
    fn result(&self) -> i64 {
        self.ret().unwrap_or(0)
    }
}

impl Call for FEntryContext {
    #[inline(always)]
    fn argument(&self, n: usize) -> u64 {
        self.arg(n)
    }
    #[inline(always)]
    fn result(&self) -> i64 {
        0
    }
}

/// At a kprobe: the context is the registers.
struct AtKprobe(u64);

impl Call for AtKprobe {
    #[inline(always)]
    fn argument(&self, n: usize) -> u64 {
        argument(self.0, n)
    }
    #[inline(always)]
    fn result(&self) -> i64 {
        0
    }
}

/// At a kretprobe: the arguments are those that the kprobe kept.
struct AtReturn {
    args: *const [u64; FRAME_ARGS],
    regs: u64,
}

impl Call for AtReturn {
    #[inline(always)]
    fn argument(&self, n: usize) -> u64 {
        // SAFETY: in a map value; `n` is a constant below the length wherever this is inlined.
        unsafe { (*self.args)[n] }
    }
    #[inline(always)]
    fn result(&self) -> i64 {
        probe(self.regs, reg!(result)).unwrap_or(0)
    }
}

/// Tells the functions of kprobes apart.
const fn id(name: &str) -> u32 {
    // FNV-1a
    let bytes = name.as_bytes();
    let (mut hash, mut i) = (0x811c_9dc5_u32, 0);
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    hash
}

/// A kprobe keeps the arguments until the function returns.
#[inline(never)]
fn keep(t: *mut Task, id: u32, regs: u64) -> i32 {
    // SAFETY: a map value.
    unsafe {
        let depth = (*t).depth as usize;
        if depth < FRAMES {
            let frame = &raw mut (*t).frames[depth & (FRAMES - 1)];
            (*frame).function = id;
            let mut n = 0;
            while n < FRAME_ARGS {
                (*frame).args[n] = argument(regs, n);
                n += 1;
            }
        }
        (*t).depth = depth as u32 + 1;
    }
    0
}

/// The arguments kept for a function that returns. The kernel may miss returns (it keeps room for few
/// at a time): what lies above is forgotten.
#[inline(always)]
unsafe fn kept(t: *mut Task, id: u32) -> Option<*const [u64; FRAME_ARGS]> {
    // SAFETY: a map value.
    unsafe {
        let mut n = 0;
        while n < FRAMES {
            let depth = (*t).depth as usize;
            if depth == 0 {
                return None;
            }
            (*t).depth = depth as u32 - 1;
            let frame = &raw const (*t).frames[(depth - 1) & (FRAMES - 1)];
            if depth <= FRAMES && (*frame).function == id {
                return Some(&raw const (*frame).args);
            }
            n += 1;
        }
        None
    }
}

/// Programs at the end of a function, `|call, thread| body`: one for fexit, two for kprobes.
macro_rules! at_exit {
    ($($(#[$doc:meta])* $name:ident $kprobe:ident $kretprobe:ident |$call:ident, $t:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        #[fexit]
        pub fn $name($call: FExitContext) -> i32 {
            if let Some($t) = traced_or_worker() {
                $body;
            }
            0
        }
        #[kprobe]
        pub fn $kprobe(ctx: ProbeContext) -> u32 {
            if let Some(t) = traced_or_worker() {
                keep(t, const { id(stringify!($name)) }, ctx.as_ptr() as u64);
            }
            0
        }
        #[kretprobe]
        pub fn $kretprobe(ctx: RetProbeContext) -> u32 {
            if let Some($t) = traced_or_worker()
                // SAFETY: a map value.
                && let Some(args) = unsafe { kept($t, const { id(stringify!($name)) }) }
            {
                let $call = AtReturn { args, regs: ctx.as_ptr() as u64 };
                $body;
            }
            0
        }
    )*};
}
/// The same at its beginning.
macro_rules! at_entry {
    ($($(#[$doc:meta])* $name:ident $kprobe:ident |$call:ident, $t:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        #[fentry]
        pub fn $name($call: FEntryContext) -> i32 {
            if let Some($t) = traced_or_worker() {
                $body;
            }
            0
        }
        #[kprobe]
        pub fn $kprobe(ctx: ProbeContext) -> u32 {
            if let Some($t) = traced_or_worker() {
                let $call = AtKprobe(ctx.as_ptr() as u64);
                $body;
            }
            0
        }
    )*};
}

at_exit! {
    /// `(iocb, iter, already_read)` returns what was read before, too.
    filemap_read filemap_read_in filemap_read_out |call, t| {
        let iter = call.argument(1);
        let bytes = call.long().saturating_sub(call.argument(2));
        match end(iter) {
            End::User => copies(t, moved::FILE_READ, bytes, moved::TO_USER, iter),
            End::Kernel => copies(t, moved::FILE_READ_KERNEL, bytes, moved::TO_KERNEL, iter),
            End::Pipe => moves(t, moved::FILE_READ_PIPE, bytes),
        }
    };
    /// `(iocb, iter)`
    shmem_file_read_iter shmem_file_read_iter_in shmem_file_read_iter_out |call, t| {
        let (iter, bytes) = (call.argument(1), call.long());
        match end(iter) {
            End::User => copies(t, moved::SHMEM_READ, bytes, moved::TO_USER, iter),
            End::Kernel => copies(t, moved::SHMEM_READ_KERNEL, bytes, moved::TO_KERNEL, iter),
            End::Pipe => moves(t, moved::SHMEM_READ_PIPE, bytes),
        }
    };
    /// `(iocb, iter)`
    generic_perform_write generic_perform_write_in generic_perform_write_out |call, t| {
        let (user, kernel) = match on_tmpfs(call.argument(0)) {
            false => (moved::WRITE, moved::WRITE_KERNEL),
            true => (moved::SHMEM_WRITE, moved::SHMEM_WRITE_KERNEL),
        };
        written(&call, t, user, kernel, moved::DUMPED)
    };
    /// `(iocb, iter, …)`
    iomap_file_buffered_write iomap_file_buffered_write_in iomap_file_buffered_write_out |call, t| {
        written(&call, t, moved::IOMAP_WRITE, moved::IOMAP_WRITE_KERNEL, moved::IOMAP_DUMPED)
    };
    /// `(iocb, iter)`
    btrfs_buffered_write btrfs_buffered_write_in btrfs_buffered_write_out |call, t| {
        written(&call, t, moved::BTRFS_WRITE, moved::BTRFS_WRITE_KERNEL, moved::BTRFS_DUMPED)
    };
    /// `(iocb, iter)`
    pipe_read pipe_read_in pipe_read_out |call, t| {
        let iter = call.argument(1);
        if end(iter) == End::User {
            copies(t, moved::PIPE_READ, call.long(), moved::TO_USER, iter);
        }
    };
    /// `(iocb, iter)`
    pipe_write pipe_write_in pipe_write_out |call, t| {
        let iter = call.argument(1);
        if end(iter) == End::User {
            copies(t, moved::PIPE_WRITE, call.long(), moved::FROM_USER, iter);
        }
    };
    /// `(sk, msg, size)`: what was neither spliced nor taken by reference was copied.
    tcp_sendmsg_locked tcp_sendmsg_locked_in tcp_sendmsg_locked_out |call, t| {
        let msg = call.argument(1);
        let flags: u32 = probe(msg, off!(msg_flags)).unwrap_or(0);
        // SAFETY: a map value.
        let by_reference = unsafe {
            let n = (*t).by_reference;
            (*t).by_reference = 0;
            n
        };
        if flags & MSG_SPLICE_PAGES == 0 && msg_end(msg) == End::User {
            let bytes = call.int().saturating_sub(by_reference);
            copies(t, moved::TCP_SEND, bytes, moved::FROM_USER, iter_of(msg));
        }
    };
    /// `(sk, skb, msg, len, uarg, …)`
    skb_zerocopy_iter_stream skb_zerocopy_iter_stream_in skb_zerocopy_iter_stream_out |call, t| {
        let n = call.int();
        // SAFETY: a map value.
        unsafe { (*t).by_reference += n };
        moves(t, moved::ZEROCOPY_SEND, n)
    };
    /// `(sk, msg, len, …)`
    udp_recvmsg udp_recvmsg_in udp_recvmsg_out |call, t| udp_received(&call, t);
    udpv6_recvmsg udpv6_recvmsg_in udpv6_recvmsg_out |call, t| udp_received(&call, t);
    /// `(from, to, offset, len, odd, skb)`, `from` being the `struct msghdr`.
    ip_generic_getfrag ip_generic_getfrag_in ip_generic_getfrag_out |call, t| {
        let msg = call.argument(0);
        if call.result() as i32 == 0 && msg_end(msg) == End::User {
            let len = (call.argument(3) as i32).max(0) as u64;
            copies(t, moved::UDP_SEND, len, moved::FROM_USER, iter_of(msg));
        }
    };
    /// `(skb, offset, from, len)`
    skb_copy_datagram_from_iter skb_copy_datagram_from_iter_in skb_copy_datagram_from_iter_out |call, t| {
        let iter = call.argument(2);
        if call.result() as i32 == 0 && end(iter) == End::User {
            let len = (call.argument(3) as i32).max(0) as u64;
            copies(t, moved::UNIX_SEND, len, moved::FROM_USER, iter);
        }
    };
    splice_folio_into_pipe splice_folio_into_pipe_in splice_folio_into_pipe_out |call, t| moves(t, moved::SPLICE_FOLIO, call.long());
    skb_splice_from_iter skb_splice_from_iter_in skb_splice_from_iter_out |call, t| moves(t, moved::SKB_SPLICE, call.long());
    tcp_sendpage tcp_sendpage_in tcp_sendpage_out |call, t| moves(t, moved::TCP_SENDPAGE, call.int());
    unix_stream_sendpage unix_stream_sendpage_in unix_stream_sendpage_out |call, t| moves(t, moved::UNIX_SENDPAGE, call.long());
    process_vm_rw process_vm_rw_in process_vm_rw_out |call, t| {
        // By either primitive: only one of them has something.
        copies(t, moved::PROCESS_VM, call.long(), moved::TO_USER, 0);
        take(t, moved::FROM_USER, moved::PROCESS_VM, 0);
    };
    /// `(io, iter, ppos, flags)`: the file's server copies, when it reads the request or writes its answer.
    fuse_direct_io fuse_direct_io_in fuse_direct_io_out |call, t| {
        // fs/fuse/fuse_i.h
        const FUSE_DIO_WRITE: u64 = 1;
        if end(call.argument(1)) == End::User {
            let what = match call.argument(3) & FUSE_DIO_WRITE {
                0 => moved::FUSE_READ,
                _ => moved::FUSE_WRITE,
            };
            moves(t, what, call.long())
        }
    };
    vfs_copy_file_range vfs_copy_file_range_in vfs_copy_file_range_out |call, t| moves(t, moved::COPY_RANGE, call.long());
    vfs_clone_file_range vfs_clone_file_range_in vfs_clone_file_range_out |call, t| moves(t, moved::CLONE, call.long());
    do_tee do_tee_in do_tee_out |call, t| moves(t, moved::TEE, call.long());
    splice_to_pipe splice_to_pipe_in splice_to_pipe_out |call, t| moves(t, moved::SPLICE_TO_PIPE, call.long());
    pipe_to_user pipe_to_user_in pipe_to_user_out |call, t| {
        copies(t, moved::PIPE_TO_USER, call.int(), moved::TO_USER, 0);
    };
    add_to_pipe add_to_pipe_in add_to_pipe_out |call, t| moves(t, moved::ADD_TO_PIPE, call.long());
    /// `(sk, zc, tss)`: `zc->length` is what was asked for, then what was mapped.
    tcp_zerocopy_receive tcp_zerocopy_receive_in tcp_zerocopy_receive_out |call, t| {
        if call.result() as i32 == 0 {
            let mapped: u32 = probe(call.argument(1), off!(zerocopy_length)).unwrap_or(0);
            moves(t, moved::ZEROCOPY_RECEIVE, mapped as u64);
        }
    };
}

at_entry! {
    /// `(to, from, len)`: copies whole pages where it serves copy-on-write.
    copy_mc_to_kernel copy_mc_to_kernel_in |call, t| {
        let len = call.argument(2) as u32;
        if len == 1 << config!(page_shift) {
            moves(t, moved::COW, len as u64);
        }
    };
    /// `(to, from, …)`: the same where a whole page is copied by a function of its own (arm64).
    copy_user_highpage copy_user_highpage_in |_call, t| {
        moves(t, moved::COW_PAGE, 1 << config!(page_shift))
    };
    /// `(vmf, folio, page, nr, addr)`: a page just made for a private mapping belongs to no file. (Nor
    /// do those of the vDSO, but they are not made for the fault.)
    set_pte_range set_pte_range_in |call, t| {
        mapped(t, moved::MAP, call.argument(1), call.argument(3) as u32)
    };
    /// `(vmf, page, addr)`
    do_set_pte do_set_pte_in |call, t| {
        let what = match swap_backed(call.argument(1)) {
            false => moved::MAP_PAGE,
            true => moved::MAP_SHMEM_PAGE,
        };
        mapped(t, what, call.argument(1), 1)
    };
}

/// `(skb, …)`: a packet whose bytes had been sent by reference is copied after all. It runs for whoever
/// is current where the packet is delivered: the owner is found through the socket.
#[fentry]
pub fn skb_copy_ubufs(ctx: FEntryContext) -> i32 {
    late_copy(ctx.arg(0));
    0
}

#[kprobe]
pub fn skb_copy_ubufs_in(ctx: ProbeContext) -> u32 {
    late_copy(argument(ctx.as_ptr() as u64, 0));
    0
}

#[inline(always)]
fn late_copy(skb: u64) {
    let owner = owner_of(skb).or_else(|| {
        let t = traced_or_worker()?;
        // SAFETY: a map value.
        unsafe { Some(((*t).tid, (*t).tgid)) }
    });
    let Some((tid, tgid)) = owner else { return };
    let bytes: u32 = probe(skb, off!(skb_data_len)).unwrap_or(0);
    if bytes == 0 || !recording() {
        return;
    }
    let head = Head {
        kind: kind::COPY,
        flags: if current_tid() == tid {
            0
        } else {
            flag::ELSEWHERE
        },
        nr: 0,
        tid,
        tgid,
        seq: 0,
        // SAFETY: a helper without preconditions.
        ts: unsafe { bpf_ktime_get_ns() },
    };
    let r = Copied {
        head,
        bytes: bytes as u64,
        count: 1,
        what: moved::LATE_COPY,
        primitive: 0,
    };
    send(&head, &r);
}

/// Who sent a packet by reference. On its way in it has no socket any more; but the notification that it
/// will cause lies in a packet of its own, which has (`msg_zerocopy_realloc`: the `ubuf_info` is that
/// packet's `cb`).
#[inline(always)]
fn owner_of(skb: u64) -> Option<(u32, u32)> {
    let head: u64 = probe(skb, off!(skb_head))?;
    let end: u32 = probe(skb, off!(skb_end))?;
    let ubuf: u64 = probe(head.wrapping_add(end as u64), off!(skb_destructor_arg))?;
    let notification = ubuf.wrapping_sub(off!(skb_cb) as u64);
    let sk: u64 = probe(notification, off!(skb_sk))?;
    let owner = SOCKS.get_ptr(sk)?;
    // SAFETY: a map value.
    unsafe { Some(((*owner).tid, (*owner).tgid)) }
}

/// A fault, or populating a mapping, put pages into a page table.
#[inline(always)]
fn mapped(t: *mut Task, what: u16, folio: u64, pages: u32) {
    let mapping: u64 = probe(folio, off!(folio_mapping)).unwrap_or(0);
    // SAFETY: a map value.
    let made = unsafe { (*t).fault.unzeroed != 0 };
    if mapping != 0 || !made {
        moves(t, what, (pages as u64) << config!(page_shift));
    }
}

/// A function copied, by the primitive of `from`.
#[inline(always)]
fn copies(t: *mut Task, what: u16, bytes: u64, from: u16, iter: u64) {
    take(t, from, what, iter);
    // SAFETY: a map value.
    let told = unsafe {
        let told = (*t).told != 0;
        (*t).told = 0;
        told
    };
    // A thread without calls has nobody who would compare the two.
    if !told {
        moves(t, what, bytes);
    }
}

/// Whether the current thread writes a core file: others wait for it.
#[inline(always)]
fn dumps_core() -> bool {
    let state = || {
        let signal: u64 = probe(current() as u64, off!(task_signal))?;
        probe::<u64>(signal, off!(signal_core))
    };
    state().unwrap_or(0) != 0
}

/// `(iocb, iter)`, into pages.
#[inline(always)]
fn written(call: &impl Call, t: *mut Task, user: u16, kernel: u16, dumped: u16) {
    let (iter, bytes) = (call.argument(1), call.long());
    match end(iter) {
        End::User => copies(t, user, bytes, moved::INTO_PAGES, iter),
        _ if dumps_core() => copies(t, dumped, bytes, moved::INTO_PAGES_KERNEL, iter),
        _ => copies(t, kernel, bytes, moved::INTO_PAGES_KERNEL, iter),
    }
}

/// A datagram is copied out at once: by a function that a tracepoint tells of too, or not.
#[inline(always)]
fn udp_received(call: &impl Call, t: *mut Task) {
    let n = call.int().min(call.argument(2));
    let mut from = moved::TO_USER;
    // SAFETY: a map value.
    unsafe {
        if n > 0 && (*t).skb_last == n && (*t).skb_copied >= n {
            (*t).skb_copied -= n;
            from = moved::PACKET_READ;
        }
        (*t).skb_last = 0;
    }
    copies(t, moved::UDP_RECEIVE, n, from, 0);
}
