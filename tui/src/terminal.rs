//! The real terminal: taken at the start, given back however we end.

use std::io::{self, Stdout, Write, stdout};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::{Position, Rect};

/// Whether the terminal is ours, and has to be given back.
static OURS: AtomicBool = AtomicBool::new(false);

/// The screen while we have it. Gives the terminal back on drop, and before a panic's message.
pub struct Screen {
    /// Never dropped: its own `drop` would complain on standard error, which panics if that is the
    /// terminal that has just gone. [`restore`] gives everything back.
    pub terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
    mouse: bool,
}

impl Screen {
    pub fn enter(mouse: bool) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                restore();
                before(info);
            }));
        });
        take(mouse)?;
        // If the next step fails, the terminal is given back all the same.
        let terminal = Terminal::new(CrosstermBackend::new(stdout())).inspect_err(|_| restore())?;
        Ok(Self {
            terminal: ManuallyDrop::new(terminal),
            mouse,
        })
    }

    /// Gives the terminal back, stops as Ctrl-Z does, and takes it again when continued.
    pub fn suspend(&mut self) -> io::Result<()> {
        restore();
        stop()?;
        self.resume()
    }

    /// Gives the terminal to someone else for a while.
    ///
    /// # Errors
    /// If it cannot be taken again.
    pub fn lend<T>(&mut self, job: impl FnOnce() -> T) -> io::Result<T> {
        restore();
        // Whoever it is for would not be told of a new size either.
        let size: SigSet = [Signal::SIGWINCH].into_iter().collect();
        size.thread_unblock()?;
        let result = job();
        size.thread_block()?;
        self.resume()?;
        Ok(result)
    }

    /// Takes the terminal again after someone else may have had it.
    pub fn resume(&mut self) -> io::Result<()> {
        take(self.mouse)?;
        self.redraw()
    }

    /// Draws everything anew with the next frame.
    ///
    /// # Errors
    /// If the terminal takes nothing.
    pub fn redraw(&mut self) -> io::Result<()> {
        // Not `clear`: that asks the terminal where the cursor is, and takes what is typed meanwhile.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Stops as if nobody held the signal back. Without a shell that could continue us, the kernel drops
/// it, and we go on at once: `SIGSTOP` would be for ever.
fn stop() -> Result<(), Errno> {
    let stop: SigSet = [Signal::SIGTSTP].into_iter().collect();
    raise(Signal::SIGTSTP)?;
    stop.thread_unblock()?;
    stop.thread_block()
}

fn take(mouse: bool) -> io::Result<()> {
    OURS.store(true, Ordering::SeqCst);
    let taken = enable_raw_mode().and_then(|()| {
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        if mouse {
            execute!(stdout(), EnableMouseCapture)?;
        }
        Ok(())
    });
    taken.inspect_err(|_| restore())
}

/// Gives the terminal back. Errors are ignored: nothing is left to do about them.
fn restore() {
    if OURS.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            stdout(),
            DisableMouseCapture,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
        let _ = stdout().flush();
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Quit,
    Suspend,
    /// We were stopped behind our back, and continued.
    Resume,
    /// The terminal has a new size.
    Size,
}

/// Signals that would end or stop us with the terminal in our hands, and those of a new size: held
/// back, and read here. The mask goes back to what it was on drop.
pub struct Signals {
    fd: SignalFd,
    before: SigSet,
}

impl Signals {
    pub fn install() -> Result<Self, Errno> {
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
    pub fn receive(&mut self) -> Option<Asked> {
        let info = self.fd.read_signal().ok()??;
        let signal = Signal::try_from(info.ssi_signo as i32).ok()?;
        Some(match signal {
            Signal::SIGTSTP => Asked::Suspend,
            Signal::SIGCONT => Asked::Resume,
            Signal::SIGWINCH => Asked::Size,
            _ => Asked::Quit,
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
