//! The child's side: everything between `fork` and `execve`.
//!
//! Only async-signal-safe calls: no allocation, no locks. What needs memory is made ready in
//! [`Plan`] before the fork.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
use nix::sys::stat::{SFlag, stat};
use nix::unistd::{self, AccessFlags};

use super::stamp::Stamp;
use super::{Command, LaunchError, Part};
use crate::capset::{self, Caps};
use crate::inherited::Inherited;
use crate::lent;
use crate::user::Credentials;

/// Where a shell looks when there is no PATH (`confstr(_CS_PATH)` of glibc).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// All that the child needs.
pub(super) struct Plan {
    argv: Strings,
    env: Strings,
    /// Files that the program may be, in order of preference.
    candidates: Vec<CString>,
    /// They come from PATH.
    searched: bool,
    cwd: Option<CString>,
    credentials: Option<Credentials>,
    inherited: Inherited,
    /// What becomes its controlling terminal.
    terminal: Option<RawFd>,
    /// Whoever started us may not see what programs with rights of their own do: they run without.
    no_new_rights: bool,
}

/// Strings with the array of pointers to them that `execve` wants.
struct Strings {
    /// Null-terminated. Points into `owned`, whose strings never move: they live on the heap.
    pointers: Vec<*const libc::c_char>,
    owned: Vec<CString>,
}

impl Strings {
    fn new(strings: impl Iterator<Item = OsString>, what: Part) -> Result<Strings, LaunchError> {
        let owned = strings
            .map(|s| c_string(s, what))
            .collect::<Result<Vec<_>, _>>()?;
        let pointers = owned
            .iter()
            .map(|s| s.as_ptr())
            .chain([std::ptr::null()])
            .collect();
        Ok(Strings { pointers, owned })
    }
}

fn c_string(text: impl Into<OsString>, what: Part) -> Result<CString, LaunchError> {
    CString::new(text.into().into_vec()).map_err(|_| LaunchError::Nul(what))
}

impl Plan {
    pub(super) fn new(command: &Command, terminal: Option<RawFd>) -> Result<Plan, LaunchError> {
        let program = command.argv.first().ok_or(LaunchError::Empty)?;
        let path = command.identity.var("PATH");
        let variables = command.identity.env.iter().map(|(name, value)| {
            let mut variable = name.clone();
            variable.push("=");
            variable.push(value);
            variable
        });
        Ok(Plan {
            candidates: candidates(program, path)
                .into_iter()
                .map(|file| c_string(file, Part::Name))
                .collect::<Result<_, _>>()?,
            searched: !program.as_bytes().contains(&b'/'),
            argv: Strings::new(command.argv.iter().cloned(), Part::Argument)?,
            env: Strings::new(variables, Part::Environment)?,
            cwd: match &command.cwd {
                Some(cwd) => Some(c_string(cwd.clone(), Part::Directory)?),
                None => None,
            },
            credentials: command.identity.credentials.clone(),
            inherited: Inherited::noted(),
            terminal,
            no_new_rights: lent::caller().is_some(),
        })
    }

    /// The command's name, for messages.
    pub(super) fn name(&self) -> String {
        let name = self.argv.owned.first().map(|name| name.to_string_lossy());
        name.unwrap_or_default().into_owned()
    }

    pub(super) fn candidate(&self, index: u32) -> PathBuf {
        let file = self.candidates.get(index as usize);
        file.map_or_else(PathBuf::new, |f| OsStr::from_bytes(f.as_bytes()).into())
    }
}

/// Where a shell would look: the name itself if it has a slash, else in each directory of PATH, of
/// which an empty one is the current directory.
fn candidates(program: &OsStr, path: Option<&OsStr>) -> Vec<PathBuf> {
    let name = program.as_bytes();
    if name.is_empty() {
        return Vec::new();
    }
    if name.contains(&b'/') {
        return vec![program.into()];
    }
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes();
    path.split(|byte| *byte == b':')
        .map(|dir| if dir.is_empty() { b"." } else { dir })
        .map(|dir| PathBuf::from(OsStr::from_bytes(dir)).join(program))
        .collect()
}

// -------------------------------------------------------------------------------------------------

/// How far the child got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Stage {
    /// All is set up; `value` is the number of the candidate that will be executed.
    Ready,
    // Failures: `value` is the errno.
    Inherited,
    Terminal,
    Groups,
    User,
    Capabilities,
    Directory,
    Lookup,
    Execute,
}

