//! io_uring: the same work, asked for in other ways.

use std::os::fd::AsRawFd;

use anyhow::{Context, Result, ensure};
use io_uring::squeue::{Entry, Flags};
use io_uring::types::{Fd, Fixed};
use io_uring::{Builder, IoUring, opcode};
use nix::errno::Errno;
use nix::sys::mman::MapFlags;

use super::pipes::large_pipe;
use super::sockets::{between, tcp};
use super::zerocopy::resent;
use crate::scene::{
    Buffer, CHUNK, Done, PAYLOAD, Scene, anonymous, errno, not_offered, offered, page, pieces,
};

/// `IORING_CQE_F_NOTIF`: the buffer of a zero-copy send is free again.
const NOTICE: u32 = 1 << 3;

fn ring(adjust: impl FnOnce(&mut Builder)) -> Result<IoUring> {
    let mut builder = IoUring::builder();
    adjust(&mut builder);
    offered("io_uring", builder.build(16).map_err(errno))
}

/// Submits these entries, and waits for their results: what they moved together.
fn carry_out(ring: &mut IoUring, entries: &[Entry]) -> Result<usize> {
    // SAFETY: buffers and descriptors of the entries outlive this call, which waits for the end.
    unsafe { ring.submission().push_multiple(entries)? };
    results(ring, entries.len())
}

/// Waits for the results of so many requests: what they moved together.
fn results(ring: &mut IoUring, mut wanted: usize) -> Result<usize> {
    let mut moved = 0;
    while wanted > 0 {
        ring.submit_and_wait(1)?;
        for completion in ring.completion() {
            let more = io_uring::cqueue::more(completion.flags());
            let result = completion.result();
            ensure!(
                result >= 0,
                "a request failed: {}",
                Errno::from_raw(-result)
            );
            if completion.flags() & NOTICE == 0 {
                moved += result as usize;
            }
            wanted -= usize::from(!more);
        }
    }
    Ok(moved)
}

/// Whether the kernel knows an operation.
fn knows(ring: &IoUring, code: u8) -> Result<()> {
    let mut probe = io_uring::Probe::new();
    ring.submitter().register_probe(&mut probe)?;
    match probe.is_supported(code) {
        true => Ok(()),
        false => not_offered("this kernel's io_uring has no such operation"),
    }
}

fn read_with(
    scene: &mut Scene,
    mut ring: IoUring,
    file: &std::fs::File,
    adjust: impl Fn(Entry) -> Entry,
) -> Result<Done> {
    let mut buffer = Buffer::new(CHUNK)?;
    let fd = Fd(file.as_raw_fd());
    scene.shot(|| {
        pieces(PAYLOAD, |left| {
            let entry = opcode::Read::new(fd, buffer.as_mut_ptr(), CHUNK as u32);
            let entry = adjust(entry.offset((PAYLOAD - left) as u64).build());
            carry_out(&mut ring, &[entry])
        })
    })
}

pub fn read(scene: &mut Scene) -> Result<Done> {
    let (file, ring) = (scene.source()?, ring(|_| {})?);
    read_with(scene, ring, &file, |entry| entry)
}

/// Left to a worker thread.
pub fn read_worker(scene: &mut Scene) -> Result<Done> {
    let (file, ring) = (scene.source()?, ring(|_| {})?);
    read_with(scene, ring, &file, |entry| entry.flags(Flags::ASYNC))
}

/// A kernel thread finds the requests: no system call submits them.
pub fn read_polled(scene: &mut Scene) -> Result<Done> {
    let ring = ring(|builder| {
        builder.setup_sqpoll(1000);
    })?;
    let file = scene.source()?;
    read_with(scene, ring, &file, |entry| entry)
}

/// Completions are polled from the device, past its interrupt.
pub fn direct_io_polled(scene: &mut Scene) -> Result<Done> {
    let ring = ring(|builder| {
        builder.setup_iopoll();
    })?;
    let file = scene.direct()?;
    let mut ring = ring;
    let mut buffer = Buffer::new(CHUNK)?;
    let first = |buffer: &mut Buffer, at: usize| {
        opcode::Read::new(Fd(file.as_raw_fd()), buffer.as_mut_ptr(), CHUNK as u32)
            .offset(at as u64)
            .build()
    };
    // A device without queues to poll refuses.
    if let Err(error) = carry_out(&mut ring, &[first(&mut buffer, 0)]) {
        return not_offered(format!("polling this device: {error}"));
    }
    scene.shot(|| {
        pieces(PAYLOAD, |left| {
            carry_out(&mut ring, &[first(&mut buffer, PAYLOAD - left)])
        })
    })
}

