//! One program has bytes, another one wants them. This one sends them
//! through a UNIX socket.

use std::fs;
use std::io::{Result, Write};

use support::net;

fn main() -> Result<()> {
    let [file] = support::args();
    let (mut socket, receiver) = net::local_receiver()?;
    let data = fs::read(file)?;
    for piece in data.chunks(64 * 1024) {
        socket.write_all(piece)?;
    }
    drop(socket);
    receiver.wait()
}
