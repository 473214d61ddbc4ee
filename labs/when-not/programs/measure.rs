//! Measures what sending one byte of a file costs the CPU: four ways, by
//! the size of what is sent. Prints one line for each sample.
//!
//! bytehop doesn't trace it: it would measure the tracing, too.

use std::fs::File;
use std::io::{Result, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;

use nix::sys::sendfile::sendfile;
use nix::time::{ClockId, clock_gettime};
use support::net::Drain;
use support::{checksum::Checksum, memory, net, number};

const PIECE: usize = 64 * 1024;

fn main() -> Result<()> {
    let [file, rounds] = support::args();
    let (socket, drain) = net::pair()?;
    let (file, buffer) = (File::open(file)?, vec![0; PIECE]);
    let mut sender = Sender { file, socket, drain, buffer, sum: Checksum::new() };

    let mut ways = ["copy", "share", "copy-sum", "share-sum"];
    println!("way,size,bytes,ns");
    for _ in 0..number(&rounds) {
        // Another one is first in each round: what disturbs the machine
        // doesn't always hit the same way.
        ways.rotate_left(1);
        for size in (6..=24).step_by(2).map(|power| 1 << power) {
            // One tiny part takes less time than asking for the time.
            let times = (PIECE / size).clamp(1, 64);
            for way in ways {
                let start = cpu_time()?;
                for _ in 0..times {
                    sender.send(way, size)?;
                }
                let ns = cpu_time()? - start;
                println!("{way},{size},{},{ns}", times * size);
            }
        }
    }
    eprintln!("checksum {}", sender.sum); // or it would not be made
    Ok(())
}

/// What this thread has used of the CPU, in nanoseconds.
fn cpu_time() -> Result<i64> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

struct Sender {
    file: File,
    socket: TcpStream,
    drain: Drain,
    buffer: Vec<u8>,
    sum: Checksum,
}

impl Sender {
    /// Sends the first `size` bytes of the file.
    fn send(&mut self, way: &str, size: usize) -> Result<()> {
        if way == "share-sum" {
            // To be seen, they must be mapped.
            let add = |bytes: &[u8]| self.sum.add(bytes);
            memory::with_mapped(&self.file, 0, size, add)?;
        }
        for at in (0..size).step_by(PIECE) {
            let mut n = PIECE.min(size - at);
            if way.starts_with("share") {
                let at = Some(&mut (at as i64));
                n = sendfile(&self.socket, &self.file, at, n)?;
            } else {
                let piece = &mut self.buffer[..n];
                self.file.read_exact_at(piece, at as u64)?;
                if way == "copy-sum" {
                    self.sum.add(piece);
                }
                self.socket.write_all(piece)?;
            }
            self.drain.discard(n)?;
        }
        Ok(())
    }
}
