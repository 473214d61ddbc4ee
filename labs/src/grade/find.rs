//! Result files in what was handed in, and what is there in place of one.

use std::fs;
use std::path::{Path, PathBuf};

use super::course;
use crate::result::SUFFIX;

/// How deep folders may lie in each other: archives unpack into folders of folders.
const DEPTH: u32 = 8;
/// Files and folders of one hand-in that are looked at.
const MANY: usize = 10_000;

/// A result file, or what cannot be one, and why.
type Found = Result<PathBuf, (PathBuf, String)>;

/// What lies under a folder. Each of its folders is one hand-in: where there is no result in it, that is
/// said.
pub fn find(dir: &Path) -> Vec<Found> {
    match fs::symlink_metadata(dir) {
        // What the teacher names may be a link.
        Ok(_) if dir.is_dir() => {}
        Ok(data) if data.is_file() => return vec![Ok(dir.to_owned())],
        Ok(_) => return vec![refused(dir, "no folder, and no file")],
        Err(e) => return vec![refused(dir, e.to_string())],
    }
    let entries = match sorted(dir) {
        Ok(entries) => entries,
        Err(e) => return vec![refused(dir, e.to_string())],
    };
    let mut found = Vec::new();
    for path in entries {
        let before = found.len();
        let mut left = MANY;
        let is_folder = look(&path, 0, &mut left, &mut found);
        if is_folder && found.len() == before {
            found.push(refused(&path, "no result in it"));
        }
    }
    found
}

/// Looks at one entry; whether it is a folder that was looked into.
fn look(path: &Path, depth: u32, left: &mut usize, found: &mut Vec<Found>) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if *left == 0 {
        return false;
    }
    *left -= 1;
    if *left == 0 {
        found.push(refused(
            path,
            format!("more than {MANY} files: the rest was not looked at"),
        ));
        return false;
    }
    let kind = match fs::symlink_metadata(path) {
        Ok(data) => data.file_type(),
        Err(e) => {
            found.push(refused(path, e.to_string()));
            return false;
        }
    };
    let of_result =
        name.ends_with(SUFFIX) || name.ends_with(&format!("{SUFFIX}.txt")) || course::is_one(path);
    if kind.is_dir() {
        let skipped = name.starts_with('.') || name == "target" || name == "__MACOSX";
        if skipped {
            return false;
        }
        if depth == DEPTH {
            found.push(refused(path, "too many folders in each other"));
            return false;
        }
        match sorted(path) {
            Ok(entries) => entries.iter().for_each(|entry| {
                look(entry, depth + 1, left, found);
            }),
            Err(e) => found.push(refused(path, e.to_string())),
        }
        return true;
    }
    let archive = [".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".zst"];
    if kind.is_symlink() {
        // One that leads elsewhere could show files of others.
        if of_result || depth == 0 {
            found.push(refused(path, "a link: not followed"));
        }
    } else if !kind.is_file() {
        found.push(refused(path, "no ordinary file"));
    } else if of_result {
        found.push(Ok(path.to_owned()));
    } else if archive.iter().any(|end| name.to_lowercase().ends_with(end)) {
        found.push(refused(path, "packed: unpack it first"));
    }
    false
}

fn sorted(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir)?.take(MANY + 1);
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn refused(path: &Path, why: impl Into<String>) -> Found {
    Err((path.to_owned(), why.into()))
}
