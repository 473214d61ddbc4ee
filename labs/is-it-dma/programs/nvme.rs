//! Reads all of something, once, and prints a checksum. It doesn't care
//! what it reads: a file on a disk, a file in memory, or a whole device.

use std::fs::File;
use std::io::{Read, Result};

use support::checksum::Checksum;

fn main() -> Result<()> {
    let [path] = support::args();
    let mut source = File::open(path)?;
    let mut checksum = Checksum::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = source.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        checksum.add(&buffer[..n]);
    }
    println!("checksum {checksum}");
    Ok(())
}
