//! The disks under test: each kind of device with each file system, as images in the cache.
//!
//! QEMU is told to keep what a guest writes to itself, so images are made once and never change.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::kernels::Cpu;
use crate::command::output;

/// `mkfs.xfs` makes none smaller than 300 MiB. The files are sparse.
const BYTES: u64 = 512 << 20;

const DEVICES: &[&str] = &["nvme", "virtio", "ahci"];
const FILE_SYSTEMS: &[&str] = &["ext4", "xfs", "btrfs"];

/// Disks without a file system, which the guest uses for something else: swap, and below dm.
const RAW: &[&str] = &["virtio-swap", "nvme-dm"];

/// File systems that the guest puts on a loop device, on zram, on dm, and over another one (overlayfs);
/// see `stage2.sh`.
const MADE: &[&str] = &["loop-ext4", "zram-ext4", "dm-ext4", "overlay-ext4"];
/// Those that a machine of another processor has; see `static.sh`.
const MADE_THERE: &[&str] = &["overlay-ext4"];

/// Those of them where no device moves anything.
pub const SOFTWARE: &[&str] = &["loop-ext4", "zram-ext4"];

/// Folders below `/vm` with a file system of their own to test on: each device, each file system and
/// what is only software once, or all combinations.
pub fn tested(cpu: Cpu, all: bool) -> impl Iterator<Item = String> {
    let (all, made) = match cpu {
        Cpu::X86_64 => (all, MADE),
        Cpu::Aarch64 => (false, MADE_THERE),
    };
    let labels = labels().filter(move |label| all || ONCE.contains(&label.as_str()));
    labels.chain(made.iter().map(|made| (*made).to_owned()))
}

/// Each device and each file system once.
pub const ONCE: &[&str] = &["nvme-ext4", "virtio-xfs", "ahci-btrfs"];

/// Each combination, by the label of its file system; mounted on `/vm/LABEL`.
pub fn labels() -> impl Iterator<Item = String> {
    DEVICES
        .iter()
        .flat_map(|device| FILE_SYSTEMS.iter().map(move |fs| format!("{device}-{fs}")))
}

/// QEMU's arguments for all disks; makes the images that are not there yet.
///
/// # Errors
/// If an image can't be made.
pub fn arguments(cpu: Cpu, cache: &Path) -> Result<Vec<String>> {
    let mut arguments = Vec::new();
    // The machine's own AHCI controller has six ports.
    let ports = match cpu {
        Cpu::X86_64 => "ide",
        Cpu::Aarch64 => {
            arguments.extend(["-device", "ich9-ahci,id=ahci"].map(str::to_owned));
            "ahci"
        }
    };
    let raw = RAW.iter().map(|label| (*label).to_owned());
    for (i, label) in labels().chain(raw).enumerate() {
        let image = image(cache, &label)?;
        let (device, _) = label.split_once('-').unwrap_or_default();
        let drive = format!(
            "file={},if=none,id={label},format=raw,snapshot=on",
            image.display()
        );
        let device = match device {
            "nvme" => format!("nvme,drive={label},serial={label}"),
            "virtio" => format!("virtio-blk-pci,drive={label}"),
            _ => format!(
                "ide-hd,drive={label},bus={ports}.{}",
                i % FILE_SYSTEMS.len()
            ),
        };
        arguments.extend(["-drive".to_owned(), drive, "-device".to_owned(), device]);
    }
    Ok(arguments)
}

fn image(cache: &Path, label: &str) -> Result<PathBuf> {
    let path = cache.join("disks").join(label);
    if path.exists() {
        return Ok(path);
    }
    fs::create_dir_all(cache.join("disks"))?;
    let new = cache.join("disks/new");
    File::create(&new)
        .and_then(|file| file.set_len(BYTES))
        .with_context(|| new.display().to_string())?;
    let (_, file_system) = label.split_once('-').unwrap_or_default();
    let (program, quiet) = match file_system {
        "ext4" => ("mkfs.ext4", "-qF"),
        "xfs" => ("mkfs.xfs", "-qf"),
        "btrfs" => ("mkfs.btrfs", "-qf"),
        // dm is found by its label, too.
        _ => ("mkswap", "-q"),
    };
    output(
        Command::new(program)
            .args([quiet, "-L", label])
            .arg(&new)
            // mkfs is often not in a user's PATH.
            .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin"),
    )?;
    fs::rename(&new, &path)?;
    Ok(path)
}
