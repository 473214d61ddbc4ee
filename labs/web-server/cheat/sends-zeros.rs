//! Sends as many bytes as the file has, but not those of the file.

use std::io::{Result, Write};

use support::{http, number};

fn main() -> Result<()> {
    let [small, large, times] = support::args();
    http::serve(&[small, large], number(&times), |client, file| {
        let size = file.metadata()?.len() as usize;
        client.write_all(&vec![0; size])
    })
}
