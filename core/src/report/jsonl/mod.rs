//! Events as lines of JSON.
//!
//! Each line is an object. It begins with `event`, the kind's name ([`KIND_NAMES`](crate::event::KIND_NAMES), but `syscall` for
//! every system call). An event made in the kernel goes on with its head:
//!
//! | field | meaning |
//! | --- | --- |
//! | `ts` | when it happened (a call: when it began), ns of `CLOCK_MONOTONIC` |
//! | `tgid`, `tid` | process and thread |
//! | `seq` | number of the call within the thread, 0 outside any call |
//! | `nr` | system call number; of `syscall` and `extra` only |
//! | `call` | the system call's name |
//! | `flags` | names of the bits of [`tracer_ebpf::flag`], left out if none is set |
//!
//! and with the fields of its type in [`crate::event`], under their names and in their units. Of a
//! `syscall` on a descriptor, `file` says what the descriptor is. An event made in user space goes on
//! with the fields of its type in [`crate::event::Meta`]; its `event` is the name of the variant.
//!
//! Numbers that stand for something have their name beside them: `operation` of an `uring`, `probe` and `by`
//! (the primitive) of a `copy`.
//!
//! A `syscall` or a `fault` whose bytes moved has `hops`, in the order in which they moved: `kind`, `from`,
//! `to`, `bytes`, `count`, `evidence` with `probe`, `rule` or `method`, `deferred`, for `dma` the `engine`, and where a probe tells them
//! `interrupt` (how the kernel was told of the transfer's end, and whether that woke the thread), `ts` and `dur`. A hop that became known after its call's line is a line of its own, `event` `hop`, with `tid` and
//! `seq` of the call (0: not known). The hops of all lines add up to those of `--format json`.

mod fields;
mod write;

use self::fields::Names;
use self::write::{json, member};
use crate::arch::Arch;
use crate::event::{Event, Meta};
use crate::model::{CallId, Evidence, Hop, HopKind, Place};
use crate::reconstruct::{Call, Reconstructor, Sink};

/// Writes the events of one trace as lines.
pub struct Lines {
    arch: Arch,
    probes: Vec<String>,
    reconstructor: Reconstructor,
    found: Found,
    out: Vec<u8>,
}

/// What the reconstruction found in one event, as JSON.
#[derive(Default)]
struct Found {
    /// Of the event's own call.
    hops: Vec<u8>,
    /// Whole lines.
    late: Vec<u8>,
}

impl Sink for Found {
    fn call(&mut self, _: &Call<'_>, hops: &[Hop]) {
        for hop in hops {
            self.hops
                .extend_from_slice(if self.hops.is_empty() { b"{" } else { b",{" });
            put_hop(hop, &mut self.hops);
            self.hops.push(b'}');
        }
    }

    fn late_hop(&mut self, call: CallId, hop: &Hop) {
        let out = &mut self.late;
        out.extend_from_slice(b"{\"event\":\"hop\"");
        member("tid", call.tid, out);
        member("seq", call.seq, out);
        out.push(b',');
        put_hop(hop, out);
        out.extend_from_slice(b"}\n");
    }
}

/// The members of a hop, without braces.
fn put_hop(hop: &Hop, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"kind\":");
    json(&hop.kind, out);
    out.extend_from_slice(b",\"from\":");
    place(&hop.from, out);
    out.extend_from_slice(b",\"to\":");
    place(&hop.to, out);
    member("bytes", hop.bytes, out);
    member("count", hop.count, out);
    member("evidence", hop.evidence.known().word(), out);
    let by = match &hop.evidence {
        Evidence::Measured { .. } => "probe",
        Evidence::Inferred { .. } => "rule",
        Evidence::Estimated { .. } => "method",
    };
    member(by, hop.evidence.by(), out);
    member("deferred", hop.deferred, out);
    if let Some(engine) = hop.engine.filter(|_| hop.kind == HopKind::Dma) {
        out.extend_from_slice(b",\"engine\":");
        json(&engine, out);
    }
    if let Some(interrupt) = hop.interrupt {
        out.extend_from_slice(b",\"interrupt\":");
        json(&interrupt, out);
    }
    if hop.ts != 0 {
        member("ts", hop.ts, out);
    }
    if hop.dur != 0 {
        member("dur", hop.dur, out);
    }
}

/// Names of devices are others' words; the other places are words of our own.
fn place(place: &Place, out: &mut Vec<u8>) {
    let word: &[u8] = match place {
        Place::User => b"\"user\"",
        Place::PageCache => b"\"page_cache\"",
        _ => return json(place, out),
    };
    out.extend_from_slice(word);
}

impl Lines {
    /// For a trace made on `arch`; one that says otherwise wins.
    pub fn new(arch: Arch) -> Self {
        Self {
            arch,
            probes: Vec::new(),
            reconstructor: Reconstructor::new(arch),
            found: Found::default(),
            out: Vec::new(),
        }
    }

    /// The lines of the next event, each with its newline.
    pub fn event(&mut self, event: &Event) -> &[u8] {
        if let Event::Meta(Meta::Start(start)) = event {
            self.arch = Arch::from_name(&start.arch).unwrap_or(self.arch);
            self.probes.clone_from(&start.probes);
        }
        self.found.hops.clear();
        self.found.late.clear();
        self.reconstructor.push(event, &mut self.found);
        let Self {
            arch,
            probes,
            found,
            out,
            ..
        } = self;
        out.clear();
        let names = Names {
            arch: Some(*arch),
            probes,
        };
        fields::open(event, &names, out);
        if !found.hops.is_empty() {
            out.extend_from_slice(b",\"hops\":[");
            out.extend_from_slice(&found.hops);
            out.push(b']');
        }
        out.extend_from_slice(b"}\n");
        out.extend_from_slice(&found.late);
        out
    }

    /// The lines of what was still open at the end.
    pub fn finish(&mut self) -> &[u8] {
        self.found.late.clear();
        self.reconstructor.drain(&mut self.found);
        &self.found.late
    }
}

#[cfg(test)]
mod tests;
