//! Reads a file into a table that grows when it is full, and adds up the
//! table. How long the file is, it does not ask.

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
            // a place that is twice as large, and everything goes there
            let larger = room(2 * len)?;
            larger[..len].copy_from_slice(table);
            memory::unmap(table)?;
            table = larger;
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
