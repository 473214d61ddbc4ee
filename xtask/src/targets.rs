//! What is not bound to Linux builds for other targets: browsers, Windows, macOS. All of it builds for arm64.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::command::{cargo, line, output, run, target_dir};

pub const WHAT: &str =
    "core, tui and labs for wasm32, the viewer for Windows and macOS, all of it for arm64";

/// The whole program, static, for arm64. Rust's own linker will do.
const ARM64: &str = "aarch64-unknown-linux-musl";
const LINKER: (&str, &str) = ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld");

/// A target, and what cargo is to check for it.
const CHECKS: [(&str, &[&str]); 4] = [
    (
        "wasm32-unknown-unknown",
        &[
            "--no-default-features",
            "-p",
            "bytehop-core",
            "-p",
            "tui",
            "-p",
            "labs",
        ],
    ),
    ("x86_64-pc-windows-gnu", VIEWER),
    ("aarch64-apple-darwin", VIEWER),
    (ARM64, &["-p", "bytehop", "--bin", "bytehop"]),
];
/// The program without its capture side.
const VIEWER: &[&str] = &["--no-default-features", "-p", "bytehop", "--bin", "bytehop"];

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
        command.args(["check", "--target", target]);
        run(command.args(packages))?;
    }
    Ok(not_had)
}

/// Builds the program for arm64, and tells by which command.
///
/// # Errors
/// If it does not build.
pub fn static_build(workspace: &Path) -> Result<String> {
    if !has(workspace, ARM64) {
        bail!("`rustup target add {ARM64}` does not bring it");
    }
    let mut command = cargo(workspace);
    command.args(["build", "--bin", "bytehop", "--target", ARM64]);
    command.env(LINKER.0, LINKER.1);
    run(&mut command)?;
    Ok(line(&command))
}

/// Where that puts it.
pub fn static_program(workspace: &Path) -> PathBuf {
    target_dir(workspace).join(ARM64).join("debug/bytehop")
}

fn has(workspace: &Path, target: &str) -> bool {
    let mut add = Command::new("rustup");
    add.current_dir(workspace).args(["target", "add", target]);
    output(&mut add).is_ok()
}
