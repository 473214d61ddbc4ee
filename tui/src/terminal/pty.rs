//! The pseudoterminal that the traced program runs on.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcgetpgrp, tcgetsid, tcsetwinsize};

/// Our end. Closed, it hangs up on the program, as a terminal does whose window is closed.
pub struct Pty {
    file: File,
    /// What the program has not taken yet.
    waiting: VecDeque<u8>,
    open: bool,
}

/// What is kept for a program that reads nothing; more is dropped, as a terminal does.
const WAITING_MAX: usize = 64 << 10;

impl Pty {
    /// A terminal of so many columns and rows; our end, and the program's.
    ///
    /// # Errors
    /// If the system has none left.
    pub fn open(size: (u16, u16)) -> io::Result<(Self, OwnedFd)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let theirs = ioctl_tiocgptpeer(&ours, flags)?;
        fcntl_setfl(&ours, fcntl_getfl(&ours)? | OFlags::NONBLOCK)?;
        let pty = Self {
            file: ours.into(),
            waiting: VecDeque::new(),
            open: true,
        };
        pty.resize(size);
        Ok((pty, theirs))
    }

    /// Tells the program its size in columns and rows (SIGWINCH, if it changes).
    pub fn resize(&self, (columns, rows): (u16, u16)) {
        let size = Winsize {
            ws_row: rows.max(1),
            ws_col: columns.max(1),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // Fails if the program is gone: then it need not know.
        let _ = tcsetwinsize(&self.file, size);
    }

    /// What the program has written, at most a buffer of it; `None` if there is nothing now.
    pub fn read<'a>(&mut self, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        if !self.open {
            return None;
        }
        match self.file.read(buffer) {
            Ok(0) => {
                self.open = false;
                None
            }
            Ok(n) => buffer.get(..n),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => None,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => None,
            // EIO: nobody has the other end open any more.
            Err(_) => {
                self.open = false;
                None
            }
        }
    }

    /// Types for the program.
    pub fn write(&mut self, bytes: &[u8]) {
        let room = WAITING_MAX.saturating_sub(self.waiting.len());
        self.waiting.extend(bytes.iter().take(room));
        self.flush();
    }

    /// Passes on what waits.
    pub fn flush(&mut self) {
        while self.open && !self.waiting.is_empty() {
            let (next, _) = self.waiting.as_slices();
            match self.file.write(next) {
                Ok(n) => drop(self.waiting.drain(..n)),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    /// Whether anything can still come.
    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn is_waiting(&self) -> bool {
        self.open && !self.waiting.is_empty()
    }

    /// Stops the program, and what runs in the foreground of its terminal, or lets both go on.
    pub fn pause(&self, pause: bool) {
        // The kernel says who they are: a number of ours could be another's by now.
        let leader = tcgetsid(&self.file).map(|pid| pid.as_raw_nonzero().get());
        let foreground = tcgetpgrp(&self.file).map(|pid| pid.as_raw_nonzero().get());
        let mut groups = [
            leader.ok(),
            foreground.ok().filter(|pid| leader != Ok(*pid)),
        ];
        let signal = match pause {
            // A shell must not see its job stop.
            true => Signal::SIGSTOP,
            false => Signal::SIGCONT,
        };
        if !pause {
            groups.reverse();
        }
        for group in groups.into_iter().flatten() {
            // It may be another user's by now (setuid).
            let _ = killpg(Pid::from_raw(group), signal);
        }
    }
}

impl AsFd for Pty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_on_and_notices_the_end() {
        let (mut pty, theirs) = Pty::open((80, 24)).unwrap();
        let mut theirs = File::from(theirs);
        let mut buffer = [0; 64];
        assert_eq!(pty.read(&mut buffer), None);
        theirs.write_all(b"hello\n").unwrap();
        assert_eq!(pty.read(&mut buffer), Some(&b"hello\r\n"[..]));
        pty.write(b"typed\r");
        let mut line = [0; 16];
        let n = theirs.read(&mut line).unwrap();
        assert_eq!(&line[..n], b"typed\n");
        pty.resize((100, 30));
        let size = rustix::termios::tcgetwinsize(&theirs).unwrap();
        assert_eq!((size.ws_col, size.ws_row), (100, 30));
        drop(theirs);
        while pty.read(&mut buffer).is_some() {}
        assert!(!pty.is_open());
    }

    #[test]
    fn a_program_that_reads_nothing_does_not_hold_us_up() {
        let (mut pty, _theirs) = Pty::open((80, 24)).unwrap();
        for _ in 0..1000 {
            pty.write(&[b'x'; 1000]);
        }
        assert!(pty.is_waiting() && pty.waiting.len() <= WAITING_MAX);
    }
}
