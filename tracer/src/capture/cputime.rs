//! CPU time of processes that ran before tracing: what their clocks say at the end, less what they said at the
//! beginning. No process has to be ours for that.

use std::collections::{BTreeMap, BTreeSet};

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// Their clocks at one time; `None`: gone.
#[derive(Debug, Default)]
pub struct CpuTime(BTreeMap<u32, Option<u64>>);

impl CpuTime {
    /// Now.
    pub fn of(processes: &BTreeSet<u32>) -> Self {
        Self(processes.iter().map(|pid| (*pid, clock(*pid))).collect())
    }

    /// What they took since `before`, without those that are `hidden`; `None` if one of that time, or of those that
    /// `ended` since, is gone: its clock went with it.
    pub fn since(
        &self,
        before: &Self,
        ended: &BTreeSet<u32>,
        hidden: impl Fn(u32) -> bool,
    ) -> Option<u64> {
        let all = self.0.keys().chain(before.0.keys()).chain(ended);
        let all: BTreeSet<u32> = all.copied().filter(|pid| !hidden(*pid)).collect();
        let mut sum = 0u64;
        for pid in all {
            let at = |time: &Self| time.0.get(&pid).copied().flatten();
            let took = at(self)?.checked_sub(at(before).unwrap_or(0))?;
            sum = sum.saturating_add(took);
        }
        Some(sum)
    }
}

/// The CPU time of all threads of a process, those that have ended too, ns.
fn clock(pid: u32) -> Option<u64> {
    let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0)?;
    let time = clock_gettime(clock_getcpuclockid(Pid::from_raw(pid)).ok()?).ok()?;
    Some(time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use nix::sys::resource::{UsageWho, getrusage};

    use super::*;

    #[test]
    fn what_was_taken_meanwhile() {
        let own = BTreeSet::from([std::process::id()]);
        let used = || {
            let usage = getrusage(UsageWho::RUSAGE_SELF).expect("usage");
            let all = usage.user_time() + usage.system_time();
            all.tv_sec() as u64 * 1_000_000_000 + all.tv_usec() as u64 * 1000
        };
        // Other tests run beside this one: each reading lies between two of the other kind.
        let outer = used();
        let time = CpuTime::of(&own);
        let inner = used();
        let mut n = 0u64;
        while used() - inner < 30_000_000 {
            n = std::hint::black_box(n + 1);
        }
        let least = used() - inner;
        let took = CpuTime::of(&own).since(&time, &BTreeSet::new(), |_| false);
        let took = took.expect("it is here");
        let most = used() - outer;
        // The kernel counts usage in ticks where it has no better clock.
        let tick = 10_000_000;
        assert!(
            took + tick >= least && took <= most + tick,
            "{least} {took} {most}"
        );
    }

    #[test]
    fn one_that_is_gone_has_no_clock() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        let all = BTreeSet::from([child.id()]);
        let (time, none) = (CpuTime::of(&all), BTreeSet::new());
        assert!(CpuTime::of(&all).since(&time, &none, |_| false).is_some());
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        let now = CpuTime::of(&all);
        assert_eq!(now.since(&time, &none, |_| false), None);
        assert_eq!(now.since(&now, &all, |_| false), None);
        // One of which nobody knew at first is counted from 0, or makes the sum unknown.
        assert_eq!(now.since(&CpuTime::default(), &all, |_| false), None);
        assert_eq!(now.since(&time, &all, |_| true), Some(0));
        assert!(time.since(&CpuTime::default(), &none, |_| false).is_some());
    }
}
