//! A file goes through a pipe to another file. All of it by splice(),
//! which needs no buffer.

use std::fs::File;
use std::io::Result;

use nix::fcntl::{SpliceFFlags, splice};
use support::pipe::pipe;

fn main() -> Result<()> {
    let [from, to] = support::args();
    let (from, to) = (File::open(from)?, File::create(to)?);
    let (out_of_pipe, into_pipe) = pipe()?;
    // "Move the pages, if you can." Whether the kernel can, the trace
    // will say.
    let flags = SpliceFFlags::SPLICE_F_MOVE;

    loop {
        let mut left =
            splice(&from, None, &into_pipe, None, 64 * 1024, flags)?;
        if left == 0 {
            return Ok(());
        }
        while left > 0 {
            left -= splice(&out_of_pipe, None, &to, None, left, flags)?;
        }
    }
}
