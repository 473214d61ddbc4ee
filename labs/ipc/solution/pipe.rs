//! One program has bytes, another one wants them. The pipe gets
//! references to this program's pages in place of copies; the reader's
//! copy is the only one.

use std::fs;
use std::io::{IoSlice, Result};

use nix::fcntl::{SpliceFFlags, vmsplice};
use support::pipe;

fn main() -> Result<()> {
    let [file] = support::args();
    let (pipe, reader) = pipe::to_reader()?;
    let data = fs::read(file)?;
    let mut rest = &data[..];
    while !rest.is_empty() {
        let n = vmsplice(
            &pipe,
            &[IoSlice::new(rest)],
            SpliceFFlags::empty(),
        )?;
        rest = &rest[n..];
    }
    drop(pipe);
    // until then, `data` must not be changed: the pipe holds its pages
    reader.wait()
}
