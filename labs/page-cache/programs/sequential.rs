//! Reads a file from start to end, a page at a time.

use std::fs::File;
use std::io::{Read, Result};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;

    let mut buffer = [0; 4096];
    while file.read(&mut buffer)? > 0 {}
    Ok(())
}
