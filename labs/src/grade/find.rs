//! Result files in what was handed in, and what is there in place of one.

use std::fs;
use std::path::{Path, PathBuf};

use bytehop_core::i18n::{Lang, Say};

use super::{course, words};
use crate::hand_in;
use crate::result::SUFFIX;

/// How deep folders may lie in each other: archives unpack into folders of folders.
const DEPTH: u32 = 8;
/// Files and folders of one hand-in that are looked at.
const MANY: usize = 10_000;

/// A result file, or what cannot be one, and why.
type Found = Result<PathBuf, (PathBuf, String)>;

/// Whether a file is a hand-in, by its name. Browsers and course systems number what is there twice.
pub fn is_hand_in(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(hand_in::SUFFIX) || name.contains(".hand-in") && name.ends_with(".tar")
}

/// What lies under a folder. Each of its folders is one hand-in: where there is no result in it, that is
/// said.
pub fn find(dir: &Path, lang: Lang) -> Vec<Found> {
    match fs::symlink_metadata(dir) {
        // What the teacher names may be a link.
        Ok(_) if dir.is_dir() => {}
        Ok(data) if data.is_file() => return vec![Ok(dir.to_owned())],
        Ok(_) => return vec![refused(dir, words::no_folder(lang))],
        Err(e) => return vec![refused(dir, e.say(lang))],
    }
    let entries = match sorted(dir) {
        Ok(entries) => entries,
        Err(e) => return vec![refused(dir, e.say(lang))],
    };
    let mut found = Vec::new();
    for path in entries {
        let before = found.len();
        let mut left = MANY;
        let is_folder = look(&path, 0, &mut left, &mut found, lang);
        if is_folder && found.len() == before {
            found.push(refused(&path, words::none_inside(lang)));
        }
    }
    if found.is_empty() {
        found.push(refused(dir, words::none_inside(lang)));
    }
    found
}

/// Looks at one entry; whether it is a folder that was looked into.
fn look(path: &Path, depth: u32, left: &mut usize, found: &mut Vec<Found>, lang: Lang) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if *left == 0 {
        return false;
    }
    *left -= 1;
    if *left == 0 {
        found.push(refused(path, words::many(lang, MANY)));
        return false;
    }
    let kind = match fs::symlink_metadata(path) {
        Ok(data) => data.file_type(),
        Err(e) => {
            found.push(refused(path, e.say(lang)));
            return false;
        }
    };
    let of_result = name.ends_with(SUFFIX)
        || name.ends_with(&format!("{SUFFIX}.txt"))
        || course::is_one(path)
        || is_hand_in(path);
    if kind.is_dir() {
        let skipped = name.starts_with('.') || name == "target" || name == "__MACOSX";
        if skipped {
            return false;
        }
        if depth == DEPTH {
            found.push(refused(path, words::deep(lang)));
            return false;
        }
        match sorted(path) {
            Ok(entries) => entries.iter().for_each(|entry| {
                look(entry, depth + 1, left, found, lang);
            }),
            Err(e) => found.push(refused(path, e.say(lang))),
        }
        return true;
    }
    let archive = [".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".zst"];
    if kind.is_symlink() {
        // One that leads elsewhere could show files of others.
        if of_result || depth == 0 {
            found.push(refused(path, words::link(lang)));
        }
    } else if !kind.is_file() {
        found.push(refused(path, words::special(lang)));
    } else if of_result {
        found.push(Ok(path.to_owned()));
    } else if archive.iter().any(|end| name.to_lowercase().ends_with(end)) {
        found.push(refused(path, words::packed(lang)));
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
