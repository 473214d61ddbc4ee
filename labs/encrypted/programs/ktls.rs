//! Sends a file over TCP: reads a piece, writes it to the socket. The
//! socket has a key, and the kernel encrypts what is written to it (kTLS).

use std::fs::File;
use std::io::{Read, Result, Write};

use support::tls;

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let (mut socket, receiver) = tls::kernel_receiver()?;

    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        socket.write_all(&buffer[..n])?;
    }
    drop(socket);
    receiver.wait()
}
