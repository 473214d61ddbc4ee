//! A process that runs already: its threads, and the processes that it has made.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use bytehop_core::event::Cut;

use super::CaptureError;
use super::facts::comm_of;
use crate::lent::{self, Refused};
use crate::load::{Probes, threads_of};

/// Who is traced from now on, and who is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// The process itself first, or the first of those that were asked for.
    pub processes: Vec<Member>,
    /// How many were asked for.
    pub asked: usize,
    /// Processes that it made, and that are not traced because children are not wanted.
    pub left_out: Vec<Member>,
    /// How many it made that our caller may not see.
    pub not_yours: usize,
    /// Calls that were under way: their beginnings are not traced.
    pub cut: Cut,
}

/// A process that ran when tracing began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub pid: u32,
    pub comm: String,
    pub threads: usize,
}

impl Followed {
    /// Threads that are traced.
    pub fn threads(&self) -> usize {
        self.processes.iter().map(|process| process.threads).sum()
    }
}

/// Whether process ids mean the same to us and to the kernel side.
///
/// # Errors
/// If we are in a pid namespace of a container.
pub fn on_the_host() -> Result<(), CaptureError> {
    match is_on_the_host() {
        true => Ok(()),
        false => Err(CaptureError::Namespace),
    }
}

/// The same as an answer; where `/proc` does not tell, we take it that they do.
pub(super) fn is_on_the_host() -> bool {
    // Inode of the first pid namespace (PROC_PID_INIT_INO in include/linux/proc_ns.h).
    const FIRST: u64 = 0xEFFF_FFFC;
    fs::metadata("/proc/self/ns/pid").map_or(true, |ns| ns.ino() == FIRST)
}

/// What is wrong where our caller may not trace a process.
pub(super) fn of(pid: u32) -> impl Fn(Refused) -> CaptureError {
    move |refused| match refused {
        Refused::Gone => CaptureError::NoProcess(pid),
        Refused::NotYours => CaptureError::NotYours(pid),
    }
}

/// A program that had more rights than the caller (setuid) and gave them up is the caller's by its ids; the kernel
/// refuses it only because it is not dumpable.
pub(super) fn not_all_dumpable() -> Result<(), CaptureError> {
    let setting = fs::read_to_string("/proc/sys/fs/suid_dumpable").unwrap_or_default();
    match setting.trim() {
        "0" | "2" => Ok(()),
        _ => Err(CaptureError::AllDumpable),
    }
}

/// Begins to trace all threads of running processes and, if `follow`, of the processes that they have made and
/// of theirs; those that they make meanwhile included.
///
/// # Errors
/// If all of the processes are gone or a map cannot be written.
pub(super) fn begin(
    probes: &mut Probes,
    asked: &[u32],
    follow: bool,
) -> Result<Followed, CaptureError> {
    on_the_host()?;
    let Some(&pid) = asked.first() else {
        return Ok(Followed::default());
    };
    let caller = lent::caller();
    let mut known = HashSet::new();
    // Of our caller's rights: each process is held, so that the number stays its own.
    let mut held: BTreeMap<u32, Result<OwnedFd, Refused>> = BTreeMap::new();
    let mut threads: BTreeMap<u32, usize> = BTreeMap::new();
    let mut found = Vec::new();
    loop {
        let mut news = false;
        let tree = match follow {
            true => family(asked),
            false => asked.to_vec(),
        };
        for process in tree {
            if let Some(caller) = caller
                && !asked.contains(&process)
                && held
                    .entry(process)
                    .or_insert_with(|| caller.hold(process))
                    .is_err()
            {
                continue;
            }
            let new: Vec<u32> = threads_of(process)
                .into_iter()
                .flatten()
                .filter(|tid| known.insert(*tid))
                .collect();
            news |= !new.is_empty();
            for tid in new {
                probes.trace(tid, process)?;
                found.push((tid, Doing::of(process, tid)));
                *threads.entry(process).or_default() += 1;
            }
        }
        if !asked.iter().any(|pid| threads.contains_key(pid)) {
            return Err(CaptureError::NoProcess(pid));
        }
        if !news {
            break;
        }
    }
    // Those that have become other programs while we looked.
    if let Some(caller) = caller {
        for (process, pidfd) in &held {
            if let Ok(pidfd) = pidfd
                && caller.may_trace(pidfd.as_fd()) == Err(Refused::NotYours)
            {
                return Err(CaptureError::NotYours(*process));
            }
        }
    }
    let refused = |held: &&Result<_, _>| matches!(held, Err(Refused::NotYours));
    let not_yours = held.values().filter(refused).count();
    // Those that were asked for first.
    let asked_for: Vec<_> = asked
        .iter()
        .filter_map(|pid| Some((*pid, threads.remove(pid)?)))
        .collect();
    let number = asked_for.len();
    let all = asked_for.into_iter().chain(threads);
    let member = |(pid, threads)| Member {
        pid,
        comm: comm_of(pid),
        threads,
    };
    let left_out = match follow {
        true => Vec::new(),
        false => family(asked)
            .into_iter()
            .skip(asked.len())
            .map(|pid| (pid, threads_of(pid).into_iter().flatten().count()))
            .map(member)
            .collect(),
    };
    let traced = probes.threads()?;
    let entered = |tid: &u32| traced.get(tid).and_then(|left| left.call);
    Ok(Followed {
        processes: all.map(member).collect(),
        asked: number,
        left_out,
        not_yours,
        cut: cut(found.iter().map(|(tid, doing)| (*doing, entered(tid)))),
    })
}

