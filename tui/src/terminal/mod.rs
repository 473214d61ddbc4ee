//! The real terminal: the only part that reads keys and writes to a screen.
//!
//! [`Screen`] has the terminal while we have it, [`Console`] tells what is typed and what signals ask for,
//! [`Pty`] is the traced program's own terminal. What a system does differently is in one file each.

#[cfg(target_os = "linux")]
mod keyboard;
#[cfg(target_os = "linux")]
mod pty;
mod screen;
#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

#[cfg(target_os = "linux")]
pub use pty::Pty;
pub use ratatui::crossterm::terminal::size;
pub use screen::Screen;
pub use system::Console;
#[cfg(not(target_os = "linux"))]
pub use system::Pty;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// By which signal.
    Quit(i32),
    Suspend,
    /// We were stopped behind our back, and continued.
    Resume,
    /// The terminal has a new size.
    Size,
}
