//! Reads a file past the page cache, one piece at a time, and has the
//! kernel look for each answer instead of waiting to be told.

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

    let mut ring = ring::polled(1)?;
    for (i, piece) in data.chunks_mut(block).enumerate() {
        let request = ring::read(&file, (i * block) as u64, piece);
        // SAFETY: `data` is never given back, and the request is
        // completed before the next is made.
        unsafe { ring::push(&mut ring, &request)? };
        ring.submit_and_wait(1)?; // who runs until the disk has answered?
        for completed in ring.completion() {
            assert_eq!(ring::result(&completed)?, block);
        }
    }

    let mut checksum = Checksum::new();
    checksum.add(data);
    println!("{checksum}");
    Ok(())
}
