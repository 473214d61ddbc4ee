//! Packets, and bytes that came out of sockets.

use std::collections::HashMap;

use tracer_ebpf::{Extra, Xmit, flag, moved};

use super::found::Found;
use super::tally::{At, Key, Moved};
use super::{Part, Reconstructor, SOCKETS_MAX, Sink, hop};
use crate::catalogue::{ProbeId, RuleId, Tracepoint};
use crate::event::{DeviceClass, Engine};
use crate::model::{CallId, Claim, Evidence, HopKind};
use crate::rules::measure;

/// Packets handed to a device.
const XMIT: Evidence = Evidence::tracepoint(Tracepoint::net_dev_start_xmit);
/// Copies out of a socket.
const SKB_COPY: Evidence = Evidence::tracepoint(Tracepoint::skb_copy_datagram_iovec);

impl Reconstructor {
    /// Bytes that had been sent by reference are copied after all: measured where a probe sees it.
    pub(super) fn late_copy(&mut self, bytes: u64, moved: &mut Vec<Moved>) {
        if self.measures(moved::LATE_COPY) {
            return self.expect_late_copy(bytes);
        }
        let by = Evidence::Inferred(RuleId::ZerocopyLateCopy);
        let mut copy = hop(HopKind::Copy, At::User, At::Socket, by, bytes);
        copy.key.deferred = true;
        moved.push(copy);
    }

    /// Bytes that were copied out of sockets, and the device that had brought them: `known` of them came in packets
    /// that were seen to arrive.
    pub(super) fn received(
        &mut self,
        extra: &Extra,
        known: u64,
        found: &[Found],
        moved: &mut Vec<Moved>,
    ) {
        let (mut bytes, mut by, mut count) = (extra.skb_copied, SKB_COPY, 1);
        // A primitive is nearer to the bytes than the tracepoint, which announces them.
        if let Some(near) = found.iter().find(|m| m.what == moved::PACKET_READ)
            && let Some(row) = measure::of(near.what)
        {
            if near.bytes != bytes {
                let differences = &mut self.sums.differences;
                let claim = Claim::Probe(ProbeId::Tracepoint(Tracepoint::skb_copy_datagram_iovec));
                differences.add(row.subject, claim, bytes, near.bytes);
            }
            by = Evidence::Measured(self.setup.labels.of(near, row));
            (bytes, count) = (near.bytes, near.count);
        }
        let brought = bytes.saturating_sub(known);
        if extra.iif != 0 && brought > 0 {
            // The record has no name: the interface of this number that the process sends through, too.
            let used = self.nics.get(&(extra.head.tgid, extra.iif)).copied();
            let nic = used.unwrap_or_else(|| {
                let name = || format!("if{}", extra.iif);
                self.sums.devices.find(DeviceClass::Net, extra.iif, name)
            });
            self.sums.devices.met(nic, true, brought);
            if self.sums.devices.engine(nic) != Engine::Software {
                let by = Evidence::Inferred(RuleId::ReceivedFromNic);
                moved.push(hop(HopKind::Dma, At::Nic(nic), At::Socket, by, brought));
            }
        }
        let copy = hop(HopKind::Copy, At::Socket, At::User, by, bytes);
        moved.push(Moved { count, ..copy });
    }

    /// Pages of a network file system that were made for what its server sends.
    pub(super) fn over_network(&self, pages: u32, ts: u64, moved: &mut Vec<Moved>) {
        if pages == 0 {
            return;
        }
        let bytes = u64::from(pages).saturating_mul(self.setup.page);
        let by = Evidence::Inferred(RuleId::NetworkFileCopied);
        let mut copy = hop(HopKind::Copy, At::Socket, At::PageCache, by, bytes);
        copy.key.deferred = true;
        moved.push(Moved { ts, ..copy });
    }

    pub(super) fn xmit<S: Sink>(&mut self, xmit: &Xmit, sink: &mut S) {
        let name = xmit.name.split(|&byte| byte == 0).next();
        let name = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
        let nic = self.sums.devices.interface(xmit.ifindex, name);
        if self.nics.len() < SOCKETS_MAX {
            self.nics.insert((xmit.head.tgid, xmit.ifindex), nic);
        }
        let bytes = u64::from(xmit.len);
        // What lo reads is told without headers: what it writes is, too.
        let loopback = self.sums.devices.name(nic) == "lo";
        self.sums
            .devices
            .met(nic, false, if loopback { 0 } else { bytes });
        if loopback {
            self.looped.add(nic, xmit);
        }
        let software = self.sums.devices.engine(nic) == Engine::Software;
        let part = self.part(&xmit.head, sink);
        let socket = self.names.socket(xmit.sock_ino);
        let mut moved = Vec::new();
        if !software {
            let mut dma = hop(HopKind::Dma, At::Socket, At::Nic(nic), XMIT, bytes);
            dma.ts = xmit.head.ts;
            dma.key.deferred = xmit.head.flags & flag::ELSEWHERE != 0;
            moved.push(dma);
        }
        // Bytes sent by reference are copied after all when a device that is only software
        // delivers them.
        let waiting = self.by_reference.insert_route(xmit.sock_ino, software);
        if software && waiting > 0 {
            self.late_copy(waiting, &mut moved);
        }
        for hop in &mut moved {
            let Key { from, to, .. } = hop.key;
            for (of, at) in hop.of.iter_mut().zip([from, to]) {
                if at == At::Socket {
                    *of = socket;
                }
            }
        }
        match part {
            Part::Open(slot) => {
                let open = self.threads.open(slot);
                open.hops.extend(moved);
            }
            Part::Late(slot) => {
                let process = self.threads.at(slot).process;
                let id = CallId {
                    tid: xmit.head.tid,
                    seq: xmit.head.seq,
                };
                for hop in &moved {
                    self.late(id, process, hop, sink);
                }
            }
        }
    }
}

