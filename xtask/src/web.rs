//! `cargo xtask web`: builds the program of the page that `report --format html` writes, reproducibly.
//!
//! As with the eBPF object, the bytes depend on the sources and on the compiler's version alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, output, run, rustflags};
use crate::dist::archive;
use crate::ebpf::without_settings;
use crate::source_hash::{WEB as PACKAGE, note, sha256, web_hash};
use crate::workspace;

const TARGET: &str = "wasm32-unknown-unknown";
const STALE: &str = "the page's program is older than its sources: run `cargo xtask web`";

/// Every profile setting that has a say in the code. Fast before small: a page reads its recording as it opens,
/// and the program is small beside that.
const PROFILE: &[(&str, &str)] = &[
    ("opt-level", "3"),
    ("debug", "false"),
    ("lto", "'fat'"),
    ("codegen-units", "1"),
    ("panic", "'abort'"),
    ("overflow-checks", "false"),
    ("debug-assertions", "false"),
    ("incremental", "false"),
    ("strip", "true"),
];

/// What `Cargo.toml` has small in programs for a terminal: a page draws with it.
const FAST: [&str; 1] = ["tui"];

/// What runs once, when a page opens, is small in place of fast: a lab of the course, read and judged.
const SMALL: [&str; 8] = [
    "labs",
    "pulldown-cmark",
    "serde",
    "serde_core",
    "serde_spanned",
    "toml",
    "toml_parser",
    "winnow",
];

/// Builds the program and writes it, with its notes, to `web/object/`.
///
/// # Errors
/// If the target cannot be had, or the build fails.
pub fn rebuild() -> Result<()> {
    let workspace = workspace();
    if let Some(why) = target_missing() {
        bail!("{why}");
    }
    let built = packed(&build(&workspace)?)?;
    let (object, notes) = checked_in(&workspace);
    let rustc = compiler()?;
    let text = format!(
        "# Written by `cargo xtask web` with the object beside it. Not for editing.\n\
         sources = \"{}\"\nobject = \"{}\"\nrustc = \"{rustc}\"\n",
        web_hash(&workspace)?,
        sha256(&built),
    );
    fs::write(&object, &built).with_context(|| format!("writing {}", object.display()))?;
    fs::write(&notes, text).with_context(|| format!("writing {}", notes.display()))?;
    println!("{}: {} bytes, {rustc}", object.display(), built.len());
    Ok(())
}

/// What a comparison proved, in one line.
pub enum Proof {
    Same(String),
    NotRun(String),
}

/// Rebuilds the program elsewhere and compares.
///
/// # Errors
/// If the program is stale or differs, or does not build.
pub fn check() -> Result<Proof> {
    let workspace = workspace();
    let (object, notes) = checked_in(&workspace);
    let notes = fs::read_to_string(&notes).with_context(|| notes.display().to_string())?;
    if note(&notes, "sources") != Some(web_hash(&workspace)?.as_str()) {
        bail!(STALE);
    }
    if note(&notes, "object") != Some(sha256(&fs::read(&object)?).as_str()) {
        bail!("{} is not the file its .toml describes", object.display());
    }
    if let Some(why) = target_missing() {
        let why = format!("{why}; only the sources' hash was compared");
        return Ok(Proof::NotRun(why));
    }
    let rebuilt = build(&workspace)?;
    let then = note(&notes, "rustc").unwrap_or_default();
    let now = compiler()?;
    if then != now {
        return Ok(Proof::NotRun(format!(
            "it was built with {then}, here is {now}: it builds, bytes not compared"
        )));
    }
    if fs::read(&object)? != packed(&rebuilt)? {
        bail!(
            "same compiler, other bytes: {} is not what its sources give (rebuilt: {})",
            object.display(),
            rebuilt.display()
        );
    }
    Ok(Proof::Same("same compiler, same bytes".to_owned()))
}

/// The program in the repository, and the notes beside it.
fn checked_in(workspace: &Path) -> (PathBuf, PathBuf) {
    let object = workspace.join("web/object");
    (object.join("bytehop.wasm.gz"), object.join("bytehop.toml"))
}

/// A third of the bytes to carry in each page; a browser unpacks gzip by itself.
fn packed(program: &Path) -> Result<Vec<u8>> {
    let program = fs::read(program).with_context(|| program.display().to_string())?;
    archive::gzip(&program)
}

/// Why the target cannot be had, after trying; `None`: it is there.
fn target_missing() -> Option<String> {
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    let there = || {
        let libdir =
            output(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]));
        libdir.is_ok_and(|dir| Path::new(&dir).is_dir())
    };
    if there() {
        return None;
    }
    let added = output(&mut rustup);
    match (there(), added) {
        (true, _) => None,
        (false, Err(e)) => Some(format!("there is no target {TARGET}: {e:#}")),
        (false, Ok(_)) => Some(format!("there is no target {TARGET} for this compiler")),
    }
}

fn compiler() -> Result<String> {
    output(Command::new("rustc").arg("--version"))
}

/// Builds the program below `target/` and returns its path.
fn build(workspace: &Path) -> Result<PathBuf> {
    let target_dir = workspace.join("target/web");
    let cargo = || {
        let mut cargo = cargo(workspace);
        without_settings(&mut cargo);
        cargo
    };
    // The flags name the folder that this unpacks the dependencies to.
    run(cargo().args(["fetch", "--quiet", "--locked"]))?;
    let mut cargo = cargo();
    cargo
        .args(["rustc", "--release", "--locked", "--lib"])
        .args(["--package", PACKAGE, "--crate-type", "cdylib"])
        .args(["--target", TARGET])
        .arg("--target-dir")
        .arg(&target_dir)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            rustflags(Vec::new(), workspace, None),
        );
    for (key, value) in PROFILE {
        cargo
            .arg("--config")
            .arg(format!("profile.release.{key}={value}"));
    }
    let fast = FAST.iter().map(|package| (package, "3"));
    let small = SMALL.iter().map(|package| (package, "'s'"));
    for (package, level) in fast.chain(small) {
        cargo.arg("--config").arg(format!(
            "profile.release.package.{package}.opt-level={level}"
        ));
    }
    run(&mut cargo)?;
    let name = format!("{}.wasm", PACKAGE.replace('-', "_"));
    Ok(target_dir.join(TARGET).join("release").join(name))
}
