//! A file goes through a pipe to another file, and on the way a child
//! gets all of it, too.

use std::fs::File;
use std::io::Result;

use nix::fcntl::{SpliceFFlags, splice, tee};
use support::pipe;

fn main() -> Result<()> {
    let [from, to] = support::args();
    let (from, to) = (File::open(from)?, File::create(to)?);
    let (out_of_pipe, into_pipe) = pipe::pipe()?;
    // a child that prints a checksum of what it reads
    let (branch, reader) = pipe::to_reader()?;
    let none = SpliceFFlags::empty();

    loop {
        let mut left =
            splice(&from, None, &into_pipe, None, 64 * 1024, none)?;
        if left == 0 {
            break;
        }
        while left > 0 {
            // The same pages are in both pipes now: tee() takes nothing
            // out of the first.
            let mut rest = tee(&out_of_pipe, &branch, left, none)?;
            left -= rest;
            while rest > 0 {
                rest -=
                    splice(&out_of_pipe, None, &to, None, rest, none)?;
            }
        }
    }
    drop(branch); // the end, for the reader
    reader.wait()
}
