//! As whom the traced command runs.
//!
//! bytehop often has more rights than the person who started it: through sudo, a setuid bit or file
//! capabilities. The command must not profit from that. It gets the user, the groups and the
//! environment that it would have had without us.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use nix::errno::Errno;
use nix::libc;
use nix::unistd::{self, Gid, Uid};
use thiserror::Error;

use crate::errors::words;

#[derive(Debug, Error)]
pub enum IdentityError {
    Own(#[source] Errno),
    Groups { user: String, source: Errno },
    NoSuchUser(String),
}

bytehop_core::says! { IdentityError, lang:
    Self::Own(errno) => "cannot ask for our own user and groups: {why}" | "无法得知自己的用户和组：{why}",
        why = words(*errno, lang);
    Self::Groups { user, source } => "cannot find out the groups of user {user}: {why}"
        | "无法得知用户 {user} 的组：{why}", why = words(*source, lang);
    Self::NoSuchUser(name) => "there is no user {name}" | "没有用户 {name}";
}

/// User and groups to change to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub uid: Uid,
    pub gid: Gid,
    /// Supplementary groups; `None`: those that we have are right.
    pub groups: Option<Vec<Gid>>,
}

/// One environment, in order.
pub type Environment = Vec<(OsString, OsString)>;

/// As whom, and in what environment, a command runs.
#[derive(Clone, Debug)]
pub struct Identity {
    /// `None`: the one that we run as.
    pub credentials: Option<Credentials>,
    pub env: Environment,
}

impl Identity {
    /// Whoever started us:
    ///
    /// - bytehop itself is setuid or setgid: the real user, whatever the environment says;
    /// - root, through sudo: the user who called sudo, with the environment sudo was given;
    /// - anybody else, and root as root: no change.
    pub fn invoking() -> Result<Identity, IdentityError> {
        let uids = unistd::getresuid().map_err(IdentityError::Own)?;
        let gids = unistd::getresgid().map_err(IdentityError::Own)?;
        let env: Environment = std::env::vars_os().collect();
        if uids.real != uids.effective || gids.real != gids.effective {
            let credentials = Credentials {
                uid: uids.real,
                gid: gids.real,
                groups: None,
            };
            return Ok(Identity {
                credentials: Some(credentials),
                env,
            });
        }
        match (uids.effective.is_root(), SudoUser::from(&env)) {
            (true, Some(user)) => Identity::before_sudo(&user, env),
            _ => Ok(Identity {
                credentials: None,
                env,
            }),
        }
    }

    /// The user of that name, in our environment with the user's HOME, SHELL and so on.
    pub fn of(name: &str) -> Result<Identity, IdentityError> {
        let user = unistd::User::from_name(name)
            .map_err(|source| IdentityError::Groups {
                user: name.to_owned(),
                source,
            })?
            .ok_or_else(|| IdentityError::NoSuchUser(name.to_owned()))?;
        Ok(Identity {
            credentials: Some(Credentials {
                uid: user.uid,
                gid: user.gid,
                groups: Some(groups_of(name, user.gid)?),
            }),
            env: as_user(std::env::vars_os().collect(), Some(&user)),
        })
    }

    fn before_sudo(sudo: &SudoUser, ours: Environment) -> Result<Identity, IdentityError> {
        // A user id without an entry (LDAP gone, a container) still has an id and a group.
        let entry = unistd::User::from_uid(sudo.uid).ok().flatten();
        let groups = match &entry {
            Some(user) => groups_of(&user.name, sudo.gid)?,
            None => vec![sudo.gid],
        };
        let env = match environment_of_sudo(&ours) {
            Some(env) => env,
            None => as_user(ours, entry.as_ref()),
        };
        Ok(Identity {
            credentials: Some(Credentials {
                uid: sudo.uid,
                gid: sudo.gid,
                groups: Some(groups),
            }),
            env,
        })
    }

    /// The value of a variable in the command's environment.
    pub fn var(&self, name: &str) -> Option<&OsStr> {
        get(&self.env, OsStr::new(name))
    }

