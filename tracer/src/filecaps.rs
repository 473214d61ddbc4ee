//! Capabilities of files: the attribute `security.capability`.

use std::ffi::{CStr, CString, c_void};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::libc;

use crate::capset::cap;

const NAME: &CStr = c"security.capability";
/// More than any revision of it has.
const LONGEST: usize = 64;

/// CAP_BPF and CAP_PERFMON, permitted and effective: `struct vfs_cap_data`, revision 2
/// (include/uapi/linux/capability.h), little-endian everywhere.
pub fn tracing() -> [u8; 20] {
    const REVISION_2: u32 = 0x0200_0000;
    const EFFECTIVE: u32 = 1;
    let set: u64 = 1 << cap::BPF | 1 << cap::PERFMON;
    let words = [REVISION_2 | EFFECTIVE, set as u32, 0, (set >> 32) as u32, 0];
    let mut bytes = [0; 20];
    for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// What an open file has, as it is; `None`: nothing.
///
/// # Errors
/// If it cannot be asked.
pub fn of(file: &File) -> io::Result<Option<Vec<u8>>> {
    value(|to, room| {
        // SAFETY: a C string, and a buffer of the size that is passed.
        unsafe { libc::fgetxattr(file.as_raw_fd(), NAME.as_ptr(), to, room) }
    })
}

/// The same of a file that we may not be able to open.
///
/// # Errors
/// If the file is not there or cannot be asked.
pub fn of_path(file: &Path) -> io::Result<Option<Vec<u8>>> {
    let path = CString::new(file.as_os_str().as_bytes())?;
    value(|to, room| {
        // SAFETY: two C strings, and a buffer of the size that is passed.
        unsafe { libc::getxattr(path.as_ptr(), NAME.as_ptr(), to, room) }
    })
}

/// What a call leaves in a buffer that has so much room.
fn value(ask: impl FnOnce(*mut c_void, usize) -> isize) -> io::Result<Option<Vec<u8>>> {
    let mut value = [0u8; LONGEST];
    match Errno::result(ask(value.as_mut_ptr().cast(), value.len())) {
        Ok(n) => Ok(value.get(..n as usize).map(<[u8]>::to_vec)),
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// # Errors
/// If we may not, or the file system has no such thing.
pub fn set(file: &File, value: &[u8]) -> io::Result<()> {
    // SAFETY: a C string, and bytes of the size that is passed.
    let done = unsafe {
        libc::fsetxattr(
            file.as_raw_fd(),
            NAME.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            0,
        )
    };
    Ok(Errno::result(done).map(drop)?)
}

/// # Errors
/// If we may not.
pub fn remove(file: &File) -> io::Result<()> {
    // SAFETY: a C string.
    let done = unsafe { libc::fremovexattr(file.as_raw_fd(), NAME.as_ptr()) };
    match Errno::result(done) {
        Ok(_) | Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_capabilities_and_no_other() {
        let hex: String = super::tracing()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        // What `setcap cap_bpf,cap_perfmon+ep` writes.
        assert_eq!(hex, "010000020000000000000000c000000000000000");
    }
}
