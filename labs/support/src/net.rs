//! A peer on the loopback device.

use std::io::{Error, ErrorKind, Result};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::process::{Child, in_child};
use crate::receive;

/// A TCP connection to a child that reads it to the end, and then prints a checksum of what it got.
pub fn receiver() -> Result<(TcpStream, Child)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let child = in_child(|| receive::to_the_end(TcpStream::connect(address)?))?;
    Ok((listener.accept()?.0, child))
}

/// The same over a UNIX socket: for programs on one machine only.
pub fn local_receiver() -> Result<(UnixStream, Child)> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut ours = Some(ours);
    let child = in_child(|| {
        ours = None; // the child's: while one is open, the connection has no end
        receive::to_the_end(theirs)
    })?;
    let Some(ours) = ours else {
        unreachable!("only the child closed its own");
    };
    Ok((ours, child))
}

/// Waits until the other end has confirmed everything that was sent to it.
pub fn wait_until_taken(socket: &TcpStream) -> Result<()> {
    loop {
        let mut left = 0;
        // SAFETY: the kernel writes one number (tcp(7), SIOCOUTQ).
        let asked = unsafe { nix::libc::ioctl(socket.as_raw_fd(), nix::libc::TIOCOUTQ, &mut left) };
        nix::errno::Errno::result(asked)?;
        if left == 0 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A TCP connection within this program: what is sent on the first end waits at the second.
pub fn pair() -> Result<(TcpStream, Drain)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let sender = TcpStream::connect(listener.local_addr()?)?;
    sender.set_nodelay(true)?;
    Ok((sender, Drain(listener.accept()?.0)))
}

/// The end of a connection at which bytes are thrown away.
pub struct Drain(TcpStream);

impl Drain {
    /// Takes `bytes` off the connection and frees them in the kernel: nobody copies them, so that
    /// what is measured is the sender's side.
    pub fn discard(&self, bytes: usize) -> Result<()> {
        let mut left = bytes;
        while left > 0 {
            // SAFETY: with MSG_TRUNC, TCP drops the bytes and writes nothing (tcp(7)).
            let n = unsafe {
                let nowhere = std::ptr::null_mut();
                nix::libc::recv(self.0.as_raw_fd(), nowhere, left, nix::libc::MSG_TRUNC)
            };
            match usize::try_from(n) {
                Ok(0) => return Err(Error::from(ErrorKind::UnexpectedEof)),
                Ok(n) => left -= n,
                Err(_) => return Err(Error::last_os_error()),
            }
        }
        Ok(())
    }
}
