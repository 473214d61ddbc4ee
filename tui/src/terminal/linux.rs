//! Linux: one poll(2) for keys, signals and the program's terminal.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use terminput::Event;

use super::asked::Asked;
use super::keyboard::Keyboard;
use super::pty::Pty;

/// What comes from outside: keys, and signals. Signals that would end or stop us are held back from now
/// on: to be made before other threads are.
pub struct Console {
    keyboard: Keyboard,
    signals: Signals,
}

impl Console {
    /// # Errors
    /// If the system does not let us hold signals back.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            keyboard: Keyboard::default(),
            signals: Signals::install()?,
        })
    }

    /// Waits until there is something to do, here or at the program's terminal, at most for `wait`;
    /// `false` if our terminal is gone.
    ///
    /// # Errors
    /// If the system cannot wait or read.
    pub fn wait(&mut self, pty: Option<&Pty>, wait: Duration) -> io::Result<bool> {
        let mut others = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        if let Some(pty) = pty.filter(|pty| pty.is_open()) {
            let out = match pty.is_waiting() {
                true => PollFlags::POLLOUT,
                false => PollFlags::empty(),
            };
            others.push(PollFd::new(pty.as_fd(), PollFlags::POLLIN | out));
        }
        self.keyboard.wait(&others, wait)
    }

    /// The next event, `None` if there is none. Does not wait.
    pub fn event(&mut self) -> Option<Event> {
        self.keyboard.event()
    }

    /// What the next signal asks for, `None` if there is none. Does not wait.
    pub fn asked(&mut self) -> Option<Asked> {
        self.signals.receive()
    }
}

/// Stops as if nobody held the signal back. Without a shell that could continue us, the kernel drops
/// it, and we go on at once: `SIGSTOP` would be for ever.
pub fn stop() -> io::Result<()> {
    let stop: SigSet = [Signal::SIGTSTP].into_iter().collect();
    raise(Signal::SIGTSTP)?;
    stop.thread_unblock()?;
    Ok(stop.thread_block()?)
}

/// Does a job in which someone else has the terminal: who would not be told of a new size either.
pub fn aside<T>(job: impl FnOnce() -> T) -> io::Result<T> {
    let size: SigSet = [Signal::SIGWINCH].into_iter().collect();
    size.thread_unblock()?;
    let result = job();
    size.thread_block()?;
    Ok(result)
}

/// Signals that would end or stop us with the terminal in our hands, and those of a new size: held
/// back, and read here. The mask goes back to what it was on drop.
struct Signals {
    fd: SignalFd,
    before: SigSet,
}

impl Signals {
    fn install() -> Result<Self, Errno> {
        let ours: SigSet = [
            Signal::SIGINT,
            Signal::SIGTERM,
            Signal::SIGHUP,
            Signal::SIGQUIT,
            Signal::SIGTSTP,
            Signal::SIGCONT,
            Signal::SIGWINCH,
        ]
        .into_iter()
        .collect();
        let fd = SignalFd::with_flags(&ours, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let before = SigSet::thread_get_mask()?;
        ours.thread_block()?;
        Ok(Self { fd, before })
    }

    /// The next one, `None` if there is none. Does not block.
    fn receive(&mut self) -> Option<Asked> {
        let info = self.fd.read_signal().ok()??;
        let signal = Signal::try_from(info.ssi_signo as i32).ok()?;
        Some(match signal {
            Signal::SIGTSTP => Asked::Suspend,
            Signal::SIGCONT => Asked::Resume,
            Signal::SIGWINCH => Asked::Size,
            _ => Asked::Quit(signal as i32),
        })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // What has arrived was answered; it must not end us now.
        while self.receive().is_some() {}
        let _ = self.before.thread_set_mask();
    }
}
