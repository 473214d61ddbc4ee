//! Writes one byte to each page of a piece of memory.
//!
//! Not one line of the loop is a call.

use support::memory;

fn main() -> nix::Result<()> {
    let [pages] = support::args();
    // one mmap(): room, but no memory yet
    let memory = memory::anonymous(support::number(&pages) * 4096)?;

    for byte in memory.iter_mut().step_by(4096) {
        *byte = 1;
    }
    Ok(())
}
