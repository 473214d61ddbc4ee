//! The terminal UI over a stream of hops, live or recorded.
#![forbid(unsafe_code)]
