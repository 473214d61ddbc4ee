//! Tables, one after the other, from readings of the counters.

use std::collections::HashMap;
use std::time::Instant;

use bytehop_core::arch::Arch;
use bytehop_core::catalogue::Tracepoint;
use bytehop_core::ledger::Ledger;
use bytehop_core::top::conclude::{Context, row};
use bytehop_core::top::group::{Group, Snapshot};
use bytehop_core::top::{Frame, Lost, Row, Who};
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::time::ClockId;
use nix::unistd::Pid;
use tracer_ebpf::{FileRef, Proc};

use super::maps::{self, forget};
use crate::capture::words_of;
use crate::cgroups;
use crate::clock::now_ns;
use crate::device::{Hardware, Sysfs};
use crate::lent::{self, Caller};
use crate::load::{LoadError, Probes};

/// Of so many processes that have ended the name is kept, for what is written back for them later.
const ENDED_MAX: usize = 8192;

/// A process as `/proc` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub name: String,
    pub command: String,
    /// As [`parse_cgroup`] has it, where it is asked for.
    pub cgroup: String,
    /// Our caller may see it, or everything.
    pub yours: bool,
}

/// What is kept of a process.
#[derive(Clone, Debug, Default)]
struct Known {
    seen: Seen,
    ended: bool,
    /// At some time our caller was not allowed to see it: it stays so.
    refused: bool,
}

impl Known {
    /// Whether it has a row of its own. What had ended before it was looked at has none.
    fn is_shown(&self) -> bool {
        self.seen.yours && !self.refused
    }
}

/// Reads counters, and knows what they were before.
pub struct Sampler {
    context: Context,
    round: u64,
    begun: Instant,
    /// When the last two readings were.
    then: Instant,
    now: Instant,
    realtime_ns: u64,
    /// The last reading, and what it added to the one before.
    held: HashMap<Proc, Group>,
    added: HashMap<Proc, Group>,
    files: HashMap<u16, FileRef>,
    lost: Lost,
    known: HashMap<Proc, Known>,
    /// Processes that are no more: what they did, and how many.
    gone: Group,
    ended: u64,
    /// The same of those that our caller may not see; `None`: there is nothing of the kind.
    others_gone: Option<Group>,
    /// Cgroups are read, too.
    cgroups: bool,
}

impl Sampler {
    /// Counting begins.
    pub fn new(probes: &Probes) -> Self {
        let arch = Arch::host().unwrap_or(Arch::X86_64);
        let attached = |id| probes.attached.iter().any(|hook| hook == arch.label(id));
        let context = Context {
            arch,
            hardware: Box::new(Hardware::new(Sysfs::host())),
            faults: attached(Tracepoint::page_fault_user),
            receives: attached(Tracepoint::skb_copy_datagram_iovec),
            missing: words_of(&probes.missing),
        };
        let sampler = Self::with(context, Instant::now());
        match lent::caller() {
            Some(_) => sampler.for_caller(),
            None => sampler,
        }
    }

    /// For somebody who may not see everything: what is not theirs has one row in all.
    pub fn for_caller(self) -> Self {
        Self {
            others_gone: Some(Group::default()),
            ..self
        }
    }

    /// Rows have the cgroups of their processes.
    pub fn with_cgroups(self) -> Self {
        Self {
            cgroups: true,
            ..self
        }
    }

    /// The same from facts.
    pub fn with(context: Context, now: Instant) -> Self {
        Self {
            context,
            round: 0,
            begun: now,
            then: now,
            now,
            realtime_ns: 0,
            held: HashMap::new(),
            added: HashMap::new(),
            files: HashMap::new(),
            lost: Lost::default(),
            known: HashMap::new(),
            gone: Group::default(),
            ended: 0,
            others_gone: None,
            cgroups: false,
        }
    }

    /// Reads the counters, and takes away those of processes that have ended.
    ///
    /// # Errors
    /// If a map cannot be used.
    pub fn read(&mut self, probes: &mut Probes) -> Result<(), LoadError> {
        // Asked before the counters are read: what has ended by then counts no more.
        let cgroups = self.cgroups;
        let look = |proc| {
            let seen = look(proc)?;
            let cgroup = match cgroups && seen.yours {
                true => parse_cgroup(&cgroups::read(proc.tgid)).to_owned(),
                false => String::new(),
            };
            Some(Seen { cgroup, ..seen })
        };
        let ended = self.ended_by_now(look);
        let mut snapshot = maps::read(probes)?;
        maps::take_abandoned(probes, &ended, &mut snapshot.groups)?;
        self.realtime_ns = now_ns(ClockId::CLOCK_REALTIME);
        self.take(snapshot, Instant::now(), look);
        for (proc, group) in self.let_go(&ended) {
            forget(probes, proc, &group)?;
        }
        Ok(())
    }

