//! Reads a file past the page cache with a single call.

use std::fs::File;
use std::io::Result;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use nix::libc::O_DIRECT;
use support::{checksum::Checksum, memory};

fn main() -> Result<()> {
    let [file] = support::args();
    let file = File::options()
        .read(true)
        .custom_flags(O_DIRECT)
        .open(file)?;
    let size = file.metadata()?.len() as usize;
    let data = memory::anonymous(size)?;

    file.read_exact_at(data, 0)?;

    let mut checksum = Checksum::new();
    checksum.add(data);
    println!("{checksum}");
    Ok(())
}
