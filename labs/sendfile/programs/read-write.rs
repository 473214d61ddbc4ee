//! Sends a file over TCP: reads a piece into a buffer, writes the buffer
//! to the socket.
//!
//! The receiver is a child of this program, at the other end of the
//! loopback device.

use std::fs::File;
use std::io::{Read, Result, Write};

use support::net;

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let (mut socket, receiver) = net::receiver()?;

    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        socket.write_all(&buffer[..n])?;
    }
    // the receiver sees the end, and prints a checksum of what it got
    drop(socket);
    receiver.wait()
}
