//! Copies a file, as `cat FROM > TO` does.
//!
//! The data passes through `buffer`, which is this program's own memory.
//! Where else it passes through, you can't tell from these lines: that is
//! what the trace is for.

use std::fs::File;
use std::io::{Read, Result, Write};

/// How much is read and written at a time.
const BUFFER: usize = 64 * 1024;

fn main() -> Result<()> {
    let [from, to] = support::args();
    let mut from = File::open(from)?;
    let mut to = File::create(to)?;
    let mut buffer = vec![0; BUFFER];

    loop {
        let n = from.read(&mut buffer)?; // one system call
        if n == 0 {
            // zero bytes: that is how read() says "end of file"
            return Ok(());
        }
        // one system call, unless the kernel takes less than n
        to.write_all(&buffer[..n])?;
    }
}
