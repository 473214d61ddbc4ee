//! The threads of a process.

use std::collections::HashSet;

use aya::programs::ProgramError;
use nix::errno::Errno;

use super::refusal::errno;

/// Does something for every thread of a process, those that it makes meanwhile included.
pub(super) fn for_each_thread(
    pid: u32,
    mut each: impl FnMut(u32) -> Result<(), ProgramError>,
) -> Result<(), ProgramError> {
    let mut known = HashSet::new();
    loop {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
        let threads = threads.map_err(ProgramError::IOError)?;
        let threads = threads.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
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
