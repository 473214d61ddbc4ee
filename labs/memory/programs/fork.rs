//! Fills some memory, makes a child, and lets the child write one byte to
//! each page.
//!
//! fork() gives the child a copy of all this memory. When is it made?

use nix::sys::mman::MmapAdvise;
use support::{memory, process};

fn main() -> std::io::Result<()> {
    let [size] = support::args();
    let memory = memory::anonymous(support::number(&size))?;
    memory::advise(memory, MmapAdvise::MADV_NOHUGEPAGE)?;
    memory.fill(1);

    process::in_child(|| {
        for byte in memory.iter_mut().step_by(4096) {
            *byte = 2;
        }
        Ok(())
    })?
    .wait()
}
