//! Files that share their data on the disk.

use std::fs::File;
use std::io::Result;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;

/// Makes `to` have the content of `from` without moving any: both refer to the same blocks of the
/// disk, until one of them is written to (the ioctl FICLONE). Few file systems can do it.
pub fn reflink(from: &File, to: &File) -> Result<()> {
    // SAFETY: FICLONE takes a file descriptor, by value.
    let returned = unsafe { libc::ioctl(to.as_raw_fd(), libc::FICLONE, from.as_raw_fd()) };
    match Errno::result(returned) {
        Ok(_) => Ok(()),
        Err(e @ (Errno::EOPNOTSUPP | Errno::ENOTTY | Errno::EXDEV | Errno::EINVAL)) => {
            crate::unavailable(format_args!("this file system cannot share blocks: {e}"))
        }
        Err(e) => Err(e.into()),
    }
}
