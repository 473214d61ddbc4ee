//! Sends a file over TCP with sendfile(), to a socket that the kernel
//! encrypts (kTLS). No byte of the file comes to this program.

use std::fs::File;
use std::io::Result;

use nix::sys::sendfile::sendfile;
use support::tls;

fn main() -> Result<()> {
    let [file] = support::args();
    let file = File::open(file)?;
    let (socket, receiver) = tls::kernel_receiver()?;

    while sendfile(&socket, &file, None, 64 * 1024)? > 0 {}

    drop(socket);
    receiver.wait()
}
