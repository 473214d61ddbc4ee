//! A peer on the loopback device.

use std::io::Result;
use std::net::{TcpListener, TcpStream};

use crate::process::{Child, in_child};
use crate::receive;

/// A TCP connection to a child that reads it to the end, and then prints a checksum of what it got.
pub fn receiver() -> Result<(TcpStream, Child)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let child = in_child(|| receive::to_the_end(TcpStream::connect(address)?))?;
    Ok((listener.accept()?.0, child))
}
