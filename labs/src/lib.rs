//! The guided labs: predict, observe, explain, change, check.
//!
//! A lab is data ([`spec`], [`guide`]; `docs/labs/format.md`), [`bytehop_core::expr`] reads values from runs, and
//! [`session`] judges answers and changes by them. [`page`] and [`text`] show it, over whatever makes the
//! runs ([`runs::Runs`]). All of this needs neither Linux nor a file system: the bundled recordings are in
//! the binary.
//!
//! With the feature `run`, `prepare`, `work` and `run` build, start and trace the programs.
#![forbid(unsafe_code)]

mod bundle;
pub mod chart;
pub mod comments;
#[cfg(all(feature = "run", target_os = "linux"))]
pub mod compile;
pub mod export;
pub mod grade;
pub mod guide;
pub mod hand_in;
pub mod lab;
pub mod lint;
pub mod markdown;
pub mod menu;
#[cfg(all(feature = "run", target_os = "linux"))]
pub mod own;
pub mod page;
#[cfg(all(feature = "run", target_os = "linux"))]
pub mod prepare;
pub mod progress;
pub mod recording;
pub mod result;
#[cfg(all(feature = "run", target_os = "linux"))]
pub mod run;
pub mod runs;
pub mod session;
pub mod site;
pub mod spec;
pub mod text;
pub mod words;
#[cfg(all(feature = "run", target_os = "linux"))]
pub mod work;
