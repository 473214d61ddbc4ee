//! Packets that devices brought: which call took their bytes.
//!
//! A packet is told when it arrives, mostly before the call that takes its bytes. Of TCP it waits by the number of
//! its first byte until a call has taken that one; of UDP until a call takes a datagram of this size, or several.
//! What no call takes (acknowledgements, repetitions, what is never read) has arrived, and is tied to nothing.

use std::collections::{HashMap, VecDeque};

use tracer_ebpf::Arrival;

use super::tally::{At, Key, Moved, Object};
use super::threads::Took;
use super::{Reconstructor, SOCKETS_MAX, Sink, hop};
use crate::catalogue::{RuleId, Tracepoint};
use crate::event::{DeviceClass, Engine};
use crate::model::{Arrived, CallId, Context, Evidence, HopKind, Interrupt};

/// Arrivals at TCP sockets.
const AT_SOCKET: Evidence = Evidence::tracepoint(Tracepoint::tcp_probe);
/// The same of UDP's, whose socket no tracepoint tells.
const AT_PORT: Evidence = Evidence::Inferred(RuleId::ArrivedAtPort);
/// `IPPROTO_UDP`
const UDP: u32 = 17;
/// Packets of one socket that wait.
const WAITING_MAX: usize = 4096;
/// Packets of all sockets that wait.
const ALL_WAITING_MAX: usize = 1 << 18;

/// A packet whose bytes nobody has taken yet, or not all of them.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// Numbers of its first byte and of the one behind its last.
    first: u32,
    end: u32,
    /// Bytes that are left.
    left: u32,
    /// `None`: it has been told, with the first of its bytes.
    packet: Option<Packet>,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    nic: usize,
    bytes: u64,
    count: u64,
    ts: u64,
    interrupt: Option<Interrupt>,
    /// The thread that used the socket last.
    tid: u32,
    by: Evidence,
}

/// What has arrived at one socket.
#[derive(Debug, Default)]
struct Stream {
    waiting: VecDeque<Waiting>,
    /// The number behind the last byte that was taken.
    taken: Option<u32>,
}

/// By the socket's inode.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    streams: HashMap<u64, Stream>,
    /// Packets that wait, of all streams.
    waiting: usize,
    /// What no call took.
    pub untied: Arrived,
}

/// Whether `a` comes before `b`, or is it: numbers wrap around.
fn up_to(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() <= 0
}

impl Stream {
    /// Takes a packet in; false if its bytes are there already.
    fn insert(&mut self, new: Waiting) -> bool {
        if self.taken.is_some_and(|taken| up_to(new.end, taken)) {
            return false;
        }
        let later = self.waiting.iter().rev();
        let later = later
            .take_while(|known| !up_to(known.first, new.first))
            .count();
        let at = self.waiting.len() - later;
        let before = at.checked_sub(1).and_then(|i| self.waiting.get(i));
        if before.is_some_and(|before| up_to(new.end, before.end)) {
            return false;
        }
        self.waiting.insert(at, new);
        true
    }

    /// A call that began at `begin` takes so many bytes: adds the packets that it is the first to take any of.
    /// Returns how many of the bytes came in packets that are known.
    fn take(&mut self, bytes: u64, begin: u64, socket: Object, moved: &mut Vec<Moved>) -> u64 {
        let mut left = bytes;
        while left > 0
            && let Some(next) = self.waiting.front_mut()
        {
            if let Some(packet) = next.packet.take() {
                packet.told(begin, socket, moved);
            }
            let n = left.min(u64::from(next.left));
            left -= n;
            // No more than was left of it.
            next.left -= n as u32;
            if next.left == 0 {
                self.taken = Some(next.end);
                self.waiting.pop_front();
            }
        }
        bytes - left
    }

    /// Takes the first datagram of this size: those that came over no device are not here.
    fn datagram(&mut self, bytes: u64, begin: u64, socket: Object, moved: &mut Vec<Moved>) -> u64 {
        let mut waiting = self.waiting.iter();
        let is = |known: &Waiting| u64::from(known.left) == bytes;
        let Some(one) = waiting.position(is).and_then(|at| self.waiting.remove(at)) else {
            return 0;
        };
        if let Some(packet) = one.packet {
            packet.told(begin, socket, moved);
        }
        bytes
    }
}

