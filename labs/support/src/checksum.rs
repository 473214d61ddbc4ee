//! A checksum: to compare what programs got, and because it needs the bytes themselves, as encrypting
//! or compressing them would.

use std::fmt;

/// Eight bytes at a time; their order counts, in which pieces they come does not.
#[derive(Default)]
pub struct Checksum {
    sum: u64,
    /// Bytes that are not yet eight.
    rest: [u8; 8],
    len: usize,
}

impl Checksum {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn add(&mut self, mut bytes: &[u8]) {
        if self.len > 0 {
            let n = bytes.len().min(8 - self.len);
            self.rest[self.len..][..n].copy_from_slice(&bytes[..n]);
            self.len += n;
            bytes = &bytes[n..];
            if self.len < 8 {
                return;
            }
            self.sum = with(self.sum, &self.rest);
        }
        let (words, rest) = bytes.as_chunks::<8>();
        self.sum = words.iter().fold(self.sum, with);
        self.len = rest.len();
        self.rest[..rest.len()].copy_from_slice(rest);
    }
}

fn with(sum: u64, word: &[u8; 8]) -> u64 {
    sum.rotate_left(5).wrapping_add(u64::from_le_bytes(*word))
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = [0; 8];
        last[..self.len].copy_from_slice(&self.rest[..self.len]);
        write!(f, "{:016x}", with(self.sum, &last))
    }
}

#[cfg(test)]
mod tests {
    use super::Checksum;

    fn of(pieces: &[&[u8]]) -> String {
        let mut checksum = Checksum::new();
        pieces.iter().for_each(|piece| checksum.add(piece));
        checksum.to_string()
    }

    #[test]
    fn pieces_do_not_count_and_order_does() {
        let bytes: Vec<u8> = (0..100).collect();
        let whole = of(&[&bytes]);
        for cut in [1, 7, 8, 9, 63] {
            let pieces: Vec<&[u8]> = bytes.chunks(cut).collect();
            assert_eq!(of(&pieces), whole, "{cut}");
        }
        assert_ne!(of(&[&bytes[50..], &bytes[..50]]), whole);
    }
}