    /// Runs `open` with this identity's rights to files, so that an output file belongs to the user
    /// and root's rights can't be borrowed to write where the user may not. Affects only the calling
    /// thread, and only for the time of the call.
    pub fn with_file_rights<T>(&self, open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.credentials {
            Some(credentials) => FileRights::assume(credentials)?.run(open),
            None => open(),
        }
    }

    /// Creates (or empties) a file as this identity. See [`Identity::with_file_rights`].
    pub fn create_file(&self, path: &std::path::Path) -> io::Result<File> {
        self.with_file_rights(|| File::create(path))
    }

    /// The same, for nobody else to read if it is new: what a program does is its user's to tell.
    pub fn create_private_file(&self, path: &std::path::Path) -> io::Result<File> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        self.with_file_rights(|| options.open(path))
    }
}

fn get<'a>(env: &'a Environment, name: &OsStr) -> Option<&'a OsStr> {
    let found = env.iter().find(|(n, _)| n == name);
    found.map(|(_, value)| value.as_os_str())
}

fn set(env: &mut Environment, name: &OsStr, value: &OsStr) {
    match env.iter_mut().find(|(n, _)| n == name) {
        Some((_, old)) => *old = value.to_owned(),
        None => env.push((name.to_owned(), value.to_owned())),
    }
}

fn groups_of(name: &str, gid: Gid) -> Result<Vec<Gid>, IdentityError> {
    let failed = |source| IdentityError::Groups {
        user: name.to_owned(),
        source,
    };
    let name = CString::new(name).map_err(|_| failed(Errno::EINVAL))?;
    unistd::getgrouplist(&name, gid).map_err(failed)
}

// -------------------------------------------------------------------------------------------------
// sudo

/// Who called sudo, as sudo tells us. `None` without sudo, and for root calling it.
#[derive(Debug, PartialEq, Eq)]
struct SudoUser {
    uid: Uid,
    gid: Gid,
}

impl SudoUser {
    fn from(env: &Environment) -> Option<SudoUser> {
        let number = |name| get(env, OsStr::new(name))?.to_str()?.parse::<u32>().ok();
        // (uid_t) -1 means "no change" to the kernel.
        let uid = number("SUDO_UID").filter(|uid| ![0, u32::MAX].contains(uid))?;
        let gid = number("SUDO_GID").filter(|gid| *gid != u32::MAX)?;
        Some(SudoUser {
            uid: Uid::from_raw(uid),
            gid: Gid::from_raw(gid),
        })
    }
}

/// sudo replaces the environment, but its own process, an ancestor of ours, still has what the user
/// gave it; variables set on the way (`sudo A=1 bytehop`, `sudo env A=1 bytehop`) stand in its
/// arguments. `None` if no sudo is found: in a root shell, say.
fn environment_of_sudo(ours: &Environment) -> Option<Environment> {
    let mut pid = unistd::getppid().as_raw();
    // Our parent; or its parent, when sudo puts a monitor in between to give us a terminal.
    for _ in 0..2 {
        if is_sudo(pid) {
            let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
            let cmdline = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            return user_environment(&environ, &cmdline, std::env::args_os().count(), ours);
        }
        pid = parent_of(pid)?;
    }
    None
}

fn is_sudo(pid: i32) -> bool {
    let exe = fs::read_link(format!("/proc/{pid}/exe"));
    let by_root = fs::metadata(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.uid() == 0);
    by_root
        && exe.is_ok_and(|exe| matches!(exe.file_name(), Some(n) if n == "sudo" || n == "sudo-rs"))
}

fn parent_of(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("PPid:"))?;
    line.trim().parse().ok().filter(|pid| *pid > 0)
}

