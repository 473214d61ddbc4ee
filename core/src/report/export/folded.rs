//! Stacks, each with the bytes that the CPU copied in the kernel for calls from there: what flame graphs are made of.
//!
//! A line is frames from the outermost to the call, with `;` between them, then a space and the bytes. The
//! bytes of all lines are those of the `copy` rows of the summary.

use std::collections::{BTreeMap, HashMap};

use super::printable;
use crate::annotate::Stacks;
use crate::event::{CalledFrom, Frame, Meta, Source};
use crate::model::{CallId, Hop, HopKind};
use crate::reconstruct::{Call, Sink, What};

/// Stands where a stack is not in the recording.
const UNKNOWN: &str = "[stack not recorded]";
/// The call of what ran later.
const LATER: &str = "[later]";
const FAULT: &str = "[page fault]";

/// Adds up while a trace is read.
#[derive(Default)]
pub struct Folded {
    stacks: Stacks,
    sources: HashMap<u64, Source>,
    /// By stack and call.
    bytes: HashMap<(Option<u64>, String), u64>,
}

impl Folded {
    fn add(&mut self, call: CallId, name: &str, hops: &[Hop]) {
        let copies = hops.iter().filter(|hop| hop.kind == HopKind::Copy);
        let bytes = copies.fold(0u64, |sum, hop| sum.saturating_add(hop.bytes));
        if bytes > 0 {
            let key = (self.stacks.of(call), name.to_owned());
            let sum = self.bytes.entry(key).or_default();
            *sum = sum.saturating_add(bytes);
        }
    }

    /// The lines, in order.
    pub fn finish(&self) -> String {
        let mut lines: BTreeMap<String, u64> = BTreeMap::new();
        for ((stack, call), bytes) in &self.bytes {
            let source = stack.and_then(|id| self.sources.get(&id));
            let mut line = match source {
                Some(source) if !source.frames.is_empty() => {
                    let frames: Vec<String> = source.frames.iter().rev().map(frame).collect();
                    frames.join(";")
                }
                _ => UNKNOWN.to_owned(),
            };
            line.push(';');
            line += &clean(call);
            let sum = lines.entry(line).or_default();
            *sum = sum.saturating_add(*bytes);
        }
        lines
            .iter()
            .map(|(stack, bytes)| format!("{stack} {bytes}\n"))
            .collect()
    }
}

impl Sink for Folded {
    fn call(&mut self, call: &Call<'_>, hops: &[Hop]) {
        match call.what {
            What::Syscall { name, .. } => self.add(call.id, name, hops),
            What::Fault { .. } => self.add(call.id, FAULT, hops),
        }
    }

    fn late_hop(&mut self, call: CallId, hop: &Hop) {
        self.add(call, LATER, std::slice::from_ref(hop));
    }

    fn called_from(&mut self, from: &CalledFrom) {
        self.stacks.learn(from);
    }

    fn meta(&mut self, meta: &Meta) {
        if let Meta::Source(source) = meta {
            self.sources.insert(source.id, source.clone());
        }
    }
}

/// The function; without one its file, or where it is.
fn frame(frame: &Frame) -> String {
    let name = match (&*frame.function, &*frame.module) {
        ("", "") => "[unknown]",
        ("", module) => module,
        (function, _) => function,
    };
    clean(name)
}

/// `;` ends a frame, and a line end the stack.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            ';' => ':',
            c if printable(c) => c,
            _ => '\u{fffd}',
        })
        .collect()
}
