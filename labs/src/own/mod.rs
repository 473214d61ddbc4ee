//! A run owns its processes: whatever a program started ends with the program, and with bytehop.
//!
//! Between us and each program stands a guardian (`guardian`): a process that adopts orphans
//! (PR_SET_CHILD_SUBREAPER) and holds one end of a pipe whose other end only we have. When the program has
//! ended, or the pipe is closed, because we say so or because we are gone (KILL included), it ends
//! all that descends from it. The folders and devices of a session are removed by [`tidy`] in the same way.

pub mod guardian;
pub mod processes;
pub mod tidy;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use nix::libc;
use tracer::user::{Credentials, Identity};

use crate::runs::Limit;

/// How long the guardian may take to end all, beyond [`guardian::GRACE`].
const STUBBORN: Duration = Duration::from_secs(15);
/// Between two looks at memory and processes.
const LOOK: Duration = Duration::from_millis(100);

/// What a run may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub time: Duration,
    /// Bytes of memory that are its own, all processes together.
    pub memory: u64,
    /// Processes and threads.
    pub tasks: usize,
}

impl Limits {
    /// Of a lab's program.
    pub fn of_program() -> Self {
        Self {
            time: Duration::from_secs(60),
            memory: (processes::memory_of_machine() / 2).min(4 << 30),
            tasks: 512,
        }
    }

    /// Of a build, which may fetch libraries first, and uses all processors.
    pub fn of_build() -> Self {
        Self {
            time: Duration::from_secs(15 * 60),
            memory: processes::memory_of_machine() / 2,
            tasks: usize::MAX,
        }
    }

    /// Of a C compiler, which needs nothing but the source; that may be a stranger's.
    pub fn of_compiler() -> Self {
        Self {
            time: Duration::from_secs(60),
            ..Self::of_program()
        }
    }
}

/// Why a command did not come to its end.
#[derive(Debug)]
pub enum Unfinished {
    Start(io::Error),
    /// Somebody wanted it to end: the signal, or the one that a keyboard would send.
    Stopped(i32),
    Limit(Limit),
}

/// A command that is to be owned.
pub struct Job<'a> {
    pub program: &'a OsStr,
    pub args: Vec<OsString>,
    /// Run as the learner, in their environment; else as we are.
    pub learner: Option<&'a Identity>,
    pub dir: Option<&'a Path>,
    pub stdout: Stdio,
    pub stderr: Stdio,
    pub limits: Limits,
    /// Without a network, and as nobody: the programs of others.
    pub alone: bool,
}

/// Ends a run from another thread.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    /// The signal by which; 0: nobody wants that.
    wanted: Arc<AtomicI32>,
    running: Arc<AtomicBool>,
}

impl Interrupt {
    /// Ends what runs; whether anything does.
    pub fn stop(&self, signal: i32) -> bool {
        self.wanted.store(signal, Ordering::SeqCst);
        self.running.load(Ordering::SeqCst)
    }

    /// What was wanted before does not count any more.
    pub fn forget(&self) {
        self.wanted.store(0, Ordering::SeqCst);
    }

