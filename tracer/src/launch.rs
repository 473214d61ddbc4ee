//! Starting the traced command: held before its first system call, then released, then waited for.
//!
//! [`Held::spawn`] forks a child that becomes the right user, finds its program and blocks. Probes
//! can now be pointed at its process id. [`Held::release`] lets it go on to exactly one `execve`: the
//! first call of the child that counts. (Probes see the end of the `read` it was blocked in: skip
//! what comes before the `execve`.)
//!
//! ```no_run
//! use tracer::launch::{Command, Held};
//! use tracer::user::Identity;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let command = Command { argv: vec!["ls".into()], cwd: None, identity: Identity::invoking()? };
//! let held = Held::spawn(&command)?;
//! // … trace held.pid() …
//! let mut running = held.release()?;
//! std::process::exit(running.wait()?.code());
//! # }
//! ```

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use bytehop_core::i18n::Lang;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{ForkResult, Pid, fork, pipe2};
use thiserror::Error;

use crate::errors::words;
use crate::pidfd::pidfd_open;
use crate::user::Identity;
use child::{Plan, Report, Stage};
use stamp::Stamp;

mod child;
mod stamp;

/// What to start. Standard input, output and error are passed on; other descriptors are not.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program, looked up as a shell does, and its arguments.
    pub argv: Vec<OsString>,
    /// `None`: ours.
    pub cwd: Option<PathBuf>,
    pub identity: Identity,
}

#[derive(Debug, Error)]
pub enum LaunchError {
    Empty,
    Nul(Part),
    NotFound {
        program: String,
    },
    CannotExecute {
        program: String,
        errno: Errno,
    },
    /// At a step: in English and Chinese.
    Setup {
        program: String,
        what: [&'static str; 2],
        errno: Errno,
    },
    Ended {
        program: String,
        code: i32,
    },
}

bytehop_core::says! { LaunchError, lang:
    Self::Empty => "no command given" | "没有给出命令";
    Self::Nul(part) => "the command's {part} contains a NUL byte" | "命令的{part}含有 NUL 字节",
        part = part.say(lang);
    Self::NotFound { program } => "{program}: command not found" | "{program}：找不到命令";
    Self::CannotExecute { program, errno } => "{program}: {why}" | "{program}：{why}",
        why = cannot_execute(*errno, lang);
    Self::Setup { program, what, errno } => "cannot start {program}: {what}: {why}"
        | "无法启动 {program}：{what}：{why}", what = lang.of(what), why = words(*errno, lang);
    Self::Ended { program, code } => "{program} ended before it was started ({how})"
        | "{program} 在启动之前就结束了（{how}）", how = killed_by(*code, lang);
}

/// A part of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Name,
    Argument,
    Environment,
    Directory,
}

bytehop_core::says! { Part, lang:
    Self::Name => "name" | "名字";
    Self::Argument => "argument" | "参数";
    Self::Environment => "environment" | "环境";
    Self::Directory => "directory" | "目录";
}

impl LaunchError {
    /// The exit status that stands for it: as a shell's, and 125 for what is our failure.
    pub fn exit_code(&self) -> i32 {
        match self {
            LaunchError::NotFound { .. } => 127,
            // A missing interpreter or loader.
            LaunchError::CannotExecute { errno, .. } if *errno == Errno::ENOENT => 127,
            LaunchError::CannotExecute { .. } => 126,
            LaunchError::Ended { code, .. } => *code,
            LaunchError::Empty | LaunchError::Nul(_) | LaunchError::Setup { .. } => 125,
        }
    }
}

fn cannot_execute(errno: Errno, lang: Lang) -> String {
    let known = match errno {
        Errno::EISDIR => ["is a directory", "是目录"],
        Errno::ENOENT => [
            "its interpreter or dynamic loader does not exist",
            "它的解释器或动态加载器不存在",
        ],
        Errno::ENOEXEC => [
            "not a program for this machine (a script needs a first line with #!)",
            "不是这台机器上的程序（脚本的第一行需要 #!）",
        ],
        errno => return words(errno, lang),
    };
    lang.of(&known).to_owned()
}

fn killed_by(code: i32, lang: Lang) -> String {
    match Signal::try_from(code - 128) {
        Ok(signal) => signal.to_string(),
        Err(_) => format!("{} {code}", lang.of(&["exit status", "退出状态"])),
    }
}

// -------------------------------------------------------------------------------------------------

/// Held while descriptors exist that only one child may inherit.
static FORKING: Mutex<()> = Mutex::new(());

/// A command about to be started. Dropped instead of released, it never runs.
#[derive(Debug)]
pub struct Held {
    program: PathBuf,
    // Closed before the guard waits: the child then ends even if we may not kill it any more.
    release: File,
    reports: File,
    guard: Guard,
    pidfd: OwnedFd,
    executed: Stamp,
}

