//! Linux AIO: what `io_submit` is given is done inside it, or by a device while the program goes on.

use std::fs::File;
use std::os::fd::AsRawFd;

use anyhow::{Result, ensure};
use nix::errno::Errno;
use nix::libc;

use crate::scene::{Buffer, CHUNK, Done, PAYLOAD, Scene, offered};

const REQUESTS: usize = PAYLOAD / CHUNK;

/// `struct iocb` (include/uapi/linux/aio_abi.h).
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Request {
    data: u64,
    key: u32,
    rw_flags: u32,
    opcode: u16,
    priority: i16,
    descriptor: u32,
    buffer: u64,
    bytes: u64,
    offset: i64,
    reserved: u64,
    flags: u32,
    notify: u32,
}

/// `struct io_event`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Event {
    data: u64,
    request: u64,
    result: i64,
    result2: i64,
}

const PREAD: u16 = 0;
const PWRITE: u16 = 1;
const PWRITEV: u16 = 8;

struct Context(u64);

impl Context {
    fn new() -> Result<Self> {
        let mut context = 0_u64;
        // SAFETY: the kernel writes the context's number.
        let made = unsafe { libc::syscall(libc::SYS_io_setup, REQUESTS, &raw mut context) };
        offered("Linux AIO", Errno::result(made))?;
        Ok(Self(context))
    }

    /// Hands all requests over at once, and waits until each is done; the sum of the results.
    fn carry_out(&self, requests: &mut [Request]) -> Result<usize> {
        let pointers: Vec<*mut Request> = requests.iter_mut().map(std::ptr::from_mut).collect();
        let count = pointers.len();
        // SAFETY: the requests, and the buffers that they name, live until their results are there.
        let taken = unsafe { libc::syscall(libc::SYS_io_submit, self.0, count, pointers.as_ptr()) };
        let taken = offered("Linux AIO", Errno::result(taken))? as usize;
        ensure!(taken == count, "io_submit took {taken} of {count} requests");
        let mut events = vec![Event::default(); count];
        let (mut given, mut moved) = (0, 0);
        while given < count {
            let room = count - given;
            let to = &raw mut events[given];
            let none = std::ptr::null_mut::<libc::timespec>();
            // SAFETY: there is room for so many events.
            let new = unsafe { libc::syscall(libc::SYS_io_getevents, self.0, 1, room, to, none) };
            given += Errno::result(new)? as usize;
        }
        for event in &events {
            Errno::result(event.result)?;
            moved += event.result as usize;
        }
        Ok(moved)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: nothing is under way.
        unsafe { libc::syscall(libc::SYS_io_destroy, self.0) };
    }
}

fn requests(file: &File, opcode: u16, buffer: &Buffer) -> Vec<Request> {
    let one = |i: usize| Request {
        opcode,
        descriptor: file.as_raw_fd() as u32,
        buffer: buffer[i * CHUNK..].as_ptr() as u64,
        bytes: CHUNK as u64,
        offset: (i * CHUNK) as i64,
        ..Request::default()
    };
    (0..REQUESTS).map(one).collect()
}

fn all(scene: &mut Scene, file: &File, opcode: u16) -> Result<Done> {
    let (context, buffer) = (Context::new()?, Buffer::new(PAYLOAD)?);
    let mut requests = requests(file, opcode, &buffer);
    scene.shot(|| context.carry_out(&mut requests))
}

pub fn read(scene: &mut Scene) -> Result<Done> {
    let file = scene.source()?;
    all(scene, &file, PREAD)
}

/// Each request writes two pieces.
pub fn write(scene: &mut Scene) -> Result<Done> {
    let file = scene.target()?;
    let (context, buffer) = (Context::new()?, Buffer::new(PAYLOAD)?);
    let mut requests = requests(&file, PWRITEV, &buffer);
    let piece = |at: u64| libc::iovec {
        iov_base: at as *mut libc::c_void,
        iov_len: CHUNK / 2,
    };
    let halves = |request: &Request| {
        let half = CHUNK as u64 / 2;
        [piece(request.buffer), piece(request.buffer + half)]
    };
    let vectors: Vec<[libc::iovec; 2]> = requests.iter().map(halves).collect();
    for (request, vector) in requests.iter_mut().zip(&vectors) {
        request.buffer = vector.as_ptr() as u64;
        request.bytes = vector.len() as u64;
    }
    scene.shot(|| context.carry_out(&mut requests))
}

pub fn direct_read(scene: &mut Scene) -> Result<Done> {
    let file = scene.direct()?;
    all(scene, &file, PREAD)
}

pub fn direct_write(scene: &mut Scene) -> Result<Done> {
    let file = scene.direct()?;
    all(scene, &file, PWRITE)
}
