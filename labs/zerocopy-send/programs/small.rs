//! Sends short messages with MSG_ZEROCOPY, and waits each time until the
//! message may be changed.

use std::io::Result;

use support::{net, number, zerocopy};

fn main() -> Result<()> {
    let [file, message] = support::args();
    let data = std::fs::read(file)?;
    let (socket, receiver) = net::receiver()?;
    zerocopy::enable(&socket)?;

    for message in data.chunks(number(&message)) {
        let mut sent = 0;
        while sent < message.len() {
            sent +=
                zerocopy::send_by_reference(&socket, &message[sent..])?;
            zerocopy::notification(&socket)?;
        }
    }
    drop(socket);
    receiver.wait()
}
