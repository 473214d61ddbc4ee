//! Sends a file over TCP with splice(), which needs a pipe at one of its
//! ends: file → pipe → socket.

use std::fs::File;
use std::io::Result;

use nix::fcntl::{SpliceFFlags, splice};
use nix::unistd::pipe;
use support::net;

fn main() -> Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    let (socket, receiver) = net::receiver()?;
    let (out_of_pipe, into_pipe) = pipe()?;
    let none = SpliceFFlags::empty();

    loop {
        let mut left =
            splice(&file, None, &into_pipe, None, 64 * 1024, none)?;
        if left == 0 {
            break;
        }
        while left > 0 {
            left -=
                splice(&out_of_pipe, None, &socket, None, left, none)?;
        }
    }
    drop(socket);
    receiver.wait()
}
