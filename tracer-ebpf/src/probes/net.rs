//! Packets of the program's sockets, and the one copy that a tracepoint measures.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{CountKey, Head, Proc, Xmit, count, flag, kind, task};

use crate::emit::{count, recording, send};
use crate::kread::probe;
use crate::maps::{PORTS, SOCKS, SockOwner, off};
use crate::tasks::traced_or_worker;
use crate::top::{self, everyone};

/// include/uapi/linux/in.h
pub const IPPROTO_UDP: u32 = 17;
/// include/linux/socket.h
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

// include/net/tcp_states.h: these are not full sockets.
const TCP_TIME_WAIT: u8 = 6;
const TCP_NEW_SYN_RECV: u8 = 12;

#[btf_tracepoint]
pub fn net_dev_start_xmit(ctx: BtfTracePointContext) -> i32 {
    let (skb, dev) = (ctx.arg(0), ctx.arg(1));
    if everyone() {
        sent(skb, dev);
    } else {
        xmit(skb, dev);
    }
    0
}

/// The program's datagrams are known by their port.
#[inline(always)]
fn named_by_port(sk: u64) {
    let port: u16 = probe(sk, off!(sk_num)).unwrap_or(0);
    let family: u16 = probe(sk, off!(sk_family)).unwrap_or(0);
    if port != 0 && matches!(family, AF_INET | AF_INET6) {
        let _ = PORTS.insert(port as u32, sk, 0);
    }
}

/// Whose socket a packet was sent by, if that is known.
#[inline(always)]
fn sender(skb: u64) -> Option<SockOwner> {
    let sk: u64 = probe(skb, off!(skb_sk))?;
    let owner = SOCKS.get_ptr(sk)?;
    // SAFETY: a map value.
    let owner = unsafe { *owner };
    let state: u8 = probe(sk, off!(sk_state))?;
    if state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV {
        return None;
    }
    is_of(sk, owner.ino).then_some(owner)
}

/// Whether a socket is still the one with this inode: the same address may hold another by now. An orphan
/// (closed, data still going out) is ours.
#[inline(always)]
pub fn is_of(sk: u64, ino: u64) -> bool {
    let Some(socket) = probe::<u64>(sk, off!(sk_socket)) else {
        return false;
    };
    if socket == 0 {
        return true;
    }
    let inode = socket
        .wrapping_sub(off!(socket_alloc_socket) as u64)
        .wrapping_add(off!(socket_alloc_inode) as u64);
    match probe::<u64>(inode, off!(inode_ino)) {
        Some(now) if now == ino => true,
        Some(_) => {
            let _ = SOCKS.remove(sk);
            false
        }
        None => false,
    }
}

/// Head of a record of a packet that is of no call.
#[inline(always)]
pub fn elsewhere(owner: &SockOwner, kind: u8, ts: u64) -> Head {
    Head {
        kind,
        flags: flag::ELSEWHERE,
        nr: 0,
        tid: owner.tid,
        tgid: owner.tgid,
        seq: 0,
        ts,
    }
}

/// `top`: a packet of whoever it is.
#[inline(always)]
fn sent(skb: u64, dev: u64) -> Option<()> {
    let proc = sender(skb).map_or(Proc::KERNEL, |owner| Proc {
        tgid: owner.tgid,
        start: owner.start,
    });
    let len: u32 = probe(skb, off!(skb_len))?;
    let key = CountKey {
        what: count::XMIT,
        flags: (no_parent(dev) != 0) as u16 * count::XMIT_NO_PARENT,
        id: probe(dev, off!(dev_ifindex))?,
    };
    top::count_for(proc, key, 1, len as u64);
    Some(())
}

/// 1 if a device hangs on no other: see [`Xmit::no_parent`].
#[inline(always)]
pub fn no_parent(dev: u64) -> u32 {
    u32::from(probe::<u64>(dev, off!(dev_parent)) == Some(0))
}

#[inline(always)]
fn xmit(skb: u64, dev: u64) -> Option<()> {
    let owner = sender(skb)?;
    let len: u32 = probe(skb, off!(skb_len))?;
    let ifindex: u32 = probe(dev, off!(dev_ifindex))?;
    if !recording() {
        count(count::XMIT, 0, ifindex, 1, len as u64);
        return None;
    }
    // It has got its port by now. (Where a call describes a socket, the verifier of Linux 6.1 has no stack left.)
    if let Some(sk) = probe::<u64>(skb, off!(skb_sk))
        && probe(sk, off!(sk_protocol)) == Some(IPPROTO_UDP as u16)
    {
        named_by_port(sk);
    }
    // SAFETY: a helper without preconditions.
    let now = unsafe { bpf_ktime_get_ns() };
    let head = match traced_or_worker() {
        // SAFETY: a map value.
        Some(t) if unsafe { (*t).tgid } == owner.tgid => unsafe {
            crate::tasks::head(t, kind::XMIT, now)
        },
        _ => elsewhere(&owner, kind::XMIT, now),
    };
    let r = Xmit {
        head,
        len,
        ifindex,
        data_len: probe(skb, off!(skb_data_len)).unwrap_or(0),
        no_parent: no_parent(dev),
        sock_ino: owner.ino,
        name: probe(dev, off!(dev_name)).unwrap_or([0; 16]),
    };
    send(&head, &r);
    Some(())
}

#[btf_tracepoint]
pub fn skb_copy_datagram_iovec(ctx: BtfTracePointContext) -> i32 {
    let skb: u64 = ctx.arg(0);
    let len: u32 = ctx.arg(1);
    if everyone() {
        let iif: u32 = probe(skb, off!(skb_iif)).unwrap_or(0);
        top::count_of(count::SKB, 0, iif, 1, len as u64);
        return 0;
    }
    let Some(t) = traced_or_worker() else {
        return 0;
    };
    // SAFETY: a map value.
    unsafe {
        if !recording() {
            count(count::SKB, 0, 0, 1, len as u64);
            return 0;
        }
        (*t).announced += len as u64;
        // Where there are no calls, requests tell how much they received.
        if (*t).flags & task::IO_THREAD != 0 {
            return 0;
        }
        (*t).skb_copied += len as u64;
        (*t).skb_last = len as u64;
        if let Some(iif) = probe::<u32>(skb, off!(skb_iif)) {
            (*t).iif = iif;
        }
        (*t).has_extra = 1;
    }
    0
}
