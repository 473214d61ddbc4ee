//! Sends short messages, one call each.

use std::io::{Result, Write};

use support::{net, number};

fn main() -> Result<()> {
    let [file, message] = support::args();
    let data = std::fs::read(file)?;
    let (mut socket, receiver) = net::receiver()?;

    for message in data.chunks(number(&message)) {
        socket.write_all(message)?;
    }
    drop(socket);
    receiver.wait()
}
