//! One program has bytes, another one wants them. This one sends them
//! through a pipe.
//!
//! The reader is a child; it prints a checksum of what it got.

use std::fs;
use std::io::{Result, Write};

use support::pipe;

fn main() -> Result<()> {
    let [file] = support::args();
    let (mut pipe, reader) = pipe::to_reader()?;
    let data = fs::read(file)?;
    for piece in data.chunks(64 * 1024) {
        pipe.write_all(piece)?;
    }
    drop(pipe);
    reader.wait()
}
