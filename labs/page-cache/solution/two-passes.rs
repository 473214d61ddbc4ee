//! Finds the largest byte of a file, and how often it is there, in one
//! pass.

use std::fs::File;
use std::io::{Read, Result};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let mut buffer = vec![0; 64 * 1024];

    let (mut largest, mut times) = (0, 0);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        for &byte in &buffer[..n] {
            if byte > largest {
                // what was counted so far was not the largest
                (largest, times) = (byte, 0);
            }
            times += usize::from(byte == largest);
        }
    }
    println!("{largest} is there {times} times");
    Ok(())
}
