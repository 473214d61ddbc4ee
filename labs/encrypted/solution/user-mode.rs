//! Sends a file over TCP, encrypted by this program. The cipher reads the
//! file where it lies, in the page cache, and writes to a buffer.

use std::fs::File;
use std::io::{Result, Write};

use nix::sys::mman::MapFlags;
use support::memory;
use support::tls::{self, Cipher};

fn main() -> Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    let (mut socket, receiver) = tls::receiver()?;

    let mut cipher = Cipher::new();
    let mut buffer = vec![0; 64 * 1024];
    let bytes = memory::map(&file, MapFlags::MAP_SHARED)?;
    for piece in bytes.chunks(64 * 1024) {
        let encrypted = &mut buffer[..piece.len()];
        cipher.from_to(piece, encrypted);
        socket.write_all(encrypted)?;
    }
    drop(socket);
    receiver.wait()
}
