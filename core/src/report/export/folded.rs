//! Stacks, each with what was done for calls from there: what flame graphs are made of.
//!
//! A line is frames from the outermost to the call, with `;` between them, then a space and the [`Weight`]. The
//! weights of all lines are those of the summary: of its `copy` rows, of its `dma` rows without those of software
//! devices, or of the times of its calls.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use super::printable;
use crate::annotate::Stacks;
use crate::event::{CalledFrom, Engine, Frame, Meta, Source};
use crate::model::{CallId, Hop, HopKind};
use crate::reconstruct::{Call, Sink, What};

/// Stands where a stack is not in the recording.
const UNKNOWN: &str = "[stack not recorded]";
/// The call of what ran later.
const LATER: &str = "[later]";
const FAULT: &str = "[page fault]";

/// What is added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weight {
    /// Bytes that the CPU copied in the kernel.
    #[default]
    Copied,
    /// Bytes that devices moved.
    Dma,
    /// Time from the entries of calls to their exits, ns; page faults have none measured.
    Time,
}

impl Weight {
    /// Each with its name.
    pub const ALL: [(&str, Self); 3] = [
        ("copied", Self::Copied),
        ("dma", Self::Dma),
        ("time", Self::Time),
    ];

    /// Bytes of a hop.
    fn of(self, hop: &Hop) -> u64 {
        let counts = match self {
            Self::Copied => hop.kind == HopKind::Copy,
            // A CPU does the work of a device that is only software.
            Self::Dma => hop.kind == HopKind::Dma && hop.engine != Some(Engine::Software),
            Self::Time => false,
        };
        if counts { hop.bytes } else { 0 }
    }
}

/// `--weight` names nothing that stacks can be weighted by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownWeight(pub String);

crate::says! { UnknownWeight, lang:
    Self(name) => "unknown weight '{name}': copied, dma or time" | "未知的权重“{name}”：可用 copied、dma 或 time";
}

impl FromStr for Weight {
    type Err = UnknownWeight;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().find(|(name, _)| *name == text);
        known
            .map(|(_, weight)| *weight)
            .ok_or_else(|| UnknownWeight(text.to_owned()))
    }
}

/// Adds up while a trace is read.
#[derive(Default)]
pub struct Folded {
    weight: Weight,
    stacks: Stacks,
    sources: HashMap<u64, Source>,
    /// By stack and call.
    sums: HashMap<(Option<u64>, String), u64>,
}

impl Folded {
    pub fn new(weight: Weight) -> Self {
        Self {
            weight,
            ..Self::default()
        }
    }

    fn add(&mut self, call: CallId, name: &str, time: u64, hops: &[Hop]) {
        let bytes = hops.iter().map(|hop| self.weight.of(hop));
        let time = if self.weight == Weight::Time { time } else { 0 };
        let sum = bytes.fold(time, u64::saturating_add);
        if sum > 0 {
            let key = (self.stacks.of(call), name.to_owned());
            let all = self.sums.entry(key).or_default();
            *all = all.saturating_add(sum);
        }
    }

    pub fn weight(&self) -> Weight {
        self.weight
    }

    /// Whether the recording holds any stack.
    pub fn has_stacks(&self) -> bool {
        !self.sources.is_empty()
    }

    /// The lines, in order.
    pub fn finish(&self) -> String {
        let lines = self.lines();
        let lines = lines.iter();
        lines
            .map(|(stack, sum)| format!("{stack} {sum}\n"))
            .collect()
    }

    /// Stacks with their weights.
    pub fn lines(&self) -> BTreeMap<String, u64> {
        let mut lines = BTreeMap::<String, u64>::new();
        for ((stack, call), sum) in &self.sums {
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
            let all = lines.entry(line).or_default();
            *all = all.saturating_add(*sum);
        }
        lines
    }
}

impl Sink for Folded {
    fn call(&mut self, call: &Call<'_>, hops: &[Hop]) {
        match call.what {
            What::Syscall { name, .. } => self.add(call.id, name, call.dur, hops),
            What::Fault { .. } => self.add(call.id, FAULT, 0, hops),
        }
    }

    fn late_hop(&mut self, call: CallId, hop: &Hop) {
        self.add(call, LATER, 0, std::slice::from_ref(hop));
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
