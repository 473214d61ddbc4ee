//! Sends a file over TCP, encrypted by this program, as with a TLS library:
//! reads a piece, encrypts it, writes it to the socket.
//!
//! The cipher only stands for a library's. It is not secure.

use std::fs::File;
use std::io::{Read, Result, Write};

use support::tls::{self, Cipher};

fn main() -> Result<()> {
    let [file] = support::args();
    let mut file = File::open(file)?;
    let (mut socket, receiver) = tls::receiver()?;

    let mut cipher = Cipher::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        cipher.in_place(&mut buffer[..n]);
        socket.write_all(&buffer[..n])?;
    }
    // the receiver sees the end; it decrypts, and prints checksums
    drop(socket);
    receiver.wait()
}
