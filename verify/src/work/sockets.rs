//! Sockets. The receiver is a thread: its copies belong to the path, too.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use nix::errno::Errno;
use nix::fcntl::{SpliceFFlags, splice};
use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use nix::sys::sendfile::sendfile;
use nix::sys::socket::{MsgFlags, MultiHeaders, recv, recvmmsg, sendmmsg};

use super::pipes::large_pipe;
use crate::scene::{
    Buffer, CHUNK, Done, PAGE, PAYLOAD, Scene, drop_cache, not_offered, offered, pieces,
};

/// Two ends of a TCP connection over loopback.
pub fn tcp() -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let sender = TcpStream::connect(listener.local_addr()?)?;
    let (receiver, _) = listener.accept()?;
    Ok((sender, receiver))
}

pub fn set_option(socket: &TcpStream, level: i32, name: i32, value: &[u8]) -> Result<i32, Errno> {
    let length = value.len() as libc::socklen_t;
    // SAFETY: the value lives through the call.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            value.as_ptr().cast(),
            length,
        )
    };
    Errno::result(set)
}

/// Receives [`PAYLOAD`] bytes in whole [`CHUNK`]s.
fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<()> {
    pieces(PAYLOAD, |_| {
        Ok(recv(socket.as_raw_fd(), buffer, MsgFlags::MSG_WAITALL)?)
    })
    .map(drop)
}

/// Runs `send` while a thread receives [`PAYLOAD`] bytes from the other end.
pub fn between(
    scene: &mut Scene,
    receiver: impl AsFd + Send,
    send: impl FnOnce() -> Result<usize>,
) -> Result<Done> {
    let mut buffer = Buffer::new(CHUNK)?;
    scene.shot(|| {
        thread::scope(|scope| {
            let thread = scope.spawn(move || receive(receiver.as_fd(), &mut buffer));
            let sent = send()?;
            thread
                .join()
                .map_err(|_| anyhow!("the receiver failed"))??;
            Ok(sent)
        })
    })
}

pub fn read_write_tcp(scene: &mut Scene) -> Result<Done> {
    let (out, receiver) = tcp()?;
    read_write(scene, out, receiver)
}

pub fn read_write(scene: &mut Scene, mut out: TcpStream, receiver: TcpStream) -> Result<Done> {
    let mut file = scene.source()?;
    let mut buffer = Buffer::new(CHUNK)?;
    between(scene, receiver, || {
        pieces(PAYLOAD, |_| {
            let n = file.read(&mut buffer)?;
            out.write_all(&buffer[..n])?;
            Ok(n)
        })
    })
}

pub fn map_write_tcp(scene: &mut Scene) -> Result<Done> {
    let (file, (mut out, receiver)) = (scene.source()?, tcp()?);
    let size = std::num::NonZeroUsize::new(PAYLOAD).context("nothing to map")?;
    // SAFETY: the kernel chooses a free address; nobody truncates the file meanwhile.
    let start = unsafe {
        mmap(
            None,
            size,
            ProtFlags::PROT_READ,
            MapFlags::MAP_SHARED,
            &file,
            0,
        )?
    };
    // SAFETY: just mapped, and never unmapped.
    let memory = unsafe { std::slice::from_raw_parts(start.as_ptr().cast::<u8>(), PAYLOAD) };
    between(scene, receiver, || {
        out.write_all(memory)?;
        Ok(PAYLOAD)
    })
}

pub fn send_file(scene: &mut Scene, out: impl AsFd, receiver: impl AsFd + Send) -> Result<Done> {
    let file = scene.source()?;
    between(scene, receiver, || {
        pieces(PAYLOAD, |left| {
            Ok(sendfile(&out, &file, None, CHUNK.min(left))?)
        })
    })
}

pub fn sendfile_tcp(scene: &mut Scene) -> Result<Done> {
    let (out, receiver) = tcp()?;
    send_file(scene, out, receiver)
}

pub fn sendfile_unix(scene: &mut Scene) -> Result<Done> {
    let (out, receiver) = UnixStream::pair()?;
    send_file(scene, out, receiver)
}

pub fn splice_tcp(scene: &mut Scene) -> Result<Done> {
    let (file, (out, receiver)) = (scene.source()?, tcp()?);
    let (reader, writer) = large_pipe()?;
    let flags = SpliceFFlags::empty();
    between(scene, receiver, || {
        pieces(PAYLOAD, |left| {
            let moved = splice(&file, None, &writer, None, CHUNK.min(left), flags)?;
            pieces(moved, |left| {
                Ok(splice(&reader, None, &out, None, left, flags)?)
            })
        })
    })
}

/// Out of a socket, through a pipe, into a file.
pub fn splice_from_tcp(scene: &mut Scene) -> Result<Done> {
    let (mut out, receiver) = tcp()?;
    let (reader, writer) = large_pipe()?;
    let file = scene.target()?;
    let buffer = Buffer::new(CHUNK)?;
    let flags = SpliceFFlags::empty();
    scene.shot(|| {
        pieces(PAYLOAD, |_| {
            out.write_all(&buffer)?;
            pieces(CHUNK, |left| {
                let moved = splice(&receiver, None, &writer, None, left, flags)?;
                pieces(moved, |left| {
                    Ok(splice(&reader, None, &file, None, left, flags)?)
                })
            })
        })
    })
}

