//! `cargo xtask dist`: what a machine without Rust installs.
//!
//! Static binaries, with manual pages, completions, documents and what the labs' programs need to be built
//! without a network, as `.tar.gz` and `.deb`; a viewer for Windows; SHA-256 sums. The same sources give the
//! same bytes: times are those of the last commit (or `SOURCE_DATE_EPOCH`), entries are in order, and no
//! path of this machine is in them.

pub mod archive;
mod chroot;
mod content;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, find, is_root, line, output, run, rustflags};
use crate::source_hash::sha256;
use crate::{setup, workspace};
use archive::Tree;
use content::Content;

/// Cargo's own folder of profiles, apart from everyday builds: other flags would build those anew.
const TARGET_DIR: &str = "target/dist";
const PROFILE: &str = "dist";
/// No binary may be larger.
const LARGEST: u64 = 13_000_000;

/// A machine that packages are for.
struct Machine {
    target: &'static str,
    /// As Debian calls it.
    debian: &'static str,
    /// As `uname -m` says.
    arch: &'static str,
    /// What links for it on another machine, and the package that has it.
    linker: (&'static str, &'static str),
}

const MACHINES: [Machine; 2] = [
    Machine {
        target: "x86_64-unknown-linux-musl",
        debian: "amd64",
        arch: "x86_64",
        linker: ("x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu"),
    },
    Machine {
        target: "aarch64-unknown-linux-musl",
        debian: "arm64",
        arch: "aarch64",
        linker: (
            "aarch64-linux-gnu-gcc",
            "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
        ),
    },
];

const WINDOWS: &str = "x86_64-pc-windows-gnu";
const WINDOWS_LINKER: &str = "x86_64-w64-mingw32-gcc";

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Only these targets.
    targets: Vec<String>,
    to: Option<PathBuf>,
    /// Install what was built, in bare systems.
    try_it: bool,
    /// Build nothing.
    built: bool,
}

impl Options {
    /// # Errors
    /// On an option that is not in the usage text.
    pub fn parse(args: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match *arg {
                "--to" => options.to = Some(args.next().context("--to needs a folder")?.into()),
                "--try" => options.try_it = true,
                "--built" => (options.built, options.try_it) = (true, true),
                target if is_known(target) => options.targets.push(target.to_owned()),
                _ => bail!("no such option of `dist`, nor a target: {arg}"),
            }
        }
        Ok(options)
    }

    fn wants(&self, target: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|wanted| wanted == target)
    }
}

fn is_known(target: &str) -> bool {
    target == WINDOWS || MACHINES.iter().any(|machine| machine.target == target)
}

/// Builds all, and tries it if that is wanted.
///
/// # Errors
/// If something cannot be built, or does not work where it was installed.
pub fn dist(options: &Options) -> Result<()> {
    let workspace = workspace();
    let to = options
        .to
        .clone()
        .unwrap_or(workspace.join("target/packages"));
    fs::create_dir_all(&to).with_context(|| to.display().to_string())?;
    if !options.built {
        build(options, &workspace, &to)?;
    }
    if !options.try_it {
        return Ok(());
    }
    // Where it cannot be had, the trial says so.
    if is_root() && find("apt-get").is_some() {
        setup::ensure(&HashSet::from(["debootstrap"]))?;
    }
    let failed = chroot::try_packages(&to, &workspace)?;
    match failed.as_slice() {
        [] => Ok(()),
        failed => bail!("the packages do not go everywhere: {}", failed.join(", ")),
    }
}

fn build(options: &Options, workspace: &Path, to: &Path) -> Result<()> {
    let epoch = epoch(workspace)?;
    let host = MACHINES
        .iter()
        .find(|machine| machine.arch == std::env::consts::ARCH)
        .context("packages are made on x86_64 or aarch64")?;
    // It writes the pages and scripts of all.
    let program = binary(workspace, host.target, &[], epoch)?
        .with_context(|| format!("rustup has no {} here", host.target))?;
    let content = Content::gather(workspace, &program, epoch)?;
    let mut made = Vec::new();
    for machine in MACHINES.iter().filter(|m| options.wants(m.target)) {
        match binary(workspace, machine.target, &[], epoch)? {
            Some(binary) => made.extend(packages(to, machine, &binary, &content, epoch)?),
            None => not_run(machine.target, machine.linker),
        }
    }
    if options.wants(WINDOWS) {
        match binary(workspace, WINDOWS, &["--no-default-features"], epoch)? {
            Some(viewer) => {
                let name = format!("bytehop-viewer-{}-{WINDOWS}.exe", content.version);
                fs::copy(&viewer, to.join(&name))?;
                made.push(name);
            }
            None => not_run(WINDOWS, (WINDOWS_LINKER, "gcc-mingw-w64-x86-64")),
        }
    }
    made.sort();
    let mut sums = String::new();
    for name in &made {
        let bytes = fs::read(to.join(name))?;
        println!("{:>10} bytes  {name}", bytes.len());
        sums += &format!("{}  {name}\n", sha256(&bytes));
    }
    fs::write(to.join("SHA256SUMS"), sums)?;
    println!("in {}", to.display());
    Ok(())
}

fn not_run(target: &str, (linker, packages): (&str, &str)) {
    println!(
        "NOT RUN for {target}: it takes `rustup target add {target}` and {linker} (apt install {packages})"
    );
}

