//! What is built into the binary: the labs' folders, and what their programs are built with.

// `BUNDLE`: (lab, path within it, content); `SUPPORT`: (path within the crate, content). Sorted.
include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

/// The versions of libraries that the labs' programs were tested with.
pub const LOCK: &str = include_str!("../../Cargo.lock");
