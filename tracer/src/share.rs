//! `bytehop setup`: this file for a group of users, with the capabilities that tracing takes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::sys::statvfs::{FsFlags, fstatvfs};
use nix::unistd::{self, Gid, Uid};
use thiserror::Error;

use crate::filecaps;

/// For the group: to read and to execute, nothing for others.
const SHARED: u32 = 0o750;
/// As it was installed.
const OPEN: u32 = 0o755;
/// Bits of a mode.
const MODE: u32 = 0o7777;
const OTHERS: u32 = 0o007;

#[derive(Debug, Error)]
pub enum ShareError {
    NotRoot,
    NoGroup(String),
    Everybody(String),
    File { path: PathBuf, source: io::Error },
    Exposed { path: PathBuf, at: PathBuf },
    Linked(PathBuf),
    NoSuid(PathBuf),
}

bytehop_core::says! { ShareError, lang:
    Self::NotRoot => "setup changes who may trace, which takes root: sudo bytehop setup …"
        | "setup 改变谁可以跟踪，需要 root：sudo bytehop setup …";
    Self::NoGroup(group) =>
        "there is no group {group}: make it with `groupadd {group}`, and add users with `gpasswd -a USER {group}`"
        | "没有用户组 {group}：请用 `groupadd {group}` 建立，再用 `gpasswd -a 用户 {group}` 加入成员";
    Self::Everybody(group) =>
        "group {group} would give these rights to everyone who has no group of their own: choose another"
        | "用户组 {group} 会把这些权限给所有没有自己用户组的人：请换一个";
    Self::File { path, source } => "{path}: {why}" | "{path}：{why}", path = path.display(), why = source.say(lang);
    Self::Exposed { path, at } =>
        "{path} can be replaced by others than root: {at}; install bytehop below /usr first"
        | "{path} 可能被 root 以外的人替换：{at}；请先把 bytehop 安装到 /usr 之下",
        path = path.display(), at = at.display();
    Self::Linked(path) =>
        "{path} has another name (a hard link), by which the same would be had: install a copy of its own"
        | "{path} 还有另一个名字（硬链接），由它同样可得到这些权限：请单独安装一份", path = path.display();
    Self::NoSuid(path) =>
        "{path} is on a file system mounted nosuid, where capabilities of files have no effect"
        | "{path} 所在的文件系统以 nosuid 挂载，文件能力在那里不起作用", path = path.display();
}

/// What was done, or was so before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    pub path: PathBuf,
    pub changed: bool,
    /// Who has it now: members of the group by name, in order.
    pub users: Vec<String>,
}

/// Gives the group's users what tracing takes, through the program at `path`, and nobody else.
///
/// # Errors
/// If we are not root, there is no such group, or the file is not safe from others.
pub fn share(path: &Path, group: &str) -> Result<Shared, ShareError> {
    let path = checked(path)?;
    let found = unistd::Group::from_name(group).ok().flatten();
    let Some(found) = found else {
        return Err(ShareError::NoGroup(group.to_owned()));
    };
    if matches!(found.name.as_str(), "nogroup" | "nobody") {
        return Err(ShareError::Everybody(found.name));
    }
    let file = open(&path)?;
    let failed = failed(&path);
    let meta = file.metadata().map_err(&failed)?;
    if meta.nlink() > 1 {
        return Err(ShareError::Linked(path));
    }
    let nosuid = fstatvfs(&file).is_ok_and(|fs| fs.flags().contains(FsFlags::ST_NOSUID));
    if nosuid {
        return Err(ShareError::NoSuid(path));
    }
    let users = users_of(&found);
    let gid = found.gid;
    let is_so = meta.uid() == 0
        && meta.gid() == gid.as_raw()
        && meta.mode() & MODE == SHARED
        && filecaps::of(&file).map_err(&failed)?.as_deref() == Some(&filecaps::tracing());
    if is_so {
        return Ok(Shared {
            path,
            changed: false,
            users,
        });
    }
    // In this order nobody outside of the group has them at any time; the change of owner takes away what
    // was there.
    filecaps::remove(&file).map_err(&failed)?;
    file.set_permissions(fs::Permissions::from_mode(0o700))
        .map_err(&failed)?;
    owned(&file, gid).map_err(&failed)?;
    file.set_permissions(fs::Permissions::from_mode(SHARED))
        .map_err(&failed)?;
    filecaps::set(&file, &filecaps::tracing()).map_err(&failed)?;
    Ok(Shared {
        path,
        changed: true,
        users,
    })
}

