//! Chooses the eBPF object that the library embeds, and refuses one that is older than its sources.
//!
//! No BPF toolchain is needed here: the object is checked in and rebuilt by `cargo xtask ebpf`. To embed
//! another one, name it in `BYTEHOP_EBPF_OBJECT`; it is then taken as it is.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "ebpf-object/source_hash.rs"]
#[allow(
    dead_code,
    reason = "the part of the page's program is not needed here"
)]
mod source_hash;

use source_hash::{CRATE, note, sha256};

const CHOSEN: &str = "BYTEHOP_EBPF_OBJECT";
const ALLOW_STALE: &str = "BYTEHOP_ALLOW_STALE_EBPF";

fn main() {
    println!("cargo::rerun-if-env-changed={CHOSEN}");
    println!("cargo::rerun-if-env-changed={ALLOW_STALE}");
    let object = match env::var_os(CHOSEN) {
        Some(path) => Ok(PathBuf::from(path)),
        None => checked_in(),
    };
    match object {
        Ok(path) => {
            println!("cargo::rerun-if-changed={}", path.display());
            if let Err(line) = pack(&path) {
                println!("cargo::error={line}");
            }
        }
        Err(line) => println!("cargo::error={line}"),
    }
}

/// Writes what the library embeds: the object, compressed. It is a tenth of the program otherwise.
fn pack(object: &Path) -> Result<(), String> {
    let to = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("bytehop.bpf.lz4");
    let bytes = fs::read(object).map_err(|e| format!("{}: {e}", object.display()))?;
    fs::write(&to, lz4_flex::block::compress_prepend_size(&bytes))
        .map_err(|e| format!("{}: {e}", to.display()))
}

/// The object in `ebpf-object/`, if it is whole and as new as its sources.
fn checked_in() -> Result<PathBuf, String> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let object = package.join("ebpf-object/bytehop.bpf.o");
    let notes = object.with_extension("toml");
    println!("cargo::rerun-if-changed={}", notes.display());

    let read = |path: &Path| {
        fs::read(path).map_err(|e| format!("{}: {e}: run `cargo xtask ebpf`", path.display()))
    };
    let bytes = read(&object)?;
    let notes = String::from_utf8_lossy(&read(&notes)?).into_owned();
    if note(&notes, "object") != Some(sha256(&bytes).as_str()) {
        return Err(format!(
            "{} is not the file its .toml describes: check it out again (as binary), or run `cargo xtask ebpf`",
            object.display()
        ));
    }

    // Outside the workspace (a packaged crate) there are no sources to compare with.
    let workspace = package.join("..");
    if !workspace.join(CRATE).join("Cargo.toml").is_file() {
        return Ok(object);
    }
    println!("cargo::rerun-if-changed=../{CRATE}");
    println!("cargo::rerun-if-changed=../Cargo.lock");
    let hash = source_hash::source_hash(&workspace)
        .map_err(|e| format!("the sources of {CRATE} cannot be read: {e}"))?;
    if note(&notes, "sources") == Some(hash.as_str()) {
        return Ok(object);
    }
    let stale = "the eBPF object is older than its sources: run `cargo xtask ebpf` (what that needs: `cargo xtask setup`)";
    if env::var_os(ALLOW_STALE).is_some() {
        println!("cargo::warning={stale}");
        return Ok(object);
    }
    Err(stale.to_owned())
}
