//! The screen while it is ours: taken at the start, given back however we end.

use std::io::{self, Stdout, Write, stdout};
use std::mem::ManuallyDrop;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

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

#[cfg(target_os = "linux")]
use super::linux as system;
#[cfg(not(target_os = "linux"))]
use super::other as system;

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
        system::stop()?;
        self.resume()
    }

    /// Gives the terminal to someone else for a while.
    ///
    /// # Errors
    /// If it cannot be taken again.
    pub fn lend<T>(&mut self, job: impl FnOnce() -> T) -> io::Result<T> {
        restore();
        let result = system::aside(job)?;
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
