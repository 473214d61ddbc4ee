//! Sends bytes to a server beyond a network card.

use std::io::{Result, Write};
use std::net::TcpStream;

use support::{net, number};

fn main() -> Result<()> {
    let [address, port, size] = support::args();
    let mut socket = TcpStream::connect((address, number(&port) as u16))?;
    let data = vec![b'x'; number(&size)];

    socket.write_all(&data)?; // into the socket; the card comes later

    net::wait_until_taken(&socket) // until the server has all of it
}
