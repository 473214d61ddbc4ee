//! A web server for files. What it shares with the other three (accepting
//! a client, reading its request, sending the head of the answer) is in
//! `support::http`; here is how it sends the file.
//!
//! This one has sendfile pass the file's pages on.

use std::io::Result;

use nix::sys::sendfile::sendfile;
use support::{http, number};

fn main() -> Result<()> {
    let [small, large, times] = support::args();
    http::serve(&[small, large], number(&times), |client, file| {
        // sendfile() moves the file's offset on; zero means that its end
        // is reached.
        while sendfile(&*client, &file, None, 1 << 20)? > 0 {}
        Ok(())
    })
}
