//! The kernel's cryptography, by sockets of `AF_ALG`.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use anyhow::Result;
use nix::sys::socket::{
    AddressFamily, AlgAddr, ControlMessage, MsgFlags, SockFlag, SockType, accept, bind, recv, send,
    sendmsg, setsockopt, socket, sockopt,
};
use nix::{errno::Errno, libc};

use crate::scene::{Buffer, CHUNK, Done, PAYLOAD, Scene, offered, pieces};

/// A socket that computes `name`, with a key if it needs one.
fn operation(kind: &str, name: &str, key: Option<&[u8]>) -> Result<OwnedFd> {
    let opened = || {
        let flags = SockFlag::empty();
        let parent = socket(AddressFamily::Alg, SockType::SeqPacket, flags, None)?;
        bind(parent.as_raw_fd(), &AlgAddr::new(kind, name))?;
        if let Some(key) = key {
            setsockopt(&parent, sockopt::AlgSetKey::default(), &key)?;
        }
        let fd = accept(parent.as_raw_fd())?;
        // SAFETY: the descriptor is new, and nobody else's.
        Ok::<_, Errno>(unsafe { OwnedFd::from_raw_fd(fd) })
    };
    offered("AF_ALG", opened())
}

/// The pages are read where they are.
pub fn hash(scene: &mut Scene) -> Result<Done> {
    let socket = operation("hash", "sha256", None)?;
    let fd = socket.as_raw_fd();
    let (buffer, mut result) = (Buffer::new(CHUNK)?, [0; 32]);
    let more = MsgFlags::from_bits_retain(libc::MSG_MORE);
    let done = scene.shot(|| pieces(PAYLOAD, |_| Ok(send(fd, &buffer, more)?)))?;
    recv(fd, &mut result, MsgFlags::empty())?;
    Ok(done)
}

/// Sent, enciphered, and received.
pub fn cipher(scene: &mut Scene) -> Result<Done> {
    let socket = operation("skcipher", "cbc(aes)", Some(&[1; 16]))?;
    let (clear, mut secret) = (Buffer::new(CHUNK)?, Buffer::new(CHUNK)?);
    let (encrypt, iv) = (libc::ALG_OP_ENCRYPT, [2; 16]);
    let how = [
        ControlMessage::AlgSetOp(&encrypt),
        ControlMessage::AlgSetIv(&iv),
    ];
    scene.shot(|| {
        pieces(PAYLOAD, |_| {
            let parts = [std::io::IoSlice::new(&clear)];
            let none = MsgFlags::empty();
            let sent = sendmsg::<AlgAddr>(socket.as_raw_fd(), &parts, &how, none, None)?;
            pieces(sent, |_| Ok(nix::unistd::read(&socket, &mut secret)?))
        })
    })
}
