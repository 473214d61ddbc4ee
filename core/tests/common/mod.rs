//! What several tests need.

#[allow(dead_code, reason = "not every test needs all of this")]
pub mod python;
#[allow(dead_code, reason = "the same")]
pub mod schema;

use std::path::{Path, PathBuf};

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

/// Adds the recordings below `folder`.
pub fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|e| e == EXTENSION) {
            found.push(path);
        }
    }
}