/// The time that everything in a package has.
fn epoch(workspace: &Path) -> Result<u64> {
    let text =
        match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(text) => text,
            Err(_) => output(Command::new("git").current_dir(workspace).args([
                "log",
                "-1",
                "--format=%ct",
            ]))
            .context("without git the time of the sources has to be in SOURCE_DATE_EPOCH")?,
        };
    text.trim()
        .parse()
        .context("SOURCE_DATE_EPOCH is a number of seconds")
}

/// Builds for a target; `None` where there is no standard library or no linker for it.
fn binary(workspace: &Path, target: &str, more: &[&str], epoch: u64) -> Result<Option<PathBuf>> {
    let mut add = Command::new("rustup");
    add.current_dir(workspace).args(["target", "add", target]);
    if output(&mut add).is_err() {
        return Ok(None);
    }
    let mut build = cargo(workspace);
    build.args([
        "build",
        "--profile",
        PROFILE,
        "--locked",
        "--bin",
        "bytehop",
        "--target",
        target,
    ]);
    build.args(["--target-dir", TARGET_DIR]).args(more);
    build.env(
        "CARGO_ENCODED_RUSTFLAGS",
        rustflags(Vec::<OsString>::new(), workspace, []),
    );
    build.env("CARGO_INCREMENTAL", "0");
    build.env("SOURCE_DATE_EPOCH", epoch.to_string());
    for name in ["RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"] {
        build.env_remove(name);
    }
    let variable = target.to_uppercase().replace('-', "_");
    let machine = MACHINES.iter().find(|machine| machine.target == target);
    if let Some(machine) = machine.filter(|machine| machine.arch != std::env::consts::ARCH) {
        if find(machine.linker.0).is_none() {
            return Ok(None);
        }
        build.env(format!("CARGO_TARGET_{variable}_LINKER"), machine.linker.0);
    }
    if target == WINDOWS && find(WINDOWS_LINKER).is_none() {
        return Ok(None);
    }
    println!("{}", line(&build));
    run(&mut build)?;
    let name = if target == WINDOWS {
        "bytehop.exe"
    } else {
        "bytehop"
    };
    let binary = workspace
        .join(TARGET_DIR)
        .join(target)
        .join(PROFILE)
        .join(name);
    let size = fs::metadata(&binary)
        .with_context(|| binary.display().to_string())?
        .len();
    if size > LARGEST {
        bail!("{} has {size} bytes, more than {LARGEST}", binary.display());
    }
    Ok(Some(binary))
}

/// The archive and the Debian package of one machine; their names.
fn packages(
    to: &Path,
    machine: &Machine,
    binary: &Path,
    content: &Content,
    epoch: u64,
) -> Result<[String; 2]> {
    let program = fs::read(binary)?;
    let version = &content.version;

    let name = format!("bytehop-{version}-{}", machine.target);
    let mut tree = Tree::new(epoch);
    tree.add(&format!("{name}/bin/bytehop"), program.clone(), true);
    for (path, bytes) in &content.files {
        tree.add(&format!("{name}/{path}"), bytes.clone(), false);
    }
    let archive = format!("{name}.tar.gz");
    fs::write(to.join(&archive), archive::gzip(&tree.tar()?)?)?;

    let mut data = Tree::new(epoch);
    data.add("./usr/bin/bytehop", program, true);
    for (path, bytes) in &content.files {
        data.add(&format!("./usr/{path}"), bytes.clone(), false);
    }
    let mut control = Tree::new(epoch);
    let text = control_file(version, machine.debian, data.size().div_ceil(1024));
    control.add("./control", text.into_bytes(), false);
    let package = format!("bytehop_{version}_{}.deb", machine.debian);
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", archive::gzip(&control.tar()?)?),
        ("data.tar.gz", archive::gzip(&data.tar()?)?),
    ];
    fs::write(to.join(&package), archive::ar(&members, epoch))?;
    Ok([archive, package])
}

fn control_file(version: &str, arch: &str, kib: u64) -> String {
    format!(
        "Package: bytehop\n\
         Version: {version}\n\
         Architecture: {arch}\n\
         Maintainer: The bytehop authors <bytehop@localhost>\n\
         Installed-Size: {kib}\n\
         Suggests: gcc, libc6-dev, cargo\n\
         Section: devel\n\
         Priority: optional\n\
         Description: see every hop your bytes make through the Linux kernel\n \
         Traces a command or a process, and shows which bytes the CPU copied, which a\n \
         device moved by DMA, which only passed as references to pages, and every\n \
         switch between user and kernel mode. With guided labs, in English and\n \
         Chinese.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        let parsed = Options::parse(&["--try", "--to", "x", WINDOWS]).unwrap();
        assert!(parsed.try_it && parsed.wants(WINDOWS) && !parsed.wants(MACHINES[0].target));
        assert_eq!(parsed.to, Some("x".into()));
        assert!(Options::parse(&["--to"]).is_err());
        assert!(Options::parse(&["riscv64"]).is_err());
        assert!(Options::default().wants(WINDOWS));
    }

    #[test]
    fn a_control_file_has_no_empty_line() {
        let text = control_file("0.1.0", "amd64", 7);
        assert!(text.lines().all(|line| !line.trim().is_empty()), "{text}");
        assert!(
            text.lines().skip(9).all(|line| line.starts_with(' ')),
            "{text}"
        );
    }
}
