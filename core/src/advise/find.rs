//! What the rules find in the facts.

use std::collections::{BTreeMap, BTreeSet};

use super::end::{End, Id};
use super::facts::Facts;
use super::flow::{Ends, Pair};
use super::{Found, SMALL, Variant};
use crate::linux::error_name;
use crate::rules::FileKind;

/// Fewer bytes than this are not worth a change.
pub const WORTH: u64 = 64 << 10;
/// Nor are fewer calls than this.
pub const OFTEN: u64 = 64;
/// Nor are faults on less memory: a program's start and a fork cost that much.
pub const MUCH: u64 = 1 << 20;
/// Fewer bytes are not worth a call of their own that passes them on: it costs more than the copy.
const STRETCH: u64 = 16 << 10;
/// What a buffer holds.
const BUFFER: u64 = 64 << 10;
/// Writes to a file, each forced to the device, before they are a habit.
const SYNCS: u64 = 8;
/// Below about this size a zero-copy send costs more than the copy (msg_zerocopy.rst: "around 10 KB").
const ZEROCOPY_PAYS: u64 = 10 << 10;

pub fn bytes(found: &Found) -> bool {
    found.bytes >= WORTH && found.saves_copied > 0
}

/// Passed on by the kernel it would be cheaper.
pub fn passed(found: &Found) -> bool {
    bytes(found) && found.bytes / found.runs.max(1) >= STRETCH
}

/// The same, and by calls of the size that they have.
pub fn spliced(found: &Found) -> bool {
    passed(found) && found.size() >= SMALL
}

pub fn sent(found: &Found) -> bool {
    found.bytes >= WORTH
}

pub fn calls(found: &Found) -> bool {
    found.calls >= OFTEN
}

/// Many, of which some had to wait: what is there at once is read soonest by a plain call.
pub fn many_waits(found: &Found) -> bool {
    found.calls >= 8 * OFTEN && found.waits >= found.calls / 8
}

pub fn some_calls(found: &Found) -> bool {
    found.calls >= 8
}

pub fn faults(found: &Found) -> bool {
    found.calls >= OFTEN && found.bytes >= MUCH
}

pub fn all(_: &Found) -> bool {
    true
}

fn is_pipe(end: End) -> bool {
    end.kind == FileKind::Pipe
}

/// Names of those ends that are files, with bytes that they stand for.
pub fn names(facts: &Facts, ends: &[Id], bytes: u64) -> Vec<Vec<(String, u64)>> {
    let name = |id: &Id| Some((facts.files.name(*id)?.to_owned(), bytes));
    ends.iter()
        .map(|id| name(id).into_iter().collect())
        .collect()
}

/// Ends between which the program had time to look at most of the bytes.
fn looked(facts: &Facts) -> BTreeSet<Ends> {
    let mut sums: BTreeMap<Ends, (u64, u64)> = BTreeMap::new();
    for ((ends, _), pair) in &facts.flow.pairs {
        let (looked, bytes) = sums.entry(*ends).or_default();
        *looked = looked.saturating_add(pair.looked);
        *bytes = bytes.saturating_add(pair.bytes);
    }
    let most = sums
        .into_iter()
        .filter(|(_, (looked, bytes))| *looked > bytes / 2);
    most.map(|(ends, _)| ends).collect()
}

/// Pairs of reads and writes; of `saving` the part of both copies that would go.
fn pairs(
    facts: &Facts,
    fits: fn(&Ends) -> bool,
    saving: fn(&Ends, &Pair) -> (u64, u64),
) -> Vec<Found> {
    let looked = looked(facts);
    let all = facts.flow.pairs.iter();
    let fits = all.filter(|((ends, _), _)| fits(ends) && !looked.contains(ends));
    let found = fits.map(|((ends, site), pair)| {
        let (saves_copied, saves_crossings) = saving(ends, pair);
        Found {
            calls: pair.writes,
            runs: pair.runs,
            bytes: pair.bytes,
            ends: vec![ends.from.kind, ends.to.kind],
            names: names(facts, &[ends.from.id, ends.to.id], pair.bytes),
            tried: pair.tried,
            variant: match ends.append && ends.to.is_file() {
                true => Variant::Append,
                false => Variant::Usual,
            },
            saves_copied,
            saves_crossings,
            site: *site,
            ..Found::default()
        }
    });
    found.collect()
}

