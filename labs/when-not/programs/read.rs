//! Answers requests from a file: many small records, and one large part.
//! Before a part is sent, its bytes are added to a checksum, as a server
//! that encrypts or compresses must see them.
//!
//! This version copies: read into a buffer, write from the buffer.

use std::fs::File;
use std::io::{Result, Write};
use std::os::unix::fs::FileExt;

use support::{checksum::Checksum, net, number};

fn main() -> Result<()> {
    let [file, records, record] = support::args();
    let file = File::open(file)?;
    let (mut socket, drain) = net::pair()?;
    // Each record has a page of its own; what follows them is the large
    // part.
    let (records, end) =
        (4096 * number(&records), file.metadata()?.len() as usize);
    let small =
        (0..records).step_by(4096).map(|at| at..at + number(&record));

    let mut buffer = vec![0; 64 * 1024];
    let mut sum = Checksum::new();
    for part in small.chain([records..end]) {
        for at in part.clone().step_by(buffer.len()) {
            let piece = &mut buffer[..(part.end - at).min(64 * 1024)];
            file.read_exact_at(piece, at as u64)?;
            sum.add(piece);
            socket.write_all(piece)?;
            drain.discard(piece.len())?; // at the other end, nobody looks
        }
    }
    println!("checksum {sum}");
    Ok(())
}
