//! The threads of a process.

use std::collections::HashSet;
use std::{fs, io};

use aya::programs::ProgramError;
use nix::errno::Errno;

use super::refusal::errno;

/// Those that it has now.
pub(crate) fn threads_of(pid: u32) -> io::Result<impl Iterator<Item = u32>> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))?;
    Ok(threads.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
}

/// Does something for every thread of a process, those that it makes meanwhile included.
pub(super) fn for_each_thread(
    pid: u32,
    mut each: impl FnMut(u32) -> Result<(), ProgramError>,
) -> Result<(), ProgramError> {
    let mut known = HashSet::new();
    loop {
        let threads = threads_of(pid).map_err(ProgramError::IOError)?;
        let new: Vec<u32> = threads.filter(|tid| known.insert(*tid)).collect();
        if new.is_empty() {
            return Ok(());
        }
        for tid in new {
            match each(tid) {
                // It has ended meanwhile.
                Err(e) if errno(&e) == Some(Errno::ESRCH) && tid != pid => {}
                other => other?,
            }
        }
    }
}
