//! Reads a file twice, the ordinary way.

use std::fs::File;
use std::io::{Read, Result, Seek};

use support::{checksum::Checksum, memory};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let buffer = memory::anonymous(64 * 1024)?;

    let mut checksum = Checksum::new();
    for _ in 0..2 {
        file.rewind()?;
        loop {
            let n = file.read(buffer)?;
            if n == 0 {
                break;
            }
            checksum.add(&buffer[..n]);
        }
    }
    println!("{checksum}");
    Ok(())
}