impl Held {
    /// Forks the child and takes it as far as it gets without starting the program: user, groups,
    /// signals, directory, the program found. Blocks until it is there (about a millisecond).
    pub fn spawn(command: &Command) -> Result<Held, LaunchError> {
        Self::spawn_on(command, None)
    }

    /// The same in a session of its own, with `terminal` for those of standard input, output and
    /// error that are a terminal.
    pub fn spawn_on(
        command: &Command,
        terminal: Option<BorrowedFd<'_>>,
    ) -> Result<Held, LaunchError> {
        let plan = Plan::new(command, terminal.map(|fd| fd.as_raw_fd()))?;
        let failed = |what| {
            let program = plan.name();
            move |errno| LaunchError::Setup {
                program,
                what,
                errno,
            }
        };
        let executed = Stamp::new().map_err(failed(["mmap"; 2]))?;
        // A child forked by another thread in between would keep the ends that we close below.
        let alone = FORKING.lock();
        let (wait_end, release) = pipe2(OFlag::O_CLOEXEC).map_err(failed(["pipe"; 2]))?;
        let (reports, report_end) = pipe2(OFlag::O_CLOEXEC).map_err(failed(["pipe"; 2]))?;
        // SAFETY: the child does nothing but `child::run`, which makes only async-signal-safe calls
        // and never returns.
        let guard = match unsafe { fork() }.map_err(failed(["fork"; 2]))? {
            ForkResult::Child => child::run(&plan, &wait_end, release, &report_end, &executed),
            ForkResult::Parent { child } => Guard(child),
        };
        drop((wait_end, report_end));
        drop(alone);
        let mut held = Held {
            program: PathBuf::new(),
            release: release.into(),
            reports: reports.into(),
            pidfd: pidfd_open(guard.0).map_err(failed(["pidfd_open"; 2]))?,
            guard,
            executed,
        };
        match held.report() {
            Some(Report {
                stage: Stage::Ready,
                value,
            }) => {
                held.program = plan.candidate(value);
                Ok(held)
            }
            Some(report) => Err(report.into_error(plan.name())),
            None => Err(held.ended(plan.name())),
        }
    }

    /// The child's process id, as seen in our pid namespace. It stays the command's.
    pub fn pid(&self) -> u32 {
        self.guard.0.as_raw() as u32
    }

    /// The file that will be executed.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Lets the child start its program, and blocks until that has begun or has failed.
    ///
    /// SIGPIPE has to be ignored, as Rust's runtime does: the child may be killed at any time.
    pub fn release(mut self) -> Result<Running, LaunchError> {
        let name = self.program.display().to_string();
        // It has been blocked since long: its counters stand still.
        let before_start = Usage::so_far(self.guard.0);
        if is_over(&self.pidfd) || self.release.write_all(&[1]).is_err() {
            return Err(self.ended(name));
        }
        match self.report() {
            Some(report) => Err(report.into_error(name)),
            None => Ok(Running {
                pid: self.guard.disarm(),
                pidfd: self.pidfd,
                before_start,
                began: self.executed.get(),
                exit: None,
            }),
        }
    }

    /// What the child says next; `None` when it has closed the pipe, by `execve` or by its end.
    fn report(&mut self) -> Option<Report> {
        let mut bytes = [0; Report::SIZE];
        self.reports.read_exact(&mut bytes).ok()?;
        Report::from_bytes(bytes)
    }

    /// The error for a child that is gone without a word.
    fn ended(self, program: String) -> LaunchError {
        let code = wait4(self.guard.disarm(), 0)
            .ok()
            .flatten()
            .map_or(125, |exit| exit.code());
        LaunchError::Ended { program, code }
    }
}

/// Ends and reaps the child, unless disarmed.
#[derive(Debug)]
struct Guard(Pid);

impl Guard {
    fn disarm(self) -> Pid {
        let pid = self.0;
        std::mem::forget(self);
        pid
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // May fail: it is dead already, or another user's and we gave up our rights. Then the closed
        // pipe ends it.
        let _ = kill(self.0, Signal::SIGKILL);
        let _ = wait4(self.0, 0);
    }
}

// -------------------------------------------------------------------------------------------------

