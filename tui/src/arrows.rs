//! The arrows of the path view: hops of one kind between the same two places, taken together.

use bytehop_core::event::Engine;
use bytehop_core::model::{Evidence, HopKind, HopRow, Place};

use crate::store::{Amount, Hop, HopKey, Store, Sums};

/// How the hops of an arrow are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Measured,
    Inferred,
    /// Some so, some so.
    Both,
}

/// Whether they ran later than their call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    No,
    Partly,
    All,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    pub kind: HopKind,
    pub from: Place,
    pub to: Place,
    pub known: Known,
    pub later: Later,
    pub engine: Option<Engine>,
    /// Indices of the [`HopKey`]s that it stands for.
    keys: Vec<u16>,
}

/// A part of the machine: a band of the path view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    User,
    Kernel,
    Devices,
}

/// Where a place stands.
pub fn band(place: &Place) -> Band {
    match place {
        Place::User => Band::User,
        Place::Device(_) | Place::Nic(_) => Band::Devices,
        _ => Band::Kernel,
    }
}

impl Arrow {
    fn of(index: u16, key: &HopKey) -> Self {
        Self {
            kind: key.kind,
            from: key.from.clone(),
            to: key.to.clone(),
            known: known(&key.evidence),
            later: later(key.deferred),
            engine: key.engine,
            keys: vec![index],
        }
    }

    fn holds(&self, key: &HopKey) -> bool {
        self.kind == key.kind && self.from == key.from && self.to == key.to
    }

    fn join(&mut self, index: u16, key: &HopKey) {
        self.keys.push(index);
        self.merge(known(&key.evidence), later(key.deferred));
    }

    fn merge(&mut self, known: Known, later: Later) {
        if self.known != known {
            self.known = Known::Both;
        }
        if self.later != later {
            self.later = Later::Partly;
        }
    }

    /// Whether another arrow goes the same way.
    pub fn is_way_of(&self, other: &Self) -> bool {
        (self.kind, &self.from, &self.to) == (other.kind, &other.from, &other.to)
    }

    /// Whether it stands for this hop.
    pub fn is_of(&self, hop: &Hop) -> bool {
        self.keys.contains(&hop.key)
    }

    /// Its part of some sums.
    pub fn amount(&self, sums: &Sums) -> Amount {
        let mut all = Amount::default();
        for key in &self.keys {
            let one = sums.of(usize::from(*key));
            all.bytes = all.bytes.saturating_add(one.bytes);
            all.count = all.count.saturating_add(one.count);
        }
        all
    }
}

/// The arrows of a summary's hops, with what each counts, in the same order as [`arrows`].
pub fn of_rows(rows: &[HopRow]) -> (Vec<Arrow>, Vec<Amount>) {
    let mut all: Vec<(Arrow, Amount)> = Vec::new();
    for row in rows {
        let amount = Amount {
            bytes: row.bytes,
            count: row.count,
        };
        let measured = matches!(row.evidence, Evidence::Measured(_));
        let arrow = Arrow {
            kind: row.kind,
            from: row.from.clone(),
            to: row.to.clone(),
            known: if measured {
                Known::Measured
            } else {
                Known::Inferred
            },
            later: later(row.deferred),
            engine: row.engine,
            keys: Vec::new(),
        };
        let same = |(a, _): &&mut (Arrow, Amount)| {
            (a.kind, &a.from, &a.to) == (arrow.kind, &arrow.from, &arrow.to)
        };
        match all.iter_mut().find(same) {
            Some((known, sum)) => {
                known.merge(arrow.known, arrow.later);
                sum.bytes = sum.bytes.saturating_add(amount.bytes);
                sum.count = sum.count.saturating_add(amount.count);
            }
            None => all.push((arrow, amount)),
        }
    }
    all.sort_by(|(a, _), (b, _)| (a.kind, &a.from, &a.to).cmp(&(b.kind, &b.from, &b.to)));
    all.into_iter().unzip()
}

fn known(evidence: &Evidence) -> Known {
    match evidence {
        Evidence::Measured(_) => Known::Measured,
        Evidence::Inferred(_) | Evidence::Estimated(_) => Known::Inferred,
    }
}

fn later(deferred: bool) -> Later {
    if deferred { Later::All } else { Later::No }
}

/// All arrows of a trace that are in `sums`, in a fixed order.
pub fn arrows(store: &Store, sums: &Sums) -> Vec<Arrow> {
    let mut arrows: Vec<Arrow> = Vec::new();
    for (index, key) in (0u16..).zip(store.keys()) {
        if sums.of(usize::from(index)).count == 0 && sums.of(usize::from(index)).bytes == 0 {
            continue;
        }
        match arrows.iter_mut().find(|arrow| arrow.holds(key)) {
            Some(arrow) => arrow.join(index, key),
            None => arrows.push(Arrow::of(index, key)),
        }
    }
    arrows.sort_by(|a, b| (a.kind, &a.from, &a.to).cmp(&(b.kind, &b.from, &b.to)));
    arrows
}
