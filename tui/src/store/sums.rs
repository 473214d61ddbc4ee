//! What was done up to a call: sums kept for every so many calls, the rest added up when asked for.

use super::call::Hop;

/// Bytes and operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub bytes: u64,
    pub count: u64,
}

/// Sums over some calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// System calls and page faults together.
    pub calls: u64,
    /// By the index of the hop's kind; shorter than the list of kinds if the last ones have none.
    pub by_key: Vec<Amount>,
}

impl Sums {
    pub fn add(&mut self, crosses: bool, hops: impl IntoIterator<Item = Hop>) {
        self.calls += u64::from(crosses);
        for hop in hops {
            let key = usize::from(hop.key);
            if self.by_key.len() <= key {
                self.by_key.resize(key + 1, Amount::default());
            }
            if let Some(sum) = self.by_key.get_mut(key) {
                sum.bytes = sum.bytes.saturating_add(hop.bytes);
                sum.count = sum.count.saturating_add(u64::from(hop.count));
            }
        }
    }

    pub fn of(&self, key: usize) -> Amount {
        self.by_key.get(key).copied().unwrap_or_default()
    }

    /// Changes of privilege level: two for each call and fault.
    pub fn crossings(&self) -> u64 {
        2 * self.calls
    }
}

/// Sums before the calls 0, [`EVERY`], 2 × [`EVERY`] …
#[derive(Default)]
pub struct Prefix {
    marks: Vec<Sums>,
    running: Sums,
    seen: usize,
}

const EVERY: usize = 2048;

impl Prefix {
    /// Takes the next call.
    pub fn push(&mut self, crosses: bool, hops: impl IntoIterator<Item = Hop>) {
        if self.seen.is_multiple_of(EVERY) {
            self.marks.push(self.running.clone());
        }
        self.running.add(crosses, hops);
        self.seen += 1;
    }

    /// The sums before some call, and that call: `index` or a little before it.
    pub fn before(&self, index: usize) -> (Sums, usize) {
        let sums = self.marks.get(index / EVERY).cloned().unwrap_or_default();
        (sums, index / EVERY * EVERY)
    }

    /// The sums over all.
    pub fn all(&self) -> &Sums {
        &self.running
    }
}
