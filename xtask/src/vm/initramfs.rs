//! The initramfs: busybox, a few modules, and a script that mounts the host's root over 9p.
//!
//! The root of a machine of another processor is the initramfs itself ([`whole`]).

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use super::kernels::{self, Unpacked};
use crate::command::find;

/// What it takes to reach the host's root; the rest is loaded from there with the host's modprobe.
const MODULES: &[&str] = &["virtio_pci", "9pnet_virtio", "9p", "overlay"];

/// What a machine needs that has nothing of the host's. What file systems only ask for softly comes first.
const ALL_MODULES: &[&str] = &[
    "crc32c_generic",
    "libcrc32c",
    "xxhash_generic",
    "blake2b_generic",
    "sha256_generic",
    "virtio_pci",
    "virtio_rng",
    "9pnet_virtio",
    "9p",
    "virtio_blk",
    "nvme",
    "ahci",
    "sd_mod",
    "e1000e",
    "loop",
    "tls",
    "veth",
    "overlay",
    "ext4",
    "xfs",
    "btrfs",
];

const INIT: &str = include_str!("init.sh");
const STATIC_INIT: &str = include_str!("static.sh");

/// The archive, in the form that the kernel unpacks.
///
/// # Errors
/// If busybox or a module is missing.
pub fn build(kernel: &Unpacked) -> Result<Vec<u8>> {
    let busybox = find("busybox").ok_or_else(|| anyhow!("no busybox: install busybox-static"))?;
    let mut archive = Cpio::default();
    for folder in [
        "bin", "dev", "modules", "proc", "sys", "lower", "rw", "root",
    ] {
        archive.entry(folder, 0o040_755, &[]);
    }
    archive.entry("bin/busybox", 0o100_755, &fs::read(&busybox)?);
    archive.entry("init", 0o100_755, INIT.as_bytes());
    archive.modules(kernel, MODULES)?;
    Ok(archive.end())
}

/// The archive of a machine that runs `bytehop`, a static program, and Debian's programs for its processor.
///
/// # Errors
/// If a program or a module is missing.
pub fn whole(kernel: &Unpacked, bytehop: &Path, cache: &Path) -> Result<Vec<u8>> {
    let programs = kernels::programs(kernel.cpu, cache)?;
    let mut archive = Cpio::default();
    for folder in ["dev", "modules", "proc", "sys", "root"] {
        archive.entry(folder, 0o040_755, &[]);
    }
    archive.tree(&programs, "")?;
    archive.entry("bin/bytehop", 0o100_755, &fs::read(bytehop)?);
    archive.entry("init", 0o100_755, STATIC_INIT.as_bytes());
    archive.modules(kernel, ALL_MODULES)?;
    Ok(archive.end())
}

/// The files of these modules and what they depend on, each after what it needs.
fn load_order(modules: &Path, wanted: &[&str]) -> Result<Vec<String>> {
    let table = modules.join("modules.dep");
    let table = fs::read_to_string(&table).with_context(|| table.display().to_string())?;
    let needs: HashMap<&str, (&str, &str)> = table
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(file, needs)| (name(file), (file, needs)))
        .collect();
    let mut order: Vec<String> = Vec::new();
    for module in wanted {
        let Some((file, needs)) = needs.get(module) else {
            continue; // part of the kernel itself
        };
        // modules.dep lists all that a module needs, what is to be loaded first last.
        for file in needs.split_whitespace().rev().chain([*file]) {
            if !order.iter().any(|known| known == file) {
                order.push(file.to_owned());
            }
        }
    }
    Ok(order)
}

/// `kernel/fs/9p/9p.ko.xz` → `9p`.
fn name(file: &str) -> &str {
    let file = file.rsplit('/').next().unwrap_or(file);
    file.split(".ko").next().unwrap_or(file)
}

fn decompressed(module: &Path) -> Result<Vec<u8>> {
    if module.extension().is_some_and(|end| end == "ko") {
        return Ok(fs::read(module)?);
    }
    let output = Command::new("xz").arg("-dc").arg(module).output();
    let output = output.context("xz")?;
    if !output.status.success() {
        bail!("{}: xz cannot read it", module.display());
    }
    Ok(output.stdout)
}

/// A cpio archive of the kind `newc`: see the kernel's `initramfs-buffer-format`.
#[derive(Default)]
struct Cpio(Vec<u8>);

impl Cpio {
    /// Modules, in the order to load them.
    fn modules(&mut self, kernel: &Unpacked, wanted: &[&str]) -> Result<()> {
        for (i, module) in load_order(&kernel.modules, wanted)?.iter().enumerate() {
            let code = decompressed(&kernel.modules.join(module))?;
            // The shell sorts by name.
            let entry = format!("modules/{i:03}-{}.ko", name(module));
            self.entry(&entry, 0o100_644, &code);
        }
        Ok(())
    }

    /// What lies in a folder and is of use to programs.
    fn tree(&mut self, folder: &Path, at: &str) -> Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(|entry| entry.file_name());
        for entry in entries {
            let below = entry.file_name().to_string_lossy().into_owned();
            let name = match at {
                "" => below,
                at => format!("{at}/{below}"),
            };
            if name == "usr/share" {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.entry(&name, 0o040_755, &[]);
                self.tree(&entry.path(), &name)?;
            } else if kind.is_symlink() {
                let to = fs::read_link(entry.path())?;
                self.entry(&name, 0o120_777, to.as_os_str().as_encoded_bytes());
            } else {
                let mode = entry.metadata()?.permissions().mode();
                self.entry(&name, 0o100_000 | mode & 0o777, &fs::read(entry.path())?);
            }
        }
        Ok(())
    }

    fn entry(&mut self, name: &str, mode: u32, content: &[u8]) {
        let links = 1;
        let fields = [
            self.0.len() as u32, // the inode's number: only has to be distinct
            mode,
            0,
            0,
            links,
            0,
            content.len() as u32,
            0,
            0,
            0,
            0,
            name.len() as u32 + 1,
            0,
        ];
        self.0.extend_from_slice(b"070701");
        for field in fields {
            self.0.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(0);
        self.align();
        self.0.extend_from_slice(content);
        self.align();
    }

    fn align(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    fn end(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Cpio, name};

    #[test]
    fn names_of_modules() {
        assert_eq!(name("kernel/fs/9p/9p.ko.xz"), "9p");
        assert_eq!(name("kernel/fs/overlayfs/overlay.ko"), "overlay");
    }

    #[test]
    fn entries_are_aligned() {
        let mut archive = Cpio::default();
        archive.entry("a", 0o100_644, b"xyz");
        let bytes = archive.end();
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(&bytes[112..115], b"xyz");
        assert_eq!(&bytes[116..122], b"070701");
    }
}