impl Packet {
    fn hop(&self, socket: Object) -> Moved {
        let mut dma = hop(
            HopKind::Dma,
            At::Nic(self.nic),
            At::Socket,
            self.by,
            self.bytes,
        );
        dma.count = self.count;
        dma.ts = self.ts;
        dma.of[1] = socket;
        dma.interrupt = self.interrupt;
        dma
    }

    /// Adds it to the hops of a call, to the last of those alike.
    fn told(&self, begin: u64, socket: Object, moved: &mut Vec<Moved>) {
        let mut dma = self.hop(socket);
        dma.key.deferred = self.ts < begin;
        let alike = |m: &&mut Moved| (m.key, m.interrupt, m.of) == (dma.key, dma.interrupt, dma.of);
        match moved.last_mut().filter(alike) {
            Some(last) => {
                last.bytes = last.bytes.saturating_add(dma.bytes);
                last.count = last.count.saturating_add(dma.count);
                last.dur = dma.ts.saturating_sub(last.ts);
            }
            None => moved.push(dma),
        }
    }
}

impl Arrivals {
    /// Whether a packet for this socket can wait.
    fn has_room(&mut self, ino: u64) -> bool {
        // At least half of them have nothing that waits: most of these are closed.
        if self.streams.len() >= SOCKETS_MAX && self.waiting < SOCKETS_MAX / 2 {
            self.streams.retain(|_, stream| !stream.waiting.is_empty());
        }
        let known = self.streams.len() < SOCKETS_MAX || self.streams.contains_key(&ino);
        known && self.waiting < ALL_WAITING_MAX
    }

    /// Takes a packet in that may wait. Returns the one that no call is the first to take bytes of, if that is known
    /// now: this one, or the one that has waited longest.
    fn insert(&mut self, ino: u64, new: Waiting, protocol: u32) -> Option<Packet> {
        let stream = self.streams.entry(ino).or_default();
        match protocol {
            UDP => stream.waiting.push_back(new),
            _ if stream.insert(new) => {}
            _ => return new.packet,
        }
        self.waiting += 1;
        if stream.waiting.len() <= WAITING_MAX {
            return None;
        }
        let oldest = stream.waiting.pop_front()?;
        self.waiting -= 1;
        // The bytes of TCP are still there to be taken: told once, they are not told by the rule again.
        if protocol != UDP
            && let Some(next) = stream.waiting.front_mut()
        {
            next.first = oldest.first;
            next.left = next.left.saturating_add(oldest.left);
        }
        oldest.packet
    }
}

impl Reconstructor {
    pub(super) fn arrival<S: Sink>(&mut self, arrival: &Arrival, sink: &mut S) {
        let key = (arrival.head.tgid, arrival.ifindex);
        let nic = match self.nics.get(&key) {
            Some(nic) => *nic,
            // The kernel side has seen that a device is behind it.
            None if arrival.protocol == UDP => {
                let name = || format!("if{}", arrival.ifindex);
                let devices = &mut self.sums.devices;
                devices.find(DeviceClass::Net, arrival.ifindex, name)
            }
            // An interface by its number alone, of whichever network namespace: it may be veth. The rule tells.
            None => return,
        };
        if self.sums.devices.engine(nic) == Engine::Software {
            return;
        }
        let ino = arrival.sock_ino;
        let waits = arrival.payload > 0;
        if waits && !self.arrivals.has_room(ino) {
            // As if it had not been seen: of the call that takes it, the rule tells.
            return;
        }
        let bytes = u64::from(arrival.len);
        self.sums.devices.met(nic, true, bytes);
        let interrupt = self.setup.interrupt(arrival.interrupt);
        let (by, interrupt) = match arrival.protocol {
            UDP => (AT_PORT, interrupt),
            // A thread that has the socket locked takes in itself what came meanwhile (`__release_sock`): what had
            // brought that is over.
            _ => (
                AT_SOCKET,
                interrupt.filter(|by| by.context != Context::Thread),
            ),
        };
        let packet = Packet {
            nic,
            bytes,
            count: u64::from(arrival.packets.max(1)),
            ts: arrival.head.ts,
            interrupt,
            tid: arrival.head.tid,
            by,
        };
        let new = Waiting {
            first: arrival.tcp_seq,
            end: arrival.tcp_seq.wrapping_add(arrival.payload),
            left: arrival.payload,
            packet: Some(packet),
        };
        let untied = match waits {
            true => self.arrivals.insert(ino, new, arrival.protocol),
            false => new.packet,
        };
        if let Some(packet) = untied {
            self.untied(ino, &packet, sink);
        }
    }

