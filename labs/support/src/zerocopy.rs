//! MSG_ZEROCOPY: what `nix` has no functions for.

use std::io::{Error, ErrorKind, Result};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, send};
use nix::{cmsg_space, libc};

// From include/uapi/linux/errqueue.h.
const ORIGIN_ZEROCOPY: u8 = 5;
const CODE_COPIED: u8 = 1;

/// Tells the kernel that this socket will be used with `MSG_ZEROCOPY`.
pub fn enable(socket: &TcpStream) -> Result<()> {
    let on: libc::c_int = 1;
    let size = size_of_val(&on) as libc::socklen_t;
    // SAFETY: the value is an int of that size, and lives during the call.
    let returned = unsafe {
        let value = (&raw const on).cast();
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ZEROCOPY,
            value,
            size,
        )
    };
    match Errno::result(returned) {
        Ok(_) => Ok(()),
        Err(Errno::ENOPROTOOPT | Errno::EOPNOTSUPP) => {
            crate::unavailable("MSG_ZEROCOPY is not available here")
        }
        Err(e) => Err(e.into()),
    }
}

/// `send` without a copy: the kernel keeps references to the pages of `bytes`, and they must not
/// change until it says that it needs them no more. Returns how much it took.
pub fn send_by_reference(socket: &TcpStream, bytes: &[u8]) -> Result<usize> {
    let flags = MsgFlags::from_bits_retain(libc::MSG_ZEROCOPY);
    Ok(send(socket.as_raw_fd(), bytes, flags)?)
}

/// Sends whose pages the kernel needs no more.
pub struct Done {
    pub sends: usize,
    /// Whether the kernel copied their bytes after all.
    pub copied: bool,
}

/// Takes one notification from the socket's error queue; waits for it.
pub fn notification(socket: &TcpStream) -> Result<Done> {
    loop {
        if let Some(done) = take(socket)? {
            return Ok(done);
        }
        // What is in the error queue makes poll() return without being asked for.
        let mut watched = [PollFd::new(socket.as_fd(), PollFlags::empty())];
        poll(&mut watched, PollTimeout::NONE)?;
    }
}

fn take(socket: &TcpStream) -> Result<Option<Done>> {
    let mut space = cmsg_space!(libc::sock_extended_err, libc::sockaddr_in);
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message = match recvmsg::<()>(socket.as_raw_fd(), &mut [], Some(&mut space), flags) {
        Err(Errno::EAGAIN) => return Ok(None),
        other => other?,
    };
    for part in message.cmsgs()? {
        if let ControlMessageOwned::Ipv4RecvErr(error, _) = part
            && error.ee_origin == ORIGIN_ZEROCOPY
        {
            // Sends are numbered; one notification may be for a whole range of them.
            return Ok(Some(Done {
                sends: (error.ee_data - error.ee_info) as usize + 1,
                copied: error.ee_code & CODE_COPIED != 0,
            }));
        }
    }
    Err(Error::new(
        ErrorKind::InvalidData,
        "an unexpected message in the error queue",
    ))
}
