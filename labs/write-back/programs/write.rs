//! Writes records to a file, and leaves it at that.

use std::fs::File;
use std::io::{Result, Write};

fn main() -> Result<()> {
    let [file, records] = support::args();
    let mut file = File::create(file)?;
    let record = [b'.'; 4096];

    for _ in 0..support::number(&records) {
        file.write_all(&record)?;
    }
    Ok(())
}
