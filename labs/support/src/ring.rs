//! Making io_uring rings, and asking for reads and sends.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use io_uring::{IoUring, Probe, cqueue, opcode, squeue, types::Fd};

/// A ring for `entries` requests at a time.
pub fn new(entries: u32) -> Result<IoUring> {
    created(IoUring::new(entries))
}

/// A ring from which a thread of the kernel takes the requests; it looks at the ring without a
/// pause until there was nothing for `idle` milliseconds, then it sleeps until it is woken.
pub fn with_kernel_thread(entries: u32, idle: u32) -> Result<IoUring> {
    created(IoUring::builder().setup_sqpoll(idle).build(entries))
}

/// A ring whose completions the kernel looks for itself, without a pause, instead of waiting for an
/// interrupt (`IORING_SETUP_IOPOLL`). It is for reads with `O_DIRECT`, from a disk with a queue for that.
pub fn polled(entries: u32) -> Result<IoUring> {
    created(IoUring::builder().setup_iopoll().build(entries))
}

/// Many systems forbid io_uring, or do not know it.
fn created(ring: Result<IoUring>) -> Result<IoUring> {
    match ring {
        Err(e) if [ErrorKind::PermissionDenied, ErrorKind::Unsupported].contains(&e.kind()) => {
            crate::unavailable(format_args!("io_uring is not available here: {e}"))
        }
        other => other,
    }
}

/// The request to read into `buffer`, from `offset` of the file.
pub fn read(file: &File, offset: u64, buffer: &mut [u8]) -> squeue::Entry {
    opcode::Read::new(Fd(file.as_raw_fd()), buffer.as_mut_ptr(), length(buffer))
        .offset(offset)
        .build()
}

/// The same into a part of the buffer that was registered first.
pub fn read_registered(file: &File, offset: u64, buffer: &mut [u8]) -> squeue::Entry {
    let file = Fd(file.as_raw_fd());
    opcode::ReadFixed::new(file, buffer.as_mut_ptr(), length(buffer), 0)
        .offset(offset)
        .build()
}

/// A ring for sends by reference. Ends the program if the kernel knows no such request (Linux 6.0 and
/// later do).
pub fn for_sends(entries: u32) -> Result<IoUring> {
    let ring = new(entries)?;
    let mut known = Probe::new();
    ring.submitter().register_probe(&mut known)?;
    if !known.is_supported(opcode::SendZc::CODE) {
        crate::unavailable("io_uring has no zero-copy send here");
    }
    Ok(ring)
}

/// The request to send `bytes` without copying them; it is completed twice, see [`pages_free`].
pub fn send_by_reference(socket: &TcpStream, bytes: &[u8]) -> squeue::Entry {
    opcode::SendZc::new(Fd(socket.as_raw_fd()), bytes.as_ptr(), length(bytes)).build()
}

/// Whether a completion of a send by reference is its last: the kernel needs the pages no more. The
/// one before it says how much was sent.
pub fn pages_free(completed: &cqueue::Entry) -> bool {
    cqueue::notif(completed.flags())
}

/// Registers one buffer: the kernel looks up and pins its pages now, not again for each request.
pub fn register(ring: &IoUring, buffer: &mut [u8]) -> Result<()> {
    let whole = nix::libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: the programs of the labs keep their buffers for as long as their rings.
    unsafe { ring.submitter().register_buffers(&[whole]) }
}

/// Puts a request into the ring. The kernel is not told: that takes a system call, or its thread.
///
/// # Safety
/// The request's buffer stays where it is, and nobody looks at it, until the request is completed.
pub unsafe fn push(ring: &mut IoUring, request: &squeue::Entry) -> Result<()> {
    // With a thread of the kernel's (SQPOLL) the ring is full until that thread gets to run.
    while ring.submission().is_full() && ring.params().is_setup_sqpoll() {
        std::thread::yield_now();
    }
    // SAFETY: as the caller promises.
    unsafe { ring.submission().push(request) }.map_err(Error::other)
}

/// What a completed request returned, as of the system call.
pub fn result(completed: &cqueue::Entry) -> Result<usize> {
    usize::try_from(completed.result()).map_err(|_| Error::from_raw_os_error(-completed.result()))
}

fn length(buffer: &[u8]) -> u32 {
    u32::try_from(buffer.len()).expect("the labs' buffers are small")
}
