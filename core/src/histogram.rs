//! Sizes and times by the power of two that they reach.

use serde::Serialize;

/// Sizes or times, by the power of two that they reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram(Vec<u64>);

impl Histogram {
    pub const EMPTY: Self = Self(Vec::new());

    #[inline]
    pub fn add(&mut self, value: u64) {
        let bucket = (u64::BITS - value.leading_zeros()) as usize;
        if self.0.len() <= bucket {
            self.0.resize(bucket + 1, 0);
        }
        self.0[bucket] += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each bucket that has any: its least value (it ends before twice that; 0 has one of its own), and how many.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let all = self.0.iter().enumerate().filter(|(_, n)| **n > 0);
        all.map(|(bucket, n)| (bucket.checked_sub(1).map_or(0, |log| 1 << log), *n))
    }
}

impl Serialize for Histogram {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Bucket {
            from: u64,
            count: u64,
        }
        s.collect_seq(self.buckets().map(|(from, count)| Bucket { from, count }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_powers_of_two() {
        let mut histogram = Histogram::default();
        for value in [0, 0, 1, 2, 3, 4095, 4096, 8191, u64::MAX] {
            histogram.add(value);
        }
        let buckets: Vec<_> = histogram.buckets().collect();
        assert_eq!(
            buckets,
            [(0, 2), (1, 1), (2, 2), (2048, 1), (4096, 2), (1 << 63, 1)]
        );
    }
}
