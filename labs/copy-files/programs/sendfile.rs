//! Copies a file with sendfile(): the bytes don't come up to this
//! program.

use std::fs::File;
use std::io::Result;

use nix::sys::sendfile::sendfile;

fn main() -> Result<()> {
    let [from, to] = support::args();
    let from = File::open(from)?;
    let to = File::create(to)?;

    while sendfile(&to, &from, None, 64 * 1024)? > 0 {}
    Ok(())
}
