//! `cargo xtask ebpf`: builds the object that `tracer` embeds, reproducibly.
//!
//! The bytes depend on the sources and on the toolchain's versions, and on nothing else: not on the
//! checkout's path, the target folder, `CARGO_HOME`, the build machine's architecture, or the user's
//! cargo settings.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, line, run, rustflags};
pub use crate::source_hash::CRATE as PACKAGE;
use crate::source_hash::{note, sha256, source_hash};
use crate::toolchain::{Kind, TARGET, Toolchain, Versions, find_toolchain};
use crate::workspace;

pub const BINARY: &str = "bytehop-probes";
const STALE: &str = "the eBPF object is older than its sources: run `cargo xtask ebpf`";

/// Every profile setting that has a say in the code, so that `[profile.release]` has none.
const PROFILE: &[(&str, &str)] = &[
    ("opt-level", "3"),
    ("debug", "2"),
    ("lto", "false"),
    ("codegen-units", "1"),
    ("panic", "'abort'"),
    ("overflow-checks", "false"),
    ("debug-assertions", "false"),
    ("incremental", "false"),
    ("strip", "'none'"),
];

/// Builds the object and writes it, with its notes, to `tracer/ebpf-object/`.
///
/// # Errors
/// If there is no toolchain for it, or the build fails.
pub fn rebuild() -> Result<()> {
    let workspace = workspace();
    let toolchain = find_toolchain()?;
    let built = fs::read(build(&workspace, &toolchain)?)?;
    let (object, notes) = checked_in(&workspace);
    let Versions {
        rustc,
        bpf_linker,
        llvm,
    } = &toolchain.versions;
    let text = format!(
        "# Written by `cargo xtask ebpf` with the object beside it. Not for editing.\n\
         sources = \"{}\"\nobject = \"{}\"\n\
         rustc = \"{rustc}\"\nbpf-linker = \"{bpf_linker}\"\nllvm = \"{llvm}\"\n",
        source_hash(&workspace)?,
        sha256(&built),
    );
    fs::write(&object, &built).with_context(|| format!("writing {}", object.display()))?;
    fs::write(&notes, text).with_context(|| format!("writing {}", notes.display()))?;
    println!("{}: {} bytes, {rustc}", object.display(), built.len());
    Ok(())
}

/// Rebuilds the object elsewhere and compares; says in one line what that proved.
///
/// With the versions that the checked-in object was built with, the bytes must be the same. With others
/// they need not be: then the rebuilt object must build, and load into this kernel.
///
/// # Errors
/// If the object is stale or differs, does not build or does not load.
pub fn check() -> Result<String> {
    let workspace = workspace();
    let (object, notes) = checked_in(&workspace);
    let notes = fs::read_to_string(&notes).with_context(|| notes.display().to_string())?;
    if note(&notes, "sources") != Some(source_hash(&workspace)?.as_str()) {
        bail!(STALE);
    }
    if note(&notes, "object") != Some(sha256(&fs::read(&object)?).as_str()) {
        bail!("{} is not the file its .toml describes", object.display());
    }
    let toolchain = find_toolchain()?;
    let rebuilt = build(&workspace, &toolchain)?;

    let noted = |key| note(&notes, key).unwrap_or_default().to_owned();
    let then = Versions {
        rustc: noted("rustc"),
        bpf_linker: noted("bpf-linker"),
        llvm: noted("llvm"),
    };
    if toolchain.versions == then {
        if fs::read(&object)? != fs::read(&rebuilt)? {
            bail!(
                "same toolchain, other bytes: {} is not what its sources give (rebuilt: {})",
                object.display(),
                rebuilt.display()
            );
        }
        return Ok("same toolchain, same bytes".to_owned());
    }
    eprintln!(
        "the object was built with {then:?}, here is {:?}",
        toolchain.versions
    );
    load(&workspace, &rebuilt)
}

/// Traces `true` with `object`; the first thing that does is to load every program.
fn load(workspace: &Path, object: &Path) -> Result<String> {
    const NOT_ALLOWED: i32 = 3;
    let mut trace = cargo(workspace);
    trace
        .args(["run", "--quiet", "--target-dir", "target/ebpf-load", "--"])
        .args(["run", "--no-tui", "-q", "--", "true"])
        .env("BYTEHOP_EBPF_OBJECT", object);
    let status = trace.status().context("cannot start cargo")?;
    match status.code() {
        Some(0) => Ok("other toolchain versions: it builds and loads, bytes not compared".to_owned()),
        Some(NOT_ALLOWED) => Ok(
            "other toolchain versions: it builds; bytes not compared, and not loaded (not allowed here)".to_owned(),
        ),
        _ => bail!("the rebuilt object does not load: {} failed ({status})", line(&trace)),
    }
}

/// The object in the repository, and the notes beside it.
fn checked_in(workspace: &Path) -> (PathBuf, PathBuf) {
    let object = workspace.join("tracer/ebpf-object/bytehop.bpf.o");
    let notes = object.with_extension("toml");
    (object, notes)
}

/// Builds the object below `target/` and returns its path.
fn build(workspace: &Path, toolchain: &Toolchain) -> Result<PathBuf> {
    let target_dir = workspace.join("target/ebpf");
    let cargo = || {
        let mut cargo = toolchain.kind.command("cargo");
        without_settings(&mut cargo);
        cargo.current_dir(workspace);
        cargo
    };
    // The flags name the folder that this unpacks the dependencies to.
    run(cargo().args(["fetch", "--quiet", "--locked"]))?;
    let mut cargo = cargo();
    cargo
        .args(["build", "--release", "--locked", "--ignore-rust-version"])
        .args(["--package", PACKAGE, "--features", "bpf", "--bin", BINARY])
        .args(["--target", TARGET])
        .arg("--target-dir")
        .arg(&target_dir)
        .env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", &toolchain.linker)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(workspace, toolchain));
    for (key, value) in PROFILE {
        cargo
            .arg("--config")
            .arg(format!("profile.release.{key}={value}"));
    }
    if toolchain.kind == Kind::Nightly {
        cargo.args(["-Z", "build-std=core"]);
    }
    run(&mut cargo)?;

    let linked = target_dir.join(TARGET).join("release").join(BINARY);
    let object = target_dir.join("bytehop.bpf.o");
    // DWARF is only what BTF was made from; the kernel and aya read BTF.
    run(Command::new(&toolchain.objcopy)
        .arg("--strip-debug")
        .arg(&linked)
        .arg(&object))?;
    Ok(object)
}

/// Takes from `cargo` what the calling cargo and the user's environment would have it do.
pub fn without_settings(cargo: &mut Command) {
    const KEPT: &[&str] = &["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR"];
    const ALSO: &[&str] = &[
        "RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTUP_TOOLCHAIN",
    ];
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let cargos = text.starts_with("CARGO") && !KEPT.iter().any(|kept| text.starts_with(kept));
        if cargos || ALSO.contains(&text.as_ref()) {
            cargo.env_remove(name);
        }
    }
}

fn flags(workspace: &Path, toolchain: &Toolchain) -> OsString {
    // The programs take nothing from aya-ebpf that depends on the architecture they trace (registers are
    // found through BTF), so one object serves all; the name is fixed here to keep its bytes the same.
    let flags = vec![
        "--cfg=bpf_target_arch=\"x86_64\"".into(),
        "-Clink-arg=--btf".into(),
    ];
    let core = toolchain.core_sources.clone();
    rustflags(flags, workspace, core.map(|sources| (sources, "/rust")))
}
