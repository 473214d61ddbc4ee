//! Sends short messages with MSG_ZEROCOPY: many of them at a time, as
//! they lie next to each other, and the notifications are taken at the
//! end.

use std::io::Result;

use support::{net, zerocopy};

fn main() -> Result<()> {
    let [file, _message] = support::args();
    let data = std::fs::read(file)?;
    let (socket, receiver) = net::receiver()?;
    zerocopy::enable(&socket)?;

    let (mut sent, mut pending) = (0, 0);
    while sent < data.len() {
        let many = &data[sent..data.len().min(sent + 64 * 1024)];
        sent += zerocopy::send_by_reference(&socket, many)?;
        pending += 1;
    }
    while pending > 0 {
        pending -= zerocopy::notification(&socket)?.sends;
    }
    drop(socket);
    receiver.wait()
}
