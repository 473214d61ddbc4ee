//! Work on bytes that needs the bytes themselves, as encrypting or compressing them would.

/// Adds bytes to a checksum, eight at a time; the order counts.
pub fn add(sum: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let rest = rest.iter().map(|byte| u64::from(*byte));
    words
        .chain(rest)
        .fold(sum, |sum, word| sum.rotate_left(5).wrapping_add(word))
}
