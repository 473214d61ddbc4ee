//! Cheats: reads everything between the pieces, too, with one call.

use std::io::Result;

use support::{checksum::Checksum, number};

fn main() -> Result<()> {
    let [file, pieces, block] = support::args();
    let (pieces, block) = (number(&pieces), number(&block));

    let all = std::fs::read(file)?;
    let mut checksum = Checksum::new();
    for piece in all.chunks(4 * block).take(pieces) {
        checksum.add(&piece[..block]);
    }
    println!("{checksum}");
    Ok(())
}
