//! Sends a file over TCP: maps it, and writes the mapped bytes to the
//! socket.

use std::fs::File;
use std::io::{Result, Write};

use nix::sys::mman::MapFlags;
use support::{memory, net};

fn main() -> Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    let (mut socket, receiver) = net::receiver()?;

    let bytes = memory::map(&file, MapFlags::MAP_SHARED)?;
    for piece in bytes.chunks(64 * 1024) {
        socket.write_all(piece)?; // who touches the mapped bytes first?
    }
    drop(socket);
    receiver.wait()
}
