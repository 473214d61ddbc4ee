//! Reads a file, and then reads it again.

use std::fs::File;
use std::io::{Read, Result, Seek};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let mut buffer = vec![0; 64 * 1024];

    for _ in 0..2 {
        file.rewind()?;
        while file.read(&mut buffer)? > 0 {}
    }
    Ok(())
}
