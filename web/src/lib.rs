//! bytehop's screens in a browser.
//!
//! Two things under one name: the program that runs in the page ([`screen`], and its exports on
//! `wasm32-unknown-unknown`), which `cargo xtask web` builds and `object/` holds; and, elsewhere,
//! [`page`](mod@page), which puts that program and a recording into one HTML file.
//!
//! [`site`](mod@site) writes the guided labs as a folder of such pages.
//!
//! The page draws what the terminal draws: the same model, update and view. Its glue (`page/glue.js`) turns
//! keys, clicks and touches into events and rows of the picture into elements; it knows nothing of
//! recordings. Nothing is loaded from anywhere, and the page's own policy forbids it.

#[cfg(target_family = "wasm")]
mod exports;
#[cfg(not(target_family = "wasm"))]
pub mod page;
pub mod screen;
#[cfg(not(target_family = "wasm"))]
pub mod site;
