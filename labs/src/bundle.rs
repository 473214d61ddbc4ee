//! What is built into the binary: the labs' folders, and what their programs are built with.

// `BUNDLE`: (lab, path within it, content). Sorted.
include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

// `SUPPORT`: (path within the crate, content). Sorted.
#[cfg(all(feature = "run", target_os = "linux"))]
include!(concat!(env!("OUT_DIR"), "/support.rs"));

// `C_SUPPORT`: what C programs are compiled with: (name, content). Sorted.

/// The versions of libraries that the labs' programs were tested with.
#[cfg(all(feature = "run", target_os = "linux"))]
pub const LOCK: &str = include_str!("../../Cargo.lock");
