//! Reads a file from start to end, but tells the kernel not to expect
//! that.

use std::fs::File;
use std::io::{Read, Result};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    // "I will jump around": no readahead.
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_RANDOM)?;

    let mut buffer = [0; 4096];
    while file.read(&mut buffer)? > 0 {}
    Ok(())
}