    /// The signal by which the end is wanted.
    pub fn wanted(&self) -> Option<i32> {
        Some(self.wanted.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }

    /// Notes that something runs, until the guard goes.
    pub fn running(&self) -> Running {
        self.running.store(true, Ordering::SeqCst);
        Running(self.running.clone())
    }
}

/// While it is there, something runs.
pub struct Running(Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// The user without rights, on every Linux.
pub const NOBODY: u32 = 65534;

/// As whom programs of others run, if we may choose: nobody's rights, and nothing of our environment.
pub fn nobody(ours: &Identity) -> Identity {
    if !nix::unistd::geteuid().is_root() {
        return ours.clone();
    }
    let gid = nix::unistd::Gid::from_raw(NOBODY);
    Identity {
        credentials: Some(Credentials {
            uid: nix::unistd::Uid::from_raw(NOBODY),
            gid,
            groups: Some(vec![gid]),
        }),
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
    }
}

/// Starts commands, and ends what they leave.
#[derive(Clone, Debug, Default)]
pub struct Owner {
    /// bytehop itself, which is the guardian, too; without it commands are on their own.
    pub bytehop: Option<PathBuf>,
    pub interrupt: Interrupt,
}

impl Owner {
    /// Runs a command to its end; its status, as a shell says it.
    ///
    /// # Errors
    /// If it cannot be started, or had to be ended.
    pub fn run(&self, job: Job<'_>) -> Result<i32, Unfinished> {
        let limits = job.limits;
        let mut child = self.spawn(job).map_err(Unfinished::Start)?;
        let begin = Instant::now();
        let mut looked = begin;
        let why = loop {
            if let Some(status) = child.try_wait().map_err(Unfinished::Start)? {
                let signal = status.signal().map(|signal| 128 + signal);
                return Ok(status.code().or(signal).unwrap_or(libc::EXIT_FAILURE));
            }
            if let Some(signal) = self.interrupt.wanted() {
                break Unfinished::Stopped(signal);
            }
            if begin.elapsed() > limits.time {
                break Unfinished::Limit(Limit::Time(limits.time));
            }
            if looked.elapsed() > LOOK {
                looked = Instant::now();
                if let Some(limit) = beyond(child.id() as i32, &limits) {
                    break Unfinished::Limit(limit);
                }
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        end(child).map_err(Unfinished::Start)?;
        Err(why)
    }

    fn spawn(&self, job: Job<'_>) -> io::Result<Child> {
        let mut command = match (&self.bytehop, job.learner) {
            (Some(bytehop), learner) => {
                let mut command = Command::new(bytehop);
                command.args(["lab", "own"]);
                command.args(learner.map(|_| "--learner"));
                command.args(job.alone.then_some("--alone"));
                // Ctrl-C is for us; we tell the guardian.
                command.arg("--").arg(job.program).process_group(0);
                command
            }
            (None, Some(identity)) => as_user(job.program, identity),
            (None, None) => Command::new(job.program),
        };
        if job.alone && nix::unistd::geteuid().is_root() {
            // Programs of others are neither root's nor the teacher's.
            for name in ["SUDO_UID", "SUDO_GID"] {
                command.env(name, NOBODY.to_string());
            }
            command.env("SUDO_USER", "nobody").env_remove("SUDO_HOME");
        }
        command.args(&job.args).stdin(Stdio::piped());
        command.stdout(job.stdout).stderr(job.stderr);
        if let Some(dir) = job.dir {
            command.current_dir(dir);
        }
        command.spawn()
    }
}

/// Tells the guardian to end all, and waits until it has.
fn end(mut child: Child) -> io::Result<()> {
    drop(child.stdin.take());
    let begin = Instant::now();
    while child.try_wait()?.is_none() {
        if begin.elapsed() > guardian::GRACE + STUBBORN {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// The limit that what descends from a process has passed.
fn beyond(pid: i32, limits: &Limits) -> Option<Limit> {
    let all = processes::descendants(pid);
    let tasks: usize = all.iter().map(|pid| processes::threads(*pid)).sum();
    if tasks > limits.tasks {
        return Some(Limit::Tasks(limits.tasks));
    }
    let memory: u64 = all.iter().map(|pid| processes::memory(*pid)).sum();
    (memory > limits.memory).then_some(Limit::Memory(limits.memory))
}

/// A command that runs as the learner, in their environment, where cargo may be in their home.
pub fn as_user(program: impl AsRef<OsStr>, identity: &Identity) -> Command {
    let mut command = Command::new(program);
    let mut path = identity.var("PATH").unwrap_or_default().to_owned();
    if let Some(home) = identity.var("HOME") {
        path.push(":");
        path.push(Path::new(home).join(".cargo/bin"));
    }
    command.env_clear();
    command.envs(identity.env.iter().map(|(name, value)| (name, value)));
    command.env("PATH", path);
    // Of a cargo that runs our tests.
    for name in ["CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        command.env_remove(name);
    }
    if let Some(credentials) = &identity.credentials {
        command.gid(credentials.gid.as_raw());
        command.uid(credentials.uid.as_raw());
    }
    command
}

/// All that was written to a file that we hold.
pub(crate) fn text_of(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).trim_end().to_owned(),
        Err(e) => e.to_string(),
    }
}
