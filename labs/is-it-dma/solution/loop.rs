//! Reads all of a device past the page cache: what stands in for its DMA
//! copies straight into our buffer.

use std::fs::File;
use std::io::{Read, Result};
use std::os::unix::fs::OpenOptionsExt;

use nix::libc::O_DIRECT;
use support::memory;
use support::checksum::Checksum;

fn main() -> Result<()> {
    let [path] = support::args();
    let mut source =
        File::options().read(true).custom_flags(O_DIRECT).open(path)?;
    let mut checksum = Checksum::new();
    // whole pages: O_DIRECT wants them aligned
    let buffer = memory::anonymous(64 * 1024)?;
    loop {
        let n = source.read(buffer)?;
        if n == 0 {
            break;
        }
        checksum.add(&buffer[..n]);
    }
    println!("checksum {checksum}");
    Ok(())
}
