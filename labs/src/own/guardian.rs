//! The process between us and a program: `bytehop lab own -- COMMAND`, not for people.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};
use rustix::process::{
    PidfdFlags, Resource, Rlimit, pidfd_open, pidfd_send_signal, setpriority_process, setrlimit,
};
use tracer::user::Identity;

use super::{as_user, processes};

/// The statuses of a command that could not be started, as a shell has them.
pub const NOT_FOUND: i32 = 127;
const NOT_STARTED: i32 = 126;
/// How long a program may take to end when it is told to.
pub const GRACE: Duration = Duration::from_secs(2);
/// How often it is looked for new processes before all are killed.
const ROUNDS: usize = 100;
/// How long what was killed may take to be gone. Who sleeps in the kernel may need longer: nobody waits
/// for that.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a command until it ends, or until nobody holds the other end of our standard input; then ends all that
/// descends from us. The command's status, as a shell says it.
pub fn own(command: &[OsString], learner: bool, alone: bool) -> i32 {
    be_quiet(c"lab-guardian");
    let child = prctl::set_child_subreaper(true)
        .map_err(io::Error::from)
        .and_then(|()| if alone { be_alone() } else { Ok(()) })
        .and_then(|()| start(command, learner));
    let child = match child {
        Ok(child) => child,
        Err(e) => {
            let name = command.first().map(|name| name.to_string_lossy());
            eprintln!("cannot run {}: {e}", name.unwrap_or_default());
            return match e.kind() {
                io::ErrorKind::NotFound => NOT_FOUND,
                _ => NOT_STARTED,
            };
        }
    };
    let pid = Pid::from_raw(child.id() as i32);
    std::thread::spawn(move || {
        // Nothing is ever written: the end is what is waited for.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        signal(pid.as_raw(), rustix::process::Signal::TERM);
        std::thread::sleep(GRACE);
        kill_all();
    });
    let status = wait_for(pid);
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        kill_all();
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => break,
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(2)),
            _ => {}
        }
    }
    status
}

/// How many processes and threads nobody has at most: more than a run may have, so that it is told what it passed.
const TASKS_OF_NOBODY: u64 = 640;

/// What holds for programs of others, beyond what we look at from time to time: the kernel itself refuses more
/// processes, for those that make them faster than anybody can end them. It does not hold for root.
fn be_alone() -> io::Result<()> {
    let most = |n| Rlimit {
        current: Some(n),
        maximum: Some(n),
    };
    setrlimit(Resource::Nproc, most(TASKS_OF_NOBODY))?;
    setrlimit(Resource::Core, most(0))?;
    setrlimit(Resource::Fsize, most(4 << 30))?;
    leave_network()
}

/// Goes where there is no network but loopback, which programs talk to themselves through.
fn leave_network() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    let up = Command::new("ip")
        .args(["link", "set", "lo", "up"])
        .stdin(Stdio::null())
        .status()?;
    match up.success() {
        true => Ok(()),
        false => Err(io::Error::other("no loopback without a network")),
    }
}

/// No signal ends us before what we guard, and no name search for bytehop finds us.
pub(super) fn be_quiet(name: &std::ffi::CStr) {
    let _ = prctl::set_name(name);
    // Started commands get an empty mask: std resets it.
    let mask: SigSet = [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
    ]
    .into_iter()
    .collect();
    let _ = mask.thread_block();
}

fn start(command: &[OsString], learner: bool) -> io::Result<Child> {
    let Some((program, args)) = command.split_first() else {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    };
    let mut command = match learner {
        true => as_user(program, &Identity::invoking().map_err(io::Error::other)?),
        false => Command::new(program),
    };
    command.args(args).stdin(Stdio::null()).spawn()
}

/// Waits until a child has ended, and reaps the orphans that came to us meanwhile.
fn wait_for(pid: Pid) -> i32 {
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(ended, status)) if ended == pid => return status,
            Ok(WaitStatus::Signaled(ended, signal, _)) if ended == pid => {
                return 128 + signal as i32;
            }
            Err(Errno::EINTR) | Ok(_) => {}
            Err(_) => return NOT_STARTED,
        }
    }
}

/// Kills all that descends from us. First they are stopped, until there is nobody new: who is stopped makes no
/// processes, and still counts for the kernel's limit.
fn kill_all() {
    // Hundreds that run leave too little time to end them. Who is not root has to do with what there is.
    let _ = setpriority_process(None, -20);
    let mut stopped = BTreeSet::new();
    for _ in 0..ROUNDS {
        let new: Vec<i32> = processes::descendants(getpid().as_raw())
            .into_iter()
            .filter(|pid| stopped.insert(*pid))
            .collect();
        if new.is_empty() {
            break;
        }
        for pid in new {
            signal(pid, rustix::process::Signal::STOP);
        }
    }
    for pid in processes::descendants(getpid().as_raw()) {
        signal(pid, rustix::process::Signal::KILL);
    }
}

/// By a descriptor: a process that took the number of one that is gone is not hit.
fn signal(pid: i32, signal: rustix::process::Signal) {
    let Some(handle) = rustix::process::Pid::from_raw(pid) else {
        return;
    };
    if let Ok(handle) = pidfd_open(handle, PidfdFlags::empty())
        && processes::descends(pid, getpid().as_raw())
    {
        let _ = pidfd_send_signal(handle, signal);
    }
}
