//! Counts the lines of a file, with a buffer between the program and its
//! system calls.
//!
//! The loop still looks at one byte at a time, but `BufReader` gets them
//! from the kernel in pieces.

use std::fs::File;
use std::io::{BufReader, Read, Result};

fn main() -> Result<()> {
    let [file] = support::args();
    // 8 KiB, if nobody says otherwise
    let mut file = BufReader::new(File::open(file)?);
    let mut lines = 0;

    let mut buffer = [0];
    while file.read(&mut buffer)? == 1 {
        if buffer[0] == b'\n' {
            lines += 1;
        }
    }
    println!("{lines} lines");
    Ok(())
}
