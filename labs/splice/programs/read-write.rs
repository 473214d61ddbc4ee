//! A file goes through a pipe to another file. All of it by read() and
//! write().

use std::fs::File;
use std::io::{Read, Result, Write};

use support::pipe::pipe;

fn main() -> Result<()> {
    let [from, to] = support::args();
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let (mut out_of_pipe, mut into_pipe) = pipe()?;

    // as much as the pipe takes before it blocks
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        into_pipe.write_all(&buffer[..n])?;
        out_of_pipe.read_exact(&mut buffer[..n])?;
        to.write_all(&buffer[..n])?;
    }
}
