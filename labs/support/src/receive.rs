//! What a receiver does at the other end of a pipe or a socket.

use std::io::{Read, Result};

use crate::checksum::Checksum;

/// Reads to the end, 64 KiB at a time, and prints how much it was and a checksum of it.
pub fn to_the_end(mut from: impl Read) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let (mut bytes, mut checksum) = (0, Checksum::new());
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        bytes += n;
        checksum.add(&buffer[..n]);
    }
    println!("received {bytes} bytes, checksum {checksum}");
    Ok(())
}