/// `environ` and `cmdline` are sudo's, as in `/proc`; of the latter the last `our_args` are ours.
fn user_environment(
    environ: &[u8],
    cmdline: &[u8],
    our_args: usize,
    ours: &Environment,
) -> Option<Environment> {
    let mut env: Environment = split(environ).filter_map(variable).collect();
    if env.is_empty() {
        return None;
    }
    let args: Vec<&[u8]> = split(cmdline).collect();
    let before_us = &args[..args.len().saturating_sub(our_args)];
    for (name, value) in before_us.iter().filter_map(|arg| variable(arg)) {
        // It looks like an assignment, and it is one if it arrived here.
        if get(ours, &name) == Some(&value) {
            set(&mut env, &name, &value);
        }
    }
    Some(env)
}

fn split(nul_terminated: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = nul_terminated.strip_suffix(b"\0").unwrap_or(nul_terminated);
    end.split(|byte| *byte == 0)
}

fn variable(text: &[u8]) -> Option<(OsString, OsString)> {
    let equals = text
        .iter()
        .position(|byte| *byte == b'=')
        .filter(|at| *at > 0)?;
    let part = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    Some((part(&text[..equals]), part(&text[equals + 1..])))
}

/// What sudo adds. The other SUDO_ variables (SUDO_ASKPASS, SUDO_EDITOR …) are the user's own.
const SET_BY_SUDO: [&str; 6] = [
    "SUDO_COMMAND",
    "SUDO_GID",
    "SUDO_HOME",
    "SUDO_TTY",
    "SUDO_UID",
    "SUDO_USER",
];

/// The best to be made of root's environment when the user's own is not to be had.
fn as_user(mut env: Environment, user: Option<&unistd::User>) -> Environment {
    env.retain(|(name, _)| !SET_BY_SUDO.iter().any(|set| name == set));
    let Some(user) = user else { return env };
    let name = OsStr::new(&user.name);
    set(&mut env, OsStr::new("HOME"), user.dir.as_os_str());
    set(&mut env, OsStr::new("SHELL"), user.shell.as_os_str());
    set(&mut env, OsStr::new("USER"), name);
    set(&mut env, OsStr::new("LOGNAME"), name);
    if get(&env, OsStr::new("MAIL")).is_some() {
        let mail = [b"/var/mail/", name.as_bytes()].concat();
        set(&mut env, OsStr::new("MAIL"), OsStr::from_bytes(&mail));
    }
    env
}

// -------------------------------------------------------------------------------------------------
// Opening files as somebody else

/// The thread's file-system ids, changed; the old ones come back on drop.
struct FileRights {
    uid: Uid,
    gid: Gid,
    groups: Option<Vec<Gid>>,
}

impl FileRights {
    fn assume(to: &Credentials) -> io::Result<FileRights> {
        // Made first, so that whatever happens below is undone by its drop.
        let mut before = FileRights {
            uid: unistd::geteuid(),
            gid: unistd::getegid(),
            groups: None,
        };
        if let Some(groups) = &to.groups {
            let old = unistd::getgroups()?;
            set_thread_groups(groups)?;
            before.groups = Some(old);
        }
        unistd::setfsgid(to.gid);
        unistd::setfsuid(to.uid);
        // setfsuid does not tell of failure: it returns the previous id, so ask again.
        let (uid, gid) = (unistd::setfsuid(to.uid), unistd::setfsgid(to.gid));
        if uid != to.uid || gid != to.gid {
            return Err(Errno::EPERM.into());
        }
        Ok(before)
    }

    fn run<T>(self, open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        open()
    }
}

impl Drop for FileRights {
    fn drop(&mut self) {
        unistd::setfsuid(self.uid);
        unistd::setfsgid(self.gid);
        if let Some(groups) = &self.groups {
            // We could change them a moment ago, and still can.
            let _ = set_thread_groups(groups);
        }
    }
}

/// `setgroups` of libc changes all threads; the system call changes one.
fn set_thread_groups(groups: &[Gid]) -> Result<(), Errno> {
    let ids: Vec<libc::gid_t> = groups.iter().map(|gid| gid.as_raw()).collect();
    // SAFETY: the kernel reads `ids.len()` ids from `ids`, which lives through the call.
    Errno::result(unsafe { libc::syscall(libc::SYS_setgroups, ids.len(), ids.as_ptr()) })?;
    Ok(())
}

#[cfg(test)]
mod tests;
