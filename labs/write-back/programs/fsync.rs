//! Writes records to a file, and asks once, at the end, that they are on
//! the disk.

use std::fs::File;
use std::io::{Result, Write};

fn main() -> Result<()> {
    let [file, records] = support::args();
    let mut file = File::create(file)?;
    let record = [b'.'; 4096];

    for _ in 0..support::number(&records) {
        file.write_all(&record)?;
    }
    file.sync_all() // fsync(): comes back when the disk has everything
}
