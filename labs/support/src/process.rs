//! Child processes.

use std::io::{Error, Result};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

/// A child process, to be waited for.
#[must_use = "a child that nobody waits for stays as a zombie"]
pub struct Child(Pid);

/// Does `work` in a child process, which has a copy of all of this program's memory and ends with it.
pub fn in_child(work: impl FnOnce() -> Result<()>) -> Result<Child> {
    // SAFETY: the programs of the labs have one thread, so nothing is left locked in the child.
    match unsafe { fork()? } {
        ForkResult::Parent { child } => Ok(Child(child)),
        ForkResult::Child => {
            let done = work();
            if let Err(error) = &done {
                eprintln!("the child: {error}");
            }
            std::process::exit(done.is_err().into())
        }
    }
}

impl Child {
    /// Its process id.
    pub fn pid(&self) -> Pid {
        self.0
    }

    /// Waits until the child has ended; an error if it failed.
    pub fn wait(self) -> Result<()> {
        match waitpid(self.0, None)? {
            WaitStatus::Exited(_, 0) => Ok(()),
            other => Err(Error::other(format!("the child failed: {other:?}"))),
        }
    }
}
