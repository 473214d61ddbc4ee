//! What the rules find in the facts.

use std::collections::{BTreeMap, BTreeSet};

use super::end::End;
use super::facts::Facts;
use super::flow::{Ends, Pair};
use super::{Found, Variant};
use crate::linux::error_name;
use crate::rules::FileKind;

/// Fewer bytes than this are not worth a change.
const WORTH: u64 = 64 << 10;
/// Nor are fewer calls than this.
const OFTEN: u64 = 64;
/// Nor are faults on less memory: a program's start and a fork cost that much.
const MUCH: u64 = 1 << 20;
/// First touches before huge pages are worth it: a language's runtime makes fewer.
const TOUCHES: u64 = 2048;
/// Below about this size a zero-copy send costs more than the copy (msg_zerocopy.rst: "around 10 KB").
const ZEROCOPY_PAYS: u64 = 10 << 10;

pub fn bytes(found: &Found) -> bool {
    found.bytes >= WORTH && found.saves_copied > 0
}

pub fn sent(found: &Found) -> bool {
    found.bytes >= WORTH
}

pub fn calls(found: &Found) -> bool {
    found.calls >= OFTEN
}

pub fn many_calls(found: &Found) -> bool {
    found.calls >= 16 * OFTEN
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

fn names(facts: &Facts, ends: &[End]) -> Vec<Vec<String>> {
    let name = |end: &End| facts.name(end.id).map(str::to_owned);
    ends.iter()
        .map(|end| name(end).into_iter().collect())
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
    let found = fits.map(|((ends, stack), pair)| {
        let (saves_copied, saves_crossings) = saving(ends, pair);
        Found {
            calls: pair.writes,
            bytes: pair.bytes,
            ends: vec![ends.from.kind, ends.to.kind],
            names: names(facts, &[ends.from, ends.to]),
            tried: pair.tried,
            variant: match ends.append && ends.to.is_file() {
                true => Variant::Append,
                false => Variant::Usual,
            },
            saves_copied,
            saves_crossings,
            stack: *stack,
            ..Found::default()
        }
    });
    found.collect()
}

fn both(pair: &Pair) -> u64 {
    pair.copied_in.saturating_add(pair.copied_out)
}

/// One call can move what all these reads and writes did.
fn crossings(pair: &Pair) -> u64 {
    2 * (pair.reads + pair.writes)
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
pub fn left_out(facts: &Facts) -> Vec<Found> {
    let looked = looked(facts);
    let all = facts.flow.pairs.iter();
    let busy = all.filter(|((ends, _), _)| looked.contains(ends));
    let found = busy.map(|((ends, stack), pair)| Found {
        bytes: pair.bytes,
        ends: vec![ends.from.kind, ends.to.kind],
        names: names(facts, &[ends.from, ends.to]),
        saves_copied: both(pair),
        stack: *stack,
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
    let found = data.map(|((name, end, stack), small)| Found {
        calls: small.calls,
        bytes: small.bytes,
        call: name,
        ends: vec![end.kind],
        names: names(facts, &[*end]),
        saves_crossings: 2 * (small.calls - small.runs),
        stack: *stack,
        ..Found::default()
    });
    found.collect()
}

pub fn again(facts: &Facts) -> Vec<Found> {
    let covers = facts.runs.covers.iter();
    let covers = covers.filter(|((_, id), cover)| {
        // What is sent on is another matter.
        let mut pairs = facts.flow.pairs.iter();
        let sent =
            pairs.any(|((ends, _), pair)| ends.from.id == *id && pair.bytes >= cover.again / 2);
        cover.is_known() && cover.again >= cover.once && !sent && !facts.is_code(*id)
    });
    let mut found: Vec<Found> = covers
        .map(|((_, id), cover)| Found {
            calls: cover.again_calls,
            bytes: cover.again,
            ends: vec![FileKind::RegularFile],
            names: vec![facts.name(*id).map(str::to_owned).into_iter().collect()],
            saves_copied: cover.again_copied,
            saves_crossings: 2 * cover.again_calls,
            stack: cover.stack,
            ..Found::default()
        })
        .collect();
    // Of a table without an order.
    found.sort_by(|a, b| (b.bytes, &a.names).cmp(&(a.bytes, &b.names)));
    found
}

pub fn many(facts: &Facts) -> Vec<Found> {
    let all = facts.runs.scattered.iter();
    let found = all.map(|((name, end, stack), scattered)| Found {
        calls: scattered.calls,
        bytes: scattered.bytes,
        call: name,
        ends: vec![end.kind],
        names: names(facts, &[*end]),
        // In batches of 32.
        saves_crossings: 2 * (scattered.calls - scattered.calls.div_ceil(32)),
        stack: *stack,
        ..Found::default()
    });
    found.collect()
}

pub fn synced(facts: &Facts) -> Vec<Found> {
    let found = facts.synced.iter().map(|((id, stack), tally)| Found {
        calls: tally.calls,
        bytes: tally.bytes,
        time_ns: tally.time_ns,
        ends: vec![FileKind::RegularFile],
        names: vec![facts.name(*id).map(str::to_owned).into_iter().collect()],
        saves_crossings: 2 * tally.calls.saturating_sub(1),
        stack: *stack,
        ..Found::default()
    });
    found.collect()
}

pub fn fell_back(facts: &Facts) -> Vec<Found> {
    let found = facts.fell_back.iter().map(|((id, stack), tally)| Found {
        calls: tally.calls,
        bytes: tally.bytes,
        ends: vec![FileKind::RegularFile],
        names: vec![facts.name(*id).map(str::to_owned).into_iter().collect()],
        saves_copied: tally.bytes,
        stack: *stack,
        ..Found::default()
    });
    found.collect()
}

pub fn mapped(facts: &Facts) -> Vec<Found> {
    // The program's own code and its libraries are not its data.
    let all = facts.memory.mapped.iter();
    let data = all.filter(|((id, _), _)| facts.is_named(*id) && !facts.is_code(*id));
    let found = data.map(|((id, stack), faults)| Found {
        calls: faults.calls,
        bytes: faults.bytes,
        ends: vec![FileKind::RegularFile],
        names: vec![facts.name(*id).map(str::to_owned).into_iter().collect()],
        saves_crossings: 2 * faults.calls,
        stack: *stack,
        ..Found::default()
    });
    found.collect()
}

pub fn zeroed(facts: &Facts) -> Vec<Found> {
    let (faults, huge_pages) = facts.memory.dense();
    if faults.calls < TOUCHES {
        return Vec::new();
    }
    vec![Found {
        calls: faults.calls,
        bytes: faults.bytes,
        saves_crossings: 2 * (faults.calls - huge_pages),
        stack: facts.memory.dense_stack,
        ..Found::default()
    }]
}

pub fn zeroed_again(facts: &Facts) -> Vec<Found> {
    let again = facts.memory.again.iter();
    let found = again.map(|(stack, faults)| Found {
        calls: faults.calls,
        bytes: faults.bytes,
        saves_zeroed: faults.bytes,
        saves_crossings: 2 * faults.calls,
        stack: *stack,
        ..Found::default()
    });
    found.collect()
}

pub fn cow(facts: &Facts) -> Vec<Found> {
    // A fork by itself costs a process some pages of its stack and heap.
    let mut by_process: BTreeMap<u32, u64> = BTreeMap::new();
    for ((tgid, ..), faults) in &facts.memory.cow {
        *by_process.entry(*tgid).or_default() += faults.bytes;
    }
    let much = |tgid: &u32| by_process.get(tgid).is_some_and(|bytes| *bytes >= MUCH);
    let all = facts.memory.cow.iter();
    let found = all
        .filter(|((tgid, ..), _)| much(tgid))
        .map(|((_, child, stack), faults)| Found {
            calls: faults.calls,
            bytes: faults.bytes,
            saves_copied: faults.bytes,
            // What a child writes has to be there for it, one way or the other.
            saves_crossings: if *child { 0 } else { 2 * faults.calls },
            stack: *stack,
            ..Found::default()
        });
    found.collect()
}

pub fn zerocopy_small(facts: &Facts) -> Vec<Found> {
    let small = facts.zerocopy.iter();
    let small = small.filter(|(_, tally)| tally.bytes / tally.calls.max(1) < ZEROCOPY_PAYS);
    let found = small.map(|(stack, tally)| Found {
        calls: tally.calls,
        bytes: tally.bytes,
        stack: *stack,
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
    let found = found.map(|(stack, tally)| Found {
        calls: tally.calls,
        bytes: late,
        stack: *stack,
        ..Found::default()
    });
    found.into_iter().collect()
}
