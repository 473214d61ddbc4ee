//! Cheats: maps the file, so that only one of the two copies is left; the
//! bytes still come up to the program and go down again.

use std::fs::File;
use std::io::{Result, Write};

use nix::sys::mman::MapFlags;
use support::memory;

fn main() -> Result<()> {
    let [from, to] = support::args();
    let bytes = memory::map(&File::open(from)?, MapFlags::MAP_SHARED)?;
    File::create(to)?.write_all(bytes)
}
