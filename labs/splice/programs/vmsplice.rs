//! A buffer of this program goes into a pipe by vmsplice(), and a child
//! reads the pipe.

use std::io::{IoSlice, Read, Result};

use nix::fcntl::{SpliceFFlags, vmsplice};
use support::{pipe::pipe, process};

fn main() -> Result<()> {
    let [size] = support::args();
    let buffer = vec![b'x'; support::number(&size)];
    let (mut out_of_pipe, into_pipe) = pipe()?;

    let child = process::in_child(|| {
        let mut piece = vec![0; 64 * 1024];
        let mut left = buffer.len();
        while left > 0 {
            left -= out_of_pipe.read(&mut piece)?;
        }
        Ok(())
    })?;

    let mut rest = &buffer[..];
    while !rest.is_empty() {
        // The pipe gets our pages themselves: whoever writes to `buffer`
        // now, writes to the pipe.
        let n = vmsplice(
            &into_pipe,
            &[IoSlice::new(rest)],
            SpliceFFlags::empty(),
        )?;
        rest = &rest[n..];
    }
    child.wait()
}
