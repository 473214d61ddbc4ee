//! Cheats: sends as many bytes as the file has, but not the file's.

use std::fs::File;
use std::io::Result;

use nix::sys::sendfile::sendfile;
use support::net;

fn main() -> Result<()> {
    let [file] = support::args();
    let size = std::fs::metadata(file)?.len();
    let (socket, receiver) = net::receiver()?;

    let other = File::open("/proc/self/exe")?;
    let mut sent = 0;
    while sent < size {
        let want = (size - sent).min(64 * 1024) as usize;
        sent += sendfile(&socket, &other, Some(&mut 0), want)? as u64;
    }
    drop(socket);
    receiver.wait()
}
