//! Packets that devices brought for the program.
//!
//! TCP says which socket a packet is for when it arrives there; of UDP the port tells.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{Arrival, Head, kind};

use crate::emit::send;
use crate::kread::probe;
use crate::maps::{PORTS, SOCKS, SockOwner, off};
use crate::probes::irq::under_way;
use crate::probes::net::{IPPROTO_UDP, elsewhere, is_of, no_parent};

/// `LOOPBACK_IFINDEX` (include/net/flow.h): the same in every network namespace. 0 is a packet made here.
const LOOPBACK: u32 = 1;
/// More than all headers of a packet have.
const HEADERS_MAX: u32 = 512;
/// Where a TCP header has its sequence number, and its length in words of four bytes (the upper four bits).
const TCP_SEQUENCE: u64 = 4;
const TCP_LENGTH: u64 = 12;
const UDP_HEADER: u32 = 8;
const IPPROTO_TCP: u32 = 6;
/// include/uapi/linux/if_ether.h
const ETH_P_IP: u16 = 0x800;
const ETH_P_IPV6: u16 = 0x86dd;
/// Fields of an IPv4 header; only the first fragment of a packet has ports.
const V4_FRAGMENT: u64 = 6;
const V4_FRAGMENT_OFFSET: u16 = 0x1fff;
const V4_NEXT: u64 = 9;
/// The same of IPv6.
const V6_NEXT: u64 = 6;
const V6_HEADER: u64 = 40;

/// The device that a packet came in by, but for those that never leave the machine.
#[inline(always)]
fn device(skb: u64) -> Option<u32> {
    let ifindex: u32 = probe(skb, off!(skb_iif))?;
    (ifindex > LOOPBACK).then_some(ifindex)
}

/// Bytes of the headers that lie before what the packet begins with now.
#[inline(always)]
fn before(skb: u64, head: u64, data: u64) -> u32 {
    let mac: u16 = probe(skb, off!(skb_mac)).unwrap_or(0);
    let before = data.wrapping_sub(head).wrapping_sub(mac as u64) as u32;
    if before < HEADERS_MAX { before } else { 0 }
}

/// `(sk, skb)`: a packet of a connection has arrived; it begins with its TCP header.
#[btf_tracepoint]
pub fn tcp_probe(ctx: BtfTracePointContext) -> i32 {
    arrived(ctx.arg(0), ctx.arg(1));
    0
}

#[inline(always)]
fn arrived(sk: u64, skb: u64) -> Option<()> {
    let ifindex = device(skb)?;
    let owner = SOCKS.get_ptr(sk)?;
    // SAFETY: a map value.
    let owner = unsafe { *owner };
    if !is_of(sk, owner.ino) {
        return None;
    }
    let head: u64 = probe(skb, off!(skb_head))?;
    let data: u64 = probe(skb, off!(skb_data))?;
    let len: u32 = probe(skb, off!(skb_len))?;
    let sequence: u32 = probe(data + TCP_SEQUENCE, 0)?;
    let words: u8 = probe(data + TCP_LENGTH, 0)?;
    let header = (words >> 4) as u32 * 4;
    let end: u32 = probe(skb, off!(skb_end))?;
    let merged: u16 = probe(head + end as u64, off!(skb_segments)).unwrap_or(0);
    let packets = if merged == 0 { 1 } else { merged as u32 };
    let before = before(skb, head, data);
    let r = Arrival {
        head: head_of(&owner),
        // The headers of packets that were merged into the first are gone: they were as long as its own.
        len: len + before + (packets - 1) * (before + header),
        payload: len.saturating_sub(header),
        ifindex,
        interrupt: under_way(),
        sock_ino: owner.ino,
        tcp_seq: u32::from_be(sequence),
        packets,
        protocol: IPPROTO_TCP,
        reserved: 0,
    };
    send(&r.head, &r);
    Some(())
}

/// A packet leaves its driver; it begins with its network header. Of UDP, no tracepoint has packet and socket
/// together: the port leads to the program's.
#[btf_tracepoint]
pub fn netif_receive_skb(ctx: BtfTracePointContext) -> i32 {
    datagram(ctx.arg(0));
    0
}

#[inline(always)]
fn datagram(skb: u64) -> Option<()> {
    let protocol: u16 = probe(skb, off!(skb_protocol))?;
    let data: u64 = probe(skb, off!(skb_data))?;
    let udp = data
        + match u16::from_be(protocol) {
            ETH_P_IP => v4(data)?,
            ETH_P_IPV6 => v6(data)?,
            _ => return None,
        };
    let ports: u32 = probe(udp, 0)?;
    let [from, to] = [ports as u16, (ports >> 16) as u16];
    let sk = PORTS.get_ptr(u16::from_be(to) as u32)?;
    // SAFETY: a map value.
    let sk = unsafe { *sk };
    let owner = SOCKS.get_ptr(sk)?;
    // SAFETY: a map value.
    let owner = unsafe { *owner };
    let device: u64 = probe(skb, off!(skb_dev))?;
    if no_parent(device) != 0 || !is_of(sk, owner.ino) || !receives(sk, from, to, device) {
        return None;
    }
    let len: u32 = probe(skb, off!(skb_len))?;
    let head: u64 = probe(skb, off!(skb_head))?;
    let headers = (udp - data) as u32 + UDP_HEADER;
    let r = Arrival {
        head: head_of(&owner),
        len: len + before(skb, head, data),
        payload: len.saturating_sub(headers),
        ifindex: probe(device, off!(dev_ifindex))?,
        interrupt: under_way(),
        sock_ino: owner.ino,
        tcp_seq: 0,
        packets: 1,
        protocol: IPPROTO_UDP,
        reserved: 0,
    };
    send(&r.head, &r);
    Some(())
}

/// How long the IPv4 header is, if UDP follows it.
#[inline(always)]
fn v4(data: u64) -> Option<u64> {
    // First what most packets are not: this is asked of every packet of the machine.
    let next: u8 = probe(data + V4_NEXT, 0)?;
    if next as u32 != IPPROTO_UDP {
        return None;
    }
    let fragment: u16 = probe(data + V4_FRAGMENT, 0)?;
    let length: u8 = probe(data, 0)?;
    let first = u16::from_be(fragment) & V4_FRAGMENT_OFFSET == 0;
    first.then_some((length & 0xf) as u64 * 4)
}

/// The same of IPv6.
#[inline(always)]
fn v6(data: u64) -> Option<u64> {
    let next: u8 = probe(data + V6_NEXT, 0)?;
    (next as u32 == IPPROTO_UDP).then_some(V6_HEADER)
}

/// Whether a socket gets what comes `from` a port `to` another, both as packets have them, through this device.
#[inline(always)]
fn receives(sk: u64, from: u16, to: u16, device: u64) -> bool {
    let number: u16 = probe(sk, off!(sk_num)).unwrap_or(0);
    let peer: u16 = probe(sk, off!(sk_dport)).unwrap_or(0);
    // Ports repeat in other network namespaces.
    let net = |at, field| probe::<u64>(at, field).unwrap_or(0);
    number == u16::from_be(to)
        && (peer == 0 || peer == from)
        && net(sk, off!(sk_net)) == net(device, off!(dev_net))
}

/// What is said of who gets it.
#[inline(always)]
fn head_of(owner: &SockOwner) -> Head {
    // SAFETY: a helper without preconditions.
    elsewhere(owner, kind::ARRIVAL, unsafe { bpf_ktime_get_ns() })
}
