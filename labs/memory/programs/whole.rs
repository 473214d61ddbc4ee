//! Adds up the bytes of a file.

use std::io::Result;

fn main() -> Result<()> {
    let [file] = support::args();
    // all of it, into memory that is new
    let bytes = std::fs::read(file)?;
    let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
    println!("{sum}");
    Ok(())
}