    /// Processes that were there at the last reading, and are no more.
    pub fn ended_by_now(&self, look: impl Fn(Proc) -> Option<Seen>) -> Vec<Proc> {
        let held = self.held.keys().filter(|proc| **proc != Proc::KERNEL);
        held.filter(|proc| look(**proc).is_none())
            .copied()
            .collect()
    }

    /// Takes a reading; `look`: what is known of a process that still runs.
    pub fn take(&mut self, snapshot: Snapshot, now: Instant, look: impl Fn(Proc) -> Option<Seen>) {
        let empty = Group::default();
        self.round += 1;
        (self.then, self.now) = (self.now, now);
        self.added = snapshot
            .groups
            .iter()
            .map(|(proc, group)| {
                let before = self.held.get(proc).unwrap_or(&empty);
                (*proc, group.since(before))
            })
            .collect();
        for proc in snapshot.groups.keys().filter(|proc| **proc != Proc::KERNEL) {
            let known = self.known.entry(*proc).or_default();
            match look(*proc) {
                Some(seen) => {
                    known.refused |= !seen.yours;
                    known.seen = seen;
                }
                None => known.ended = true,
            }
            // The kernel side has seen its last name.
            if (known.ended || known.seen.name.is_empty())
                && let Some(name) = snapshot.names.get(proc).filter(|name| !name.is_empty())
            {
                known.seen.name.clone_from(name);
            }
        }
        self.held = snapshot.groups;
        self.files = snapshot.files;
        self.lost = snapshot.lost;
    }

    /// Moves what these processes did to those that are gone.
    pub fn let_go(&mut self, ended: &[Proc]) -> Vec<(Proc, Group)> {
        let mut taken = Vec::new();
        for proc in ended {
            if let Some(group) = self.held.remove(proc) {
                let shown = self.known.get(proc).is_some_and(Known::is_shown);
                match &mut self.others_gone {
                    Some(others) if !shown => others.merge(&group),
                    _ => {
                        self.gone.merge(&group);
                        self.ended += 1;
                    }
                }
                taken.push((*proc, group));
            }
        }
        if self.known.len() > ENDED_MAX + self.held.len() {
            let held = &self.held;
            self.known.retain(|proc, _| held.contains_key(proc));
        }
        taken
    }

    /// The table of the last interval, or (`total`) of all since the beginning. Processes that do
    /// nothing have a row as long as they run, and once more when they have ended.
    pub fn frame(&mut self, total: bool) -> Frame {
        let mut rows = Vec::new();
        let groups = match total {
            true => &self.held,
            false => &self.added,
        };
        let mut others = match (&self.others_gone, total) {
            (Some(gone), true) => gone.clone(),
            _ => Group::default(),
        };
        let mut n_others = 0;
        for (proc, group) in groups {
            let who = Who::from(*proc);
            let known = self.known.get(proc).cloned().unwrap_or_default();
            if self.others_gone.is_some() && !known.is_shown() {
                others.merge(group);
                n_others += u64::from(who != Who::Kernel && !known.ended);
                continue;
            }
            rows.push(Row {
                who,
                name: known.seen.name,
                command: known.seen.command,
                cgroup: known.seen.cgroup,
                ended: known.ended,
                ..row(group, &self.files, &self.lost, &mut self.context)
            });
        }
        if self.others_gone.is_some() {
            // How much, and nothing of what it is made of.
            let row = row(&others, &self.files, &self.lost, &mut self.context);
            rows.push(Row {
                who: Who::Others(n_others),
                hops: Vec::new(),
                syscalls: Vec::new(),
                unknown: Vec::new(),
                ledger: Ledger::default(),
                ..row
            });
        }
        if total && self.ended > 0 {
            rows.push(Row {
                who: Who::Ended(self.ended),
                ended: true,
                ..row(&self.gone, &self.files, &self.lost, &mut self.context)
            });
        }
        Frame {
            round: self.round,
            realtime_ns: self.realtime_ns,
            interval: match total {
                true => self.now - self.begun,
                false => self.now - self.then,
            },
            total,
            rows,
            lost: self.lost,
        }
    }
}

