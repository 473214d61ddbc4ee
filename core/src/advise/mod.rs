//! Which copies and crossings of a run could go, and how: rules over what was seen.
//!
//! Each piece of advice names its evidence, what it would save, when not to follow it, and the lab that
//! teaches it. What only the programmer knows (whether the bytes are looked at, whether a crash may lose
//! them) is said as a condition, never assumed. What a saving is of was there: bytes that went out as they
//! came in, calls that followed each other, pages that were zeroed twice.

mod data;
mod end;
mod facts;
mod faults;
mod files;
mod find;
mod flow;
mod lab;
mod memory;
mod positions;
mod runs;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;

pub use end::{Id, Site};
pub use facts::Facts;
pub use lab::lab;

use crate::i18n::Lang;
use crate::rules::FileKind;

/// What was found: the numbers that the words are filled with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Calls, bytes, and time in them.
    pub calls: u64,
    pub bytes: u64,
    pub time_ns: u64,
    /// Name of the call.
    pub call: &'static str,
    /// Stretches that are one call each if the kernel passes them on; calls that had to wait.
    pub runs: u64,
    pub waits: u64,
    /// What a process's children wrote to files.
    pub saved: u64,
    /// Ends, and the names of those that are files, with the bytes that each stands for.
    pub ends: Vec<FileKind>,
    pub names: Vec<Vec<(String, u64)>>,
    /// What would have done without, and why it did not.
    pub tried: Option<flow::Tried>,
    /// Which of several ways there is to do it.
    pub variant: Variant,
    /// What would go, at most: bytes copied by the CPU, bytes zeroed by it, crossings.
    pub saves_copied: u64,
    pub saves_zeroed: u64,
    pub saves_crossings: u64,
    pub site: Site,
}

/// What stands in the way of the usual answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    #[default]
    Usual,
    /// `copy_file_range` does not go between file systems.
    OtherFs,
    /// Nor to what is opened with `O_APPEND`.
    Append,
}

/// A piece of advice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// The rule's name.
    pub rule: &'static str,
    /// What was seen.
    pub seen: String,
    /// What to do.
    pub how: String,
    /// When not to.
    pub unless: String,
    /// The lab that teaches it.
    pub lab: &'static str,
    /// What would go, at most: bytes copied by the CPU, bytes zeroed by it, crossings.
    pub saves_copied: u64,
    pub saves_zeroed: u64,
    pub saves_crossings: u64,
    /// A call that was to do it, and the error that it failed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried: Option<String>,
    /// Which program, if there were several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Where in the source, if the trace tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// All that is to be said.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Advised {
    /// What would save most first.
    pub advice: Vec<Advice>,
    /// What looks as if it could go, and why nothing is said of it.
    pub left_out: Vec<String>,
}

type Find = fn(&Facts) -> Vec<Found>;
type Worth = fn(&Found) -> bool;
type Say = fn(Lang, &Found) -> String;

/// A rule: where it fits, and its words.
struct Rule {
    name: &'static str,
    lab: &'static str,
    find: Find,
    /// Whether all that was found at one place is worth a change.
    worth: Worth,
    seen: Say,
    how: Say,
    unless: fn(Lang) -> &'static str,
}

/// Every rule. Each may find several places.
#[rustfmt::skip] // a table
const RULES: &[Rule] = &[
    Rule { name: "file-to-socket", lab: "sendfile", find: find::file_to_socket, worth: find::passed, seen: words::pair, how: words::sendfile, unless: words::sendfile_unless },
    Rule { name: "file-to-file", lab: "copy-files", find: find::file_to_file, worth: find::passed, seen: words::pair, how: words::copy_range, unless: words::copy_range_unless },
    Rule { name: "through-a-pipe", lab: "splice", find: find::through_pipe, worth: find::spliced, seen: words::pair, how: words::splice, unless: words::splice_unless },
    Rule { name: "socket-relay", lab: "splice", find: find::relay, worth: find::spliced, seen: words::pair, how: words::relay, unless: words::relay_unless },
    Rule { name: "small-calls", lab: "modes", find: find::small, worth: find::calls, seen: words::small, how: words::small_do, unless: words::small_unless },
    Rule { name: "read-again", lab: "page-cache", find: find::again, worth: find::bytes, seen: words::again, how: words::again_do, unless: words::again_unless },
    Rule { name: "many-reads", lab: "io-uring", find: find::many, worth: find::many_waits, seen: words::many, how: words::many_do, unless: words::many_unless },
    Rule { name: "sync-per-write", lab: "write-back", find: find::synced, worth: find::some_calls, seen: words::synced, how: words::synced_do, unless: words::synced_unless },
    Rule { name: "direct-fell-back", lab: "direct-io", find: find::fell_back, worth: find::bytes, seen: words::fell_back, how: words::fell_back_do, unless: words::fell_back_unless },
    Rule { name: "mapped-faults", lab: "mmap", find: faults::mapped, worth: find::calls, seen: words::faults, how: words::faults_do, unless: words::faults_unless },
    Rule { name: "zero-fill", lab: "memory", find: faults::zeroed, worth: find::all, seen: words::zeroed, how: words::zeroed_do, unless: words::zeroed_unless },
    Rule { name: "zero-fill-again", lab: "memory", find: faults::zeroed_again, worth: find::faults, seen: words::zeroed_again, how: words::zeroed_again_do, unless: words::zeroed_again_unless },
    Rule { name: "copy-on-write", lab: "memory", find: faults::cow, worth: find::faults, seen: words::cow, how: words::cow_do, unless: words::cow_unless },
    Rule { name: "zerocopy-too-small", lab: "zerocopy-send", find: find::zerocopy_small, worth: find::some_calls, seen: words::zerocopy_small, how: words::zerocopy_small_do, unless: words::zerocopy_small_unless },
    Rule { name: "zerocopy-copied", lab: "zerocopy-send", find: find::zerocopy_late, worth: find::sent, seen: words::zerocopy_late, how: words::zerocopy_late_do, unless: words::zerocopy_late_unless },
];

