//! Finds the largest byte of a file, and then how often it is there.

use std::fs::File;
use std::io::{Read, Result, Seek};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let mut buffer = vec![0; 64 * 1024];

    let mut largest = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        largest = buffer[..n].iter().copied().fold(largest, u8::max);
    }

    // "It's in memory now, so reading it again costs nothing."
    file.rewind()?;
    let mut times = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        times +=
            buffer[..n].iter().filter(|&&byte| byte == largest).count();
    }
    println!("{largest} is there {times} times");
    Ok(())
}
