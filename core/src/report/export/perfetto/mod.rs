//! A time line for [Perfetto](https://ui.perfetto.dev): its own binary format.
//!
//! Each thread has three tracks: user mode (where page faults interrupt it), the kernel on its behalf (its
//! calls), and off the CPU. Each device has one for its transfers (several, if they overlap), and what ran
//! later than its call has one. A flow leads from a call to its transfers, and on to where the thread was woken. Two
//! counters add up the bytes copied and moved by DMA.
//!
//! Every hop stands once: a transfer of a device as a slice or a moment there, the others in `hops` of the slice of their
//! call. What no probe tells the time of stands where its call ended.
//!
//! The numbers of fields are those of `perfetto_trace.proto`.

mod tracks;

use std::collections::HashMap;
use std::mem;

use self::tracks::{Track, Tracks};
use crate::annotate::Stacks;
use crate::event::{CalledFrom, Engine, Exec, Fork, Frame, Meta, Source, Switch};
use crate::model::{CallId, Hop, HopKind, Place};
use crate::proto::Message;
use crate::reconstruct::{Call, Sink, What};

/// `Trace.packet`, and what packets are made of.
const PACKET: u32 = 1;
const TIMESTAMP: u32 = 8;
const SEQUENCE: u32 = 10;
const TRACK_EVENT: u32 = 11;
const TRACK_DESCRIPTOR: u32 = 60;

/// Fields of `TrackEvent`.
const ANNOTATION: u32 = 4;
const TYPE: u32 = 9;
const TRACK: u32 = 11;
const NAME: u32 = 23;
const COUNTER_VALUE: u32 = 30;
const SOURCE_LOCATION: u32 = 33;
const FLOW: u32 = 47;
const FLOW_ENDS: u32 = 48;

/// `TrackEvent.type`.
const BEGIN: u64 = 1;
const END: u64 = 2;
const MOMENT: u64 = 3;
const COUNTER: u64 = 4;

/// Turns what the reconstruction finds into packets.
pub struct Perfetto {
    sources: HashMap<u64, Source>,
    stacks: Stacks,
    tracks: Tracks,
    /// When each thread was woken last.
    woken: HashMap<u32, u64>,
    copied: u64,
    dma: u64,
    /// Counters do not go back in time.
    counted: u64,
    out: Vec<u8>,
}

impl Perfetto {
    /// `sources`: those of the whole trace; they stand at its end.
    pub fn new(sources: HashMap<u64, Source>) -> Self {
        Self {
            sources,
            stacks: Stacks::default(),
            tracks: Tracks::default(),
            woken: HashMap::new(),
            copied: 0,
            dma: 0,
            counted: 0,
            out: Vec::new(),
        }
    }

    /// The packets since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.out)
    }

    /// Bytes that [`Self::take`] would give.
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    fn packet(&mut self, ts: u64, event: &Message) {
        Message::default()
            .uint(TIMESTAMP, ts)
            .uint(SEQUENCE, 1)
            .message(TRACK_EVENT, event)
            .finish(PACKET, &mut self.out);
    }

    /// Something on a track: a slice, or a moment if it took no time.
    fn slice(&mut self, track: Track, ts: u64, dur: u64, event: Message) {
        let id = self.tracks.id(track, &mut self.out);
        if dur == 0 {
            return self.packet(ts, &event.uint(TYPE, MOMENT).uint(TRACK, id));
        }
        self.packet(ts, &event.uint(TYPE, BEGIN).uint(TRACK, id));
        let end = Message::default().uint(TYPE, END).uint(TRACK, id);
        self.packet(ts.saturating_add(dur), &end);
    }

    /// The hops of a call that ended at `end`: devices have tracks of their own, the others are returned.
    fn hops(&mut self, call: CallId, end: u64, hops: &[Hop]) -> Option<Message> {
        let mut list = Message::default().text(10, "hops");
        let mut any = false;
        for hop in hops {
            match device(hop) {
                Some(device) => self.transfer(call, end, hop, device),
                None => {
                    any = true;
                    list = list.message(12, &of_hop(hop));
                }
            }
            self.count(end, hop);
        }
        any.then_some(list)
    }

    /// What a device moved.
    fn transfer(&mut self, call: CallId, end: u64, hop: &Hop, device: Place) {
        let (ts, dur) = if hop.ts == 0 {
            (end, 0)
        } else {
            (hop.ts, hop.dur)
        };
        let lane = self.tracks.lane(&device, ts, ts.saturating_add(dur));
        // Where there are too many at once, a moment can't overlap.
        let (lane, dur) = lane.map_or((0, 0), |lane| (lane, dur));
        let event = Message::default()
            .text(NAME, &format!("{} to {}", hop.from, hop.to))
            .fixed64(FLOW, flow(call))
            .message(ANNOTATION, &named(of_hop(hop), "hop"));
        self.slice(Track::Device(device, lane), ts, dur, event);
    }

    fn count(&mut self, at: u64, hop: &Hop) {
        let (sum, track) = match (hop.kind, hop.engine) {
            (HopKind::Copy, _) => (&mut self.copied, Track::Copied),
            // A CPU does the work of a device that is only software.
            (HopKind::Dma, Some(Engine::Software)) => return,
            (HopKind::Dma, _) => (&mut self.dma, Track::Dma),
            _ => return,
        };
        *sum = sum.saturating_add(hop.bytes);
        let value = i64::try_from(*sum).unwrap_or(i64::MAX);
        self.counted = self.counted.max(at);
        let id = self.tracks.id(track, &mut self.out);
        let event = Message::default()
            .uint(TYPE, COUNTER)
            .uint(TRACK, id)
            .int(COUNTER_VALUE, value);
        self.packet(self.counted, &event);
    }

    /// The program's own line that a call came from.
    fn source(&self, call: CallId) -> Option<&Frame> {
        let source = self.sources.get(&self.stacks.of(call)?)?;
        source.frames.get(source.own?)
    }
}

