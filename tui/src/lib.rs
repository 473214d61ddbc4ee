//! The terminal UI over a stream of hops, live or recorded.
//!
//! - [`store`]: the calls and hops of a trace, kept small; [`list`] folds them, [`arrows`] sums them up
//! - [`app`]: the model. [`keys`], the mouse, the clock and the terminal become [`action`]s, and
//!   [`update`](mod@update) alone applies them
//! - [`program`]: the traced program's own terminal
//! - [`view`](mod@view): draws the model; a pure function of it and the size
//! - [`svg`](mod@svg): screens as pictures
//! - [`lab`]: the screens of the guided labs; [`top`]: the table of every process
//! - [`terminal`] and [`keyboard`]: the only parts that do terminal I/O; [`run`](mod@run) ties all together
#![forbid(unsafe_code)]

pub mod action;
pub mod app;
pub mod arrows;
pub mod flow;
pub mod keyboard;
pub mod keys;
pub mod lab;
pub mod list;
pub mod program;
pub mod run;
pub mod store;
pub mod svg;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod top;
pub mod update;
pub mod view;
mod window;
pub mod words;

pub use app::Target;
pub use program::pty::Pty;
pub use run::{Live, Options, ViewError, diff, needs_terminal, view};
