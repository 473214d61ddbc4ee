//! What a receiver does at the other end of a pipe or a socket.

use std::io::{Read, Result};

/// Reads to the end, 64 KiB at a time, and prints how much it was and a checksum of it: the order of
/// the bytes counts, too.
pub fn to_the_end(mut from: impl Read) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let (mut bytes, mut checksum) = (0, FNV_START);
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        bytes += n;
        for &byte in &buffer[..n] {
            checksum = (checksum ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        }
    }
    println!("received {bytes} bytes, checksum {checksum:016x}");
    Ok(())
}

/// FNV-1a, 64 bits.
const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x100_0000_01b3;
