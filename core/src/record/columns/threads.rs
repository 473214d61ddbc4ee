//! The threads of a block: what the next head of each is predicted from.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// What the next head of a thread is predicted from.
#[derive(Clone, Copy, Default)]
pub struct Thread {
    pub tgid: u32,
    pub seq: u32,
    /// When its last record, or the call that this tells of, ended.
    pub end: u64,
}

/// Threads by their ids. Mostly the next record is of the same thread, which is asked for first.
#[derive(Default)]
pub struct Threads {
    all: Vec<Thread>,
    places: HashMap<u32, u32, Seeded>,
    last: u32,
    at: usize,
}

impl Threads {
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Of a new block.
    pub fn clear(&mut self) {
        // What a large block left behind is not cleared again for every small one.
        if self.places.capacity() > 1024 {
            self.places = HashMap::default();
        }
        self.places.clear();
        self.all.clear();
        self.at = 0;
    }

    /// The thread; `first` if this block has had none of this id.
    #[inline]
    pub fn of(&mut self, tid: u32, first: Thread) -> &mut Thread {
        if tid != self.last || self.at >= self.all.len() {
            self.find(tid, first);
        }
        &mut self.all[self.at]
    }

    #[inline(never)]
    fn find(&mut self, tid: u32, first: Thread) {
        // A block has fewer records than there are numbers.
        let next = self.all.len() as u32;
        let place = *self.places.entry(tid).or_insert(next);
        if place == next {
            self.all.push(first);
        }
        (self.last, self.at) = (tid, place as usize);
    }
}

/// Hashes thread ids by one multiplication. Its numbers are drawn for each table: no file can have been made to
/// have all of its threads in one place.
struct Seeded {
    plus: u64,
    times: u64,
}

impl Default for Seeded {
    fn default() -> Self {
        let random = RandomState::new();
        Self {
            plus: random.hash_one(0),
            times: random.hash_one(1) | 1,
        }
    }
}

impl BuildHasher for Seeded {
    type Hasher = Product;

    #[inline]
    fn build_hasher(&self) -> Product {
        Product {
            sum: self.plus,
            times: self.times,
        }
    }
}

struct Product {
    sum: u64,
    times: u64,
}

impl Hasher for Product {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32((*byte).into());
        }
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        let product = u128::from(self.sum ^ u64::from(number)) * u128::from(self.times);
        self.sum = product as u64 ^ (product >> 64) as u64;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_is_its_own_in_every_block() {
        let mut threads = Threads::default();
        for block in 0..3 {
            threads.clear();
            let first = Thread::default();
            // 0 is the id of none, and an id as others.
            for tid in [0, 7, 7, 0, 9, 7, u32::MAX, 9] {
                let thread = threads.of(tid, first);
                thread.seq += 1;
                thread.tgid = tid;
            }
            assert_eq!(threads.len(), 4, "block {block}");
            for (tid, seq) in [(0, 2), (7, 3), (9, 2), (u32::MAX, 1)] {
                let thread = threads.of(tid, first);
                assert_eq!((thread.tgid, thread.seq), (tid, seq), "block {block}");
            }
        }
    }
}
