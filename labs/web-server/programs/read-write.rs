//! A web server for files. What it shares with the other three (accepting
//! a client, reading its request, sending the head of the answer) is in
//! `support::http`; here is how it sends the file.
//!
//! This one reads the file into a buffer, and writes the buffer to the
//! socket.

use std::io::{Read, Result, Write};

use support::{http, number};

fn main() -> Result<()> {
    let [small, large, times] = support::args();
    let mut buffer = vec![0; 16 * 1024];
    http::serve(&[small, large], number(&times), |client, mut file| {
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                return Ok(());
            }
            client.write_all(&buffer[..n])?;
        }
    })
}
