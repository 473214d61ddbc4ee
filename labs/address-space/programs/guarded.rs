//! Writes one byte to each page of some memory, makes the pages
//! read-only, and writes to each of them again.
//!
//! Each write that is refused ends in a handler of this program, which
//! allows the page; then the same instruction runs once more.

use nix::sys::mman::MmapAdvise;
use support::{memory, protection};

fn main() -> nix::Result<()> {
    let [pages] = support::args();
    let memory = memory::anonymous(support::number(&pages) * 4096)?;
    memory::advise(memory, MmapAdvise::MADV_NOHUGEPAGE)?;
    protection::allow_refused()?; // sigaction(SIGSEGV, …)

    for byte in memory.iter_mut().step_by(4096) {
        *byte = 1;
    }
    protection::read_only(memory)?; // mprotect(…, PROT_READ)
    for byte in memory.iter_mut().step_by(4096) {
        *byte = 2;
    }
    println!("{} writes were refused", protection::refused());
    Ok(())
}