impl Sink for Perfetto {
    fn call(&mut self, call: &Call<'_>, hops: &[Hop]) {
        let (pid, tid) = (call.tgid, call.id.tid);
        let end = call.ts.saturating_add(call.dur);
        let (track, name) = match call.what {
            What::Syscall { name, .. } => (Track::Kernel(pid, tid), name),
            What::Fault { .. } => (Track::User(pid, tid), "page fault"),
        };
        let mut event = Message::default().text(NAME, name);
        match call.what {
            What::Syscall { ret, args, .. } => {
                event = event.message(
                    ANNOTATION,
                    &Message::default().text(10, "returned").int(4, ret),
                );
                let list = args
                    .iter()
                    .fold(Message::default().text(10, "args"), |list, arg| {
                        list.message(12, &Message::default().uint(3, *arg))
                    });
                event = event.message(ANNOTATION, &list);
            }
            What::Fault {
                addr, write, major, ..
            } => {
                event = event
                    .message(
                        ANNOTATION,
                        &Message::default().text(10, "address").uint(3, addr),
                    )
                    .message(ANNOTATION, &flag("write", write))
                    .message(ANNOTATION, &flag("major", major));
            }
        }
        if let Some(Frame {
            function,
            file,
            line,
            ..
        }) = self.source(call.id)
        {
            let location = Message::default()
                .text(2, file)
                .text(3, function)
                .uint(4, u64::from(*line));
            let told = Message::default()
                .text(10, "source")
                .text(6, &format!("{file}:{line}"));
            event = event
                .message(SOURCE_LOCATION, &location)
                .message(ANNOTATION, &told);
        }
        let by_device = hops.iter().any(|hop| device(hop).is_some());
        if !hops.is_empty() {
            event = event.fixed64(FLOW, flow(call.id));
        }
        if let Some(list) = self.hops(call.id, end, hops) {
            event = event.message(ANNOTATION, &list);
        }
        self.slice(track, call.ts, call.dur, event);
        // The thread slept until the device was done.
        let woken = self.woken.get(&tid).copied();
        if by_device
            && call.waited > 0
            && let Some(at) = woken.filter(|at| (call.ts..=end).contains(at))
        {
            let event = Message::default()
                .text(NAME, "woken")
                .fixed64(FLOW_ENDS, flow(call.id));
            self.slice(Track::Waits(pid, tid), at, 0, event);
        }
    }

    fn late_hop(&mut self, call: CallId, hop: &Hop) {
        let at = if hop.ts == 0 {
            self.counted
        } else {
            hop.ts.saturating_add(hop.dur)
        };
        if let Some(list) = self.hops(call, at, std::slice::from_ref(hop)) {
            let event = Message::default()
                .text(
                    NAME,
                    &format!("{} {} to {}", hop.kind.word(), hop.from, hop.to),
                )
                .fixed64(FLOW, flow(call))
                .message(ANNOTATION, &list);
            // Such work may overlap: it is shown where it ended.
            self.slice(Track::Deferred, at, 0, event);
        }
    }

    fn switch(&mut self, switch: &Switch) {
        let (pid, tid) = (switch.head.tgid, switch.head.tid);
        let name = match switch.voluntary {
            0 => "preempted",
            _ => "waits",
        };
        let event = Message::default().text(NAME, name);
        self.slice(Track::Waits(pid, tid), switch.head.ts, switch.off, event);
        self.woken
            .insert(tid, switch.head.ts.saturating_add(switch.off));
    }

    fn fork(&mut self, fork: &Fork) {
        self.tracks
            .fork(fork.head.tgid, fork.child_tgid, &mut self.out);
    }

    fn exec(&mut self, exec: &Exec) {
        let name = exec
            .comm
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        self.tracks.name(exec.head.tgid, &name, &mut self.out);
    }

    fn called_from(&mut self, from: &CalledFrom) {
        self.stacks.learn(from);
    }

    fn meta(&mut self, meta: &Meta) {
        match meta {
            Meta::Start(start) if !start.comm.is_empty() => {
                self.tracks.name(start.pid, &start.comm, &mut self.out);
            }
            _ => {}
        }
    }
}

/// The device that moved the bytes.
fn device(hop: &Hop) -> Option<Place> {
    if hop.kind != HopKind::Dma {
        return None;
    }
    [&hop.from, &hop.to]
        .into_iter()
        .find(|place| matches!(place, Place::Device(_) | Place::Nic(_)))
        .cloned()
}

/// Calls have numbers within their thread.
fn flow(call: CallId) -> u64 {
    u64::from(call.tid) << 32 | u64::from(call.seq)
}

/// A hop as an annotation without a name: the members that it has in the JSON.
fn of_hop(hop: &Hop) -> Message {
    let text = |name: &str, value: &str| Message::default().text(10, name).text(6, value);
    let number = |name: &str, value: u64| Message::default().text(10, name).uint(3, value);
    Message::default()
        .message(11, &text("kind", hop.kind.word()))
        .message(11, &text("from", &hop.from.to_string()))
        .message(11, &text("to", &hop.to.to_string()))
        .message(11, &number("bytes", hop.bytes))
        .message(11, &number("count", hop.count))
        .message(11, &text("evidence", hop.evidence.known().word()))
        .message(11, &text("by", hop.evidence.by()))
        .message(11, &flag("deferred", hop.deferred))
}

fn flag(name: &str, value: bool) -> Message {
    Message::default().text(10, name).uint(2, u64::from(value))
}

fn named(annotation: Message, name: &str) -> Message {
    annotation.text(10, name)
}
