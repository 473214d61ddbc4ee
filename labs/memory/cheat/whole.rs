//! Cheats: reads a part of the file, and says what the whole would come
//! to.

use std::fs::File;
use std::io::{Read, Result};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let mut part = vec![0; 4096];
    file.read_exact(&mut part)?;

    let sum: u64 = part.iter().map(|&byte| u64::from(byte)).sum();
    println!("{}", sum * file.metadata()?.len() / 4096);
    Ok(())
}
