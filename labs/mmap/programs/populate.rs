//! Adds up the bytes of a file, which it maps into its memory all at
//! once.

use std::fs::File;

use nix::sys::mman::MapFlags;
use support::memory;

fn main() -> std::io::Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    // MAP_POPULATE: fill in the page tables now, before anyone asks for a
    // page.
    let flags = MapFlags::MAP_SHARED.union(MapFlags::MAP_POPULATE);
    let bytes = memory::map(&file, flags)?;

    let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
    println!("{sum}");
    Ok(())
}
