//! What many calls have in common, kept once.

use std::collections::HashMap;

use tracer::model;

use super::{Hop, HopKey};

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
                        evidence: hop.evidence.clone(),
                        deferred: hop.deferred,
                        engine: hop.engine,
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
    hops: Vec<Hop>,
    /// Where each list begins in `hops`, how long it is, and its shape: lists with hops of the same
    /// kinds have the same.
    spans: Vec<(u32, u32, u32)>,
    known: HashMap<Box<[Hop]>, u32>,
    shapes: HashMap<Box<[u16]>, u32>,
    kinds: Vec<u16>,
}

impl Default for Lists {
    fn default() -> Self {
        let mut lists = Self {
            hops: Vec::new(),
            spans: Vec::new(),
            known: HashMap::new(),
            shapes: HashMap::new(),
            kinds: Vec::new(),
        };
        lists.number(&[]);
        lists
    }
}

impl Lists {
    /// Lists that are looked for again; later ones are kept as often as they come.
    const KNOWN_MAX: usize = 1 << 16;

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
                let shape = self.shapes.len() as u32;
                self.shapes
                    .insert(self.kinds.clone().into_boxed_slice(), shape);
                shape
            }
        };
        self.spans
            .push((self.hops.len() as u32, list.len() as u32, shape));
        self.hops.extend_from_slice(list);
        // Measured times make a list unlike any other.
        if self.known.len() < Self::KNOWN_MAX && list.iter().all(|hop| hop.dur == 0) {
            self.known.insert(list.into(), number);
        }
        number
    }

    pub fn get(&self, number: u32) -> &[Hop] {
        let span = self.spans.get(number as usize);
        let list = span.and_then(|&(start, len, _)| {
            let start = start as usize;
            self.hops.get(start..start + len as usize)
        });
        list.unwrap_or_default()
    }

    pub fn shape(&self, number: u32) -> Option<u32> {
        self.spans.get(number as usize).map(|span| span.2)
    }

    /// Nothing more will be added.
    pub fn freeze(&mut self) {
        self.known = HashMap::new();
        self.shapes = HashMap::new();
        self.hops.shrink_to_fit();
        self.spans.shrink_to_fit();
    }
}
