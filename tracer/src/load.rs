//! Loading and attaching the eBPF programs. The only place, with [`crate::capture`], that needs
//! privileges.

mod access;
mod ahead;
mod breakpoints;
mod counter;
mod error;
mod events;
mod functions;
mod hooks;
mod kernel;
mod object;
mod plan;
mod probes;
mod process;
mod refusal;
mod retry;
mod samples;
mod statistics;
mod threads;
mod wire;

pub use access::{Left, Ring};
pub use breakpoints::BUDGET as BREAKPOINT_BUDGET;
pub use error::LoadError;
pub use kernel::page_size;
pub use plan::Verb;
pub use probes::{DEFAULT_BUFFER, Options, Probes};
pub(crate) use process::threads_of;
pub(crate) use wire::wire;
