//! Copies a file record by record into a journal. When it ends, every
//! record must be on the disk.
//!
//! The promise is about the end, so it is enough to ask for it once, at
//! the end.

use std::fs::File;
use std::io::{Read, Result, Write};

fn main() -> Result<()> {
    let [records, journal] = support::args();
    let mut records = File::open(records)?;
    let mut journal = File::create(journal)?;

    let mut record = [0; 4096];
    loop {
        let n = records.read(&mut record)?;
        if n == 0 {
            break;
        }
        journal.write_all(&record[..n])?;
    }
    journal.sync_all()?; // before it is said, not after
    println!("all records are on the disk");
    Ok(())
}
