//! Writes records over those that a file has already, with O_DSYNC. The file keeps its length and its
//! place on the disk.

use std::fs::OpenOptions;
use std::io::{Result, Write};
use std::os::unix::fs::OpenOptionsExt;

use nix::libc::O_DSYNC;

fn main() -> Result<()> {
    let [file, records] = support::args();
    let mut file = OpenOptions::new()
        .write(true)
        .custom_flags(O_DSYNC)
        .open(file)?;
    let record = [b'.'; 4096];

    for _ in 0..support::number(&records) {
        file.write_all(&record)?;
    }
    Ok(())
}
