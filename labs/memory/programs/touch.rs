//! Asks for memory, and writes one byte to each page of it.

use nix::sys::mman::MmapAdvise;
use support::memory;

fn main() -> nix::Result<()> {
    let [size] = support::args();
    let memory = memory::anonymous(support::number(&size))?;
    // small pages, whatever this machine prefers
    memory::advise(memory, MmapAdvise::MADV_NOHUGEPAGE)?;

    for byte in memory.iter_mut().step_by(4096) {
        *byte = 1;
    }
    Ok(())
}
