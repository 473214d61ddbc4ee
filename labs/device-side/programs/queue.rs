//! Reads a file past the page cache, in pieces, and asks for all of them
//! before it waits for one.

use std::fs::File;
use std::io::Result;
use std::os::unix::fs::OpenOptionsExt;

use nix::libc::O_DIRECT;
use support::{checksum::Checksum, memory, number, ring};

fn main() -> Result<()> {
    let [file, block] = support::args();
    let block = number(&block);
    let file = File::options()
        .read(true)
        .custom_flags(O_DIRECT)
        .open(file)?;
    let size = file.metadata()?.len() as usize;
    let data = memory::anonymous(size)?;

    let pieces = size.div_ceil(block);
    let mut ring = ring::new(pieces as u32)?;
    for (i, piece) in data.chunks_mut(block).enumerate() {
        let request = ring::read(&file, (i * block) as u64, piece);
        // SAFETY: `data` is never given back; it is looked at when all
        // requests are completed.
        unsafe { ring::push(&mut ring, &request)? };
    }
    ring.submit_and_wait(pieces)?;
    for completed in ring.completion() {
        assert_eq!(ring::result(&completed)?, block);
    }

    let mut checksum = Checksum::new();
    checksum.add(data);
    println!("{checksum}");
    Ok(())
}
