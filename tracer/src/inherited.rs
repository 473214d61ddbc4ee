//! What our caller gave us, and what the traced command is to start with: noted before Rust's runtime
//! and we ourselves change it.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

use nix::errno::Errno;
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};

static MASK: AtomicU64 = AtomicU64::new(0);
static SIGPIPE_IGNORED: AtomicBool = AtomicBool::new(false);
/// Soft and hard, of each of [`LIMITS`].
static LIMITED: [[AtomicU64; 2]; LIMITS.len()] =
    [const { [const { AtomicU64::new(rlim_t::MAX) }; 2] }; LIMITS.len()];
static NICE: AtomicI32 = AtomicI32::new(0);

/// Runs before `main`: Rust's runtime sets SIGPIPE to "ignore" before any code of ours.
#[used]
#[unsafe(link_section = ".init_array")]
static NOTE: extern "C" fn() = {
    extern "C" fn note() {
        let mask = SigSet::thread_get_mask().unwrap_or_else(|_| SigSet::empty());
        let bits = mask.iter().fold(0, |bits, s| bits | 1u64 << (s as i32 - 1));
        MASK.store(bits, Ordering::Relaxed);
        SIGPIPE_IGNORED.store(is_ignored(Signal::SIGPIPE), Ordering::Relaxed);
        for (resource, [soft, hard]) in LIMITS.into_iter().zip(&LIMITED) {
            if let Ok(limits) = getrlimit(resource) {
                soft.store(limits.0, Ordering::Relaxed);
                hard.store(limits.1, Ordering::Relaxed);
            }
        }
        NICE.store(nice(), Ordering::Relaxed);
    }
    note
};

/// The limits that we lift for ourselves ([`limits`](crate::limits)); that of locked memory loading lifts,
/// for kernels before 5.11.
pub const LIMITS: [Resource; 3] = [
    Resource::RLIMIT_NOFILE,
    Resource::RLIMIT_AS,
    Resource::RLIMIT_MEMLOCK,
];

/// The state that our process was started with, as far as it changes in bytehop's life.
#[derive(Clone, Debug)]
pub struct Inherited {
    pub mask: SigSet,
    pub sigpipe: SigHandler,
    /// Soft and hard, of each of [`LIMITS`].
    pub limits: [(rlim_t, rlim_t); LIMITS.len()],
    /// We go first where programs compete for the CPU; the command does not.
    pub nice: i32,
}

impl Inherited {
    /// As it was before `main`.
    pub fn noted() -> Inherited {
        let bits = MASK.load(Ordering::Relaxed);
        let sigpipe = match SIGPIPE_IGNORED.load(Ordering::Relaxed) {
            true => SigHandler::SigIgn,
            false => SigHandler::SigDfl,
        };
        Inherited {
            mask: Signal::iterator()
                .filter(|s| bits & 1 << (*s as i32 - 1) != 0)
                .collect(),
            sigpipe,
            limits: LIMITED
                .each_ref()
                .map(|[soft, hard]| (soft.load(Ordering::Relaxed), hard.load(Ordering::Relaxed))),
            nice: NICE.load(Ordering::Relaxed),
        }
    }

    /// Makes it so again, for the calling process. Async-signal-safe.
    pub(crate) fn restore(&self) -> Result<(), Errno> {
        for (resource, (soft, hard)) in LIMITS.into_iter().zip(self.limits) {
            setrlimit(resource, soft, hard)?;
        }
        if nice() != self.nice {
            set_nice(self.nice)?;
        }
        if let SigHandler::SigDfl = self.sigpipe {
            // SAFETY: sets the default disposition, no handler.
            unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;
        }
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.mask), None)
    }
}

/// The calling thread's priority.
pub(crate) fn nice() -> i32 {
    // SAFETY: an ordinary system call, about ourselves (0): Linux means the thread.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// Gives the calling thread this priority. Async-signal-safe.
pub(crate) fn set_nice(nice: i32) -> Result<(), Errno> {
    // SAFETY: as above.
    Errno::result(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) }).map(drop)
}

/// Whether the calling thread runs before others ([`set_first`]).
pub(crate) fn is_first() -> bool {
    // SAFETY: an ordinary system call, about ourselves.
    let policy = unsafe { libc::sched_getscheduler(0) };
    policy == libc::SCHED_RR | libc::SCHED_RESET_ON_FORK
}

/// Lets the calling thread run before all that are not real-time threads, or as others do again; what it starts
/// does not inherit it.
///
/// # Errors
/// If it runs by another policy already (the user chose one), or we may not.
pub(crate) fn set_first(first: bool) -> Result<(), Errno> {
    let (was, policy, priority) = match first {
        true => (
            libc::SCHED_OTHER,
            libc::SCHED_RR | libc::SCHED_RESET_ON_FORK,
            1,
        ),
        false => (
            libc::SCHED_RR | libc::SCHED_RESET_ON_FORK,
            libc::SCHED_OTHER,
            0,
        ),
    };
    // SAFETY: an ordinary system call, about ourselves.
    if Errno::result(unsafe { libc::sched_getscheduler(0) })? != was {
        return Err(Errno::EBUSY);
    }
    // SAFETY: all-zero is a valid `sched_param`.
    let mut param: libc::sched_param = unsafe { std::mem::zeroed() };
    param.sched_priority = priority;
    // SAFETY: as above; `param` lives until it returns.
    Errno::result(unsafe { libc::sched_setscheduler(0, policy, &raw const param) }).map(drop)
}

/// Whether a signal is ignored now.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    // SAFETY: all-zero is a valid `sigaction` (default disposition, empty mask).
    let mut old: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null new action only asks; `old` is ours to be written.
    let asked = unsafe { libc::sigaction(signal as i32, std::ptr::null(), &raw mut old) };
    asked == 0 && old.sa_sigaction == libc::SIG_IGN
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Started by the test below, with SIGPIPE ignored or not.
    const EXPECTED: &str = "BYTEHOP_TEST_SIGPIPE";

    #[test]
    fn first_for_a_while() {
        // Without the right to it nothing changes.
        if set_first(true).is_ok() {
            assert_eq!(set_first(true), Err(Errno::EBUSY), "it is already");
            assert_eq!(set_first(false), Ok(()));
        }
        assert_eq!(set_first(false), Err(Errno::EBUSY), "nobody asked");
    }

    #[test]
    fn knows_what_the_caller_had_before_rust_ignored_sigpipe() {
        assert!(is_ignored(Signal::SIGPIPE), "Rust's runtime does that");
        match std::env::var(EXPECTED) {
            Ok(expected) => assert_eq!(format!("{:?}", Inherited::noted().sigpipe), expected),
            Err(_) => {
                for (trap, expected) in [("trap '' PIPE", "SigIgn"), (":", "SigDfl")] {
                    let ended = std::process::Command::new("sh")
                        .args([
                            "-c",
                            &format!("{trap}; exec \"$0\" knows_what_the_caller_had"),
                        ])
                        .arg(std::env::current_exe().unwrap())
                        .env(EXPECTED, expected)
                        .output()
                        .unwrap();
                    assert!(ended.status.success(), "{expected}: {ended:?}");
                }
            }
        }
    }
}
