//! What `/proc` says about processes.

use std::collections::BTreeSet;
use std::fs;

/// The processes that descend from one, parents before their children.
pub fn descendants(of: i32) -> Vec<i32> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    let mut next = children(of);
    while let Some(pid) = next.pop() {
        if seen.insert(pid) {
            found.push(pid);
            next.extend(children(pid));
        }
    }
    found
}

/// `children` of every thread (proc_pid_task_children(5)), which needs CONFIG_PROC_CHILDREN; else all
/// processes are looked through.
fn children(pid: i32) -> Vec<i32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for task in tasks.flatten() {
        match fs::read_to_string(task.path().join("children")) {
            Ok(text) => found.extend(
                text.split_whitespace()
                    .filter_map(|pid| pid.parse::<i32>().ok()),
            ),
            Err(_) if !task.path().exists() => {}
            Err(_) => return by_parent(pid),
        }
    }
    found
}

fn by_parent(parent: i32) -> Vec<i32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| parent_of(*pid) == Some(parent))
        .collect()
}

/// The fourth field of `stat`, behind a name that may hold anything.
pub fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a process descends from another.
pub fn descends(mut pid: i32, from: i32) -> bool {
    while let Some(parent) = parent_of(pid).filter(|parent| *parent > 0) {
        if parent == from {
            return true;
        }
        pid = parent;
    }
    false
}

pub fn threads(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

/// Bytes of memory that a process has for itself, in RAM or swapped out: no pages of files.
pub fn memory(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    ["RssAnon:", "RssShmem:", "VmSwap:"]
        .iter()
        .map(|name| kib(&status, name))
        .sum::<u64>()
        * 1024
}

pub fn memory_of_machine() -> u64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    match kib(&info, "MemTotal:") {
        0 => u64::MAX,
        kib => kib * 1024,
    }
}

fn kib(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
