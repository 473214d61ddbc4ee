//! A web server for files. What it shares with the other three (accepting
//! a client, reading its request, sending the head of the answer) is in
//! `support::http`; here is how it sends the file.
//!
//! This one splices: file → pipe → socket, with one pipe for all
//! requests.

use std::io::Result;

use nix::fcntl::{SpliceFFlags, splice};
use nix::unistd::pipe;
use support::{http, number};

fn main() -> Result<()> {
    let [small, large, times] = support::args();
    let (out_of_pipe, into_pipe) = pipe()?;
    let none = SpliceFFlags::empty();
    http::serve(&[small, large], number(&times), |client, file| {
        loop {
            let mut left =
                splice(&file, None, &into_pipe, None, 64 * 1024, none)?;
            if left == 0 {
                return Ok(());
            }
            while left > 0 {
                left -= splice(
                    &out_of_pipe,
                    None,
                    &*client,
                    None,
                    left,
                    none,
                )?;
            }
        }
    })
}
