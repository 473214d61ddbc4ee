//! Counts the lines of a file, one byte per system call.

use std::fs::File;
use std::io::{Read, Result};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let mut lines = 0;

    let mut buffer = [0]; // room for one byte
    while file.read(&mut buffer)? == 1 {
        if buffer[0] == b'\n' {
            lines += 1;
        }
    }
    println!("{lines} lines");
    Ok(())
}
