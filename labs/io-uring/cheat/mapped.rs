//! Cheats: maps the file, so that nothing is copied and page faults bring
//! the pieces.

use std::fs::File;
use std::io::Result;

use nix::sys::mman::MapFlags;
use support::{checksum::Checksum, memory, number};

fn main() -> Result<()> {
    let [file, pieces, block] = support::args();
    let (pieces, block) = (number(&pieces), number(&block));

    let flags = MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE;
    let all = memory::map(&File::open(file)?, flags)?;
    let mut checksum = Checksum::new();
    for piece in all.chunks(4 * block).take(pieces) {
        checksum.add(&piece[..block]);
    }
    println!("{checksum}");
    Ok(())
}
