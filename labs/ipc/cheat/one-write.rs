//! The same copies, in one call.

use std::fs;
use std::io::{Result, Write};

use support::pipe;

fn main() -> Result<()> {
    let [file] = support::args();
    let (mut pipe, reader) = pipe::to_reader()?;
    pipe.write_all(&fs::read(file)?)?;
    drop(pipe);
    reader.wait()
}
