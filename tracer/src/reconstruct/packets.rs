//! Packets, and bytes that came out of sockets.

use tracer_ebpf::{Extra, Xmit, flag, moved};

use super::measured::Found;
use super::tally::{At, By, Moved};
use super::{Part, Reconstructor, Sink, hop};
use crate::event::{DeviceClass, Engine};
use crate::model::{CallId, HopKind};
use crate::rules::measure;
use crate::rules::{RECEIVED_FROM_NIC, ZEROCOPY_LATE_COPY};

/// Packets handed to a device.
const XMIT: By = By::Probe("tp:net_dev_start_xmit");
/// Copies out of a socket.
const SKB_COPY: By = By::Probe("tp:skb_copy_datagram_iovec");
/// Sockets with bytes sent by reference whose packets have not been seen.
const ZEROCOPY_MAX: usize = 4096;

impl Reconstructor {
    /// Bytes that were copied out of sockets, and the device that had brought them.
    pub(super) fn received(&mut self, extra: &Extra, found: &[Found], moved: &mut Vec<Moved>) {
        let (mut bytes, mut by, mut count) = (extra.skb_copied, SKB_COPY, 1);
        // A primitive is nearer to the bytes than the tracepoint, which announces them.
        if let Some(near) = found.iter().find(|m| m.what == moved::PACKET_READ)
            && let Some(row) = measure::of(near.what)
        {
            if near.bytes != bytes {
                let differences = &mut self.sums.differences;
                differences.add(row.subject, "tp:skb_copy_datagram_iovec", bytes, near.bytes);
            }
            by = By::Probe(self.setup.labels.of(near, row));
            (bytes, count) = (near.bytes, near.count);
        }
        if extra.iif != 0 {
            let nic = self
                .sums
                .devices
                .find(DeviceClass::Net, extra.iif, || format!("if{}", extra.iif));
            self.sums.devices.met(nic, true, bytes);
            if self.sums.devices.engine(nic) != Engine::Software {
                let by = By::Rule(RECEIVED_FROM_NIC);
                moved.push(hop(HopKind::Dma, At::Nic(nic), At::Socket, by, bytes));
            }
        }
        let copy = hop(HopKind::Copy, At::Socket, At::User, by, bytes);
        moved.push(Moved { count, ..copy });
    }

    pub(super) fn xmit<S: Sink>(&mut self, xmit: &Xmit, sink: &mut S) {
        let name = || {
            let name = xmit
                .name
                .split(|&byte| byte == 0)
                .next()
                .unwrap_or_default();
            String::from_utf8_lossy(name).into_owned()
        };
        let nic = self.sums.devices.find(DeviceClass::Net, xmit.ifindex, name);
        let bytes = u64::from(xmit.len);
        self.sums.devices.met(nic, false, bytes);
        let software = self.sums.devices.engine(nic) == Engine::Software;
        let part = self.part(&xmit.head, sink);
        let mut moved = Vec::new();
        if !software {
            let mut dma = hop(HopKind::Dma, At::Socket, At::Nic(nic), XMIT, bytes);
            dma.ts = xmit.head.ts;
            dma.key.deferred = xmit.head.flags & flag::ELSEWHERE != 0;
            moved.push(dma);
        }
        // Bytes sent by reference are copied after all when a device that is only software
        // delivers them.
        if let Some(bytes) = self.zerocopy.remove(&xmit.sock_ino)
            && software
        {
            if self.measures_late_copies() {
                self.expect_late_copy(bytes);
            } else {
                moved.push(late_copy(bytes));
            }
        }
        match part {
            Part::Open(slot) => {
                let open = &mut self.threads.at(slot).open;
                open.software |= software;
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

    /// Remembers bytes sent by reference until a packet of the socket is seen.
    pub(super) fn sent_by_reference(&mut self, socket: u64, bytes: u64) {
        if self.zerocopy.len() >= ZEROCOPY_MAX {
            self.zerocopy.clear();
        }
        let sum = self.zerocopy.entry(socket).or_default();
        *sum = sum.saturating_add(bytes);
    }
}

/// The copy of bytes that had been sent by reference.
pub(super) fn late_copy(bytes: u64) -> Moved {
    let mut copy = hop(
        HopKind::Copy,
        At::User,
        At::Socket,
        By::Rule(ZEROCOPY_LATE_COPY),
        bytes,
    );
    copy.key.deferred = true;
    copy
}