/// What looks as if it could go, and why nothing is advised.
const LEFT_OUT: &[(Find, Worth, Say)] = &[
    (find::looked_at, find::sent, words::left_out),
    (find::again_sent, find::bytes, words::again_sent),
    (faults::snapshot, find::faults, words::snapshot),
];

/// Places that count as one: the line, or what is known instead of it.
type Place = (
    Option<(String, u32)>,
    Option<usize>,
    &'static str,
    Vec<FileKind>,
    Variant,
);

/// Advice for a run: what would save most first.
pub fn advise(facts: &Facts, lang: Lang) -> Advised {
    let mut all = Vec::new();
    for rule in RULES {
        for found in worthy(grouped(facts, (rule.find)(facts)), rule.worth) {
            let line = found.site.stack.and_then(|stack| facts.line(stack));
            all.push(Advice {
                rule: rule.name,
                seen: (rule.seen)(lang, &found),
                how: (rule.how)(lang, &found),
                unless: (rule.unless)(lang).to_owned(),
                lab: rule.lab,
                saves_copied: found.saves_copied,
                saves_zeroed: found.saves_zeroed,
                saves_crossings: found.saves_crossings,
                tried: found.tried.map(words::error),
                program: facts.program(found.site).map(str::to_owned),
                file: line.map(|frame| frame.file.clone()),
                line: line.map(|frame| frame.line),
            });
        }
    }
    // A crossing costs about as much as the copy of a page.
    all.sort_by_key(|advice| {
        let bytes = advice.saves_copied.saturating_add(advice.saves_zeroed);
        std::cmp::Reverse(bytes.saturating_add(advice.saves_crossings.saturating_mul(4096)))
    });
    let mut left_out = Vec::new();
    for (find, worth, say) in LEFT_OUT {
        let found = worthy(grouped(facts, find(facts)), *worth);
        left_out.extend(found.iter().map(|found| say(lang, found)));
    }
    Advised {
        advice: all,
        left_out,
    }
}

/// What was found, added up by place.
fn grouped(facts: &Facts, all: Vec<Found>) -> Vec<Found> {
    let mut places: BTreeMap<Place, Found> = BTreeMap::new();
    for found in all {
        let line = found.site.stack.and_then(|stack| facts.line(stack));
        let line = line.map(|frame| (frame.file.clone(), frame.line));
        let program = found.site.program;
        let place = (line, program, found.call, found.ends.clone(), found.variant);
        match places.get_mut(&place) {
            Some(sum) => sum.add(found),
            None => {
                places.insert(place, found);
            }
        }
    }
    places.into_values().collect()
}

/// What is worth a change; what is not by itself belongs to the largest of its kind that is.
fn worthy(all: Vec<Found>, worth: Worth) -> Vec<Found> {
    let (mut found, less): (Vec<_>, Vec<_>) = all.into_iter().partition(worth);
    for less in less {
        let alike = found.iter_mut().filter(|found| {
            let kind = |found: &Found| (found.site.program, found.call, found.variant);
            kind(found) == kind(&less) && found.ends == less.ends
        });
        if let Some(most) = alike.max_by_key(|found| found.bytes) {
            most.add(less);
        }
    }
    found
}

impl Found {
    fn add(&mut self, other: Self) {
        let sum = |a: &mut u64, b: u64| *a = a.saturating_add(b);
        sum(&mut self.calls, other.calls);
        sum(&mut self.runs, other.runs);
        sum(&mut self.waits, other.waits);
        sum(&mut self.bytes, other.bytes);
        sum(&mut self.time_ns, other.time_ns);
        sum(&mut self.saves_copied, other.saves_copied);
        sum(&mut self.saves_zeroed, other.saves_zeroed);
        sum(&mut self.saves_crossings, other.saves_crossings);
        self.saved = self.saved.max(other.saved);
        self.tried = self.tried.or(other.tried);
        for (names, more) in self.names.iter_mut().zip(other.names) {
            for (name, bytes) in more {
                match names.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, all)) => *all = all.saturating_add(bytes),
                    None => names.push((name, bytes)),
                }
            }
        }
    }

    /// Bytes of a call, on average.
    fn size(&self) -> u64 {
        self.bytes / self.calls.max(1)
    }
}

/// A call of fewer bytes costs more for crossing than for copying.
const SMALL: u64 = 4096;
