//! Runs programs of the table, each in a process of its own, and says what they did.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

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

/// Runs the programs of these rows (all if none is named) in folders below the first of `dirs`, those
/// that a disk is part of in each of the others too; prints a line of JSON ([`Done`]) for each.
///
/// Must be called while the process has one thread.
pub fn drive(dirs: &[PathBuf], peer: Option<SocketAddr>, names: &[String]) -> std::io::Result<()> {
    let mut number = 0;
    for (nth, dir) in dirs.iter().enumerate() {
        for row in PATHS {
            let named = |name: &String| name == row.name || name == DISK && row.on_disk();
            let wanted = names.is_empty() || names.iter().any(named);
            if wanted && (nth == 0 || row.on_disk()) {
                alone(row, number, dir, peer)?;
                number += 1;
            }
        }
    }
    Ok(())
}

/// Runs one program in a process of its own, and prints its line.
fn alone(row: &Row, number: usize, dir: &Path, peer: Option<SocketAddr>) -> std::io::Result<()> {
    let below = match row.in_memory {
        true => Path::new("/dev/shm"),
        false => dir,
    };
    let folder = below.join(format!("bytehop-verify-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut failed = None;
    // SAFETY: this process has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            // SAFETY: takes no memory.
            unsafe { libc::alarm(LIMIT) };
            let done = run(row, number, &folder, peer);
            let printed = say(Done {
                dir: dir.display().to_string(),
                ..done
            });
            // SAFETY: ends the child without running what belongs to the parent.
            unsafe { libc::_exit(i32::from(printed.is_err())) }
        }
        ForkResult::Parent { child } => {
            let status = waitpid(child, None)?;
            if !matches!(status, WaitStatus::Exited(_, 0)) {
                failed = Some(format!("the program ended with {status:?}"));
            }
        }
    }
    std::fs::remove_dir_all(&folder)?;
    match failed {
        None => Ok(()),
        failed => say(Done {
            path: row.name.to_owned(),
            run: number,
            dir: dir.display().to_string(),
            failed,
            ..Done::default()
        }),
    }
}

fn say(done: Done) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&done)?)
}

fn run(row: &Row, number: usize, folder: &Path, peer: Option<SocketAddr>) -> Done {
    let mut scene = Scene::new(folder.to_owned(), peer, number);
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
    done.run = number;
    done
}
