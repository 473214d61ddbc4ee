//! Refuses a page's program that is not what its notes describe, and says when it is older than its
//! sources.
//!
//! No wasm target is needed here: the program is checked in and rebuilt by `cargo xtask web`. Its sources
//! are most of the workspace, so that an ordinary build only warns; a release build, and the tests, refuse.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../tracer/ebpf-object/source_hash.rs"]
#[allow(dead_code, reason = "the eBPF object's part of it is not needed here")]
mod source_hash;

use source_hash::{note, sha256, web_hash};

const CHOSEN: &str = "BYTEHOP_WEB_OBJECT";
const ALLOW_STALE: &str = "BYTEHOP_ALLOW_STALE_WEB";

fn main() {
    println!("cargo::rerun-if-env-changed={CHOSEN}");
    println!("cargo::rerun-if-env-changed={ALLOW_STALE}");
    // The program does not hold itself.
    if env::var("CARGO_CFG_TARGET_FAMILY").as_deref() == Ok("wasm") {
        return;
    }
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let object = match env::var_os(CHOSEN) {
        Some(path) => Ok(PathBuf::from(path)),
        None => checked_in(&package),
    };
    match object {
        Ok(path) => {
            println!("cargo::rerun-if-changed={}", path.display());
            println!("cargo::rustc-env={CHOSEN}={}", path.display());
        }
        Err(line) => println!("cargo::error={line}"),
    }
}

fn checked_in(package: &Path) -> Result<PathBuf, String> {
    let object = package.join("object/bytehop.wasm.gz");
    let notes = package.join("object/bytehop.toml");
    println!("cargo::rerun-if-changed={}", notes.display());
    let read = |path: &Path| {
        fs::read(path).map_err(|e| format!("{}: {e}: run `cargo xtask web`", path.display()))
    };
    let bytes = read(&object)?;
    let notes = String::from_utf8_lossy(&read(&notes)?).into_owned();
    if note(&notes, "object") != Some(sha256(&bytes).as_str()) {
        return Err(format!(
            "{} is not the file its .toml describes: check it out again (as binary), or run `cargo xtask web`",
            object.display()
        ));
    }
    let workspace = package.join("..");
    for folder in source_hash::WEB_SOURCES {
        println!("cargo::rerun-if-changed=../{folder}");
    }
    println!("cargo::rerun-if-changed=../Cargo.lock");
    let hash =
        web_hash(&workspace).map_err(|e| format!("the page's sources cannot be read: {e}"))?;
    if note(&notes, "sources") != Some(hash.as_str()) {
        let stale = "the page's program is older than its sources: run `cargo xtask web`";
        if env::var("PROFILE").as_deref() == Ok("release") && env::var_os(ALLOW_STALE).is_none() {
            return Err(stale.to_owned());
        }
        println!("cargo::warning={stale}");
    }
    Ok(object)
}
