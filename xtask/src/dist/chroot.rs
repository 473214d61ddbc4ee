//! The packages in bare systems: Debian's, made by debootstrap, without Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::WINDOWS;
use crate::command::{find, is_root, output, run};

const MIRROR: &str = "http://deb.debian.org/debian";
/// What a trial needs beside the system's least: `try.sh` runs it.
const PACKAGES: &str = "man-db,bash-completion,gcc,libc6-dev,zsh,fish";
const SCRIPT: &str = include_str!("try.sh");
/// Of the lab that `try.sh` goes through.
const SOLUTION: &str = "labs/first-hops/solution/copy.c";

/// Debian's releases that are tried.
const SUITES: [&str; 2] = ["bookworm", "trixie"];
/// Where the viewer for Windows is tried, and packages more.
const WINE: (&str, &str) = ("bookworm", ",wine64");

/// What it must say under wine as it does on Linux, byte for byte: text, data, labs.
const VIEWED: [&str; 9] = [
    "report demo.bhop",
    "report --lang zh demo.bhop",
    "report --json demo.bhop",
    "report --format jsonl demo.bhop",
    "annotate source.bhop",
    "advise demo.bhop",
    "diff demo.bhop source.bhop",
    "lab list",
    "lab --replay --no-tui first-hops",
];
/// Recordings for that, of the repository.
const RECORDINGS: [&str; 2] = [
    "labs/recordings/demo.bhop",
    "tui/tests/recordings/source.bhop",
];

/// Installs the packages in each system, and tries them; where something does not go. What is missing to try it
/// is said.
///
/// # Errors
/// If a system cannot be made.
pub fn try_packages(packages: &Path, workspace: &Path) -> Result<Vec<&'static str>> {
    let needed = ["debootstrap", "chroot", "unshare", "dpkg"];
    if let Some(missing) = needed.iter().find(|name| find(name).is_none()) {
        println!("NOT RUN: the packages in bare systems ({missing} is not installed)");
        return Ok(Vec::new());
    }
    if !is_root() {
        println!("NOT RUN: the packages in bare systems (that takes root)");
        return Ok(Vec::new());
    }
    let arch = output(Command::new("dpkg").arg("--print-architecture"))?;
    let package = made(packages, &format!("_{arch}.deb"));
    let package = package.with_context(|| format!("no package for {arch}"))?;
    let mut failed = Vec::new();
    for suite in SUITES {
        let system = System::new(suite, &arch, "")?;
        system.bring(&package)?;
        fs::copy(workspace.join(SOLUTION), system.tmp("solution.c"))?;
        fs::write(system.tmp("try.sh"), SCRIPT)?;
        if run(&mut system.sh(&format!("sh /tmp/try.sh {suite}"))).is_err() {
            failed.push(suite);
        }
    }
    match made(packages, &format!("{WINDOWS}.exe")) {
        Some(viewer) if arch == "amd64" => {
            if !viewer_goes(&viewer, &package, workspace, &arch)? {
                failed.push("wine");
            }
        }
        Some(_) => println!("NOT RUN: the viewer under wine (this machine is {arch}, not amd64)"),
        None => println!("NOT RUN: the viewer under wine (it was not made here)"),
    }
    Ok(failed)
}

/// The file there that ends so.
fn made(packages: &Path, ending: &str) -> Option<PathBuf> {
    let names = fs::read_dir(packages).ok()?.flatten();
    let mut paths = names.map(|entry| entry.path());
    paths.find(|path| path.to_string_lossy().ends_with(ending))
}

/// Whether the viewer says under Debian's wine what bytehop says on Linux.
fn viewer_goes(viewer: &Path, package: &Path, workspace: &Path, arch: &str) -> Result<bool> {
    let (suite, more) = WINE;
    let system = System::new(suite, arch, more)?;
    system.bring(package)?;
    fs::copy(viewer, system.tmp("bytehop.exe"))?;
    for recording in RECORDINGS {
        let from = workspace.join(recording);
        let name = from.file_name().unwrap_or_default();
        fs::copy(&from, system.tmp(&name.to_string_lossy()))?;
    }
    run(&mut system.sh("dpkg -i /tmp/*.deb >/dev/null"))?;
    let mut good = true;
    for line in VIEWED {
        let mut compared = system.sh(&format!(
            "cd /tmp; export WINEDEBUG=-all COLUMNS=100 BYTEHOP_LANG=en HOME=/root
             bytehop {line} </dev/null >linux.txt || exit 1
             /usr/lib/wine/wine64 bytehop.exe {line} </dev/null 2>wine.err | tr -d '\\r' >windows.txt
             test -s linux.txt && diff linux.txt windows.txt >differ.txt || {{ head -n 20 differ.txt wine.err; exit 1; }}"
        ));
        let same = compared.status().is_ok_and(|status| status.success());
        println!("wine: {line}: {}", if same { "yes" } else { "NO" });
        good &= same;
    }
    Ok(good)
}

/// Where systems are kept.
fn cache() -> Result<PathBuf> {
    let home = std::env::var_os("HOME").unwrap_or_else(|| "/root".into());
    let cache = Path::new(&home).join(".cache/bytehop");
    fs::create_dir_all(&cache)?;
    Ok(cache)
}

/// A bare system, made anew from a copy that is kept.
struct System(PathBuf);

impl System {
    /// `more`: packages, each after a comma.
    fn new(suite: &str, arch: &str, more: &str) -> Result<Self> {
        let cache = cache()?;
        let kept = cache.join(format!("{suite}-{arch}{}.tar", more.replace(',', "-")));
        let root = cache.join(format!("{suite}.try-{}", std::process::id()));
        let this = Self(root);
        if kept.is_file() {
            fs::create_dir_all(&this.0)?;
            run(Command::new("tar")
                .arg("xpf")
                .arg(&kept)
                .arg("-C")
                .arg(&this.0))?;
        } else {
            let mut make = Command::new("debootstrap");
            make.arg("--variant=minbase");
            make.arg(format!("--include={PACKAGES}{more}"));
            run(make.arg(suite).arg(&this.0).arg(MIRROR))?;
            run(&mut this.sh("apt-get clean"))?;
            let new = kept.with_extension("new");
            run(Command::new("tar")
                .arg("cpf")
                .arg(&new)
                .arg("-C")
                .arg(&this.0)
                .arg("."))?;
            fs::rename(&new, &kept)?;
        }
        // Images for containers leave manual pages out; debootstrap does not.
        Ok(this)
    }

    fn tmp(&self, name: &str) -> PathBuf {
        self.0.join("tmp").join(name)
    }

    /// Puts the package there, under its own name.
    fn bring(&self, package: &Path) -> Result<()> {
        let name = package.file_name().unwrap_or_default();
        fs::copy(package, self.tmp(&name.to_string_lossy()))?;
        Ok(())
    }

    fn sh(&self, line: &str) -> Command {
        // What is mounted is gone with the shell.
        const IN: &str = "for dir in dev sys; do mount --rbind /$dir \"$0/$dir\" || exit; done
            mount -t proc proc \"$0/proc\" && exec chroot \"$0\" sh -c \"$1\"";
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", IN])
            .arg(&self.0)
            .arg(line);
        command.env_clear();
        command.env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        );
        command
            .env("HOME", "/root")
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "dumb");
        command
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
