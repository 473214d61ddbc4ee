//! Copies a file: reads a piece, writes the piece.

use std::fs::File;
use std::io::{Read, Result, Write};

fn main() -> Result<()> {
    let [from, to] = support::args();
    let mut from = File::open(from)?;
    let mut to = File::create(to)?;

    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        to.write_all(&buffer[..n])?;
    }
    Ok(())
}
