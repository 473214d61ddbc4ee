//! What is traced, and who says when to stop.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::time::ClockId;

use super::CaptureError;
use super::follow::{self, Followed, begin, of};
use crate::clock::now_ns;
use crate::launch::Running;
use crate::lent;
use crate::load::Probes;
use crate::signals::{Policy, Signals};

/// What is traced.
pub enum Target {
    /// A command that was started for it.
    Command(Running),
    /// A process that was there before, until it ends or the time is over.
    Process {
        pid: u32,
        pidfd: OwnedFd,
        duration: Option<Duration>,
        /// When tracing of it began, `CLOCK_MONOTONIC`, ns.
        since: u64,
    },
}

impl Target {
    /// A running process. `duration`: stop after it.
    ///
    /// # Errors
    /// If there is no such process, or it is none that our caller may trace.
    pub fn process(pid: u32, duration: Option<Duration>) -> Result<Self, CaptureError> {
        let number = i32::try_from(pid).map_err(|_| CaptureError::NoProcess(pid))?;
        let pidfd = crate::pidfd::pidfd_open(nix::unistd::Pid::from_raw(number))
            .map_err(|_| CaptureError::NoProcess(pid))?;
        if let Some(caller) = lent::caller() {
            follow::not_all_dumpable()?;
            caller.may_trace(pidfd.as_fd()).map_err(of(pid))?;
        }
        Ok(Self::Process {
            pid,
            pidfd,
            duration,
            since: now_ns(ClockId::CLOCK_MONOTONIC),
        })
    }

    /// Begins to trace a running process; `follow`: the processes that it has made as well. A command begins
    /// by itself.
    ///
    /// # Errors
    /// If the process is gone or a map cannot be written.
    pub fn begin(&mut self, probes: &mut Probes, follow: bool) -> Result<Followed, CaptureError> {
        match self {
            Self::Command(_) => Ok(Followed::default()),
            Self::Process {
                pid, since, pidfd, ..
            } => {
                *since = now_ns(ClockId::CLOCK_MONOTONIC);
                let followed = begin(probes, *pid, follow)?;
                // It may have become another program meanwhile; from here on a record tells.
                if let Some(caller) = lent::caller() {
                    caller.may_trace(pidfd.as_fd()).map_err(of(*pid))?;
                }
                Ok(followed)
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        match self {
            Self::Command(running) => running.pid(),
            Self::Process { pid, .. } => *pid,
        }
    }

    pub(super) fn pidfd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Command(running) => running.pidfd(),
            Self::Process { pidfd, .. } => pidfd.as_fd(),
        }
    }
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
