//! Small helpers to run other programs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs `command` with its output on ours.
///
/// # Errors
/// If it cannot be started or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", line(command));
    }
    Ok(())
}

/// What `command` prints on standard output, trimmed.
///
/// # Errors
/// If it cannot be started or fails; what it printed on standard error is part of the error.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{} failed ({}): {}",
            line(command),
            output.status,
            said.trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `command` as a person would type it (without its environment, or the program's folder).
pub fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words: Vec<_> = program
        .file_name()
        .into_iter()
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    words.join(" ")
}

/// The file that `PATH` has for `program`, then cargo's own folder of programs.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([cargo_home().join("bin")])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// `flags` for rustc, as `CARGO_ENCODED_RUSTFLAGS` has them, and what keeps paths of this machine out of the
/// bytes: of the workspace, of the registries, and of `more`.
pub fn rustflags(
    mut flags: Vec<OsString>,
    workspace: &Path,
    more: impl IntoIterator<Item = (PathBuf, &'static str)>,
) -> OsString {
    let registries = fs::read_dir(cargo_home().join("registry/src"));
    let registries = registries.into_iter().flatten().flatten();
    let remapped = [(workspace.to_owned(), "/bytehop")]
        .into_iter()
        .chain(registries.map(|folder| (folder.path(), "/registry")))
        .chain(more);
    flags.extend(remapped.map(|(from, to)| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        flag
    }));
    flags.join("\x1f".as_ref())
}

/// `CARGO_HOME`, or where it is by default.
pub fn cargo_home() -> PathBuf {
    match (std::env::var_os("CARGO_HOME"), std::env::var_os("HOME")) {
        (Some(home), _) => PathBuf::from(home),
        (None, Some(home)) => Path::new(&home).join(".cargo"),
        (None, None) => PathBuf::from("/root/.cargo"),
    }
}

/// The cargo that runs us, in `workspace`.
pub fn cargo(workspace: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace);
    // Cargo describes xtask's own build in these; they mean nothing to another build.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// True for the superuser.
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}

/// Where cargo builds.
pub fn target_dir(at: &std::path::Path) -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| at.join("target"), Into::into)
}
