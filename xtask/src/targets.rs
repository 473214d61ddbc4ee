//! What is not bound to Linux builds for other targets: browsers, Windows, macOS.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::command::{cargo, output, run};

pub const WHAT: &str = "core, tui and labs for wasm32, the viewer for Windows and macOS";

/// A target, and what cargo is to check for it.
const CHECKS: [(&str, &[&str]); 3] = [
    (
        "wasm32-unknown-unknown",
        &["-p", "bytehop-core", "-p", "tui", "-p", "labs"],
    ),
    ("x86_64-pc-windows-gnu", VIEWER),
    ("aarch64-apple-darwin", VIEWER),
];
/// The program without its capture side.
const VIEWER: &[&str] = &["-p", "bytehop", "--bin", "bytehop"];

/// Checks all of them. Gives the targets that can't be had here.
///
/// # Errors
/// If one does not build.
pub fn check(workspace: &Path) -> Result<Vec<&'static str>> {
    let mut not_had = Vec::new();
    for (target, packages) in CHECKS {
        if !has(workspace, target) {
            println!("NOT RUN for {target}: `rustup target add {target}` does not bring it");
            not_had.push(target);
            continue;
        }
        let mut command = cargo(workspace);
        command.args(["check", "--no-default-features", "--target", target]);
        run(command.args(packages))?;
    }
    Ok(not_had)
}

fn has(workspace: &Path, target: &str) -> bool {
    let mut add = Command::new("rustup");
    add.current_dir(workspace).args(["target", "add", target]);
    output(&mut add).is_ok()
}
