//! bytehop's library: kernel probes → ring buffer → [`decode`] → hops → (live view | recording |
//! report).
//!
//! Only loading and the live source need privileges; everything else works on a stream of
//! [`event::Event`]s, live or recorded.

pub mod arch;
pub mod btf;
pub mod event;
pub mod model;