fn both(pair: &Pair) -> u64 {
    pair.copied_in.saturating_add(pair.copied_out)
}

/// One call can move a stretch that all these reads and writes did.
fn crossings(pair: &Pair) -> u64 {
    2 * (pair.reads + pair.writes).saturating_sub(pair.runs)
}

pub fn file_to_socket(facts: &Facts) -> Vec<Found> {
    let fits = |ends: &Ends| ends.from.is_file() && ends.to.is_socket();
    let mut found = pairs(facts, fits, |_, pair| (both(pair), crossings(pair)));
    // Where sendfile was tried and refused, reading and writing is the way.
    found.retain(|found| found.tried.is_none());
    found
}

pub fn file_to_file(facts: &Facts) -> Vec<Found> {
    let fits = |ends: &Ends| ends.from.is_file() && ends.to.is_file();
    let mut found = pairs(facts, fits, |ends, pair| {
        // One copy in the kernel is left where the file system cannot share extents.
        let copied = match ends.shareable {
            true => both(pair),
            false => both(pair).saturating_sub(pair.copied_in.max(pair.copied_out)),
        };
        (copied, crossings(pair))
    });
    for found in &mut found {
        let errno = found.tried.and_then(|tried| error_name(tried.errno));
        if errno == Some("EXDEV") && found.variant == Variant::Usual {
            found.variant = Variant::OtherFs;
        }
    }
    // Refused for another reason: reading and writing is the way.
    found.retain(|found| found.tried.is_none() || found.variant != Variant::Usual);
    found
}

/// A pipe at one end, a file or a socket at the other.
pub fn through_pipe(facts: &Facts) -> Vec<Found> {
    let fits = |ends: &Ends| {
        let other = match (is_pipe(ends.from), is_pipe(ends.to)) {
            (true, false) => ends.to,
            (false, true) => ends.from,
            _ => return false,
        };
        other.is_file() || other.is_socket()
    };
    let found = pairs(facts, fits, |ends, pair| {
        // Into a file splice copies once.
        let left = if ends.to.is_file() {
            pair.copied_out
        } else {
            0
        };
        (both(pair).saturating_sub(left), 0)
    });
    found
        .into_iter()
        .filter(|found| found.tried.is_none())
        .collect()
}

/// From one socket to another, or to a file.
pub fn relay(facts: &Facts) -> Vec<Found> {
    let fits = |ends: &Ends| ends.from.is_socket() && (ends.to.is_socket() || ends.to.is_file());
    let found = pairs(facts, fits, |ends, pair| {
        let left = if ends.to.is_file() {
            pair.copied_out
        } else {
            0
        };
        (both(pair).saturating_sub(left), 0)
    });
    found
        .into_iter()
        .filter(|found| found.tried.is_none())
        .collect()
}

/// What went out as it came in, after the program had time to look at it.
pub fn looked_at(facts: &Facts) -> Vec<Found> {
    let looked = looked(facts);
    let all = facts.flow.pairs.iter();
    let busy = all.filter(|((ends, _), _)| looked.contains(ends));
    let found = busy.map(|((ends, site), pair)| Found {
        bytes: pair.bytes,
        ends: vec![ends.from.kind, ends.to.kind],
        names: names(facts, &[ends.from.id, ends.to.id], pair.bytes),
        saves_copied: both(pair),
        site: *site,
        ..Found::default()
    });
    found.collect()
}

pub fn small(facts: &Facts) -> Vec<Found> {
    let all = facts.runs.small.iter();
    let data = all.filter(|((_, end, _), _)| {
        let data = end.is_file() || end.is_socket() || is_pipe(*end);
        data && !facts.is_code(end.id)
    });
    let found = data.map(|((name, end, site), small)| Found {
        calls: small.calls,
        bytes: small.bytes,
        call: name,
        ends: vec![end.kind],
        names: names(facts, &[end.id], small.bytes),
        saves_crossings: {
            let left = small.bytes.div_ceil(BUFFER).max(small.runs);
            2 * small.calls.saturating_sub(left)
        },
        site: *site,
        ..Found::default()
    });
    found.collect()
}

