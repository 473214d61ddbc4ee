//! Reads a file into a table that grows when it is full, and adds up the
//! table. When it grows, its pages get other addresses and stay what they
//! are: only the page tables change.

use std::fs::File;
use std::io::{Read, Result};

use nix::sys::mman::MmapAdvise;
use support::memory;

fn room(len: usize) -> nix::Result<&'static mut [u8]> {
    let memory = memory::anonymous(len)?;
    memory::advise(memory, MmapAdvise::MADV_NOHUGEPAGE)?;
    Ok(memory)
}

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let (mut table, mut len) = (room(64 * 1024)?, 0);

    loop {
        if len == table.len() {
            table = memory::resized(table, 2 * len)?; // mremap()
        }
        let n = file.read(&mut table[len..])?;
        if n == 0 {
            break;
        }
        len += n;
    }
    let sum: u64 = table[..len].iter().map(|&byte| u64::from(byte)).sum();
    println!("{sum}");
    Ok(())
}
