//! The checksums of what blocks claim to store, in time linear in the file.
//!
//! A damaged file may claim anything: a header every 64 bytes, each with 16 MiB behind it. Summing up each
//! claim by itself would read the same bytes a quarter of a million times. So the first claim that turns out wrong is
//! paid once; within what it read, the sum of any stretch is put together from sums over fixed steps:
//! CRC-32 is linear, and the sum of `a` followed by `b` is that of `a`, moved by the length of `b`, XOR that of `b`.

use crc32fast::Hasher;

/// Sums are kept every so many bytes of the file.
const STEP: u64 = 1024;

#[derive(Default)]
pub(super) struct Checks {
    /// Up to here the file has been read for claims that were wrong.
    paid: u64,
    /// Where the first sum begins, in the file.
    base: u64,
    /// Sums from `base` on, up to each multiple of [`STEP`]; the first is that of nothing.
    sums: Vec<u32>,
    /// Bytes that were summed up.
    #[cfg(test)]
    pub work: u64,
}

impl Checks {
    /// Whether the CRC-32 of `bytes`, which stand at `offset` in the file, is `crc`. Offsets never go
    /// back, but for [`Self::restart`].
    pub fn hold(&mut self, offset: u64, bytes: &[u8], crc: u32) -> bool {
        if offset < self.paid
            && let Some(sum) = self.put_together(offset, bytes)
        {
            return sum == crc;
        }
        let right = self.sum(0, bytes) == crc;
        if !right {
            self.remember(offset, bytes);
        }
        right
    }

    /// The file is read from another place on.
    pub fn restart(&mut self) {
        self.paid = 0;
    }

    /// Begins anew with the steps of `bytes`.
    fn remember(&mut self, offset: u64, bytes: &[u8]) {
        (self.base, self.paid) = (offset, offset + bytes.len() as u64);
        self.sums.clear();
        self.sums.push(0);
        for step in bytes.chunks_exact(STEP as usize) {
            self.add_step(step);
        }
    }

    fn add_step(&mut self, bytes: &[u8]) {
        let before = self.sums.last().copied().unwrap_or_default();
        let sum = self.sum(before, bytes);
        self.sums.push(sum);
    }

    /// The sum of `bytes`; `None` if what lies between the last sum and them was not remembered.
    fn put_together(&mut self, offset: u64, bytes: &[u8]) -> Option<u32> {
        let end = offset + bytes.len() as u64;
        let first = (offset - self.base).div_ceil(STEP);
        let last = (end - self.base) / STEP;
        if first >= last {
            return Some(self.sum(0, bytes));
        }
        let at = |step: u64| usize::try_from((self.base + step * STEP).checked_sub(offset)?).ok();
        let (begin, rest) = (at(first)?, at(last)?);
        let known = self.sums.len() as u64 - 1;
        if known < last {
            let new = bytes.get(at(known)?..rest)?;
            for step in new.chunks_exact(STEP as usize) {
                self.add_step(step);
            }
        }
        self.paid = self.paid.max(end);
        let of = |step: u64| self.sums.get(usize::try_from(step).ok()?).copied();
        let (before, after) = (of(first)?, of(last)?);
        let head = self.sum(0, bytes.get(..begin)?);
        let whole = self.sum(after, bytes.get(rest..)?);
        Some(whole ^ moved(head ^ before, (bytes.len() - begin) as u64))
    }

    /// Goes on from the sum `before`.
    fn sum(&mut self, before: u32, bytes: &[u8]) -> u32 {
        #[cfg(test)]
        {
            self.work += bytes.len() as u64;
        }
        let mut hasher = Hasher::new_with_initial(before);
        hasher.update(bytes);
        hasher.finalize()
    }
}

/// What a sum becomes when `len` bytes follow, but for those bytes' own sum.
fn moved(crc: u32, len: u64) -> u32 {
    let mut hasher = Hasher::new_with_initial(crc);
    hasher.combine(&Hasher::new_with_initial_len(0, len));
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is claimed, in whatever order, the sums are those of the bytes.
    #[test]
    fn put_together_they_are_what_they_are_at_once() {
        let mut noise = 7u64;
        let mut random = |below: usize| {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (noise >> 33) as usize % below
        };
        let file: Vec<u8> = (0..40_000).map(|_| random(256) as u8).collect();
        for _ in 0..200 {
            let mut checks = Checks::default();
            let mut offset = random(3000);
            while offset < file.len() {
                let len = match random(3) {
                    0 => random(500),
                    1 => random(4000),
                    _ => file.len(),
                };
                let bytes = &file[offset..file.len().min(offset + len)];
                let crc = crc32fast::hash(bytes);
                assert!(!checks.hold(offset as u64, bytes, !crc));
                assert!(checks.hold(offset as u64, bytes, crc));
                let far = [100, 3000][random(2)];
                offset += 1 + random(far);
            }
        }
    }
}
