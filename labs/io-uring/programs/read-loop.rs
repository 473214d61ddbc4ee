//! Reads pieces that lie scattered over a file: one system call for each.

use std::fs::File;
use std::io::Result;
use std::os::unix::fs::FileExt;

use support::{checksum::Checksum, number};

fn main() -> Result<()> {
    let [file, pieces, block] = support::args();
    let file = File::open(file)?;
    let (pieces, block) = (number(&pieces), number(&block));

    let mut data = vec![0; pieces * block];
    for (i, piece) in data.chunks_mut(block).enumerate() {
        // Every fourth block of the file: nothing that one large read
        // could bring.
        file.read_exact_at(piece, (i * 4 * block) as u64)?;
    }

    let mut checksum = Checksum::new();
    checksum.add(&data);
    println!("{checksum}");
    Ok(())
}
