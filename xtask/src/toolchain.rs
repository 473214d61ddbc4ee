//! Finds a Rust toolchain that can build for the BPF target.
//!
//! Two kinds will do: Debian's `rustc-web`, which has a prebuilt `core` for the target, and rustup's
//! nightly, which builds `core` from `rust-src`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::command::{find, output};

/// The version of bpf-linker that the checked-in object is built with.
pub const BPF_LINKER: &str = "0.13.0";
pub const TARGET: &str = "bpfel-unknown-none";

const HOW_TO_GET_ONE: &str = "\
no Rust toolchain here can build for the BPF target. Either
  - on Debian 12 or later:  cargo xtask setup
  - elsewhere:              rustup toolchain install nightly --component rust-src
                            cargo install bpf-linker
                            and LLVM's llvm-objcopy in PATH";

/// The exact versions that decide the object's bytes; written beside it.
#[derive(Debug, PartialEq, Eq)]
pub struct Versions {
    pub rustc: String,
    pub bpf_linker: String,
    pub llvm: String,
}

pub struct Toolchain {
    pub kind: Kind,
    pub linker: PathBuf,
    pub objcopy: PathBuf,
    pub versions: Versions,
    /// Where the sources of `core` lie, which must not show in the object.
    pub core_sources: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `/usr/bin/rustc` with a prebuilt `core`.
    Debian,
    /// `rustup run nightly`, which builds `core`.
    Nightly,
}

impl Kind {
    /// A command of the toolchain: `cargo` or `rustc`.
    pub fn command(self, tool: &str) -> Command {
        match self {
            Kind::Debian => {
                let mut command = Command::new(format!("/usr/bin/{tool}"));
                command.env("RUSTC", "/usr/bin/rustc");
                // aya-ebpf asks for one unstable feature on this target.
                command.env("RUSTC_BOOTSTRAP", "1");
                command
            }
            Kind::Nightly => {
                let mut command = Command::new("rustup");
                command.args(["run", "nightly", tool]);
                command.env("RUSTUP_AUTO_INSTALL", "0");
                command
            }
        }
    }

    /// Whether this kind is here, with what it needs to have `core`.
    fn sysroot(self) -> Option<PathBuf> {
        let sysroot = output(self.command("rustc").args(["--print", "sysroot"])).ok()?;
        let sysroot = PathBuf::from(sysroot);
        let core = match self {
            Kind::Debian => Path::new("lib/rustlib").join(TARGET).join("lib"),
            Kind::Nightly => "lib/rustlib/src/rust/library/core".into(),
        };
        sysroot.join(core).is_dir().then_some(sysroot)
    }
}

/// The first of the kinds that is here, with the linker.
///
/// # Errors
/// If there is none, or a part of it is missing; the error says how to get it.
pub fn find_toolchain() -> Result<Toolchain> {
    let (kind, sysroot) = [Kind::Debian, Kind::Nightly]
        .into_iter()
        .find_map(|kind| Some((kind, kind.sysroot()?)))
        .ok_or_else(|| anyhow!(HOW_TO_GET_ONE))?;

    let verbose = output(kind.command("rustc").arg("-vV"))?;
    let rustc = verbose.lines().next().unwrap_or_default().to_owned();
    let rustc_llvm = verbose
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))
        .context("`rustc -vV` names no LLVM version")?;

    let major = rustc_llvm.split('.').next().unwrap_or_default();
    let debian_bin = llvm_prefix(major).join("bin");
    let llvm = match output(Command::new(debian_bin.join("llvm-config")).arg("--version")) {
        Ok(version) => version,
        Err(_) => rustc_llvm.to_owned(),
    };
    let objcopy = [debian_bin.join("llvm-objcopy")]
        .into_iter()
        .find(|file| file.is_file())
        .or_else(|| find("llvm-objcopy"))
        .or_else(|| find(&format!("llvm-objcopy-{major}")))
        .context("llvm-objcopy is missing: `cargo xtask setup`, or install LLVM's tools")?;

    let linker = find("bpf-linker").with_context(|| {
        format!(
            "bpf-linker {BPF_LINKER} is missing: `cargo xtask setup`, or `cargo install bpf-linker`"
        )
    })?;
    let bpf_linker = linker_version(&linker)?;
    if kind == Kind::Debian && bpf_linker != BPF_LINKER {
        bail!(
            "{} is version {bpf_linker}, needed is {BPF_LINKER}: `cargo xtask setup`",
            linker.display()
        );
    }

    Ok(Toolchain {
        kind,
        linker,
        objcopy,
        versions: Versions {
            rustc,
            bpf_linker,
            llvm,
        },
        core_sources: (kind == Kind::Nightly).then(|| sysroot.join("lib/rustlib/src/rust")),
    })
}

/// Where Debian keeps LLVM `major`.
pub fn llvm_prefix(major: &str) -> PathBuf {
    PathBuf::from(format!("/usr/lib/llvm-{major}"))
}

/// The bare version number of the bpf-linker at `path`.
///
/// # Errors
/// If it does not run.
pub fn linker_version(path: &Path) -> Result<String> {
    let version = output(Command::new(path).arg("--version"))?;
    Ok(version.trim_start_matches("bpf-linker ").to_owned())
}
