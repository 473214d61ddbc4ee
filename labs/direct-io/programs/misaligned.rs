//! Reads a file once with O_DIRECT, a hundred thousand bytes at a time.

use std::fs::File;
use std::io::{Read, Result};
use std::os::unix::fs::OpenOptionsExt;

use nix::libc::{EINVAL, O_DIRECT};
use support::{checksum::Checksum, memory};

const BLOCK: usize = 100_000;

fn main() -> Result<()> {
    let [path] = support::args();
    let mut file = File::options()
        .read(true)
        .custom_flags(O_DIRECT)
        .open(&path)?;
    let buffer = memory::anonymous(BLOCK)?;

    let mut checksum = Checksum::new();
    loop {
        let n = match file.read(buffer) {
            Err(e) if e.raw_os_error() == Some(EINVAL) => {
                // What many programs do then: go on without O_DIRECT, and
                // tell nobody.
                file = File::open(&path)?;
                continue;
            }
            other => other?,
        };
        if n == 0 {
            break;
        }
        checksum.add(&buffer[..n]);
    }
    println!("{checksum}");
    Ok(())
}
