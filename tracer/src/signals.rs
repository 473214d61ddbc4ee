//! Signals while a program is being traced.
//!
//! We must outlive Ctrl-C: the program gets it from the terminal and ends, and then we still owe a
//! summary. So the signals that would end us are blocked and read from a descriptor, to be polled
//! beside the ring buffer.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::inherited::is_ignored;

/// The signals that ask a program to end.
const ENDING: [Signal; 4] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
];

/// A second request to end within this time of the one before means "stop waiting". It is short
/// because interactive programs (a shell, a REPL) live through a Ctrl-C now and then.
pub const GIVE_UP_WITHIN: Duration = Duration::from_secs(3);

// -------------------------------------------------------------------------------------------------
// Receiving

/// Who sent a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The kernel, to the whole foreground process group: a key at the terminal, a hang-up.
    Terminal,
    /// A process, with `kill` or the like.
    Process(u32),
}

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    pub signal: Signal,
    pub sender: Sender,
}

/// Holds the ending signals back from their default action and hands them out one by one. What the
/// caller had ignored (`nohup`, a shell's background job) stays ignored. The mask goes back to what
/// it was on drop.
///
/// Install it before other threads are started: they inherit the mask.
pub struct Signals {
    fd: SignalFd,
    mask_before: SigSet,
}

impl Signals {
    pub fn install() -> Result<Signals, Errno> {
        Self::holding(|signal| !is_ignored(signal))
    }

    /// The same where no command is there to get the signal too: then SIGINT is taken also where the caller
    /// had ignored it, as shells without job control do for what runs in the background.
    pub fn install_alone() -> Result<Signals, Errno> {
        Self::holding(|signal| signal == Signal::SIGINT || !is_ignored(signal))
    }

    fn holding(which: impl Fn(Signal) -> bool) -> Result<Signals, Errno> {
        let ours: SigSet = ENDING.into_iter().filter(|s| which(*s)).collect();
        let fd = SignalFd::with_flags(&ours, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let mask_before = SigSet::thread_get_mask()?;
        ours.thread_block()?;
        Ok(Signals { fd, mask_before })
    }

    /// The next signal, `None` if there is none. Does not block.
    pub fn receive(&mut self) -> Result<Option<Received>, Errno> {
        let Some(info) = self.fd.read_signal()? else {
            return Ok(None);
        };
        let sender = match info.ssi_code {
            libc::SI_KERNEL => Sender::Terminal,
            _ => Sender::Process(info.ssi_pid),
        };
        let signal = Signal::try_from(info.ssi_signo as i32)?;
        Ok(Some(Received { signal, sender }))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // What arrived together with the program's end was meant for it: once the mask is as before,
        // it would end us without a summary.
        while let Ok(Some(_)) = self.fd.read_signal() {}
        // Nothing can be done about a failure, and nothing depends on it: we are about to end.
        let _ = self.mask_before.thread_set_mask();
    }
}

// -------------------------------------------------------------------------------------------------
// What to do about it

/// What a signal asks of the capture loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The program has it too: go on until it ends.
    Wait,
    /// Only we got it: pass it on to the program, and go on until it ends.
    Forward(Signal),
    /// Asked twice: stop tracing, leave the program to itself, print what there is.
    GiveUp,
}

/// Decides between waiting, forwarding and giving up.
#[derive(Debug, Default)]
pub struct Policy {
    last: Option<Instant>,
}

impl Policy {
    /// What to do about `received` at the time `now`; `program` is the traced command's process id,
    /// `None` when there is nobody to wait for or forward to (`attach`: the first signal ends it).
    pub fn react(&mut self, received: Received, program: Option<u32>, now: Instant) -> Reaction {
        let again = self
            .last
            .replace(now)
            .is_some_and(|last| now.duration_since(last) < GIVE_UP_WITHIN);
        match (program, received.sender) {
            (None, _) => Reaction::GiveUp,
            _ if again => Reaction::GiveUp,
            (_, Sender::Terminal) => Reaction::Wait,
            // It signalled its whole process group, itself included.
            (Some(program), Sender::Process(pid)) if pid == program => Reaction::Wait,
            (_, Sender::Process(_)) => Reaction::Forward(received.signal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::raise;

    const PROGRAM: u32 = 4711;

    fn received(sender: Sender) -> Received {
        Received {
            signal: Signal::SIGINT,
            sender,
        }
    }

    #[test]
    fn terminal_waits_and_kill_forwards() {
        let now = Instant::now();
        for (sender, expected) in [
            (Sender::Terminal, Reaction::Wait),
            (Sender::Process(1), Reaction::Forward(Signal::SIGINT)),
            (Sender::Process(PROGRAM), Reaction::Wait),
        ] {
            let reaction = Policy::default().react(received(sender), Some(PROGRAM), now);
            assert_eq!(reaction, expected, "{sender:?}");
        }
    }

    #[test]
    fn twice_in_a_row_gives_up_and_now_and_then_does_not() {
        let start = Instant::now();
        let mut policy = Policy::default();
        let mut at = |ms| {
            let now = start + Duration::from_millis(ms);
            policy.react(received(Sender::Terminal), Some(PROGRAM), now)
        };
        assert_eq!(at(0), Reaction::Wait);
        assert_eq!(at(5_000), Reaction::Wait);
        assert_eq!(at(6_000), Reaction::GiveUp);
    }

    #[test]
    fn without_a_program_the_first_signal_ends_it() {
        let reaction = Policy::default().react(received(Sender::Terminal), None, Instant::now());
        assert_eq!(reaction, Reaction::GiveUp);
    }

    #[test]
    fn a_signal_is_read_instead_of_ending_us() {
        let before = SigSet::thread_get_mask().unwrap();
        let mut signals = Signals::install().unwrap();
        assert_eq!(signals.receive().unwrap(), None);
        // To this thread only: the test harness has others.
        raise(Signal::SIGTERM).unwrap();
        let expected = Received {
            signal: Signal::SIGTERM,
            sender: Sender::Process(std::process::id()),
        };
        assert_eq!(signals.receive().unwrap(), Some(expected));
        assert_eq!(signals.receive().unwrap(), None);
        drop(signals);
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }
}
