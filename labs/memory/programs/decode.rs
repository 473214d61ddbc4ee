//! Reads an encoded file, and lets a child decode it.

use std::fs::File;
use std::io::{Read, Result};

use nix::sys::mman::MmapAdvise;
use support::{memory, process};

const KEY: u8 = 0x5a;

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let memory = memory::anonymous(file.metadata()?.len() as usize)?;
    memory::advise(memory, MmapAdvise::MADV_NOHUGEPAGE)?; // small pages, on any machine
    file.read_exact(memory)?;

    process::in_child(|| {
        for byte in memory.iter_mut() {
            *byte ^= KEY; // decodes in place
        }
        let sum: u64 = memory.iter().map(|&byte| u64::from(byte)).sum();
        println!("{sum}");
        Ok(())
    })?
    .wait()
}
