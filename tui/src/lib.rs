//! The terminal UI over a stream of hops, live or recorded.
//!
//! - [`store`]: the calls and hops of a trace, kept small; [`list`] folds them, [`arrows`] sums them up
//! - [`app`]: the model. [`keys`], the mouse, the clock and the terminal become [`action`]s, and
//!   [`update`](mod@update) alone applies them
//! - [`config`](mod@config): a user's own file of keys, colours, language and columns (with the feature `terminal`)
//! - [`program`]: the traced program's own terminal
//! - [`view`](mod@view): draws the model; a pure function of it and the size
//! - [`svg`](mod@svg): screens as pictures
//! - [`lab`]: the screens of the guided labs; [`top`]: the table of every process
//!
//! All of this builds for any target. With the feature `terminal` (the default) there are, too:
//!
//! - [`terminal`]: the real one, and the only part that does terminal I/O
//! - [`run`](mod@run): the loop that ties all together; [`lab::run`](mod@lab::run) and [`top::run`] are the others'
#![forbid(unsafe_code)]

pub mod action;
pub mod app;
pub mod areas;
pub mod arrows;
pub mod columns;
#[cfg(feature = "terminal")]
pub mod config;
pub mod draw;
mod fetch;
pub mod filter;
pub mod flow;
pub mod keymap;
pub mod keys;
pub mod lab;
pub mod lanes;
pub mod layout;
pub mod list;
pub mod look;
mod options;
pub mod program;
#[cfg(feature = "terminal")]
pub mod run;
pub mod store;
pub mod svg;
#[cfg(feature = "terminal")]
pub mod terminal;
pub mod text;
pub mod theme;
pub mod top;
pub mod update;
pub mod view;
mod window;
pub mod words;

pub use app::Target;
pub use options::Options;
#[cfg(feature = "terminal")]
pub use run::{Live, ViewError, diff, needs_terminal, view};
#[cfg(feature = "terminal")]
pub use terminal::{Pty, outside::Editor};
