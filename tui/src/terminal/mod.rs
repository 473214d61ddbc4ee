//! The real terminal: the only part that reads keys and writes to a screen.
//!
//! [`Screen`] has the terminal while we have it, [`Console`] tells what is typed and what signals ask for,
//! [`outside`] is what lies around it; [`Pty`] is the traced program's own terminal. What a system does differently is in one file each.

mod asked;
#[cfg(target_os = "linux")]
mod keyboard;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
pub mod outside;
#[cfg(target_os = "linux")]
mod pty;
mod screen;

pub use asked::Asked;
#[cfg(target_os = "linux")]
pub use linux::Console;
#[cfg(not(target_os = "linux"))]
pub use other::{Console, Pty};
#[cfg(target_os = "linux")]
pub use pty::Pty;
pub use ratatui::crossterm::terminal::size;
pub use screen::Screen;
