//! Lanes of the timeline: who was busy when, as the part of each column's time.

use std::collections::HashMap;

use bytehop_core::event::Engine;
use bytehop_core::model::Place;

use crate::store::{Store, What};

/// Who is busy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    User,
    Kernel,
    Waiting,
    /// Hops that ran outside the call that caused them.
    Later,
    Device(String, Option<Engine>),
}

/// One lane: how busy in each column, in eighths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub who: Who,
    pub busy: Vec<u8>,
}

/// What lanes are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanesWish {
    /// The time shown, ns.
    pub window: (u64, u64),
    pub columns: u16,
    /// Calls that there were when the time was looked at.
    pub calls: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lanes {
    pub lanes: Vec<Lane>,
    /// Only every so many calls are drawn.
    pub step: usize,
    wish: Option<LanesWish>,
}

/// Calls looked at for one picture.
const CALLS_MAX: usize = 20_000;
/// Devices with a lane.
const DEVICES_MAX: usize = 8;

impl Lanes {
    /// Makes the lanes anew if what is wanted has changed.
    pub fn fit(&mut self, store: &Store, wish: Option<LanesWish>) {
        if let Some(wish) = wish.filter(|wish| self.wish != Some(*wish)) {
            *self = Self::new(store, wish);
        }
    }

    fn new(store: &Store, wish: LanesWish) -> Self {
        let (from, to) = wish.window;
        let mut scale = Scale {
            from,
            column: (to.saturating_sub(from).max(1)) as f64 / f64::from(wish.columns.max(1)),
            columns: usize::from(wish.columns),
            lanes: HashMap::new(),
        };
        for who in [Who::User, Who::Kernel] {
            scale.add(who, 0, 0);
        }
        // Calls stand in the order of their ends: some before and after may reach into the window.
        const MARGIN: usize = 256;
        let first = first_at(store, from).saturating_sub(MARGIN);
        let last = (first_at(store, to) + MARGIN).min(store.len());
        let step = (last - first).div_ceil(CALLS_MAX).max(1);
        let mut ends: HashMap<u32, u64> = HashMap::new();
        for index in (first..last).step_by(step) {
            let Some(call) = store.call(index) else { break };
            let Some(sig) = store.sig(&call) else {
                continue;
            };
            let end = call.ts.saturating_add(u64::from(call.dur));
            if sig.what != What::Later {
                let waited = u64::from(call.waited).min(u64::from(call.dur));
                if step == 1
                    && let Some(before) = ends.insert(sig.tid, end)
                {
                    scale.add(Who::User, before, call.ts);
                }
                // When in the call it waited is not kept: shown at its end, where most calls do.
                scale.add(
                    Who::Kernel,
                    call.ts,
                    (end - waited).max(call.ts.saturating_add(1)),
                );
                if waited > 0 {
                    scale.add(Who::Waiting, end - waited, end);
                }
            }
            for hop in store.hops(index) {
                let Some(key) = store.key(&hop) else { continue };
                let begin = call.ts.saturating_add(u64::from(hop.after));
                let end = begin.saturating_add(u64::from(hop.dur).max(1));
                if key.deferred {
                    scale.add(Who::Later, begin, end);
                }
                for place in [&key.from, &key.to] {
                    if let Place::Device(name) | Place::Nic(name) = place {
                        scale.add(Who::Device(name.clone(), key.engine), begin, end);
                    }
                }
            }
        }
        let mut lanes: Vec<Lane> = scale.finish();
        lanes.sort_by(|a, b| a.who.cmp(&b.who));
        Self {
            lanes,
            step,
            wish: Some(wish),
        }
    }
}

/// The first call, in order, that began at or after a time.
fn first_at(store: &Store, time: u64) -> usize {
    let (mut low, mut high) = (0, store.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match store.call(middle) {
            Some(call) if call.ts < time => low = middle + 1,
            _ => high = middle,
        }
    }
    low
}

/// Adds up busy time by column.
struct Scale {
    from: u64,
    column: f64,
    columns: usize,
    lanes: HashMap<Who, Vec<f64>>,
}

impl std::hash::Hash for Who {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        if let Self::Device(name, _) = self {
            name.hash(state);
        }
    }
}

impl Scale {
    fn add(&mut self, who: Who, begin: u64, end: u64) {
        let known = self.lanes.contains_key(&who);
        if !known && matches!(who, Who::Device(..)) {
            let devices = self
                .lanes
                .keys()
                .filter(|who| matches!(who, Who::Device(..)));
            if devices.count() >= DEVICES_MAX {
                return;
            }
        }
        let columns = self.columns;
        let lane = self.lanes.entry(who).or_insert_with(|| vec![0.0; columns]);
        if end <= begin || end <= self.from {
            return;
        }
        let at = |time: u64| time.saturating_sub(self.from) as f64 / self.column;
        let (first, last) = (at(begin), at(end).min(columns as f64));
        let mut column = first as usize;
        while column < columns && (column as f64) < last {
            let left = first.max(column as f64);
            let right = last.min(column as f64 + 1.0);
            lane[column] += (right - left).max(0.0);
            column += 1;
        }
    }

    fn finish(self) -> Vec<Lane> {
        let eighths = |busy: f64| match busy {
            0.0 => 0,
            busy => ((busy * 8.0).round() as u8).clamp(1, 8),
        };
        let lanes = self.lanes.into_iter();
        let lanes = lanes.map(|(who, busy)| Lane {
            who,
            busy: busy.into_iter().map(eighths).collect(),
        });
        lanes.collect()
    }
}

/// The call that began last at or before a time.
pub fn call_at(store: &Store, time: u64) -> usize {
    first_at(store, time.saturating_add(1)).saturating_sub(1)
}
