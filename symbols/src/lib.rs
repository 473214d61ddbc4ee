//! Debug information: which file has the lines of a program, and which line an address is of.
//!
//! [`Identity`] is what an executable file says of itself; [`Search`] goes through the places where its debug
//! information may be, as debuggers do, and keeps why each had none; [`Lines`] looks addresses up. [`again()`] does it
//! for a recording, later and elsewhere. Nothing here needs the traced machine.

mod again;
mod curl;
mod debuginfod;
mod http;
mod identity;
mod lines;
mod remedy;
mod search;

pub use again::again;
pub use debuginfod::Debuginfod;
pub use identity::Identity;
pub use lines::{Lines, own};
pub use remedy::remedy;
pub use search::{Found, Place, Search, Wanted};