pub fn unix_stream(scene: &mut Scene) -> Result<Done> {
    let (mut out, receiver) = UnixStream::pair()?;
    let buffer = Buffer::new(CHUNK)?;
    between(scene, receiver, || {
        pieces(PAYLOAD, |_| Ok(out.write(&buffer)?))
    })
}

/// Bytes of a datagram: with its headers it fits into a packet of loopback.
const DATAGRAM: usize = 32 << 10;

pub fn unix_datagram(scene: &mut Scene) -> Result<Done> {
    let (out, receiver) = UnixDatagram::pair()?;
    let (from, mut to) = (Buffer::new(DATAGRAM)?, Buffer::new(DATAGRAM)?);
    scene.shot(|| {
        pieces(PAYLOAD, |_| {
            out.send(&from)?;
            Ok(receiver.recv(&mut to)?)
        })
    })
}

fn udp_pair() -> Result<(UdpSocket, UdpSocket)> {
    let receiver = UdpSocket::bind(("127.0.0.1", 0))?;
    let out = UdpSocket::bind(("127.0.0.1", 0))?;
    out.connect(receiver.local_addr()?)?;
    Ok((out, receiver))
}

pub fn udp(scene: &mut Scene) -> Result<Done> {
    let (out, receiver) = udp_pair()?;
    let (from, mut to) = (Buffer::new(DATAGRAM)?, Buffer::new(DATAGRAM)?);
    scene.shot(|| {
        pieces(PAYLOAD, |_| {
            out.send(&from)?;
            Ok(receiver.recv(&mut to)?)
        })
    })
}

/// Four datagrams a call.
pub fn udp_many(scene: &mut Scene) -> Result<Done> {
    const MANY: usize = 4;
    let (out, receiver) = udp_pair()?;
    let (from, mut to) = (Buffer::new(DATAGRAM)?, Buffer::new(MANY * DATAGRAM)?);
    let slices = [[IoSlice::new(&from)]; MANY];
    let mut sending = MultiHeaders::<()>::preallocate(MANY, None);
    let mut receiving = MultiHeaders::<()>::preallocate(MANY, None);
    scene.shot(|| {
        pieces(PAYLOAD, |_| {
            let flags = MsgFlags::empty();
            let addresses = [None::<()>; MANY];
            let sent = sendmmsg(out.as_raw_fd(), &mut sending, &slices, addresses, [], flags)?;
            ensure!(sent.count() == MANY, "fewer messages were sent");
            let mut parts = to.chunks_mut(DATAGRAM);
            let mut parts: [_; MANY] =
                std::array::from_fn(|_| [IoSliceMut::new(parts.next().unwrap_or_default())]);
            let got = recvmmsg(
                receiver.as_raw_fd(),
                &mut receiving,
                parts.iter_mut(),
                flags,
                None,
            )?;
            Ok(got.map(|message| message.bytes).sum())
        })
    })
}

/// `sendfile` into a socket that the kernel encrypts: a CPU has to read and write every byte.
pub fn ktls_sendfile(scene: &mut Scene) -> Result<Done> {
    const TCP_ULP: i32 = 31;
    const SOL_TLS: i32 = 282;
    const TLS_TX: i32 = 1;
    let (out, receiver) = tcp()?;
    offered("kTLS", set_option(&out, libc::IPPROTO_TCP, TCP_ULP, b"tls"))?;
    // `struct tls12_crypto_info_aes_gcm_128`: TLS 1.2, AES-GCM-128, then iv, key, salt, sequence: zeros
    // are as good as any.
    let mut crypto = [0_u8; 40];
    crypto[..4].copy_from_slice(&[0x03, 0x03, 51, 0]);
    offered("kTLS", set_option(&out, SOL_TLS, TLS_TX, &crypto))?;
    let file = scene.source()?;
    let mut buffer = Buffer::new(CHUNK)?;
    scene.shot(|| {
        thread::scope(|scope| {
            let receiver = &receiver;
            // The records are longer than what is in them: to the end.
            let thread = scope.spawn(move || -> Result<()> {
                while recv(receiver.as_raw_fd(), &mut buffer, MsgFlags::empty())? > 0 {}
                Ok(())
            });
            let sent = pieces(PAYLOAD, |left| {
                Ok(sendfile(&out, &file, None, CHUNK.min(left))?)
            })?;
            out.shutdown(std::net::Shutdown::Write)?;
            thread
                .join()
                .map_err(|_| anyhow!("the receiver failed"))??;
            Ok(sent)
        })
    })
}

/// To a peer beyond a network device. The file is cold: disk and network do all the work.
pub fn sendfile_peer(scene: &mut Scene) -> Result<Done> {
    let Some(peer) = scene.peer else {
        return not_offered("no peer was named (--peer ADDRESS:PORT)");
    };
    let out = TcpStream::connect(peer)?;
    let file: File = scene.source()?;
    drop_cache(&file)?;
    scene.shot(|| {
        let sent = pieces(PAYLOAD, |left| {
            Ok(sendfile(&out, &file, None, CHUNK.min(left))?)
        })?;
        drained(&out)?;
        Ok(sent)
    })
}

/// Waits until the peer has acknowledged everything (`SIOCOUTQ`).
fn drained(socket: &TcpStream) -> Result<()> {
    let mut left = 1;
    while left > 0 {
        // SAFETY: the kernel writes one number, which lives through the call.
        Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &mut left) })?;
        thread::sleep(std::time::Duration::from_millis(5));
    }
    Ok(())
}

const _: () = assert!(DATAGRAM.is_multiple_of(PAGE));
