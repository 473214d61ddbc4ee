//! What is traced, and who says when to stop.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::time::ClockId;

use super::CaptureError;
use super::follow::{self, Followed, begin, of};
use super::which::Which;
use crate::clock::now_ns;
use crate::launch::Running;
use crate::lent;
use crate::load::Probes;
use crate::signals::{Policy, Signals};

/// What is traced.
pub enum Target {
    /// A command that was started for it.
    Command(Running),
    /// Processes that were there before, until they end or the time is over.
    Processes(Processes),
}

/// Running processes, chosen by [`Which`].
pub struct Processes {
    /// The first of them.
    pid: u32,
    /// Those that have not ended, as far as we have looked.
    held: Vec<(u32, OwnedFd)>,
    pub(super) duration: Option<Duration>,
    /// When tracing of them began, `CLOCK_MONOTONIC`, ns.
    pub(super) since: u64,
    pub(super) several: bool,
    /// Those that our caller may not see.
    not_yours: usize,
}

impl Target {
    /// Running processes. `duration`: stop after it.
    ///
    /// # Errors
    /// If there is none, or one that our caller may not trace.
    pub fn processes(which: &Which, duration: Option<Duration>) -> Result<Self, CaptureError> {
        if lent::caller().is_some() {
            follow::not_all_dumpable()?;
        }
        let chosen = matches!(which, Which::Pid(_));
        let (mut held, mut not_yours) = (Vec::new(), 0);
        for pid in which.find() {
            match hold(pid) {
                Ok(pidfd) => held.push((pid, pidfd)),
                Err(CaptureError::NotYours(_)) if !chosen => not_yours += 1,
                // It has ended meanwhile.
                Err(CaptureError::NoProcess(_)) if !chosen => {}
                Err(e) => return Err(e),
            }
        }
        let Some((pid, _)) = held.first() else {
            return Err(CaptureError::NoneOf(which.clone()));
        };
        Ok(Self::Processes(Processes {
            pid: *pid,
            several: held.len() > 1,
            not_yours,
            held,
            duration,
            since: now_ns(ClockId::CLOCK_MONOTONIC),
        }))
    }

    /// Begins to trace running processes; `follow`: the processes that they have made as well. A command begins
    /// by itself.
    ///
    /// # Errors
    /// If they are gone or a map cannot be written.
    pub fn begin(&mut self, probes: &mut Probes, follow: bool) -> Result<Followed, CaptureError> {
        match self {
            Self::Command(_) => Ok(Followed::default()),
            Self::Processes(Processes {
                held,
                since,
                not_yours,
                ..
            }) => {
                *since = now_ns(ClockId::CLOCK_MONOTONIC);
                let pids: Vec<u32> = held.iter().map(|(pid, _)| *pid).collect();
                let mut followed = begin(probes, &pids, follow)?;
                followed.not_yours += *not_yours;
                // They may have become other programs meanwhile; from here on a record tells.
                if let Some(caller) = lent::caller() {
                    for (pid, pidfd) in held {
                        caller.may_trace(pidfd.as_fd()).map_err(of(*pid))?;
                    }
                }
                Ok(followed)
            }
        }
    }

    /// Its process id, or that of the first.
    pub fn pid(&self) -> u32 {
        match self {
            Self::Command(running) => running.pid(),
            Self::Processes(processes) => processes.pid,
        }
    }

    /// What tells of its end, or of that of the next process that has to.
    pub(super) fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Command(running) => Some(running.pidfd()),
            Self::Processes(Processes { held, .. }) => held.last().map(|(_, pidfd)| pidfd.as_fd()),
        }
    }

    /// Takes note that what [`pidfd`](Self::pidfd) stands for has ended; whether all has.
    pub(super) fn has_ended(&mut self) -> bool {
        match self {
            Self::Command(_) => true,
            Self::Processes(Processes { held, .. }) => {
                held.pop();
                held.is_empty()
            }
        }
    }
}

/// Makes sure that a number stays this process's, and that it is one that our caller may trace.
fn hold(pid: u32) -> Result<OwnedFd, CaptureError> {
    let number = i32::try_from(pid).map_err(|_| CaptureError::NoProcess(pid))?;
    let pidfd = crate::pidfd::pidfd_open(nix::unistd::Pid::from_raw(number))
        .map_err(|_| CaptureError::NoProcess(pid))?;
    if let Some(caller) = lent::caller() {
        caller.may_trace(pidfd.as_fd()).map_err(of(pid))?;
    }
    Ok(pidfd)
}

/// Who says when to stop before the target's end.
pub enum Control {
    /// Signals that we get.
    Signals(Signals, Policy),
    /// Another thread, which holds the other end of [`Control::remote`].
    Orders(Receiver<Order>),
}

/// What another thread asks of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Send a signal to the command and its process group. A process that is not ours gets none.
    Signal(Signal),
    /// Stop tracing, and leave the target to itself.
    Stop,
}

impl Control {
    pub fn signals(signals: Signals) -> Self {
        Self::Signals(signals, Policy::default())
    }

    /// Orders by another thread. When it drops its end, tracing goes on to the target's end.
    pub fn remote() -> (mpsc::Sender<Order>, Self) {
        let (sender, orders) = mpsc::channel();
        (sender, Self::Orders(orders))
    }
}
