//! Answers requests from a file, each part in the way that its size asks
//! for: a small one is copied, for the large one the pages are mapped and
//! passed on.

use std::fs::File;
use std::io::{Result, Write};
use std::os::unix::fs::FileExt;

use nix::sys::sendfile::sendfile;
use support::{checksum::Checksum, memory, net, number};

/// Below this, copying costs less than a mapping; the chart says where.
const SMALL: usize = 64 * 1024;

fn main() -> Result<()> {
    let [file, records, record] = support::args();
    let file = File::open(file)?;
    let (mut socket, drain) = net::pair()?;
    let (records, end) =
        (4096 * number(&records), file.metadata()?.len() as usize);
    let small =
        (0..records).step_by(4096).map(|at| at..at + number(&record));

    let mut buffer = vec![0; SMALL];
    let mut sum = Checksum::new();
    for part in small.chain([records..end]) {
        if part.len() < SMALL {
            let piece = &mut buffer[..part.len()];
            file.read_exact_at(piece, part.start as u64)?;
            sum.add(piece);
            socket.write_all(piece)?;
            drain.discard(piece.len())?;
            continue;
        }
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
            drain.discard(sent)?;
        }
    }
    println!("checksum {sum}");
    Ok(())
}
