//! Reads a file past the page cache, in few large pieces.

use std::fs::File;
use std::io::Result;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use nix::libc::O_DIRECT;
use support::{checksum::Checksum, memory, number};

fn main() -> Result<()> {
    let [file, block] = support::args();
    let block = 16 * number(&block);
    let file = File::options()
        .read(true)
        .custom_flags(O_DIRECT)
        .open(file)?;
    let size = file.metadata()?.len() as usize;
    let data = memory::anonymous(size)?;

    for (i, piece) in data.chunks_mut(block).enumerate() {
        file.read_exact_at(piece, (i * block) as u64)?;
    }

    let mut checksum = Checksum::new();
    checksum.add(data);
    println!("{checksum}");
    Ok(())
}