/// A started command. Dropped, it is left alone: it goes on, and nobody waits for it.
#[derive(Debug)]
pub struct Running {
    pid: Pid,
    pidfd: OwnedFd,
    before_start: Usage,
    began: u64,
    exit: Option<Exit>,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.pid.as_raw() as u32
    }

    /// When it was about to execute, as it noted itself: `CLOCK_MONOTONIC`, ns.
    pub fn began(&self) -> u64 {
        self.began
    }

    /// Becomes readable when the command has ended: for `poll`. Then call [`Running::try_wait`].
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// How it ended, `None` if it has not (being stopped is not an end). Does not block.
    pub fn try_wait(&mut self) -> Result<Option<Exit>, Errno> {
        self.reap(libc::WNOHANG)
    }

    /// Waits until it has ended. Again and again gives the same answer.
    pub fn wait(&mut self) -> Result<Exit, Errno> {
        // Without WNOHANG there is always an answer.
        self.reap(0)?.ok_or(Errno::ECHILD)
    }

    /// Passes a signal on to the command. Nothing happens when it has been waited for.
    pub fn signal(&self, signal: Signal) -> Result<(), Errno> {
        match self.exit {
            Some(_) => Ok(()),
            // Not reaped, so the process id is still its own.
            None => kill(self.pid, signal),
        }
    }

    /// The same for its process group, which it must lead: as a command on a terminal of its own does.
    pub fn signal_group(&self, signal: Signal) -> Result<(), Errno> {
        match self.exit {
            Some(_) => Ok(()),
            None => killpg(self.pid, signal),
        }
    }

    fn reap(&mut self, options: i32) -> Result<Option<Exit>, Errno> {
        if self.exit.is_none() {
            self.exit = wait4(self.pid, options)?.map(|exit| Exit {
                usage: exit.usage.since(&self.before_start),
                ..exit
            });
        }
        Ok(self.exit)
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    pub status: Status,
    pub usage: Usage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It ended by itself, with this exit status.
    Exited(i32),
    /// The signal of this number ended it.
    Killed(i32),
}

impl Exit {
    /// As a shell's `$?`: the exit status, or 128 + the number of the signal.
    pub fn code(&self) -> i32 {
        match self.status {
            Status::Exited(code) => code,
            Status::Killed(signal) => 128 + signal,
        }
    }
}

/// What the kernel charged to the command, and to those of its children that were waited for. Faults
/// and switches of our own child before `execve` are taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub user: Duration,
    pub system: Duration,
    /// Page faults without I/O.
    pub minor_faults: u64,
    /// Page faults with I/O.
    pub major_faults: u64,
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
}

impl Usage {
    /// Faults and switches of a process until now; zeros where `/proc` does not tell. Times are left
    /// out: microseconds, and `/proc` counts hundredths of seconds.
    fn so_far(pid: Pid) -> Usage {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Fields are counted after the name, which may hold anything: the state is number 3.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let field = |number: usize| {
            let text = after_name.split_whitespace().nth(number - 3);
            text.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = |name: &str| {
            let text = status.lines().find_map(|line| line.strip_prefix(name));
            text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
        };
        Usage {
            minor_faults: field(10),
            major_faults: field(12),
            voluntary_switches: line("voluntary_ctxt_switches:"),
            involuntary_switches: line("nonvoluntary_ctxt_switches:"),
            ..Usage::default()
        }
    }

    fn since(self, earlier: &Usage) -> Usage {
        let left = |now: u64, then: u64| now.saturating_sub(then);
        Usage {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
            minor_faults: left(self.minor_faults, earlier.minor_faults),
            major_faults: left(self.major_faults, earlier.major_faults),
            voluntary_switches: left(self.voluntary_switches, earlier.voluntary_switches),
            involuntary_switches: left(self.involuntary_switches, earlier.involuntary_switches),
        }
    }
}

impl From<libc::rusage> for Usage {
    fn from(usage: libc::rusage) -> Usage {
        let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
        Usage {
            user: time(usage.ru_utime),
            system: time(usage.ru_stime),
            minor_faults: usage.ru_minflt as u64,
            major_faults: usage.ru_majflt as u64,
            voluntary_switches: usage.ru_nvcsw as u64,
            involuntary_switches: usage.ru_nivcsw as u64,
        }
    }
}

fn wait4(pid: Pid, options: i32) -> Result<Option<Exit>, Errno> {
    let mut status = 0;
    // SAFETY: all-zero is a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both are ours to be written.
        let waited = unsafe { libc::wait4(pid.as_raw(), &raw mut status, options, &raw mut usage) };
        match Errno::result(waited) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno),
        }
    }
    // Stops are not reported: WUNTRACED is never among the options.
    let status = if libc::WIFSIGNALED(status) {
        Status::Killed(libc::WTERMSIG(status))
    } else {
        Status::Exited(libc::WEXITSTATUS(status))
    };
    let usage = usage.into();
    Ok(Some(Exit { status, usage }))
}

/// A pidfd is readable from its process's end on.
fn is_over(pidfd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO) == Ok(1)
}

#[cfg(test)]
mod tests;