const STAGES: [(Stage, [&str; 2]); 9] = [
    (Stage::Ready, ["ready", "就绪"]),
    (
        Stage::Inherited,
        ["cannot reset signals and limits", "无法复位信号和资源上限"],
    ),
    (
        Stage::Terminal,
        ["cannot give it a terminal of its own", "无法给它自己的终端"],
    ),
    (
        Stage::Groups,
        ["cannot take on the user's groups", "无法采用该用户的组"],
    ),
    (Stage::User, ["cannot become the user", "无法成为该用户"]),
    (
        Stage::Capabilities,
        ["cannot give up capabilities", "无法放弃能力"],
    ),
    (
        Stage::Directory,
        ["cannot change to its directory", "无法进入它的目录"],
    ),
    (Stage::Lookup, ["lookup", "查找"]),
    (Stage::Execute, ["execve"; 2]),
];

/// What the child tells us over the pipe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) stage: Stage,
    pub(super) value: u32,
}

impl Report {
    pub(super) const SIZE: usize = 8;

    fn failed(stage: Stage) -> impl Fn(Errno) -> Report {
        move |errno| Report {
            stage,
            value: errno as i32 as u32,
        }
    }

    fn to_bytes(self) -> [u8; Self::SIZE] {
        (u64::from(self.stage as u32) << 32 | u64::from(self.value)).to_ne_bytes()
    }

    pub(super) fn from_bytes(bytes: [u8; Self::SIZE]) -> Option<Report> {
        let word = u64::from_ne_bytes(bytes);
        let (stage, _) = STAGES.get((word >> 32) as usize)?;
        Some(Report {
            stage: *stage,
            value: word as u32,
        })
    }

    /// The error that a failure stands for.
    pub(super) fn into_error(self, program: String) -> LaunchError {
        let errno = Errno::from_raw(self.value as i32);
        match self.stage {
            Stage::Lookup if errno == Errno::ENOENT => LaunchError::NotFound { program },
            Stage::Lookup | Stage::Execute => LaunchError::CannotExecute { program, errno },
            stage => {
                let what = STAGES
                    .iter()
                    .find(|(s, _)| *s == stage)
                    .map_or([""; 2], |(_, what)| *what);
                LaunchError::Setup {
                    program,
                    what,
                    errno,
                }
            }
        }
    }
}

/// The child. Reports, waits to be released, executes; ends if any of that fails, or if our parent
/// is gone.
pub(super) fn run(
    plan: &Plan,
    wait: &OwnedFd,
    release: OwnedFd,
    reports: &OwnedFd,
    executed: &Stamp,
) -> ! {
    // Our copy of the parent's end: with it open, the parent's death would go unnoticed.
    drop(release);
    let report = match prepare(plan) {
        Ok(index) => {
            // The pages behind it are there then: the program is charged with no fault of ours.
            executed.set();
            tell(
                reports,
                Report {
                    stage: Stage::Ready,
                    value: index,
                },
            );
            if !released(wait) {
                exit()
            }
            match plan.candidates.get(index as usize) {
                Some(file) => {
                    executed.set();
                    Report::failed(Stage::Execute)(execute(file, plan))
                }
                None => exit(),
            }
        }
        Err(report) => report,
    };
    tell(reports, report);
    exit()
}

fn tell(reports: &OwnedFd, report: Report) {
    // If this fails nobody is left to hear it, and the wait that follows ends at once.
    let _ = unistd::write(reports, &report.to_bytes());
}

fn exit() -> ! {
    // SAFETY: async-signal-safe; runs none of the parent's exit handlers.
    unsafe { libc::_exit(125) }
}

/// Blocks until released (`true`) or the other end is closed.
fn released(wait: &OwnedFd) -> bool {
    let mut byte = [0];
    loop {
        match unistd::read(wait, &mut byte) {
            Err(Errno::EINTR) => continue,
            read => return read == Ok(1),
        }
    }
}

/// The one `execve`; returns only if it fails.
fn execute(file: &CStr, plan: &Plan) -> Errno {
    let (argv, env) = (&plan.argv.pointers, &plan.env.pointers);
    // SAFETY: a C string and two null-terminated arrays of C strings, all alive in `plan`.
    unsafe { libc::execve(file.as_ptr(), argv.as_ptr(), env.as_ptr()) };
    Errno::last()
}

/// Becomes what the command is to start as. Gives the number of the candidate to execute.
fn prepare(plan: &Plan) -> Result<u32, Report> {
    if let Some(terminal) = plan.terminal {
        take_terminal(terminal).map_err(Report::failed(Stage::Terminal))?;
    }
    if let Some(credentials) = &plan.credentials {
        assume(credentials)?;
    }
    if !unistd::getuid().is_root() {
        give_up_capabilities().map_err(Report::failed(Stage::Capabilities))?;
    }
    if plan.no_new_rights {
        prctl::set_no_new_privs().map_err(Report::failed(Stage::Capabilities))?;
    }
    if let Some(cwd) = &plan.cwd {
        unistd::chdir(cwd.as_c_str()).map_err(Report::failed(Stage::Directory))?;
    }
    let found = find(&plan.candidates, plan.searched).map_err(Report::failed(Stage::Lookup))?;
    plan.inherited
        .restore()
        .map_err(Report::failed(Stage::Inherited))?;
    Ok(found)
}