/// What was read again; `sent`: by a process that sent as much through sockets.
fn read_again(facts: &Facts, sent: bool) -> Vec<Found> {
    let covers = facts.runs.covers.iter();
    let covers = covers.filter(|((tgid, id), cover)| {
        // What is sent on is another matter.
        let mut pairs = facts.flow.pairs.iter();
        let passed =
            pairs.any(|((ends, _), pair)| ends.from.id == *id && pair.bytes >= cover.again / 2);
        let out = facts.sent.get(tgid).copied().unwrap_or_default();
        let as_is = cover.is_known() && cover.again >= cover.once && !facts.is_code(*id);
        as_is && !passed && sent == (out >= cover.again / 2)
    });
    let mut found: Vec<Found> = covers
        .map(|((_, id), cover)| Found {
            calls: cover.again_calls,
            bytes: cover.again,
            ends: vec![FileKind::RegularFile],
            names: names(facts, &[*id], cover.again),
            saves_copied: cover.again_copied,
            saves_crossings: 2 * (cover.again_calls + cover.again_around),
            site: cover.site,
            ..Found::default()
        })
        .collect();
    // Of a table without an order.
    found.sort_by(|a, b| (b.bytes, &a.names).cmp(&(a.bytes, &b.names)));
    found
}

pub fn again(facts: &Facts) -> Vec<Found> {
    read_again(facts, false)
}

/// Maybe sent, encrypted or compressed.
pub fn again_sent(facts: &Facts) -> Vec<Found> {
    read_again(facts, true)
}

pub fn many(facts: &Facts) -> Vec<Found> {
    let all = facts.runs.scattered.iter();
    let found = all.map(|((name, end, site), scattered)| Found {
        calls: scattered.calls,
        waits: scattered.waits,
        bytes: scattered.bytes,
        call: name,
        ends: vec![end.kind],
        names: names(facts, &[end.id], scattered.bytes),
        // In batches of 32.
        saves_crossings: 2 * (scattered.calls - scattered.calls.div_ceil(32)),
        site: *site,
        ..Found::default()
    });
    found.collect()
}

pub fn synced(facts: &Facts) -> Vec<Found> {
    let mut by_file: BTreeMap<Id, u64> = BTreeMap::new();
    let all = || facts.synced.iter().chain(&facts.sync_writes);
    for ((id, _), tally) in all() {
        *by_file.entry(*id).or_default() += tally.calls;
    }
    let syncs = facts.synced.len();
    let often = all()
        .enumerate()
        .filter(|(_, ((id, _), _))| by_file[id] >= SYNCS);
    let found = often.map(|(i, ((id, site), tally))| Found {
        calls: tally.calls,
        bytes: tally.bytes,
        time_ns: tally.time_ns,
        ends: vec![FileKind::RegularFile],
        names: names(facts, &[*id], tally.bytes),
        // A write that waits for the device stays a write.
        saves_crossings: match i < syncs {
            true => 2 * tally.calls.saturating_sub(1),
            false => 0,
        },
        site: *site,
        ..Found::default()
    });
    found.collect()
}

pub fn fell_back(facts: &Facts) -> Vec<Found> {
    let found = facts.fell_back.iter().map(|((id, site), tally)| Found {
        calls: tally.calls,
        bytes: tally.bytes,
        ends: vec![FileKind::RegularFile],
        names: names(facts, &[*id], tally.bytes),
        saves_copied: tally.bytes,
        site: *site,
        ..Found::default()
    });
    found.collect()
}

pub fn zerocopy_small(facts: &Facts) -> Vec<Found> {
    let small = facts.zerocopy.iter();
    let small = small.filter(|(_, tally)| tally.bytes / tally.calls.max(1) < ZEROCOPY_PAYS);
    let found = small.map(|(site, tally)| Found {
        calls: tally.calls,
        bytes: tally.bytes,
        site: *site,
        ..Found::default()
    });
    found.collect()
}

pub fn zerocopy_late(facts: &Facts) -> Vec<Found> {
    let late = facts.zerocopy_late;
    let sent: u64 = facts.zerocopy.values().map(|tally| tally.bytes).sum();
    if late < sent / 2 {
        return Vec::new();
    }
    let found = facts.zerocopy.iter().max_by_key(|(_, tally)| tally.bytes);
    let found = found.map(|(site, tally)| Found {
        calls: tally.calls,
        bytes: late,
        site: *site,
        ..Found::default()
    });
    found.into_iter().collect()
}
