//! Asks for memory in huge pages, and writes one byte to each small page
//! of it.

use nix::sys::mman::MmapAdvise;
use support::memory;

fn main() -> nix::Result<()> {
    let [size] = support::args();
    let memory = memory::anonymous(support::number(&size))?;
    // a wish: the kernel may have none to give
    memory::advise(memory, MmapAdvise::MADV_HUGEPAGE)?;

    for byte in memory.iter_mut().step_by(4096) {
        *byte = 1;
    }
    Ok(())
}
