//! The programs of the table: each does one thing with a known payload.

pub mod aio;
pub mod crypto;
pub mod files;
pub mod inner;
pub mod memory;
pub mod overlay;
pub mod pipes;
pub mod sockets;
pub mod uring;
pub mod veth;
pub mod writeback;
pub mod zerocopy;
