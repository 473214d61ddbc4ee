//! A file goes to two readers, each of which gets all of it through a
//! pipe of its own.

use std::fs::File;
use std::io::{Read, Result, Write};

use support::pipe;

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    // Two children: each reads its pipe to the end, and prints a checksum
    // of what it got.
    let (mut first, one) = pipe::to_reader()?;
    let (mut second, two) = pipe::to_reader()?;

    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        first.write_all(&buffer[..n])?;
        second.write_all(&buffer[..n])?;
    }
    drop((first, second)); // the end, for the readers
    one.wait()?;
    two.wait()
}
