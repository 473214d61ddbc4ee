//! The guided labs in the terminal: a menu, and the five steps with the path view beside the guide.
//!
//! The same division as for the path view: [`model`] holds what the screen shows, [`update`] alone
//! changes it, [`view`] draws it, [`run`](mod@run) does the input and output.

pub mod model;
#[cfg(feature = "terminal")]
pub mod run;
mod seek;
pub mod update;
pub mod view;

pub use model::Labs;
#[cfg(feature = "terminal")]
pub use run::{Setup, run};
