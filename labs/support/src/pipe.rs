//! Pipes.

use std::io::{PipeWriter, Result};

pub use std::io::pipe;

use crate::process::{Child, in_child};
use crate::receive;

/// A pipe to a child that reads it to the end, and then prints a checksum of what it got.
pub fn to_reader() -> Result<(PipeWriter, Child)> {
    let (reader, writer) = pipe()?;
    let mut writer = Some(writer);
    let child = in_child(|| {
        writer = None; // the child's: while a way into the pipe is open, it has no end
        receive::to_the_end(reader)
    })?;
    let Some(writer) = writer else {
        unreachable!("only the child closed its own");
    };
    Ok((writer, child))
}
