//! Sends a file over TCP as it is, with sendfile(): what the others are
//! compared with.

use std::fs::File;
use std::io::Result;

use nix::sys::sendfile::sendfile;
use support::net;

fn main() -> Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    let (socket, receiver) = net::receiver()?;

    // sendfile() moves the file's offset on; zero means that its end is
    // reached.
    while sendfile(&socket, &file, None, 64 * 1024)? > 0 {}

    drop(socket);
    receiver.wait()
}
