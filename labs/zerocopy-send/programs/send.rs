//! Sends data over TCP, the ordinary way: 64 KiB per call.

use std::io::{Result, Write};

use support::net;

fn main() -> Result<()> {
    let [file] = support::args();
    let data = std::fs::read(file)?;
    let (mut socket, receiver) = net::receiver()?;

    for piece in data.chunks(64 * 1024) {
        // When it returns, `piece` may be changed: why?
        socket.write_all(piece)?;
    }
    drop(socket);
    receiver.wait()
}
