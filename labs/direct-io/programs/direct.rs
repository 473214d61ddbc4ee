//! Reads a file twice, past the page cache.

use std::fs::File;
use std::io::{Read, Result, Seek};
use std::os::unix::fs::OpenOptionsExt;

use nix::libc::O_DIRECT;
use support::{checksum::Checksum, memory};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::options()
        .read(true)
        .custom_flags(O_DIRECT)
        .open(file)?;
    // Straight from the kernel, so it begins where a page begins; malloc
    // would not promise that.
    let buffer = memory::anonymous(64 * 1024)?;

    let mut checksum = Checksum::new();
    for _ in 0..2 {
        file.rewind()?;
        loop {
            let n = file.read(buffer)?; // who writes into the buffer now?
            if n == 0 {
                break;
            }
            checksum.add(&buffer[..n]);
        }
    }
    println!("{checksum}");
    Ok(())
}
