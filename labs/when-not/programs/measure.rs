//! Measures what sending one byte of a file costs the CPU: four ways, by the size of what is sent.
//!
//! Prints one line for each sample. bytehop doesn't trace it: it would measure the tracing, too.

use std::fs::File;
use std::io::{Result, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;

use nix::sys::sendfile::sendfile;
use nix::time::{ClockId, clock_gettime};
use support::net::Drain;
use support::{checksum, memory, net, number};

const PIECE: usize = 64 * 1024;

fn main() -> Result<()> {
    let [file, rounds] = support::args();
    let file = File::open(file)?;
    let (socket, drain) = net::pair()?;
    let mut buffer = vec![0; PIECE];
    let mut sum = 0;

    println!("way,size,bytes,ns");
    let mut ways = [
        ("copy", false),
        ("share", false),
        ("copy-sum", true),
        ("share-sum", true),
    ];
    // All ways at all sizes in each round, and another one first each time: what disturbs a round
    // doesn't hit one way alone.
    for _ in 0..number(&rounds) {
        ways.rotate_left(1);
        for size in (6..=24).step_by(2).map(|power| 1 << power) {
            let times = (PIECE / size).clamp(1, 64); // one tiny request is shorter than the clock's own cost
            for (way, process) in ways {
                let start = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
                for _ in 0..times {
                    match way.starts_with("copy") {
                        true => copy(
                            &file,
                            size,
                            &socket,
                            &drain,
                            &mut buffer,
                            process.then_some(&mut sum),
                        )?,
                        false => share(&file, size, &socket, &drain, process.then_some(&mut sum))?,
                    }
                }
                let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)? - start;
                let ns = time.tv_sec() * 1_000_000_000 + time.tv_nsec();
                println!("{way},{size},{},{ns}", times * size);
            }
        }
    }
    eprintln!("checksum {sum:016x}"); // used, so that the compiler can't leave the work out
    Ok(())
}

/// read + write, through a buffer.
fn copy(
    file: &File,
    size: usize,
    mut socket: &TcpStream,
    drain: &Drain,
    buffer: &mut [u8],
    mut sum: Option<&mut u64>,
) -> Result<()> {
    for at in (0..size).step_by(PIECE) {
        let piece = &mut buffer[..PIECE.min(size - at)];
        file.read_exact_at(piece, at as u64)?;
        if let Some(sum) = &mut sum {
            **sum = checksum::add(**sum, piece);
        }
        socket.write_all(piece)?;
        drain.discard(piece.len())?;
    }
    Ok(())
}

/// sendfile; to see the bytes, they must be mapped.
fn share(
    file: &File,
    size: usize,
    socket: &TcpStream,
    drain: &Drain,
    sum: Option<&mut u64>,
) -> Result<()> {
    if let Some(sum) = sum {
        *sum = memory::with_mapped(file, 0, size, |bytes| checksum::add(*sum, bytes))?;
    }
    let mut at = 0;
    while (at as usize) < size {
        let left = size - at as usize;
        let sent = sendfile(socket, file, Some(&mut at), PIECE.min(left))?;
        drain.discard(sent)?;
    }
    Ok(())
}
