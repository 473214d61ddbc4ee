//! What many calls have in common, kept once.

use std::collections::HashMap;

use bytehop_core::model;

use super::call::{Hop, HopKey};
use super::paged::{Fields, Fixed, Paged};

/// Kinds of hops by number. There are few, so a search from the last hit beats hashing.
#[derive(Default)]
pub struct Keys {
    keys: Vec<HopKey>,
    last: usize,
}

impl Keys {
    /// The number of a hop's kind. From the 65,535th kind on all are that one.
    pub fn number(&mut self, hop: &model::Hop) -> u16 {
        let same = |key: &HopKey| {
            key.kind == hop.kind
                && key.deferred == hop.deferred
                && key.engine == hop.engine
                && key.interrupt == hop.interrupt
                && key.from == hop.from
                && key.to == hop.to
                && key.evidence == hop.evidence
        };
        if !self.keys.get(self.last).is_some_and(same) {
            self.last = match self.keys.iter().position(same) {
                Some(at) => at,
                None if self.keys.len() < usize::from(u16::MAX) => {
                    self.keys.push(HopKey {
                        kind: hop.kind,
                        from: hop.from.clone(),
                        to: hop.to.clone(),
                        evidence: hop.evidence,
                        deferred: hop.deferred,
                        engine: hop.engine,
                        interrupt: hop.interrupt,
                    });
                    self.keys.len() - 1
                }
                None => self.keys.len() - 1,
            };
        }
        self.last as u16
    }

    pub fn get(&self, number: u16) -> Option<&HopKey> {
        self.keys.get(usize::from(number))
    }

    pub fn all(&self) -> &[HopKey] {
        &self.keys
    }
}

/// Lists of hops by number. List 0 is empty.
pub struct Lists {
    hops: Paged<Hop>,
    spans: Paged<Span>,
    known: HashMap<Box<[Hop]>, u32>,
    shapes: HashMap<Box<[u16]>, u32>,
    next_shape: u32,
    kinds: Vec<u16>,
}

/// A list of hops.
#[derive(Clone, Copy)]
struct Span {
    /// Where it begins in `hops`.
    start: u64,
    len: u32,
    /// Lists with hops of the same kinds have the same.
    shape: u32,
}

impl Fixed for Span {
    const SIZE: usize = 16;

    fn put(&self, to: &mut Vec<u8>) {
        to.extend(self.start.to_le_bytes());
        to.extend(self.len.to_le_bytes());
        to.extend(self.shape.to_le_bytes());
    }

    fn get(from: &mut Fields<'_>) -> Self {
        Self {
            start: from.u64(),
            len: from.u32(),
            shape: from.u32(),
        }
    }
}

impl Default for Lists {
    fn default() -> Self {
        let mut lists = Self {
            hops: Paged::default(),
            spans: Paged::default(),
            known: HashMap::new(),
            shapes: HashMap::new(),
            next_shape: 0,
            kinds: Vec::new(),
        };
        lists.number(&[]);
        lists
    }
}

impl Lists {
    /// Lists and shapes that are looked for again, and hops of such a list; others are kept as often
    /// as they come.
    const KNOWN_MAX: usize = 1 << 15;
    const KNOWN_HOPS: usize = 32;

    pub fn number(&mut self, list: &[Hop]) -> u32 {
        if let Some(number) = self.known.get(list) {
            return *number;
        }
        let number = self.spans.len() as u32;
        self.kinds.clear();
        self.kinds.extend(list.iter().map(|hop| hop.key));
        let shape = match self.shapes.get(self.kinds.as_slice()) {
            Some(shape) => *shape,
            None => {
                let shape = self.next_shape;
                self.next_shape += 1;
                if self.shapes.len() < Self::KNOWN_MAX && self.kinds.len() <= Self::KNOWN_HOPS {
                    self.shapes
                        .insert(self.kinds.clone().into_boxed_slice(), shape);
                }
                shape
            }
        };
        self.spans.push(Span {
            start: self.hops.len() as u64,
            len: list.len() as u32,
            shape,
        });
        for hop in list {
            self.hops.push(*hop);
        }
        // Measured times make a list unlike any other.
        if self.known.len() < Self::KNOWN_MAX
            && list.len() <= Self::KNOWN_HOPS
            && list.iter().all(|hop| hop.dur == 0)
        {
            self.known.insert(list.into(), number);
        }
        number
    }

    /// The hops of a list, one by one.
    pub fn hops(&self, number: u32) -> impl Iterator<Item = Hop> {
        let span = self.spans.get(number as usize);
        let (start, len) = span.map_or((0, 0), |span| (span.start as usize, span.len as usize));
        (start..start + len).filter_map(|index| self.hops.get(index))
    }

    pub fn is_empty(&self, number: u32) -> bool {
        self.spans
            .get(number as usize)
            .is_none_or(|span| span.len == 0)
    }

    pub fn shape(&self, number: u32) -> Option<u32> {
        self.spans.get(number as usize).map(|span| span.shape)
    }

    /// Nothing more will be added.
    pub fn freeze(&mut self) {
        self.known = HashMap::new();
        self.shapes = HashMap::new();
    }
}
