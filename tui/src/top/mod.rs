//! The screen of `bytehop top`: a table of every process.
//!
//! [`model`] is what there is, [`keys`] what a key asks for, [`update`](model::Top::update) applies it,
//! [`view`](mod@view) and [`detail`] draw it, [`run`](mod@run) ties them to the terminal and the counters.

pub mod detail;
pub mod keys;
pub mod model;
#[cfg(feature = "terminal")]
mod run;
pub mod view;
pub mod words;

pub use model::Top;
#[cfg(feature = "terminal")]
pub use run::{Settings, Source, run};
