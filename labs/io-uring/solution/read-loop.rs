//! Reads the same pieces, all with one system call: the ring has room for
//! every request.

use std::fs::File;
use std::io::Result;

use support::{checksum::Checksum, number, ring};

fn main() -> Result<()> {
    let [file, pieces, block] = support::args();
    let file = File::open(file)?;
    let (pieces, block) = (number(&pieces), number(&block));

    let mut data = vec![0; pieces * block];
    let mut ring = ring::new(pieces as u32)?;
    for (i, piece) in data.chunks_mut(block).enumerate() {
        let request = ring::read(&file, (i * 4 * block) as u64, piece);
        // SAFETY: `data` stays where it is; it is looked at when all
        // requests are completed.
        unsafe { ring::push(&mut ring, &request)? };
    }
    ring.submit_and_wait(pieces)?;
    for completed in ring.completion() {
        assert_eq!(ring::result(&completed)?, block);
    }

    let mut checksum = Checksum::new();
    checksum.add(&data);
    println!("{checksum}");
    Ok(())
}
