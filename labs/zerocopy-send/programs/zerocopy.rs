//! Sends the same with MSG_ZEROCOPY: the kernel takes references to the
//! pages, and says later when it needs them no more.

use std::io::Result;

use support::{net, zerocopy};

fn main() -> Result<()> {
    let [file] = support::args();
    let data = std::fs::read(file)?;
    let (socket, receiver) = net::receiver()?;
    zerocopy::enable(&socket)?;

    let (mut sent, mut pending) = (0, 0);
    while sent < data.len() {
        let piece = &data[sent..data.len().min(sent + 64 * 1024)];
        sent += zerocopy::send_by_reference(&socket, piece)?;
        pending += 1;
    }

    // Until then, nobody may write to `data`.
    let mut copied = 0;
    while pending > 0 {
        let done = zerocopy::notification(&socket)?;
        pending -= done.sends;
        copied += if done.copied { done.sends } else { 0 };
    }
    eprintln!("the kernel copied after all for {copied} of the sends");
    drop(socket);
    receiver.wait()
}