pub fn direct(scene: &mut Scene) -> Result<Done> {
    let (ring, file) = (ring(|_| {})?, scene.direct()?);
    read_with(scene, ring, &file, |entry| entry)
}

/// Buffer and file are registered.
pub fn read_fixed(scene: &mut Scene) -> Result<Done> {
    let (mut ring, file) = (ring(|_| {})?, scene.source()?);
    let mut buffer = Buffer::new(CHUNK)?;
    let memory = nix::libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: CHUNK,
    };
    // SAFETY: the buffer lives until after the ring's last request.
    let registered = unsafe { ring.submitter().register_buffers(&[memory]) };
    offered("registered buffers", registered.map_err(errno))?;
    ring.submitter().register_files(&[file.as_raw_fd()])?;
    scene.shot(|| {
        pieces(PAYLOAD, |left| {
            let entry = opcode::ReadFixed::new(Fixed(0), buffer.as_mut_ptr(), CHUNK as u32, 0);
            let entry = entry.offset((PAYLOAD - left) as u64).build();
            carry_out(&mut ring, &[entry])
        })
    })
}

/// The kernel chooses among buffers that it was given.
pub fn read_provided(scene: &mut Scene) -> Result<Done> {
    const GROUP: u16 = 7;
    let (mut ring, file) = (ring(|_| {})?, scene.source()?);
    let mut buffer = Buffer::new(CHUNK)?;
    let fd = Fd(file.as_raw_fd());
    scene.shot(|| {
        pieces(PAYLOAD, |left| {
            let give =
                opcode::ProvideBuffers::new(buffer.as_mut_ptr(), CHUNK as i32, 1, GROUP, 0).build();
            carry_out(&mut ring, &[give])?;
            let entry = opcode::Read::new(fd, std::ptr::null_mut(), CHUNK as u32)
                .buf_group(GROUP)
                .offset((PAYLOAD - left) as u64)
                .build();
            carry_out(&mut ring, &[entry.flags(Flags::BUFFER_SELECT)])
        })
    })
}

/// A read, and a write that waits for it: one system call for both.
pub fn linked(scene: &mut Scene) -> Result<Done> {
    let mut ring = ring(|_| {})?;
    let (from, to) = (scene.source()?, scene.target()?);
    let mut buffer = Buffer::new(CHUNK)?;
    let memory = buffer.as_mut_ptr();
    scene.shot(|| {
        pieces(PAYLOAD, |left| {
            let at = (PAYLOAD - left) as u64;
            let read = opcode::Read::new(Fd(from.as_raw_fd()), memory, CHUNK as u32).offset(at);
            let write = opcode::Write::new(Fd(to.as_raw_fd()), memory, CHUNK as u32).offset(at);
            let entries = [read.build().flags(Flags::IO_LINK), write.build()];
            Ok(carry_out(&mut ring, &entries)? / 2)
        })
    })
}

pub fn send(scene: &mut Scene) -> Result<Done> {
    let (mut ring, (out, receiver)) = (ring(|_| {})?, tcp()?);
    let buffer = Buffer::new(CHUNK)?;
    let fd = Fd(out.as_raw_fd());
    between(scene, receiver, || {
        pieces(PAYLOAD, |_| {
            let entry = opcode::Send::new(fd, buffer.as_ptr(), CHUNK as u32).build();
            carry_out(&mut ring, &[entry])
        })
    })
}

pub fn send_zerocopy(scene: &mut Scene) -> Result<Done> {
    let (mut ring, (out, receiver)) = (ring(|_| {})?, tcp()?);
    knows(&ring, opcode::SendZc::CODE)?;
    let buffer = Buffer::new(CHUNK)?;
    let fd = Fd(out.as_raw_fd());
    let mut done = between(scene, receiver, || {
        pieces(PAYLOAD, |_| {
            let entry = opcode::SendZc::new(fd, buffer.as_ptr(), CHUNK as u32).build();
            carry_out(&mut ring, &[entry])
        })
    })?;
    done.resent = resent(&out)?;
    Ok(done)
}

