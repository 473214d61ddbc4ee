//! `tar`, `ar` and `gzip`, reproducibly: entries in order, root's, with one time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::{Result, bail};
use flate2::{Compression, GzBuilder};

/// Files, by their path.
pub struct Tree {
    epoch: u64,
    files: BTreeMap<String, (Vec<u8>, bool)>,
}

const BLOCK: usize = 512;

impl Tree {
    pub fn new(epoch: u64) -> Self {
        Self {
            epoch,
            files: BTreeMap::new(),
        }
    }

    pub fn add(&mut self, path: &str, bytes: Vec<u8>, executable: bool) {
        self.files.insert(path.to_owned(), (bytes, executable));
    }

    /// Bytes in all files.
    pub fn size(&self) -> u64 {
        self.files
            .values()
            .map(|(bytes, _)| bytes.len() as u64)
            .sum()
    }

    /// As a POSIX archive (ustar), with an entry for each folder.
    ///
    /// # Errors
    /// If a path is too long.
    pub fn tar(&self) -> Result<Vec<u8>> {
        let mut tar = Vec::new();
        for folder in self.folders() {
            header(&mut tar, &format!("{folder}/"), b'5', 0o755, 0, self.epoch)?;
        }
        for (path, (bytes, executable)) in &self.files {
            let mode = if *executable { 0o755 } else { 0o644 };
            header(&mut tar, path, b'0', mode, bytes.len(), self.epoch)?;
            tar.extend_from_slice(bytes);
            tar.resize(tar.len().next_multiple_of(BLOCK), 0);
        }
        tar.resize(tar.len() + 2 * BLOCK, 0);
        Ok(tar)
    }

    fn folders(&self) -> BTreeSet<&str> {
        let ends = self.files.keys().flat_map(|path| {
            let slashes = path.match_indices('/');
            slashes.map(|(at, _)| &path[..at])
        });
        ends.collect()
    }
}

/// One header block; a path longer than 100 bytes is split at a slash.
fn header(
    tar: &mut Vec<u8>,
    path: &str,
    kind: u8,
    mode: u32,
    size: usize,
    epoch: u64,
) -> Result<()> {
    let split = match path.len() {
        0..=100 => Some(("", path)),
        _ => path
            .match_indices('/')
            .map(|(at, _)| (&path[..at], &path[at + 1..]))
            .find(|(prefix, name)| prefix.len() <= 155 && (1..=100).contains(&name.len())),
    };
    let Some((prefix, name)) = split else {
        bail!("{path} is too long for an archive");
    };
    let mut block = [0u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{size:011o}").as_bytes());
    put(136, format!("{epoch:011o}").as_bytes());
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000root");
    put(297, b"root");
    put(345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&block);
    Ok(())
}

/// Without a name or a time in it.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    Ok(gzip.finish()?)
}

/// As `ar` writes it, and a Debian package is.
pub fn ar(members: &[(&str, Vec<u8>)], epoch: u64) -> Vec<u8> {
    let mut ar = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let size = bytes.len();
        ar.extend(format!("{name:<16}{epoch:<12}0     0     100644  {size:<10}`\n").as_bytes());
        ar.extend_from_slice(bytes);
        if size % 2 == 1 {
            ar.push(b'\n');
        }
    }
    ar
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// By the tools that will read them.
    #[test]
    fn tar_and_ar_read_what_is_written() {
        let dir = std::env::temp_dir().join(format!("bytehop-archive-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let mut tree = Tree::new(1_000_000_000);
        let long = format!("{}{}", "folder/".repeat(20), "name".repeat(20));
        tree.add("./b/one", b"one".to_vec(), true);
        tree.add(&long, vec![7; 513], false);
        assert_eq!(tree.size(), 516);
        let tar = tree.tar().unwrap();
        assert_eq!(tree.tar().unwrap(), tar);
        fs::write(dir.join("x.tar.gz"), gzip(&tar).unwrap()).unwrap();
        let members = [("one", b"odd".to_vec()), ("two", b"even".to_vec())];
        fs::write(dir.join("x.a"), ar(&members, 7)).unwrap();
        let said = |line: &[&str]| {
            let output = Command::new(line[0])
                .args(&line[1..])
                .current_dir(&dir)
                .env("TZ", "UTC")
                .output();
            let output = output.unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            String::from_utf8(output.stdout).unwrap()
        };
        let listed = said(&["tar", "tvzf", "x.tar.gz"]);
        assert!(
            listed.contains("-rwxr-xr-x root/root         3 2001-09-09 01:46 ./b/one"),
            "{listed}"
        );
        assert!(
            listed.contains(&format!("513 2001-09-09 01:46 {long}")),
            "{listed}"
        );
        assert!(
            listed.contains("drwxr-xr-x root/root         0 2001-09-09 01:46 ./b/"),
            "{listed}"
        );
        assert_eq!(said(&["ar", "t", "x.a"]), "one\ntwo\n");
        assert_eq!(said(&["ar", "p", "x.a", "two"]), "even");
        fs::remove_dir_all(&dir).unwrap();
        tree.add(&"x".repeat(101), Vec::new(), false);
        assert!(tree.tar().is_err());
    }
}