/// A process that runs, unless another one has its number. Where `/proc` hides other users' (`hidepid`),
/// no more is known than that it runs.
fn look(proc: Proc) -> Option<Seen> {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", proc.tgid)) else {
        let asked = kill(Pid::from_raw(proc.tgid as i32), None);
        let seen = Seen {
            yours: lent::caller().is_none(),
            ..Seen::default()
        };
        return (asked != Err(Errno::ESRCH)).then_some(seen);
    };
    let (name, start) = parse_stat(&stat)?;
    if start as u32 != proc.start {
        return None;
    }
    if let Some(caller) = lent::caller()
        && !is_theirs(caller, proc)
    {
        return Some(Seen::default());
    }
    let command = std::fs::read(format!("/proc/{}/cmdline", proc.tgid)).unwrap_or_default();
    Some(Seen {
        name: name.to_owned(),
        command: words(&command),
        yours: true,
        ..Seen::default()
    })
}

/// The path in the one hierarchy of version 2; with version 1 alone, in systemd's, else in the first one. Empty if
/// there is none.
fn parse_cgroup(text: &str) -> &str {
    let all = || cgroups::parse(text);
    let found = all()
        .find(|cgroup| cgroup.hierarchy == "0")
        .or_else(|| all().find(|cgroup| cgroup.controllers == "name=systemd"))
        .or_else(|| all().next());
    found.map_or("", |cgroup| cgroup.path)
}

/// Whether the caller may read of a process what takes the right to trace it (`PTRACE_MODE_READ`).
fn is_theirs(caller: Caller, proc: Proc) -> bool {
    let read = |file: &str| std::fs::read_link(format!("/proc/{}/{file}", proc.tgid));
    let may = caller.without_rights(|| read("ns/user").is_ok());
    // It is still the process that was asked about.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", proc.tgid)).unwrap_or_default();
    may == Some(true) && parse_stat(&stat).is_some_and(|(_, start)| start as u32 == proc.start)
}

/// Name, and start in hundredths of a second since boot; `None` of a process whose last thread has ended.
fn parse_stat(stat: &str) -> Option<(&str, u64)> {
    // The name stands in parentheses, and may hold some itself.
    let (before, rest) = stat.rsplit_once(") ")?;
    let (_, name) = before.split_once(" (")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    // Fields 20 and 22 of proc(5); the state is field 3, and that of the first thread.
    let threads: u32 = fields.nth(16)?.parse().ok()?;
    let start = fields.nth(1)?.parse().ok()?;
    let ended = matches!(state, "Z" | "X") && threads <= 1;
    (!ended).then_some((name, start))
}

/// A command line for people: its words with spaces between.
fn words(bytes: &[u8]) -> String {
    const MOST: usize = 512;
    let bytes = &bytes[..bytes.len().min(MOST)];
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches('\0').replace('\0', " ");
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_anything_in_them() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 1 18 4711 20 21";
        assert_eq!(
            parse_stat(&format!("12 (a) b (c) {rest}")),
            Some(("a) b (c", 4711))
        );
        let zombie = rest.replacen('S', "Z", 1);
        assert_eq!(parse_stat(&format!("12 (a) {zombie}")), None);
        // Its first thread alone has ended.
        let lives_on = zombie.replace(" 16 1 18 ", " 16 3 18 ");
        assert!(parse_stat(&format!("12 (a) {lives_on}")).is_some());
        assert_eq!(parse_stat("12 (a"), None);
        assert_eq!(words(b"ls\0-l\x1b[1m\0"), "ls -l[1m");
    }

    #[test]
    fn cgroups_of_either_version() {
        let v2 = "0::/system.slice/a:b.service\n";
        assert_eq!(parse_cgroup(v2), "/system.slice/a:b.service");
        let both = "3:memory:/m\n1:name=systemd:/user.slice\n0::/user.slice/u\n";
        assert_eq!(parse_cgroup(both), "/user.slice/u");
        let v1 = "3:memory:/m\n1:name=systemd:/user.slice\n";
        assert_eq!(parse_cgroup(v1), "/user.slice");
        assert_eq!(parse_cgroup("3:memory:/m\n"), "/m");
        assert_eq!(parse_cgroup(""), "");
        assert_eq!(parse_cgroup("nonsense"), "");
    }

    #[test]
    fn we_are_found_by_our_start() {
        let stat = std::fs::read_to_string("/proc/self/stat").expect("/proc");
        let (_, start) = parse_stat(&stat).expect("our own line");
        let proc = Proc {
            tgid: std::process::id(),
            start: start as u32,
        };
        assert!(look(proc).is_some());
        let other = Proc {
            start: proc.start.wrapping_add(1),
            ..proc
        };
        assert_eq!(look(other), None);
    }
}
