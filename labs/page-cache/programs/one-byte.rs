//! Reads one byte from the start of a file.

use std::fs::File;
use std::io::{Read, Result};

fn main() -> Result<()> {
    let [file] = support::args();
    File::open(file)?.read_exact(&mut [0])
}
