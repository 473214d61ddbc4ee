//! The hashes that tie the checked-in eBPF object and the page's program to their sources.
//!
//! Shared: `tracer/build.rs`, `web/build.rs` and `xtask` include this file. They depend on the sources alone: not on
//! where the checkout lies, the order of directory entries, or line endings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use sha2::{Digest, Sha256};

/// The crate that the object is built from, a folder of the workspace.
pub const CRATE: &str = "tracer-ebpf";

/// SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// SHA-256 over what the object is made from: every `.rs` file and `Cargo.toml` of [`CRATE`], and the
/// locked version of every crate it depends on.
///
/// # Errors
/// If a file cannot be read.
pub fn source_hash(workspace: &Path) -> io::Result<String> {
    hash_of(workspace, &[CRATE], CRATE)
}

/// The crate that the page's program is built from.
pub const WEB: &str = "bytehop-web";

/// What it is built from, beside locked crates.
pub const WEB_SOURCES: [&str; 5] = [
    "core/src",
    "labs/src",
    "tracer-ebpf/src",
    "tui/src",
    "web/src",
];

/// The same over the sources of the page's program.
///
/// # Errors
/// If a file cannot be read.
pub fn web_hash(workspace: &Path) -> io::Result<String> {
    hash_of(workspace, &WEB_SOURCES, WEB)
}

fn hash_of(workspace: &Path, folders: &[&str], package: &str) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for folder in folders {
        for (name, path) in source_files(&workspace.join(folder))? {
            field(name.as_bytes());
            field(&unix_lines(fs::read(path)?));
        }
    }
    let lock = fs::read_to_string(workspace.join("Cargo.lock"))?;
    for dependency in locked_dependencies(&lock, package) {
        field(dependency.as_bytes());
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

/// Source files below `root`, by their `/`-separated path from there.
fn source_files(root: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || name == "target" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if name == "Cargo.toml" || name.ends_with(".rs") {
                let relative = path.strip_prefix(root).unwrap_or(&path);
                let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
                found.insert(parts.join("/"), path);
            }
        }
    }
    Ok(found)
}

fn unix_lines(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut previous_is_cr = false;
    let crlf = bytes.iter().any(|&b| {
        let found = previous_is_cr && b == b'\n';
        previous_is_cr = b == b'\r';
        found
    });
    if crlf {
        bytes.retain(|&b| b != b'\r');
    }
    bytes
}

/// One `name version checksum` for each package that `root` needs, directly or not, in order.
fn locked_dependencies(lock: &str, root: &str) -> BTreeSet<String> {
    let packages: Vec<Package> = lock
        .split("[[package]]")
        .skip(1)
        .map(Package::parse)
        .collect();
    let mut found = BTreeSet::new();
    let mut wanted = vec![root.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(want) = wanted.pop() {
        // "name", or "name version" where the lock holds several versions of it.
        let mut words = want.split(' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next());
        for package in &packages {
            if package.name == name
                && version.is_none_or(|v| v == package.version)
                && seen.insert((package.name, package.version))
            {
                wanted.extend(package.dependencies.iter().map(|d| (*d).to_owned()));
                if name != root {
                    found.insert(format!(
                        "{} {} {}",
                        package.name, package.version, package.checksum
                    ));
                }
            }
        }
    }
    found
}

/// What counts of one `[[package]]` of `Cargo.lock`.
#[derive(Default)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    checksum: &'a str,
    dependencies: Vec<&'a str>,
}

impl<'a> Package<'a> {
    fn parse(text: &'a str) -> Self {
        let mut package = Self::default();
        for line in text.lines().map(str::trim) {
            match line.split_once(" = ") {
                Some(("name", value)) => package.name = unquote(value),
                Some(("version", value)) => package.version = unquote(value),
                Some(("checksum", value)) => package.checksum = unquote(value),
                Some(_) => {}
                // Only the lines of the dependency list are bare strings.
                None if line.starts_with('"') => package.dependencies.push(unquote(line)),
                None => {}
            }
        }
        package
    }
}

fn unquote(value: &str) -> &str {
    value.trim_end_matches(',').trim_matches('"')
}

/// The value of `key = "value"` in the small TOML file that lies beside the object.
pub fn note<'a>(notes: &'a str, key: &str) -> Option<&'a str> {
    notes
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| unquote(value.trim()))
}