/// What a thread does at a moment, by `/proc/PID/task/TID/syscall`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// Blocked in this call.
    Call(u16),
    /// Blocked, and in no call.
    Nothing,
    /// It is on a CPU, or we may not know.
    Unknown,
}

impl Doing {
    fn of(pid: u32, tid: u32) -> Self {
        match fs::read_to_string(format!("/proc/{pid}/task/{tid}/syscall")) {
            Ok(line) => Self::read(&line),
            Err(_) => Self::Unknown,
        }
    }

    fn read(line: &str) -> Self {
        let first = line.split_whitespace().next();
        match first.and_then(|word| word.parse::<i64>().ok()) {
            Some(nr) => u16::try_from(nr).map_or(Self::Nothing, Self::Call),
            None => Self::Unknown,
        }
    }
}

/// Calls that had begun before they were traced, of threads that did this, and that then were in a call that was
/// traced from its beginning.
fn cut(threads: impl Iterator<Item = (Doing, Option<u32>)>) -> Cut {
    let mut cut = Cut::default();
    for (doing, entered) in threads {
        match (doing, entered) {
            (Doing::Call(nr), Some(whole)) if u32::from(nr) == whole => {}
            (Doing::Call(nr), _) => cut.add(nr),
            (Doing::Nothing, _) => {}
            (Doing::Unknown, _) => cut.unknown += 1,
        }
    }
    cut
}

/// Processes, the ones that they have made, and theirs, as far as they run.
fn family(asked: &[u32]) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let all = fs::read_dir("/proc").into_iter().flatten();
    for process in all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()) {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        if let Some(parent) = parent(&stat) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut family = asked.to_vec();
    let mut next = 0;
    while let Some(process) = family.get(next) {
        let theirs = children.remove(process).unwrap_or_default();
        family.extend(theirs.iter().filter(|child| !asked.contains(child)));
        next += 1;
    }
    family
}

/// The parent of a process that has not ended, by the line of `/proc/PID/stat`.
fn parent(stat: &str) -> Option<u32> {
    // The name stands in parentheses, and may hold some itself.
    let (_, rest) = stat.rsplit_once(") ")?;
    let (state, rest) = rest.split_once(' ')?;
    let (parent, _) = rest.split_once(' ')?;
    (!matches!(state, "Z" | "X")).then(|| parent.parse().ok())?
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn parents_and_names_with_anything_in_them() {
        assert_eq!(parent("12 (a) b (c) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (a) Z 7 12"), None);
        assert_eq!(parent("12 (a"), None);
    }

    #[test]
    fn calls_that_began_before_us_are_known() {
        let read = Doing::read("0 0x3 0x7fd2d45dc000 0x20000 0x22 0xffffffff 0x0 0x7ffd 0x7fd2\n");
        assert_eq!(read, Doing::Call(0));
        assert_eq!(Doing::read("running\n"), Doing::Unknown);
        assert_eq!(Doing::read("-1 0x7ffd 0x7fd2\n"), Doing::Nothing);
        let found = [
            (read, None),
            // Another call since: that one is whole, the first was not.
            (read, Some(1)),
            (read, Some(0)),
            (Doing::Unknown, None),
            (Doing::Nothing, None),
        ];
        let cut = cut(found.into_iter());
        assert_eq!((cut.calls, cut.unknown), (vec![(0, 2)], 1));
    }

    #[test]
    fn our_child_is_of_our_family_and_its_child_too() {
        let mut shell = Command::new("sh");
        let mut shell = shell.args(["-c", "sleep 60 & echo; wait"]);
        shell = shell.stdout(std::process::Stdio::piped());
        let mut shell = shell.spawn().expect("sh");
        let mut line = [0];
        let mut stdout = shell.stdout.take().expect("stdout");
        std::io::Read::read_exact(&mut stdout, &mut line).expect("the shell has forked");
        let ours = family(&[std::process::id()]);
        let theirs = family(&[shell.id()]);
        // The sleeper ends with its parent's death only if it is told to.
        for process in theirs.iter().rev() {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(*process as i32),
                nix::sys::signal::Signal::SIGKILL,
            );
        }
        let _ = shell.wait();
        assert_eq!(ours[0], std::process::id());
        assert_eq!(theirs.len(), 2, "{theirs:?}");
        assert!(theirs.iter().all(|process| ours.contains(process)));
    }
}
