//! The cgroups that a process is in: `/proc/PID/cgroup` (cgroups(7)).

use std::fmt::Display;
use std::fs;

/// What it is in, in one hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cgroup<'a> {
    /// "0" in version 2.
    pub hierarchy: &'a str,
    /// Of the hierarchy; none in version 2.
    pub controllers: &'a str,
    pub path: &'a str,
}

/// The text, of a number or `self`; empty if it cannot be read.
pub fn read(process: impl Display) -> String {
    fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap_or_default()
}

/// A line each.
pub fn parse(text: &str) -> impl Iterator<Item = Cgroup<'_>> {
    text.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        Some(Cgroup {
            hierarchy: fields.next()?,
            controllers: fields.next()?,
            path: fields.next()?,
        })
    })
}