    /// It has arrived, and no call is known to have taken it.
    fn untied<S: Sink>(&mut self, ino: u64, packet: &Packet, sink: &mut S) {
        let untied = &mut self.arrivals.untied;
        untied.packets = untied.packets.saturating_add(packet.count);
        untied.bytes = untied.bytes.saturating_add(packet.bytes);
        let mut dma = packet.hop(self.names.socket(ino));
        dma.key.deferred = true;
        let slot = self.threads.find(packet.tid);
        let process = slot.map_or(usize::MAX, |slot| self.threads.at(slot).process);
        let id = CallId {
            tid: packet.tid,
            seq: 0,
        };
        self.late(id, process, &dma, sink);
    }

    /// A call took `bytes` from this socket. Returns how many of them came in packets that are known.
    fn taken(&mut self, ino: u64, bytes: u64, begin: u64, moved: &mut Vec<Moved>) -> u64 {
        let take = |stream: &mut Stream, socket| stream.take(bytes, begin, socket, moved);
        self.take_from(ino, take)
    }

    /// Lets a call take from what waits at a socket.
    fn take_from(&mut self, ino: u64, take: impl FnOnce(&mut Stream, Object) -> u64) -> u64 {
        let Some(stream) = self.arrivals.streams.get_mut(&ino) else {
            return 0;
        };
        let socket = self.names.socket(ino);
        let before = stream.waiting.len();
        let taken = take(stream, socket);
        self.arrivals.waiting -= before - stream.waiting.len();
        taken
    }

    /// The packets that a call, or a request, took bytes of. Returns how many of the `copied` bytes came in them.
    pub(super) fn brought(
        &mut self,
        (ino, took): (u64, Took),
        copied: u64,
        begin: u64,
        moved: &mut Vec<Moved>,
    ) -> u64 {
        match took {
            Took::Copied => self.taken(ino, copied, begin, moved),
            Took::Bytes(bytes) => self.taken(ino, bytes, begin, moved),
            Took::Datagrams(bytes, count) => self.datagrams(ino, (bytes, count), begin, moved),
        }
    }

    /// A call took datagrams of UDP, so many bytes in all. Returns how many of them came in packets that are known.
    fn datagrams(
        &mut self,
        ino: u64,
        (bytes, count): (u64, u64),
        begin: u64,
        moved: &mut Vec<Moved>,
    ) -> u64 {
        self.take_from(ino, |stream, socket| match count {
            1 => stream.datagram(bytes, begin, socket, moved),
            _ => stream.take(bytes, begin, socket, moved),
        })
    }

    /// Pages of packets that a call took by reference.
    pub(super) fn brought_pages(&mut self, ino: u64, begin: u64, moved: &mut Vec<Moved>) {
        let socket = self.names.socket(ino);
        let is = |hop: &&Moved| {
            let Key { kind, from, .. } = hop.key;
            kind == HopKind::Share && from == At::Socket && hop.of[0] == socket
        };
        let bytes = moved.iter().filter(is).map(|hop| hop.bytes);
        let bytes = bytes.fold(0, u64::saturating_add);
        if bytes > 0 {
            self.taken(ino, bytes, begin, moved);
        }
    }

