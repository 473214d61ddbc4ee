//! Systems on which nothing is traced: recordings are looked at, with crossterm's reader of keys.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{poll, read};
use terminput::Event;
use terminput_crossterm::to_terminput;

use super::asked::Asked;

/// What comes from outside: keys, and signals.
pub struct Console {
    events: VecDeque<Event>,
    signals: signals::Signals,
}

impl Console {
    /// # Errors
    /// If the system does not tell us of signals.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            events: VecDeque::new(),
            signals: signals::Signals::install()?,
        })
    }

    /// Waits until something is typed, at most for `wait`; `false` if our terminal is gone.
    ///
    /// # Errors
    /// If the system cannot wait or read.
    pub fn wait(&mut self, _: Option<&Pty>, wait: Duration) -> io::Result<bool> {
        let mut wait = match self.events.is_empty() {
            true => wait,
            false => Duration::ZERO,
        };
        while poll(wait)? {
            // A key that terminput has no name for means nothing to us either.
            self.events.extend(to_terminput(read()?));
            wait = Duration::ZERO;
        }
        Ok(true)
    }

    /// The next event, `None` if there is none. Does not wait.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What a signal asks for, `None` if there is none. Does not wait.
    pub fn asked(&mut self) -> Option<Asked> {
        self.signals.receive()
    }
}

/// There is no traced program, and no terminal of it.
pub enum Pty {}

impl Pty {
    pub fn resize(&self, _: (u16, u16)) {
        match *self {}
    }

    pub fn read<'a>(&mut self, _: &'a mut [u8]) -> Option<&'a [u8]> {
        match *self {}
    }

    pub fn write(&mut self, _: &[u8]) {
        match *self {}
    }

    pub fn flush(&mut self) {
        match *self {}
    }

    pub fn pause(&self, _: bool) {
        match *self {}
    }
}

/// Does a job in which someone else has the terminal.
pub fn aside<T>(job: impl FnOnce() -> T) -> io::Result<T> {
    Ok(job())
}

pub use signals::stop;

#[cfg(unix)]
mod signals {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use nix::sys::signal::{Signal, raise};
    use signal_hook::SigId;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    use crate::terminal::asked::Asked;

    /// Signals that would end us with the terminal in our hands: noted.
    pub struct Signals {
        told: Arc<AtomicUsize>,
        ours: Vec<SigId>,
    }

    impl Signals {
        pub fn install() -> io::Result<Self> {
            let told = Arc::new(AtomicUsize::new(0));
            let mut ours = Vec::new();
            for signal in [SIGINT, SIGTERM, SIGHUP] {
                ours.push(signal_hook::flag::register_usize(
                    signal,
                    told.clone(),
                    signal as usize,
                )?);
            }
            Ok(Self { told, ours })
        }

        pub fn receive(&mut self) -> Option<Asked> {
            let signal = self.told.swap(0, Ordering::SeqCst);
            (signal != 0).then_some(Asked::Quit(signal as i32))
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            for id in self.ours.drain(..) {
                signal_hook::low_level::unregister(id);
            }
        }
    }

    /// Stops as Ctrl-Z does.
    pub fn stop() -> io::Result<()> {
        Ok(raise(Signal::SIGTSTP)?)
    }
}

#[cfg(not(unix))]
mod signals {
    use std::io;

    use crate::terminal::asked::Asked;

    /// There are none.
    pub struct Signals;

    impl Signals {
        pub fn install() -> io::Result<Self> {
            Ok(Self)
        }

        pub fn receive(&mut self) -> Option<Asked> {
            None
        }
    }

    /// Nobody could let us go on.
    pub fn stop() -> io::Result<()> {
        Ok(())
    }
}
