//! Adds up the bytes of a file, without the first byte of each page: it
//! sets that one to zero.
//!
//! The file itself stays as it is: MAP_PRIVATE promises that nobody else
//! sees the change.

use std::fs::File;

use support::memory;

fn main() -> std::io::Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    // PROT_READ | PROT_WRITE, MAP_PRIVATE
    let bytes = memory::map_private(&file)?;

    for byte in bytes.iter_mut().step_by(4096) {
        *byte = 0; // in which page? The file's must not change.
    }
    let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
    println!("{sum}");
    Ok(())
}
