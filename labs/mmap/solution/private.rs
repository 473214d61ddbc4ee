//! Adds up the bytes of a file, without the first byte of each page: it
//! leaves that one out.
//!
//! Nothing is written, so nobody needs pages of his own.

use std::fs::File;

use nix::sys::mman::MapFlags;
use support::memory;

fn main() -> std::io::Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    let bytes = memory::map(&file, MapFlags::MAP_SHARED)?;

    let sum: u64 = bytes
        .chunks(4096)
        .flat_map(|page| &page[1..])
        .map(|&byte| u64::from(byte))
        .sum();
    println!("{sum}");
    Ok(())
}
