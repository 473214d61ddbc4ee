//! Adds up the bytes of a file, without the first byte of each page: it sets that one to zero.
//!
//! The file itself stays as it is: MAP_PRIVATE promises that nobody else sees the change.

use std::fs::File;

use nix::sys::mman::{MapFlags, ProtFlags};
use support::memory;

fn main() -> std::io::Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    let rights = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let bytes = memory::map(&file, rights, MapFlags::MAP_PRIVATE)?;

    for byte in bytes.iter_mut().step_by(4096) {
        *byte = 0; // in which page? The file's must not change.
    }
    let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
    println!("{sum}");
    Ok(())
}
