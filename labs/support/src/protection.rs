//! What a program may not touch, and what happens if it does.

use std::os::fd::AsRawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{ProtFlags, mprotect};

/// An address in the upper half, which is the kernel's; what is there, no program finds out.
const KERNEL: usize = 0xffff_8880_0000_0000;
const PAGE: usize = 4096;

static REFUSED: AtomicUsize = AtomicUsize::new(0);

/// From now on these whole pages may be read, and not written.
pub fn read_only(memory: &mut [u8]) -> nix::Result<()> {
    let len = memory.len();
    // SAFETY: the range is that of a slice, and its bytes stay as they are.
    unsafe { mprotect(NonNull::from(memory).cast(), len, ProtFlags::PROT_READ) }
}

/// From now on a refused access is counted, and its page allowed; the instruction then runs again.
pub fn allow_refused() -> nix::Result<()> {
    // SAFETY: all zeros is a value of this struct: no flags, and an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_refused as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO;
    // SAFETY: the handler calls only what a handler may call.
    let set = unsafe { libc::sigaction(libc::SIGSEGV, &raw const action, std::ptr::null_mut()) };
    Errno::result(set).map(drop)
}

extern "C" fn on_refused(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel gave us the information, and SIGSEGV's has the address; mprotect is a system call and
    // nothing else.
    let allowed = unsafe {
        let page = (*info).si_addr() as usize & !(PAGE - 1);
        let rights = libc::PROT_READ | libc::PROT_WRITE;
        libc::mprotect(page as *mut libc::c_void, PAGE, rights)
    };
    if allowed != 0 {
        // SAFETY: ends the program at once: it would be refused for ever.
        unsafe { libc::_exit(1) }
    }
    REFUSED.fetch_add(1, Ordering::Relaxed);
}

/// How many accesses were refused.
pub fn refused() -> usize {
    REFUSED.load(Ordering::Relaxed)
}

/// Asks the kernel to write a page of its own memory to a file: `write()` with an address of the kernel's.
pub fn write_kernel_memory(to: &impl AsRawFd) -> nix::Result<usize> {
    // SAFETY: no memory of ours is concerned; the kernel checks the address.
    let written = unsafe { libc::write(to.as_raw_fd(), KERNEL as *const libc::c_void, PAGE) };
    Errno::result(written).map(|n| n as usize)
}

/// Reads one byte of the kernel's memory. It does not come back.
pub fn read_kernel_memory() -> u8 {
    // SAFETY: this is what no program may do, and the processor does not: the signal ends this process.
    unsafe { (KERNEL as *const u8).read_volatile() }
}