    /// Nothing more will be taken.
    pub(super) fn never_taken<S: Sink>(&mut self, sink: &mut S) {
        self.arrivals.waiting = 0;
        let mut streams: Vec<_> = std::mem::take(&mut self.arrivals.streams)
            .into_iter()
            .collect();
        streams.sort_unstable_by_key(|(ino, _)| *ino);
        for (ino, stream) in streams {
            for packet in stream.waiting.iter().filter_map(|waiting| waiting.packet) {
                self.untied(ino, &packet, sink);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(first: u32, len: u32) -> Waiting {
        Waiting {
            first,
            end: first.wrapping_add(len),
            left: len,
            packet: Some(Packet {
                nic: 0,
                bytes: u64::from(len) + 66,
                count: 1,
                ts: u64::from(first),
                interrupt: None,
                tid: 1,
                by: AT_SOCKET,
            }),
        }
    }

    fn taken(stream: &mut Stream, bytes: u64) -> (u64, u64, u64) {
        let mut moved = Vec::new();
        let known = stream.take(bytes, 0, Object::NONE, &mut moved);
        let sum = |of: fn(&Moved) -> u64| moved.iter().map(of).sum();
        (known, sum(|m| m.bytes), sum(|m| m.count))
    }

    #[test]
    fn a_packet_is_the_call_s_that_takes_its_first_byte() {
        let mut stream = Stream::default();
        for first in [0, 1000, 2000] {
            assert!(stream.insert(waiting(first, 1000)));
        }
        assert_eq!(taken(&mut stream, 1500), (1500, 2 * 1066, 2));
        assert_eq!(taken(&mut stream, 500), (500, 0, 0));
        // More than is known to have come.
        assert_eq!(taken(&mut stream, 4000), (1000, 1066, 1));
    }

    #[test]
    fn sockets_that_have_nothing_to_read_make_room_for_others() {
        let mut all = Arrivals::default();
        for ino in 0..4 * SOCKETS_MAX as u64 {
            assert!(all.has_room(ino), "{ino}");
            all.streams.entry(ino).or_default();
        }
        // Nothing of these may go.
        let mut all = Arrivals::default();
        for ino in 0..SOCKETS_MAX as u64 {
            let stream = all.streams.entry(ino).or_default();
            stream.waiting.push_back(waiting(0, 100));
            all.waiting += 1;
        }
        assert!(!all.has_room(SOCKETS_MAX as u64));
        assert!(all.has_room(0));
        assert_eq!(all.streams.len(), SOCKETS_MAX);
    }

    #[test]
    fn bytes_are_told_once_where_very_many_packets_wait() {
        let mut all = Arrivals::default();
        let of = |protocol, all: &mut Arrivals| {
            let packets = (0..WAITING_MAX as u32 + 10).map(|i| waiting(i * 100, 100));
            let told = packets.filter_map(|new| all.insert(5, new, protocol));
            told.count()
        };
        assert_eq!(of(6, &mut all), 10);
        let stream = all.streams.get_mut(&5).expect("a stream");
        assert_eq!(
            (all.waiting, stream.waiting.len()),
            (WAITING_MAX, WAITING_MAX)
        );
        // Bytes of the ten, and the first of the next.
        assert_eq!(taken(stream, 1001), (1001, 166, 1));
        let rest = (WAITING_MAX as u64 + 10) * 100 - 1001;
        let others = WAITING_MAX as u64 - 1;
        assert_eq!(taken(stream, u64::MAX), (rest, others * 166, others));
        // Datagrams that are in the way are gone: there was no room for them either.
        let mut all = Arrivals::default();
        assert_eq!(of(UDP, &mut all), 10);
        let stream = all.streams.get_mut(&5).expect("a stream");
        let left = WAITING_MAX as u64;
        assert_eq!(taken(stream, u64::MAX), (left * 100, left * 166, left));
    }

    #[test]
    fn a_datagram_is_known_by_its_size() {
        let mut stream = Stream::default();
        for len in [100, 200, 100] {
            stream.waiting.push_back(waiting(0, len));
        }
        let mut moved = Vec::new();
        assert_eq!(stream.datagram(200, 0, Object::NONE, &mut moved), 200);
        // Of loopback.
        assert_eq!(stream.datagram(300, 0, Object::NONE, &mut moved), 0);
        assert_eq!(stream.datagram(100, 0, Object::NONE, &mut moved), 100);
        let bytes: Vec<u64> = moved.iter().map(|hop| hop.bytes).collect();
        assert_eq!(bytes, [432]);
        assert_eq!((moved[0].count, stream.waiting.len()), (2, 1));
    }

    #[test]
    fn repetitions_are_nobody_s_and_gaps_are_filled_in_order() {
        let mut stream = Stream::default();
        let near = u32::MAX - 999;
        assert!(stream.insert(waiting(near, 1000)));
        // Around the end of the numbers, and out of order.
        assert!(stream.insert(waiting(1000, 500)));
        assert!(stream.insert(waiting(0, 1000)));
        assert!(!stream.insert(waiting(0, 1000)));
        assert_eq!(taken(&mut stream, 2000), (2000, 2 * 1066, 2));
        assert!(!stream.insert(waiting(near, 1000)));
        assert_eq!(taken(&mut stream, 500), (500, 566, 1));
    }
}
