//! No better: encrypts in a private mapping. The first write to each page
//! brings the copy back.

use std::fs::File;
use std::io::{Result, Write};

use support::memory;
use support::tls::{self, Cipher};

fn main() -> Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    let (mut socket, receiver) = tls::receiver()?;

    let mut cipher = Cipher::new();
    let bytes = memory::map_private(&file)?;
    for piece in bytes.chunks_mut(64 * 1024) {
        cipher.in_place(piece);
        socket.write_all(piece)?;
    }
    drop(socket);
    receiver.wait()
}
