//! As `batched`, but a thread of the kernel watches the ring and takes
//! the requests from it (`IORING_SETUP_SQPOLL`). This program does not
//! even call it.

use std::fs::File;
use std::hint::spin_loop;
use std::io::Result;

use support::{checksum::Checksum, number, ring};

fn main() -> Result<()> {
    let [file, pieces, block, batch] = support::args();
    let file = File::open(file)?;
    let (pieces, block, batch) =
        (number(&pieces), number(&block), number(&batch));

    let mut data = vec![0; pieces * block];
    let mut ring = ring::with_kernel_thread(batch as u32, 1000)?;
    for (n, part) in data.chunks_mut(batch * block).enumerate() {
        let mut left = 0;
        for piece in part.chunks_mut(block) {
            let offset = (n * batch + left) * 4 * block;
            let request = ring::read(&file, offset as u64, piece);
            // SAFETY: `data` stays where it is; it is looked at when all
            // requests are completed.
            unsafe { ring::push(&mut ring, &request)? };
            left += 1;
        }
        // A system call only if the thread has gone to sleep.
        ring.submit()?;
        while left > 0 {
            for completed in ring.completion() {
                assert_eq!(ring::result(&completed)?, block);
                left -= 1;
            }
            spin_loop(); // no system call, and no rest for this CPU
        }
    }

    let mut checksum = Checksum::new();
    checksum.add(&data);
    println!("{checksum}");
    Ok(())
}
