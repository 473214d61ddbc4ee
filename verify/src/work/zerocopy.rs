//! TCP by reference: what is sent, and what is received.

use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::thread;

use anyhow::{Context, Result};
use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, send};

use super::sockets::{between, set_option, tcp};
use crate::scene::{Buffer, CHUNK, Done, PAYLOAD, Scene, not_offered, offered, pieces};

const ZEROCOPY: MsgFlags = MsgFlags::from_bits_retain(0x400_0000);

/// [`tcp`] whose first end may send by reference.
fn zerocopy_tcp() -> Result<(TcpStream, TcpStream)> {
    let (out, receiver) = tcp()?;
    let on = 1_i32.to_ne_bytes();
    let set = set_option(&out, libc::SOL_SOCKET, libc::SO_ZEROCOPY, &on);
    offered("SO_ZEROCOPY", set)?;
    Ok((out, receiver))
}

/// References to memory; loopback copies when it delivers. The notices of completion are read.
pub fn send_by_reference(scene: &mut Scene) -> Result<Done> {
    let (out, receiver) = zerocopy_tcp()?;
    let buffer = Buffer::new(CHUNK)?;
    let mut done = between(scene, receiver, || {
        let mut calls = 0;
        let sent = pieces(PAYLOAD, |_| {
            calls += 1;
            Ok(send(out.as_raw_fd(), &buffer, ZEROCOPY)?)
        })?;
        completions(&out, calls)?;
        Ok(sent)
    })?;
    done.resent = resent(&out)?;
    Ok(done)
}

/// Bytes that TCP sent again, by the kernel's own count. What is sent by reference is copied each time.
pub fn resent(socket: &TcpStream) -> Result<u64> {
    /// `tcpi_bytes_retrans` in `struct tcp_info`, since Linux 4.19.
    const BYTES_RETRANS: usize = 208;
    let mut info = [0_u8; BYTES_RETRANS + size_of::<u64>()];
    let mut length = info.len() as libc::socklen_t;
    // SAFETY: the buffer and its length live through the call.
    Errno::result(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &mut length,
        )
    })?;
    match info[BYTES_RETRANS..].try_into() {
        Ok(bytes) if length as usize == info.len() => Ok(u64::from_ne_bytes(bytes)),
        _ => not_offered("the kernel does not count what TCP sends again"),
    }
}

/// Reads notices until `calls` sends are complete.
fn completions(socket: &TcpStream, calls: u32) -> Result<()> {
    let mut complete = 0;
    while complete < calls {
        let mut space = cmsg_space!([u8; 64]);
        let flags = MsgFlags::MSG_ERRQUEUE;
        match recvmsg::<()>(socket.as_raw_fd(), &mut [], Some(&mut space), flags) {
            Ok(message) => {
                for note in message.cmsgs()? {
                    if let ControlMessageOwned::Ipv4RecvErr(error, _) = note {
                        // `ee_info` to `ee_data`: the first and the last send of the notice.
                        complete += error.ee_data - error.ee_info + 1;
                    }
                }
            }
            Err(Errno::EAGAIN) => thread::yield_now(),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// `struct tcp_zerocopy_receive`, as far as every kernel since 4.18 has it.
#[repr(C)]
#[derive(Default)]
struct ZerocopyReceive {
    address: u64,
    length: u32,
    skip: u32,
}

/// Packets' pages, mapped into the receiver. The kernel maps what is a single, whole page of its own
/// (`can_map_frag`): not what it allocated as a larger block for an ordinary `send`, nor a file's pages; but
/// what the late copy of a zero-copy send makes is such.
pub fn receive_by_reference(scene: &mut Scene) -> Result<Done> {
    const TCP_ZEROCOPY_RECEIVE: i32 = 35;
    // A segment: no longer than what TCP sends at first over loopback (half a window), so that none ends
    // in the middle of a page.
    const SEGMENT: usize = 16 << 10;
    let (out, receiver) = zerocopy_tcp()?;
    let size = std::num::NonZeroUsize::new(SEGMENT).context("nothing to map")?;
    // SAFETY: the kernel chooses a free address.
    let mapped = unsafe {
        mmap(
            None,
            size,
            ProtFlags::PROT_READ,
            MapFlags::MAP_SHARED,
            &receiver,
            0,
        )
    };
    let start = offered("mmap of a TCP socket", mapped)?;
    let buffer = Buffer::new(SEGMENT)?;
    let mut done = scene.shot(|| {
        pieces(PAYLOAD, |_| {
            let sent = send(out.as_raw_fd(), &buffer, ZEROCOPY)?;
            pieces(sent, |left| {
                let mut ask = ZerocopyReceive {
                    address: start.as_ptr() as u64,
                    length: left as u32,
                    skip: 0,
                };
                let mut length = size_of::<ZerocopyReceive>() as libc::socklen_t;
                // SAFETY: the structure and its length live through the call; the mapping is ours.
                Errno::result(unsafe {
                    libc::getsockopt(
                        receiver.as_raw_fd(),
                        libc::IPPROTO_TCP,
                        TCP_ZEROCOPY_RECEIVE,
                        (&raw mut ask).cast(),
                        &mut length,
                    )
                })?;
                match ask.length as usize {
                    0 => not_offered("the kernel can't map these packets"),
                    length => Ok(length),
                }
            })
        })
    })?;
    done.resent = resent(&out)?;
    Ok(done)
}
