//! The rights that tracing takes: checked before, given up after.
//!
//! | step | capability | why |
//! | --- | --- | --- |
//! | load programs, create maps | CAP_BPF | `bpf()` is refused without it (`unprivileged_bpf_disabled`) |
//! | attach to tracepoints, read kernel memory | CAP_PERFMON | tracing program types ask for it |
//! | read maps while tracing | CAP_BPF | older kernels refuse every `bpf()` call without it |
//!
//! CAP_SYS_ADMIN still stands for both, as it did before Linux 5.8. Nothing else is needed (seen on
//! 6.18): `/sys/kernel/btf/vmlinux` is readable by all, BTF tracepoints don't go through tracefs, and
//! from 5.11 on maps are not charged to RLIMIT_MEMLOCK.

use std::fs;

use bytehop_core::i18n::Lang;
use nix::errno::Errno;
use nix::sys::prctl;
use nix::unistd;
use thiserror::Error;

use crate::capset::{self, CapSet, Caps, cap};
use crate::errors::words;
use crate::user::{Credentials, Identity};

/// What we keep while tracing as an ordinary user.
const KEEP_AS_USER: CapSet = CapSet::of(&[cap::BPF]);

/// What we keep while tracing as root for root, where the command is root with all its rights:
const KEEP_AS_ROOT: CapSet = CapSet::of(&[
    cap::BPF,
    // `kill`: pass Ctrl-C on to a command that has become another user.
    cap::KILL,
    // `/proc/PID/{fd,exe,maps}` of a process with more capabilities than ours.
    cap::SYS_PTRACE,
    // The same of another user's process; and writing where root may, as root expects of `-o FILE`.
    cap::DAC_OVERRIDE,
]);

/// What of the needed rights we hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privileges {
    pub effective: CapSet,
    /// In a user namespace of its own (a rootless container), where capabilities don't reach BPF.
    pub confined: bool,
}

impl Privileges {
    /// Asks the kernel about the calling thread.
    pub fn check() -> Result<Privileges, Errno> {
        Ok(Privileges {
            effective: Caps::get()?.effective,
            confined: !in_first_user_namespace(),
        })
    }

    /// The capabilities that are missing, by name; none: we may trace.
    pub fn missing(&self) -> Vec<&'static str> {
        [(cap::BPF, "CAP_BPF"), (cap::PERFMON, "CAP_PERFMON")]
            .into_iter()
            .filter(|(capability, _)| {
                self.confined
                    || !(self.effective.has(*capability) || self.effective.has(cap::SYS_ADMIN))
            })
            .map(|(_, name)| name)
            .collect()
    }

    /// `Ok` if we may trace, else one line that says what is missing and how to get it.
    pub fn require(&self) -> Result<(), Missing> {
        match self.missing() {
            names if names.is_empty() => Ok(()),
            names => Err(Missing {
                names,
                confined: self.confined,
            }),
        }
    }
}

/// The rights we lack. Displays as one line of advice; the exit status for it is 3.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Missing {
    pub names: Vec<&'static str>,
    pub confined: bool,
}

bytehop_core::says! { Missing, lang:
    Self { names, confined: true } =>
        "tracing needs {names} of the host, which a user namespace (rootless container) cannot give: run bytehop on the host; `bytehop view FILE` and `bytehop lab --replay` need no rights"
        | "跟踪需要主机的 {names}，用户命名空间（无 root 的容器）给不了：请在主机上运行 bytehop；`bytehop view FILE` 和 `bytehop lab --replay` 不需要权限",
        names = all(names, lang);
    Self { names, confined: false } =>
        "tracing needs {names}: use sudo or --elevate; on a shared server, once `sudo bytehop setup --group GROUP`; `bytehop view FILE` and `bytehop lab --replay` need no rights"
        | "跟踪需要 {names}：请使用 sudo 或 --elevate；在共享服务器上执行一次 `sudo bytehop setup --group GROUP`；`bytehop view FILE` 和 `bytehop lab --replay` 不需要权限",
        names = all(names, lang);
}

