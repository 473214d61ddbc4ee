//! Copies a file record by record into a journal. When it ends, every
//! record must be on the disk.

use std::fs::{File, OpenOptions};
use std::io::{Read, Result, Write};
use std::os::unix::fs::OpenOptionsExt;

use nix::libc::O_SYNC;

fn main() -> Result<()> {
    let [records, journal] = support::args();
    let mut records = File::open(records)?;
    let mut journal = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .custom_flags(O_SYNC)
        .open(journal)?;

    let mut record = [0; 4096];
    loop {
        let n = records.read(&mut record)?;
        if n == 0 {
            break;
        }
        journal.write_all(&record[..n])?;
    }
    println!("all records are on the disk");
    Ok(())
}
