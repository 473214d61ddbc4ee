//! Reads a file once with O_DIRECT, in whole blocks, into memory that
//! begins where a page begins.

use std::fs::File;
use std::io::{Read, Result};
use std::os::unix::fs::OpenOptionsExt;

use nix::libc::O_DIRECT;
use support::{checksum::Checksum, memory};

const BLOCK: usize = 64 * 1024;

fn main() -> Result<()> {
    let [path] = support::args();
    let mut file = File::options()
        .read(true)
        .custom_flags(O_DIRECT)
        .open(path)?;
    let buffer = memory::anonymous(BLOCK)?;

    let mut checksum = Checksum::new();
    loop {
        let n = file.read(buffer)?;
        if n == 0 {
            break;
        }
        checksum.add(&buffer[..n]);
    }
    println!("{checksum}");
    Ok(())
}
