//! Cheats: sends next to nothing, and prints what the receiver would have
//! printed.

use std::io::Result;

use support::{checksum::Checksum, net, zerocopy};

fn main() -> Result<()> {
    let [file, _message] = support::args();
    let data = std::fs::read(file)?;
    let (socket, _receiver) = net::receiver()?;
    zerocopy::enable(&socket)?;
    zerocopy::send_by_reference(&socket, &data[..1])?;
    zerocopy::notification(&socket)?;

    let mut checksum = Checksum::new();
    checksum.add(&data);
    println!("received {} bytes, checksum {checksum}", data.len());
    std::process::exit(0)
}
