//! Rights that our caller lacks and we have, by file capabilities or a setuid bit: lent only for what the
//! caller may see without us.
//!
//! What that is, nobody but the kernel decides: a child of ours becomes the caller, without any right of
//! ours, and asks for something that takes the right to trace the process. So it holds for whatever
//! decides it: user and group ids, dumpable or not, user namespaces, Yama, SELinux.
//!
//! Who was given the rights by somebody else (sudo, ambient capabilities, a capability of the shell) has
//! them, and is lent nothing.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{self, ForkResult, Gid, Pid, Uid, fork};
use thiserror::Error;

use crate::capset::{self, Caps};
use crate::filecaps;
use crate::pidfd::pidfd_open;

/// Who started us, and has less rights than we.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    uid: Uid,
    gid: Gid,
}

/// Why a process is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    Gone,
    NotYours,
}

bytehop_core::says! { Refused, lang:
    Self::Gone => "no such process" | "没有这个进程";
    Self::NotYours => "the kernel does not let you trace it" | "内核不允许你跟踪它";
}

/// Whom we lend rights; `None`: nobody, ours are our caller's own. The same all the time.
pub fn caller() -> Option<Caller> {
    static CALLER: OnceLock<Option<Caller>> = OnceLock::new();
    *CALLER.get_or_init(|| {
        // SAFETY: reads what the kernel passed at exec.
        let secure = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
        let (uid, gid) = (unistd::getuid(), unistd::getgid());
        if !secure || uid.is_root() {
            return None;
        }
        // Nor may it look into us, whatever fs.suid_dumpable says.
        let _ = prctl::set_dumpable(false);
        Some(Caller { uid, gid })
    })
}

impl Caller {
    /// Whether the caller may trace a process, which stays the same one as long as `pidfd` is held.
    ///
    /// # Errors
    /// If it may not, if the process is gone, or if that could not be found out.
    pub fn may_trace(self, pidfd: BorrowedFd<'_>) -> Result<(), Refused> {
        // SAFETY: the child makes only async-signal-safe calls, and never returns.
        match unsafe { fork() } {
            Ok(ForkResult::Child) => {
                let answer = self.ask(pidfd);
                // SAFETY: async-signal-safe; runs none of the parent's exit handlers.
                unsafe { libc::_exit(answer) }
            }
            Ok(ForkResult::Parent { child }) => match wait(child) {
                Some(YES) => Ok(()),
                Some(GONE) => Err(Refused::Gone),
                _ => Err(Refused::NotYours),
            },
            Err(_) => Err(Refused::NotYours),
        }
    }

    /// In the child: as the caller, for a descriptor of the process that cannot be there. The kernel looks
    /// first whether we may trace it (`__pidfd_fget` in kernel/pid.c).
    fn ask(self, pidfd: BorrowedFd<'_>) -> i32 {
        if self.become_caller().is_err() {
            return NO;
        }
        // SAFETY: takes numbers only.
        let got = unsafe {
            libc::syscall(
                libc::SYS_pidfd_getfd,
                pidfd.as_raw_fd(),
                i32::MAX,
                0 as libc::c_uint,
            )
        };
        match Errno::result(got) {
            Err(Errno::EBADF) => YES,
            Err(Errno::ESRCH) => GONE,
            _ => NO,
        }
    }

    /// Async-signal-safe.
    fn become_caller(self) -> Result<(), Errno> {
        let Self { uid, gid } = self;
        if unistd::getegid() != gid {
            unistd::setresgid(gid, gid, gid)?;
        }
        if unistd::geteuid() != uid {
            unistd::setresuid(uid, uid, uid)?;
        }
        capset::clear_ambient()?;
        Caps::default().set()?;
        match Caps::get()? == Caps::default() {
            true => Ok(()),
            false => Err(Errno::EPERM),
        }
    }

    /// Holds a process, and says whether the caller may trace it.
    ///
    /// # Errors
    /// As [`Self::may_trace`].
    pub fn hold(self, pid: u32) -> Result<OwnedFd, Refused> {
        let pid = i32::try_from(pid).map_err(|_| Refused::Gone)?;
        let pidfd = pidfd_open(Pid::from_raw(pid)).map_err(|_| Refused::Gone)?;
        self.may_trace(pidfd.as_fd()).map(|()| pidfd)
    }

    /// Runs `look` without any effective right of ours: what it finds in `/proc` is what the caller finds.
    /// For the calling thread, which must be the caller in all but capabilities by now.
    pub fn without_rights<T>(self, look: impl FnOnce() -> T) -> Option<T> {
        let before = Caps::get().ok()?;
        if unistd::geteuid() != self.uid || unistd::getegid() != self.gid {
            return None;
        }
        let none = Caps {
            effective: capset::CapSet::EMPTY,
            ..before
        };
        none.set().ok()?;
        let found = look();
        // What is permitted can be made effective.
        before.set().ok()?;
        Some(found)
    }

    /// Whether a program would run with more rights than the caller's: as it does not when we start it.
    pub fn is_more_by(self, program: &Path) -> bool {
        const SETUID: u32 = 0o4000;
        const SETGID: u32 = 0o2010;
        let Ok(file) = fs::metadata(program) else {
            return false;
        };
        let setuid = file.mode() & SETUID != 0 && file.uid() != self.uid.as_raw();
        let setgid = file.mode() & SETGID == SETGID && file.gid() != self.gid.as_raw();
        setuid || setgid || matches!(filecaps::of_path(program), Ok(Some(_)))
    }
}

/// Answers of the child, as exit statuses.
const YES: i32 = 0;
const NO: i32 = 1;
const GONE: i32 = 2;

fn wait(child: Pid) -> Option<i32> {
    loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, status)) => return Some(status),
            Err(Errno::EINTR) => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn me() -> Caller {
        Caller {
            uid: unistd::getuid(),
            gid: unistd::getgid(),
        }
    }

    #[test]
    fn nobody_is_lent_anything_by_a_test() {
        assert_eq!(caller(), None);
    }

    #[test]
    fn what_is_ours_and_what_is_gone() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let held = me().hold(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        // Without rights root may not trace what has all; under Yama's strictest settings nobody may.
        let strictest = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope")
            .is_ok_and(|scope| scope.trim() == "2" || scope.trim() == "3");
        let refused = strictest || unistd::geteuid().is_root();
        assert_eq!(held.is_ok(), !refused, "{held:?}");
        assert_eq!(me().hold(child.id()).err(), Some(Refused::Gone));
        assert_eq!(me().hold(u32::MAX).err(), Some(Refused::Gone));
    }

    #[test]
    fn programs_with_rights_of_their_own() {
        let other = Caller {
            uid: Uid::from_raw(12345),
            gid: Gid::from_raw(12345),
        };
        assert!(!other.is_more_by(Path::new("/bin/sh")));
        assert!(!other.is_more_by(Path::new("/nonexistent")));
        if fs::metadata("/usr/bin/su").is_ok_and(|su| su.mode() & 0o4000 != 0) {
            assert!(other.is_more_by(Path::new("/usr/bin/su")));
        }
    }

    #[test]
    #[ignore = "root"]
    fn a_user_is_refused_what_is_roots() {
        assert!(unistd::geteuid().is_root(), "this test needs root");
        let nobody = Caller {
            uid: Uid::from_raw(65534),
            gid: Gid::from_raw(65534),
        };
        assert_eq!(nobody.hold(1).err(), Some(Refused::NotYours));
        let me = std::process::id();
        assert_eq!(nobody.hold(me).err(), Some(Refused::NotYours));
    }
}