/// Takes it away again: the program is root's, for everyone, without capabilities.
///
/// # Errors
/// If we are not root or the file cannot be changed.
pub fn unshare(path: &Path) -> Result<Shared, ShareError> {
    let path = checked(path)?;
    let file = open(&path)?;
    let failed = failed(&path);
    let meta = file.metadata().map_err(&failed)?;
    let had = filecaps::of(&file).map_err(&failed)?.is_some();
    let is_so = meta.gid() == 0 && meta.mode() & MODE == OPEN && !had;
    if !is_so {
        filecaps::remove(&file).map_err(&failed)?;
        owned(&file, Gid::from_raw(0)).map_err(&failed)?;
        file.set_permissions(fs::Permissions::from_mode(OPEN))
            .map_err(&failed)?;
    }
    Ok(Shared {
        path,
        changed: !is_so,
        users: Vec::new(),
    })
}

/// Whether a program lends capabilities to everyone who can reach it.
pub fn is_open_to_all(program: &Path) -> bool {
    let others = fs::metadata(program).is_ok_and(|meta| meta.mode() & OTHERS != 0);
    others && matches!(filecaps::of_path(program), Ok(Some(_)))
}

/// The file itself, if nobody but root can put another one in its place.
fn checked(path: &Path) -> Result<PathBuf, ShareError> {
    if !unistd::geteuid().is_root() {
        return Err(ShareError::NotRoot);
    }
    let path = fs::canonicalize(path).map_err(failed(path))?;
    for at in path.ancestors() {
        let meta = fs::symlink_metadata(at).map_err(failed(at))?;
        // In a folder with the sticky bit nobody replaces what is root's; but it is not where programs are.
        let by_others = meta.mode() & 0o022 != 0 && !(at == path && meta.mode() & 0o002 == 0);
        if meta.uid() != 0 || by_others {
            return Err(ShareError::Exposed {
                path: path.clone(),
                at: at.to_owned(),
            });
        }
    }
    Ok(path)
}

/// What is opened here is what is changed below.
fn open(path: &Path) -> Result<File, ShareError> {
    let mut options = OpenOptions::new();
    let file = options
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path);
    file.map_err(failed(path))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> ShareError + use<> {
    let path = path.to_owned();
    move |source| ShareError::File {
        path: path.clone(),
        source,
    }
}

fn owned(file: &File, group: Gid) -> io::Result<()> {
    Ok(unistd::fchown(
        file.as_fd(),
        Some(Uid::from_raw(0)),
        Some(group),
    )?)
}

/// Members of a group, and users whose own group it is, as far as the local files tell.
fn users_of(group: &unistd::Group) -> Vec<String> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let primary = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(2)?.parse() == Ok(group.gid.as_raw())).then(|| name.to_owned())
    });
    let mut users: Vec<String> = primary.chain(group.mem.iter().cloned()).collect();
    users.sort();
    users.dedup();
    users
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "root"]
    fn what_others_can_replace_is_refused() {
        assert!(unistd::geteuid().is_root(), "this test needs root");
        let at = std::env::temp_dir().join(format!("bytehop-share-{}", std::process::id()));
        fs::write(&at, "").unwrap();
        let shared = share(&at, "root");
        fs::remove_file(&at).unwrap();
        assert!(
            matches!(shared, Err(ShareError::Exposed { .. })),
            "{shared:?}"
        );
    }
}
