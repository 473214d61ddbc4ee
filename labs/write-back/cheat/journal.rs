//! Cheats: says so, and leaves them in the page cache.

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
    println!("all records are on the disk");
    Ok(())
}
