//! The same with O_DSYNC: each write waits until its data can be read
//! back, but not, for one, until the file's new time of change is on the
//! disk.

use std::fs::OpenOptions;
use std::io::{Result, Write};
use std::os::unix::fs::OpenOptionsExt;

use nix::libc::O_DSYNC;

fn main() -> Result<()> {
    let [file, records] = support::args();
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .custom_flags(O_DSYNC)
        .open(file)?;
    let record = [b'.'; 4096];

    for _ in 0..support::number(&records) {
        file.write_all(&record)?;
    }
    Ok(())
}
