//! Larger pieces: fewer calls, the same copies.

use std::fs::File;
use std::io::{Read, Result};

use support::checksum::Checksum;

fn main() -> Result<()> {
    let [path] = support::args();
    let mut source = File::open(path)?;
    let mut checksum = Checksum::new();
    let mut buffer = vec![0; 1024 * 1024];
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
