//! Reads the first piece only.

use std::fs::File;
use std::io::{Read, Result};

use support::checksum::Checksum;

fn main() -> Result<()> {
    let [path] = support::args();
    let mut buffer = vec![0; 64 * 1024];
    let n = File::open(path)?.read(&mut buffer)?;
    let mut checksum = Checksum::new();
    checksum.add(&buffer[..n]);
    println!("checksum {checksum}");
    Ok(())
}
