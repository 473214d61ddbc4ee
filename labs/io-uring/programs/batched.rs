//! Reads the same pieces through io_uring: requests are put into a ring
//! that the program shares with the kernel, and one system call hands
//! over a whole batch.

use std::fs::File;
use std::io::Result;

use support::{checksum::Checksum, number, ring};

fn main() -> Result<()> {
    let [file, pieces, block, batch] = support::args();
    let file = File::open(file)?;
    let (pieces, block, batch) =
        (number(&pieces), number(&block), number(&batch));

    let mut data = vec![0; pieces * block];
    let mut ring = ring::new(batch as u32)?;
    for (n, part) in data.chunks_mut(batch * block).enumerate() {
        let mut asked = 0;
        for piece in part.chunks_mut(block) {
            let offset = (n * batch + asked) * 4 * block;
            let request = ring::read(&file, offset as u64, piece);
            // SAFETY: `data` stays where it is; it is looked at when all
            // requests are completed.
            // Writes to memory, no more.
            unsafe { ring::push(&mut ring, &request)? };
            asked += 1;
        }
        ring.submit_and_wait(asked)?; // the system call: io_uring_enter
        for completed in ring.completion() {
            assert_eq!(ring::result(&completed)?, block);
        }
    }

    let mut checksum = Checksum::new();
    checksum.add(&data);
    println!("{checksum}");
    Ok(())
}
