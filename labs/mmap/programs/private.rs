//! Maps a file privately, changes one byte of each page, and adds up its bytes.
//!
//! The file itself stays as it is: MAP_PRIVATE promises that nobody else sees the changes.

use std::fs::File;

use nix::sys::mman::{MapFlags, ProtFlags};
use support::memory;

fn main() -> std::io::Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    let rights = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let bytes = memory::map(&file, rights, MapFlags::MAP_PRIVATE)?;

    for byte in bytes.iter_mut().step_by(4096) {
        *byte = 0; // to which page does this write? The file's must not change.
    }
    let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
    println!("{sum}");
    Ok(())
}