fn all(names: &[&str], lang: Lang) -> String {
    names.join(lang.of(&[" and ", " 和 "]))
}

/// The first user namespace maps all ids to themselves.
fn in_first_user_namespace() -> bool {
    match fs::read_to_string("/proc/self/uid_map") {
        Ok(map) => map.split_whitespace().eq(["0", "0", "4294967295"]),
        // No such file: a kernel without user namespaces.
        Err(_) => true,
    }
}

// -------------------------------------------------------------------------------------------------
// Giving up

#[derive(Debug, Error)]
pub enum DropError {
    Threads(usize),
    /// What was refused, in English and Chinese.
    Refused {
        what: [&'static str; 2],
        errno: Errno,
    },
    StillThere,
}

bytehop_core::says! { DropError, lang:
    Self::Threads(n) => "rights must be given up before threads are started ({n} are running)"
        | "必须在启动线程之前放弃权限（已有 {n} 个线程在运行）";
    Self::Refused { what, errno } => "cannot {what}: {why}" | "无法{what}：{why}",
        what = lang.of(what), why = words(*errno, lang);
    Self::StillThere => "rights were given up, and are still there" | "已放弃权限，但权限仍在";
}

/// Gives up every right that tracing no longer needs: we become the user of `identity` and keep a
/// capability or two. Call it when the probes are attached, output files are open and the command
/// is held (what comes now must not reach it), and before any thread is started.
///
/// Keeps CAP_BPF alone; root tracing as root (no sudo) stays root and keeps [`KEEP_AS_ROOT`].
pub fn drop_after_load(identity: &Identity) -> Result<(), DropError> {
    let threads = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads > 1 {
        return Err(DropError::Threads(threads));
    }
    let before = Caps::get().map_err(refused(["read capabilities", "读取能力"]))?;
    prctl::set_no_new_privs().map_err(refused(["set no_new_privs", "设置 no_new_privs"]))?;
    // Takes CAP_SETPCAP, so while we still have it. With no_new_privs it is a second lock.
    capset::shrink_bounding();
    if let Some(credentials) = &identity.credentials {
        become_user(credentials)?;
    }
    let keep = match unistd::geteuid().is_root() {
        true => KEEP_AS_ROOT,
        false => KEEP_AS_USER,
    };
    // What we did not have can't be kept: someone may have given us CAP_SYS_ADMIN alone.
    let keep = Caps::only(keep.and(before.permitted));
    capset::clear_ambient()
        .map_err(refused(["clear ambient capabilities", "清除 ambient 能力"]))?;
    keep.set()
        .map_err(refused(["give up capabilities", "放弃能力"]))?;

    let now = Caps::get().map_err(refused(["read capabilities", "读取能力"]))?;
    match now == keep {
        true => Ok(()),
        false => Err(DropError::StillThere),
    }
}

/// Changes user and groups, keeping the permitted capabilities for the moment.
fn become_user(to: &Credentials) -> Result<(), DropError> {
    if let Some(groups) = &to.groups {
        unistd::setgroups(groups).map_err(refused(["change groups", "更改附加组"]))?;
    }
    let Credentials { uid, gid, .. } = *to;
    unistd::setresgid(gid, gid, gid).map_err(refused(["change group", "更改组"]))?;
    prctl::set_keepcaps(true).map_err(refused(["keep capabilities", "保留能力"]))?;
    unistd::setresuid(uid, uid, uid).map_err(refused(["change user", "更改用户"]))?;
    prctl::set_keepcaps(false).map_err(refused(["reset keepcaps", "重置 keepcaps"]))?;
    let ids = unistd::getresuid().map_err(refused(["read user ids", "读取用户 id"]))?;
    match [ids.real, ids.effective, ids.saved] == [uid; 3] {
        true => Ok(()),
        false => Err(DropError::StillThere),
    }
}

fn refused(what: [&'static str; 2]) -> impl Fn(Errno) -> DropError {
    move |errno| DropError::Refused { what, errno }
}

#[cfg(test)]
mod tests;
