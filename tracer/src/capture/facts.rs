//! What a trace says of itself and of the machine, our place among programs, and clocks.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;

use bytehop_core::arch::Arch;
use bytehop_core::event::{Cut, Start};
use bytehop_core::i18n::Lang;
use bytehop_core::notice::Why;
use nix::sys::utsname::uname;
use nix::time::ClockId;

use crate::cgroups::{self, Cgroup};
use crate::clock::now_ns;
use crate::device;
use crate::inherited::{nice, set_first, set_nice};
use crate::load::{Probes, page_size};

/// Lets us go first where programs compete for the CPU: what the ring buffer cannot hold is lost, and beside
/// two hundred busy threads loading would take a minute. The command gets our caller's priority. Without the right to it nothing changes.
///
/// It holds for the calling thread, and those that it starts.
pub fn keep_up() -> Priority {
    const NICE: i32 = -20;
    let before = nice();
    let _ = set_nice(NICE);
    Priority(before)
}

/// The priority that a thread had.
#[derive(Clone, Copy, Debug)]
pub struct Priority(i32);

impl Priority {
    /// Gives the calling thread this priority again.
    pub fn restore(self) {
        let _ = set_nice(self.0);
    }
}

/// Does something that others wait for, before all programs that are not real-time ones: beside two hundred busy
/// threads even our share of a CPU would make it ten times as long.
pub fn first<T>(work: impl FnOnce() -> T) -> T {
    let _ended = set_first(true).is_ok().then_some(AsOthers);
    work()
}

/// Gives up the precedence of [`first`] when it goes away.
struct AsOthers;

impl Drop for AsOthers {
    fn drop(&mut self) {
        let _ = set_first(false);
    }
}

/// The record that begins a trace.
pub fn start(probes: &Probes, command: &[String], pid: u32, attached: bool, follow: bool) -> Start {
    let name = uname();
    let text = |s: Result<&std::ffi::OsStr, ()>| {
        s.map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    Start {
        bytehop: env!("CARGO_PKG_VERSION").to_owned(),
        kernel: text(name.as_ref().map(|n| n.release()).map_err(drop)),
        arch: Arch::host().map_or_else(
            || std::env::consts::ARCH.to_owned(),
            |a| a.as_str().to_owned(),
        ),
        level: probes.level.as_str().to_owned(),
        command: command.to_vec(),
        pid,
        comm: if attached {
            comm_of(pid)
        } else {
            String::new()
        },
        children: Vec::new(),
        attached,
        follow,
        realtime_ns: now_ns(ClockId::CLOCK_REALTIME),
        monotonic_ns: now_ns(ClockId::CLOCK_MONOTONIC),
        page_size: page_size(),
        probes: probes.attached.clone(),
        missing: words_of(&probes.missing),
        cut: Cut::default(),
        there: Box::default(),
        part: Vec::new(),
    }
}

/// Files that are looked at of each process that was there already.
const FILES_MAX: usize = 4096;

/// Adds where the processes of a trace are when it begins: working directories, cgroups, open files. What we may
/// not see stays unknown.
pub fn whereabouts(start: &mut Start) {
    let children = start.children.iter().map(|(pid, _)| *pid);
    let pids: Vec<u32> = std::iter::once(start.pid).chain(children).collect();
    let mut seen = HashSet::new();
    for pid in pids {
        if let Ok(cwd) = std::fs::read_link(format!("/proc/{pid}/cwd")) {
            start
                .there
                .cwds
                .push((pid, cwd.to_string_lossy().into_owned()));
        }
        start
            .there
            .cgroups
            .extend(cgroup_of(pid).map(|cgroup| (pid, cgroup)));
        let new = open_files(pid)
            .into_iter()
            .filter(|file| seen.insert(file.clone()));
        start.there.files.extend(new);
    }
}

/// Of the unified hierarchy, or the first of the others.
fn cgroup_of(pid: u32) -> Option<String> {
    let text = cgroups::read(pid);
    let unified = |cgroup: &Cgroup<'_>| cgroup.hierarchy == "0" && cgroup.controllers.is_empty();
    let found = cgroups::parse(&text).find(unified);
    let found = found.or_else(|| cgroups::parse(&text).next());
    found.map(|cgroup| cgroup.path.to_owned())
}

/// File system (as the kernel encodes it), inode and path of the plain files that a process has open.
fn open_files(pid: u32) -> Vec<(u32, u64, String)> {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return Vec::new();
    };
    let file = |entry: std::fs::DirEntry| {
        let path = std::fs::read_link(entry.path()).ok()?;
        let meta = std::fs::metadata(entry.path()).ok()?;
        if !meta.is_file() && !meta.is_dir() {
            return None;
        }
        let dev = device::number(meta.dev());
        Some((dev, meta.ino(), path.to_string_lossy().into_owned()))
    };
    let entries = entries.flatten().take(FILES_MAX);
    entries.filter_map(file).collect()
}

/// Missing hooks as recordings have them.
pub(crate) fn words_of(missing: &[(String, Why)]) -> Vec<(String, String)> {
    let words = |(hook, why): &(String, Why)| (hook.clone(), why.words(Lang::En));
    missing.iter().map(words).collect()
}

/// Name of a running process.
pub(super) fn comm_of(pid: u32) -> String {
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm"));
    comm.unwrap_or_default().trim_end().to_owned()
}
