//! Sends the same through io_uring, by reference: a request has two
//! completions, one for the bytes and one for the pages.

use std::io::Result;

use support::{net, ring};

fn main() -> Result<()> {
    let [file] = support::args();
    let data = std::fs::read(file)?;
    let (socket, receiver) = net::receiver()?;
    let mut ring = ring::for_sends(8)?;

    let mut sent = 0;
    while sent < data.len() {
        let piece = &data[sent..data.len().min(sent + 64 * 1024)];
        let request = ring::send_by_reference(&socket, piece);
        // SAFETY: `data` is not changed or dropped before both
        // completions are here.
        unsafe { ring::push(&mut ring, &request)? };
        ring.submit_and_wait(2)?;
        for completed in ring.completion() {
            if !ring::pages_free(&completed) {
                sent += ring::result(&completed)?;
            }
        }
    }
    drop(socket);
    receiver.wait()
}
