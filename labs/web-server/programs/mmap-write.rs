//! A web server for files. What it shares with the other three (accepting
//! a client, reading its request, sending the head of the answer) is in
//! `support::http`; here is how it sends the file.
//!
//! This one maps the file, and writes the mapped bytes to the socket.

use std::io::{Result, Write};

use support::{http, memory, number};

fn main() -> Result<()> {
    let [small, large, times] = support::args();
    http::serve(&[small, large], number(&times), |client, file| {
        let size = file.metadata()?.len() as usize;
        memory::with_mapped(&file, 0, size, |bytes| {
            client.write_all(bytes)
        })?
    })
}