/// Packets that went through `lo`, by socket: how long their headers are depends on what it is, which may be known
/// later.
#[derive(Debug, Default)]
pub(super) struct Looped {
    nic: usize,
    sockets: HashMap<u64, Packets>,
    /// Of those beyond [`SOCKETS_MAX`].
    others: Packets,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Packets {
    count: u64,
    bytes: u64,
    /// Of these, in page fragments.
    fragments: u64,
}

impl Looped {
    fn add(&mut self, nic: usize, xmit: &Xmit) {
        self.nic = nic;
        let room = self.sockets.len() < SOCKETS_MAX || self.sockets.contains_key(&xmit.sock_ino);
        let sum = match room {
            true => self.sockets.entry(xmit.sock_ino).or_default(),
            false => &mut self.others,
        };
        sum.count += 1;
        sum.bytes = sum.bytes.saturating_add(u64::from(xmit.len));
        sum.fragments = sum.fragments.saturating_add(u64::from(xmit.data_len));
    }

    /// The device, and the bytes that programs wrote, with `transport` as the family and the kind of a socket.
    pub fn payload(&self, transport: impl Fn(u64) -> (u16, u16)) -> (usize, u64) {
        let known = self.sockets.iter();
        let known = known.map(|(socket, packets)| packets.payload(transport(*socket)));
        let all = known.chain([self.others.payload((0, 0))]);
        (self.nic, all.fold(0, u64::saturating_add))
    }
}

impl Packets {
    /// TCP has its headers alone in front, and all that was written in fragments. A datagram lies behind headers of
    /// known lengths.
    fn payload(self, (family, kind): (u16, u16)) -> u64 {
        const ETHERNET: u64 = 14;
        const UDP: u64 = 8;
        let network = if family == AF_INET6 { 40 } else { 20 };
        let headers = match kind {
            SOCK_DGRAM => ETHERNET + network + UDP,
            SOCK_RAW => ETHERNET + network,
            _ => return self.fragments,
        };
        self.bytes.saturating_sub(self.count * headers)
    }
}

const AF_INET6: u16 = 10;
const SOCK_DGRAM: u16 = 2;
const SOCK_RAW: u16 = 3;

/// Where the packets of sockets go, which decides what becomes of bytes sent by reference.
#[derive(Debug, Default)]
pub(super) struct ByReference(HashMap<u64, Route>);

#[derive(Clone, Copy, Debug)]
enum Route {
    /// No packet has been seen since so many bytes were sent.
    Unknown(u64),
    /// To a device that is only software, or not.
    Known { software: bool },
}

impl ByReference {
    /// A packet of the socket went out. The bytes that had waited for it.
    fn insert_route(&mut self, socket: u64, software: bool) -> u64 {
        match self.room().insert(socket, Route::Known { software }) {
            Some(Route::Unknown(bytes)) => bytes,
            _ => 0,
        }
    }

    /// Bytes were sent. They, as copied late, if packets of the socket (this one's too: it goes out before
    /// the call ends) are known to go to a device that is only software.
    pub(super) fn sent(&mut self, socket: u64, bytes: u64) -> Option<u64> {
        match self.room().entry(socket).or_insert(Route::Unknown(0)) {
            Route::Unknown(waiting) => {
                *waiting = waiting.saturating_add(bytes);
                None
            }
            Route::Known { software } => software.then_some(bytes),
        }
    }

    /// The map; emptied where a program has very many sockets.
    fn room(&mut self) -> &mut HashMap<u64, Route> {
        if self.0.len() >= SOCKETS_MAX {
            self.0.clear();
        }
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_no_payload() {
        let packets = |count, bytes, fragments| Packets {
            count,
            bytes,
            fragments,
        };
        const TCP: (u16, u16) = (2, 1);
        // Three segments with 66 bytes of headers, and an acknowledgement.
        assert_eq!(packets(4, 3000 + 4 * 66, 3000).payload(TCP), 3000);
        // Datagrams, over IPv4 and IPv6.
        assert_eq!(packets(2, 2 * 542, 0).payload((2, SOCK_DGRAM)), 1000);
        assert_eq!(packets(1, 562, 0).payload((AF_INET6, SOCK_DGRAM)), 500);
        assert_eq!(packets(1, 98, 0).payload((2, SOCK_RAW)), 64);
        // Of a socket that nobody knows what is surely payload.
        assert_eq!(packets(1, 542, 0).payload((0, 0)), 0);
        assert_eq!(packets(1, 10, 0).payload((2, SOCK_DGRAM)), 0);
        let mut looped = Looped::default();
        for (sock_ino, len, data_len) in [(5, 166, 100), (5, 66, 0), (6, 242, 0)] {
            looped.add(
                3,
                &Xmit {
                    sock_ino,
                    len,
                    data_len,
                    ..Xmit::default()
                },
            );
        }
        let transport = |socket| if socket == 6 { (2, SOCK_DGRAM) } else { TCP };
        assert_eq!(looped.payload(transport), (3, 300));
    }
}
