//! Counts the lines of a file, 4 KiB per system call.

use std::fs::File;
use std::io::{Read, Result};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let mut lines = 0;

    let mut buffer = [0; 4096];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        lines +=
            buffer[..n].iter().filter(|&&byte| byte == b'\n').count();
    }
    println!("{lines} lines");
    Ok(())
}
