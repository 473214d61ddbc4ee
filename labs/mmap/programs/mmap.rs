//! Adds up the bytes of a file, which it maps into its memory.

use std::fs::File;

use nix::sys::mman::MapFlags;
use support::memory;

fn main() -> std::io::Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    // The pages of the page cache become pages of ours. But not yet: now,
    // only the promise is made.
    let bytes = memory::map(&file, MapFlags::MAP_SHARED)?;

    let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
    println!("{sum}");
    Ok(())
}
