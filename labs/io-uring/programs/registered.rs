//! As `batched`, with a buffer that was registered: the kernel looked up
//! its pages once and pinned them, so it does not have to for each
//! request.

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
    // The system call: io_uring_register.
    ring::register(&ring, &mut data)?;
    for (n, part) in data.chunks_mut(batch * block).enumerate() {
        let mut asked = 0;
        for piece in part.chunks_mut(block) {
            let offset = (n * batch + asked) * 4 * block;
            let request =
                ring::read_registered(&file, offset as u64, piece);
            // SAFETY: `data` stays where it is; it is looked at when all
            // requests are completed.
            unsafe { ring::push(&mut ring, &request)? };
            asked += 1;
        }
        ring.submit_and_wait(asked)?;
        for completed in ring.completion() {
            assert_eq!(ring::result(&completed)?, block);
        }
    }

    let mut checksum = Checksum::new();
    checksum.add(&data);
    println!("{checksum}");
    Ok(())
}
