//! Runs programs of the table, each in a process of its own, and says what they did.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use nix::libc;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

use crate::scene::{Done, NotOffered, Scene};
use crate::table::{PATHS, Row};

/// No program takes longer unless it hangs, seconds: emulated machines are slow.
const LIMIT: u32 = 120;

/// Instead of a path's name: all that a disk is part of.
pub const DISK: &str = "disk";

/// Whether [`drive`] takes this name.
pub fn known(name: &str) -> bool {
    name == DISK || PATHS.iter().any(|row| row.name == name)
}

/// Runs the programs of these rows (all if none is named) in folders below `dir`; prints a line of
/// JSON ([`Done`]) for each.
///
/// Must be called while the process has one thread.
pub fn drive(dir: &Path, peer: Option<SocketAddr>, names: &[String]) -> std::io::Result<()> {
    for (index, row) in PATHS.iter().enumerate() {
        let named = |name: &String| name == row.name || name == DISK && row.on_disk();
        if !names.is_empty() && !names.iter().any(named) {
            continue;
        }
        let folder = match row.in_memory {
            true => Path::new("/dev/shm"),
            false => dir,
        };
        let folder = folder.join(format!("bytehop-verify-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        // SAFETY: this process has one thread.
        match unsafe { fork() }? {
            ForkResult::Child => {
                // SAFETY: takes no memory.
                unsafe { libc::alarm(LIMIT) };
                let line = serde_json::to_string(&run(row, index, &folder, peer))?;
                let printed = writeln!(std::io::stdout(), "{line}");
                // SAFETY: ends the child without running what belongs to the parent.
                unsafe { libc::_exit(i32::from(printed.is_err())) }
            }
            ForkResult::Parent { child } => {
                let status = waitpid(child, None)?;
                if !matches!(status, WaitStatus::Exited(_, 0)) {
                    let done = Done {
                        path: row.name.to_owned(),
                        failed: Some(format!("the program ended with {status:?}")),
                        ..Done::default()
                    };
                    writeln!(std::io::stdout(), "{}", serde_json::to_string(&done)?)?;
                }
            }
        }
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

fn run(row: &Row, index: usize, folder: &Path, peer: Option<SocketAddr>) -> Done {
    let mut scene = Scene::new(folder.to_owned(), peer, index);
    let mut done = (row.work)(&mut scene).unwrap_or_else(|error| {
        let words = format!("{error:#}");
        match error.downcast_ref::<NotOffered>() {
            Some(why) => Done {
                not_offered: Some(why.to_string()),
                ..Done::default()
            },
            None => Done {
                failed: Some(words),
                ..Done::default()
            },
        }
    });
    done.path = row.name.to_owned();
    done
}