/// Leaves our session and terminal for a session on `terminal`. What was redirected stays so.
fn take_terminal(terminal: RawFd) -> Result<(), Errno> {
    unistd::setsid()?;
    // SAFETY: an ordinary system call on numbers; async-signal-safe.
    Errno::result(unsafe { libc::ioctl(terminal, libc::TIOCSCTTY, 0) })?;
    for fd in 0..3 {
        // SAFETY: as above.
        if unsafe { libc::isatty(fd) } == 1 {
            // SAFETY: as above; nothing in this process relies on what the descriptor was.
            Errno::result(unsafe { libc::dup2(terminal, fd) })?;
        }
    }
    Ok(())
}

fn assume(to: &Credentials) -> Result<(), Report> {
    // Groups first, the user last: once it is changed, nothing else may be.
    if let Some(groups) = &to.groups {
        unistd::setgroups(groups).map_err(Report::failed(Stage::Groups))?;
    }
    let Credentials { uid, gid, .. } = *to;
    unistd::setresgid(gid, gid, gid).map_err(Report::failed(Stage::Groups))?;
    unistd::setresuid(uid, uid, uid).map_err(Report::failed(Stage::User))?;

    let gids = unistd::getresgid().map_err(Report::failed(Stage::Groups))?;
    let uids = unistd::getresuid().map_err(Report::failed(Stage::User))?;
    if [gids.real, gids.effective, gids.saved] != [gid; 3] {
        return Err(Report::failed(Stage::Groups)(Errno::EPERM));
    }
    if [uids.real, uids.effective, uids.saved] != [uid; 3] {
        return Err(Report::failed(Stage::User)(Errno::EPERM));
    }
    Ok(())
}

/// A command that is not root's holds no capability, and none may come back over `execve`. The
/// bounding set stays: a setuid program in the trace works as it always does, unless our rights are lent.
fn give_up_capabilities() -> Result<(), Errno> {
    capset::clear_ambient()?;
    Caps::default().set()?;
    match Caps::get()? == Caps::default() {
        true => Ok(()),
        false => Err(Errno::EPERM),
    }
}

/// The first candidate that is a file we may execute. What is there but can't be executed makes a
/// better error than what is not there.
fn find(candidates: &[CString], searched: bool) -> Result<u32, Errno> {
    let mut error = Errno::ENOENT;
    for (index, file) in candidates.iter().enumerate() {
        match executable(file) {
            Ok(()) => return Ok(index as u32),
            Err(Errno::ENOENT) => {}
            // A directory of that name, a PATH entry that is none: in a search, not there.
            Err(Errno::EISDIR | Errno::ENOTDIR) if searched => {}
            Err(errno) if error == Errno::ENOENT => error = errno,
            Err(_) => {}
        }
    }
    Err(error)
}

fn executable(file: &CStr) -> Result<(), Errno> {
    let kind = SFlag::from_bits_truncate(stat(file)?.st_mode) & SFlag::S_IFMT;
    match kind {
        SFlag::S_IFREG => unistd::access(file, AccessFlags::X_OK),
        SFlag::S_IFDIR => Err(Errno::EISDIR),
        _ => Err(Errno::EACCES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_as_a_shell_has_them() {
        let of = |program: &str, path: Option<&str>| {
            let found = candidates(OsStr::new(program), path.map(OsStr::new));
            found
                .iter()
                .map(|p| p.display().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("x", Some("/a:/b")), ["/a/x", "/b/x"]);
        assert_eq!(of("x", Some(":/a:")), ["./x", "/a/x", "./x"]);
        assert_eq!(of("x", None), ["/bin/x", "/usr/bin/x"]);
        assert_eq!(of("./x", Some("/a")), ["./x"]);
        assert_eq!(of("d/x", None), ["d/x"]);
        assert!(of("", Some("/a")).is_empty());
    }

    #[test]
    fn reports_survive_the_pipe() {
        for (index, (stage, _)) in STAGES.iter().enumerate() {
            assert_eq!(index, *stage as usize);
            let sent = Report {
                stage: *stage,
                value: 13,
            };
            let got = Report::from_bytes(sent.to_bytes()).unwrap();
            assert_eq!((got.stage, got.value), (*stage, 13));
        }
        assert!(Report::from_bytes([0xff; 8]).is_none());
    }
}
