//! What several tests need.

use std::path::{Path, PathBuf};
use std::process::Command;

use bytehop_core::record::EXTENSION;

/// Folders that hold recordings.
const FOLDERS: [&str; 2] = ["labs", "tui"];

/// Every recording of a real run in the tree.
pub fn recordings() -> Vec<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in FOLDERS {
        find(&workspace.join(folder), &mut found);
    }
    found.sort();
    assert!(found.len() >= 100, "{} recordings", found.len());
    found
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|e| e == EXTENSION) {
            found.push(path);
        }
    }
}

/// Runs a script of the tests with Python over what is in `folder`; says so loudly where `modules` are missing.
pub fn python(script: &str, modules: &[&str], folder: &Path) {
    let import = format!("import {}", modules.join(", "));
    let have = Command::new("python3").args(["-c", &import]).output();
    if !have.is_ok_and(|out| out.status.success()) {
        eprintln!(
            "NOT RUN: {script}: python3 lacks {} (pip install)",
            modules.join(", ")
        );
        return;
    }
    let out = Command::new("python3")
        .arg(script)
        .arg(folder)
        .output()
        .expect("python3 runs");
    assert!(
        out.status.success(),
        "{script}:\n{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}
