//! Writes records to a file that was opened with O_SYNC: each write waits
//! for the disk.

use std::fs::OpenOptions;
use std::io::{Result, Write};
use std::os::unix::fs::OpenOptionsExt;

use nix::libc::O_SYNC;

fn main() -> Result<()> {
    let [file, records] = support::args();
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .custom_flags(O_SYNC)
        .open(file)?;
    let record = [b'.'; 4096];

    for _ in 0..support::number(&records) {
        file.write_all(&record)?;
    }
    Ok(())
}
