//! Page faults that the kernel takes itself, inside a call, and pages that it makes for somebody's fault.

use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{MapFlags, MmapAdvise, madvise};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::sys::uio::pwrite;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, pause};

use crate::scene::{
    Buffer, CHUNK, Done, PAYLOAD, Scene, anonymous, not_offered, offered, page, pieces,
};

/// A child that shares all memory with us, and does nothing, until it is dropped.
struct Sharer(Pid);

impl Sharer {
    fn new() -> Result<Self> {
        // SAFETY: the child only waits.
        match unsafe { fork()? } {
            ForkResult::Child => loop {
                pause();
            },
            ForkResult::Parent { child } => {
                touch_rseq();
                Ok(Self(child))
            }
        }
    }
}

/// Where the kernel leaves the processor's number for this thread, after it was moved to another: shared by the
/// fork, too, that page would be copied at any time from now on.
fn touch_rseq() {
    /// `flags` of `struct rseq`: the kernel only reads it.
    const FLAGS: usize = 16;
    // SAFETY: glibc (2.35) has a number by this name, another library none; so far from the thread's own
    // structure lies a `struct rseq` that lives as long as the thread. A byte of it stays as it is.
    unsafe {
        let offset = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()).cast::<isize>();
        if !offset.is_null() {
            let thread = libc::pthread_self() as usize as *mut u8;
            let flags = thread.offset(*offset).add(FLAGS);
            flags.write_volatile(flags.read_volatile());
        }
    }
}

impl Drop for Sharer {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGKILL);
        let _ = waitpid(self.0, None);
    }
}

/// Memory of single pages, all present.
fn pages() -> Result<Buffer> {
    let buffer = Buffer::new(PAYLOAD)?;
    let start = buffer.start().cast();
    // SAFETY: the range is mapped, and the advice leaves its content alone.
    offered("MADV_NOHUGEPAGE", unsafe {
        madvise(start, PAYLOAD, MmapAdvise::MADV_NOHUGEPAGE)
    })?;
    Ok(buffer)
}

/// Memory shared since a fork is pinned for a device: the kernel copies it first, with a page fault for each
/// page. Before it pinned pages for reading (Linux 6.3) it did not.
pub fn pinned_after_fork(scene: &mut Scene) -> Result<Done> {
    let file = scene.direct()?;
    let buffer = pages()?;
    let _sharer = Sharer::new()?;
    let before = minor_faults()?;
    let done = scene.shot(|| {
        pieces(PAYLOAD, |left| {
            Ok(pwrite(
                &file,
                &buffer[PAYLOAD - left..],
                (PAYLOAD - left) as i64,
            )?)
        })
    });
    match minor_faults()? - before < (PAYLOAD / page()) as i64 {
        true => not_offered("this kernel reads shared memory as it is"),
        false => done,
    }
}

fn minor_faults() -> Result<i64> {
    Ok(getrusage(UsageWho::RUSAGE_SELF)?.minor_page_faults())
}

/// The kernel writes into memory shared since a fork: each page is copied before.
pub fn read_after_fork(scene: &mut Scene) -> Result<Done> {
    let mut file = scene.source()?;
    let mut buffer = pages()?;
    let _sharer = Sharer::new()?;
    scene.shot(|| {
        pieces(PAYLOAD, |left| {
            let from = PAYLOAD - left;
            Ok(file.read(&mut buffer[from..from + CHUNK])?)
        })
    })
}

// include/uapi/linux/userfaultfd.h
const UFFD_USER_MODE_ONLY: libc::c_int = 1;
const UFFDIO_API: u64 = 0xC018_AA3F;
const UFFDIO_REGISTER: u64 = 0xC020_AA00;
const UFFDIO_COPY: u64 = 0xC028_AA03;
const MISSING: u64 = 1;

/// An `ioctl` on a structure of numbers.
fn request<const N: usize>(
    fd: &OwnedFd,
    request: u64,
    numbers: &mut [u64; N],
) -> Result<(), Errno> {
    // SAFETY: the structure of each request has at most as many bytes as the caller passes.
    let done = unsafe { libc::ioctl(fd.as_raw_fd(), request as _, numbers.as_mut_ptr()) };
    Errno::result(done).map(drop)
}

/// Missing pages are given their bytes before anybody asks.
pub fn userfault(scene: &mut Scene) -> Result<Done> {
    // SAFETY: an ordinary call; what it returns is nobody else's.
    let fd = offered("userfaultfd", unsafe {
        let fd = libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | UFFD_USER_MODE_ONLY);
        Errno::result(fd).map(|fd| OwnedFd::from_raw_fd(fd as i32))
    })?;
    offered("userfaultfd", request(&fd, UFFDIO_API, &mut [0xAA, 0, 0]))?;
    let source = pages()?;
    let target = anonymous(PAYLOAD, MapFlags::MAP_PRIVATE)?.as_ptr() as u64;
    let mut range = [target, PAYLOAD as u64, MISSING, 0];
    request(&fd, UFFDIO_REGISTER, &mut range).context("UFFDIO_REGISTER")?;
    let source = source.start().as_ptr() as u64;
    scene.shot(|| {
        let mut copy = [target, source, PAYLOAD as u64, 0, 0];
        request(&fd, UFFDIO_COPY, &mut copy).context("UFFDIO_COPY")?;
        Ok(PAYLOAD)
    })
}
