//! Answers requests from a file: many small records, and one large part.
//! Before a part is sent, its bytes are added to a checksum, as a server
//! that encrypts or compresses must see them.
//!
//! This version is "zero-copy": mmap shows the bytes to the program,
//! sendfile passes their pages on.

use std::fs::File;
use std::io::Result;

use nix::sys::sendfile::sendfile;
use support::{checksum::Checksum, memory, net, number};

fn main() -> Result<()> {
    let [file, records, record] = support::args();
    let file = File::open(file)?;
    let (socket, drain) = net::pair()?;
    // Each record has a page of its own; what follows them is the large
    // part.
    let (records, end) =
        (4096 * number(&records), file.metadata()?.len() as usize);
    let small =
        (0..records).step_by(4096).map(|at| at..at + number(&record));

    let mut sum = Checksum::new();
    for part in small.chain([records..end]) {
        // Maps the part, adds it up, and unmaps it.
        memory::with_mapped(
            &file,
            part.start,
            part.len(),
            |bytes| sum.add(bytes),
        )?;

        let (mut at, end) = (part.start as i64, part.end as i64);
        while at < end {
            let piece = (end - at).min(64 * 1024) as usize;
            let sent = sendfile(&socket, &file, Some(&mut at), piece)?;
            drain.discard(sent)?; // at the other end, nobody looks
        }
    }
    println!("checksum {sum}");
    Ok(())
}