pub fn receive(scene: &mut Scene) -> Result<Done> {
    use std::io::Write;
    let (mut ring, (mut out, receiver)) = (ring(|_| {})?, tcp()?);
    let (from, mut to) = (Buffer::new(CHUNK)?, Buffer::new(CHUNK)?);
    let fd = Fd(receiver.as_raw_fd());
    scene.shot(|| {
        pieces(PAYLOAD, |_| {
            out.write_all(&from)?;
            pieces(CHUNK, |left| {
                let entry = opcode::Recv::new(fd, to.as_mut_ptr(), left as u32).build();
                carry_out(&mut ring, &[entry])
            })
        })
    })
}

/// The request waits for bytes that we send ourselves: they are received on the way back from that call, in
/// no call, and the next thing is a page fault.
pub fn receive_before_fault(scene: &mut Scene) -> Result<Done> {
    use std::io::Write;
    let (mut ring, (mut out, receiver)) = (ring(|_| {})?, tcp()?);
    let (from, mut to) = (Buffer::new(CHUNK)?, Buffer::new(CHUNK)?);
    let fd = Fd(receiver.as_raw_fd());
    let page = page();
    let pages = PAYLOAD / CHUNK;
    let fresh = anonymous((pages + 1) * page, MapFlags::MAP_PRIVATE)?;
    scene.watch(fresh, pages * page);
    let mut round = |nth: usize| {
        let entry = opcode::Recv::new(fd, to.as_mut_ptr(), CHUNK as u32).build();
        // SAFETY: the buffer outlives the request, whose end is waited for below.
        unsafe { ring.submission().push(&entry)? };
        ring.submit()?;
        out.write_all(&from)?;
        // SAFETY: a page for each piece was mapped, and one more.
        unsafe { fresh.add(nth * page).write_volatile(1) };
        let first = results(&mut ring, 1)?;
        let rest = pieces(CHUNK - first, |left| {
            let entry = opcode::Recv::new(fd, to.as_mut_ptr(), left as u32).build();
            carry_out(&mut ring, &[entry])
        })?;
        Ok(first + rest)
    };
    // Once before, so that the code which follows the call is there: no other fault comes first.
    round(pages)?;
    scene.shot(|| pieces(PAYLOAD, |left| round((PAYLOAD - left) / CHUNK)))
}

/// From a file into a pipe, and out of it by an ordinary read.
pub fn splice(scene: &mut Scene) -> Result<Done> {
    let (mut ring, file) = (ring(|_| {})?, scene.source()?);
    let (reader, writer) = large_pipe()?;
    let mut buffer = Buffer::new(CHUNK)?;
    scene.shot(|| {
        pieces(PAYLOAD, |left| {
            let (from, to) = (Fd(file.as_raw_fd()), Fd(writer.as_raw_fd()));
            let at = (PAYLOAD - left) as i64;
            let entry = opcode::Splice::new(from, at, to, -1, CHUNK as u32).build();
            let moved = carry_out(&mut ring, &[entry])?;
            pieces(moved, |_| Ok(nix::unistd::read(&reader, &mut buffer)?))
        })
    })
}

/// From one pipe to another.
pub fn tee(scene: &mut Scene) -> Result<Done> {
    let mut ring = ring(|_| {})?;
    let ((reader, writer), (second, copy)) = (large_pipe()?, large_pipe()?);
    let mut buffer = Buffer::new(CHUNK)?;
    scene
        .shot(|| {
            pieces(PAYLOAD, |_| {
                let written = nix::unistd::write(&writer, &buffer)?;
                let (from, to) = (Fd(reader.as_raw_fd()), Fd(copy.as_raw_fd()));
                let entry = opcode::Tee::new(from, to, written as u32).build();
                let moved = carry_out(&mut ring, &[entry])?;
                pieces(moved, |_| Ok(nix::unistd::read(&reader, &mut buffer)?))?;
                pieces(moved, |_| Ok(nix::unistd::read(&second, &mut buffer)?))
            })
        })
        .context("tee")
}
