//! What is open already, by a path.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

/// A path that opens a file again as long as it is open, whatever has its name now, or none.
pub fn opens(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}
