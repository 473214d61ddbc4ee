//! The packages in bare systems: Debian's, made by debootstrap, without Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{find, is_root, output, run};

/// Debian's releases that are tried.
const SUITES: [&str; 2] = ["bookworm", "trixie"];
const MIRROR: &str = "http://deb.debian.org/debian";

/// What must go there: a name, and a line for the system's shell.
const TRIALS: [(&str, &str); 9] = [
    ("it starts", "bytehop --version"),
    ("a recording", "bytehop demo --replay | grep -q DMA"),
    (
        "a lab by its recording",
        "bytehop lab --replay --no-tui first-hops </dev/null | grep -q 'page cache'",
    ),
    (
        "without rights one line",
        "setpriv --reuid=65534 --regid=65534 --clear-groups env bytehop run -- true 2>&1 | grep -q 'tracing needs'",
    ),
    (
        "a manual page",
        "man --warnings bytehop-run 2>/tmp/man.log | grep -q 'EXIT STATUS' && test ! -s /tmp/man.log",
    ),
    (
        "a page for each verb",
        "for v in run attach stat top record view report annotate advise diff doctor lab setup demo; do test -e /usr/share/man/man1/bytehop-$v.1.gz || exit 1; done",
    ),
    (
        "a completion",
        "bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader bytehop; COMP_WORDS=(bytehop r); COMP_CWORD=1; _bytehop bytehop r bytehop; [[ \" ${COMPREPLY[*]} \" == *\" run \"* ]]'",
    ),
    (
        "libraries of the labs",
        "test -e /usr/share/bytehop/vendor/nix-*/Cargo.toml",
    ),
    (
        "it can be removed",
        "dpkg -r bytehop >/dev/null && ! command -v bytehop",
    ),
];

/// Installs the package for this machine in each system, and tries it.
///
/// # Errors
/// If a system cannot be made, or something does not go there. What is missing to try it is said.
pub fn try_packages(packages: &Path) -> Result<()> {
    let needed = ["debootstrap", "chroot", "unshare", "dpkg"];
    if let Some(missing) = needed.iter().find(|name| find(name).is_none()) {
        println!("NOT RUN: the packages in bare systems ({missing} is not installed)");
        return Ok(());
    }
    if !is_root() {
        println!("NOT RUN: the packages in bare systems (that takes root)");
        return Ok(());
    }
    let arch = output(Command::new("dpkg").arg("--print-architecture"))?;
    let ending = format!("_{arch}.deb");
    let names = fs::read_dir(packages)?.flatten().map(|entry| entry.path());
    let mut found = names.filter(|path| path.to_string_lossy().ends_with(&ending));
    let package = found
        .next()
        .with_context(|| format!("no package for {arch}"))?;
    let mut failed = Vec::new();
    for suite in SUITES {
        let system = System::new(suite)?;
        fs::copy(&package, system.0.join("tmp/bytehop.deb"))?;
        run(&mut system.sh("dpkg -i /tmp/bytehop.deb >/dev/null"))?;
        for (what, line) in TRIALS {
            let good = system
                .sh(line)
                .status()
                .is_ok_and(|status| status.success());
            println!("{suite}: {what}: {}", if good { "yes" } else { "NO" });
            if !good {
                failed.push(format!("{suite}: {what}"));
            }
        }
    }
    match failed.as_slice() {
        [] => Ok(()),
        failed => bail!("the package does not go everywhere: {}", failed.join(", ")),
    }
}

/// A bare system, made anew from a copy that is kept.
struct System(PathBuf);

impl System {
    fn new(suite: &str) -> Result<Self> {
        let home = std::env::var_os("HOME").unwrap_or_else(|| "/root".into());
        let cache = Path::new(&home).join(".cache/bytehop");
        fs::create_dir_all(&cache)?;
        let kept = cache.join(format!("{suite}.tar"));
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
            make.args(["--variant=minbase", "--include=man-db,bash-completion"]);
            run(make.arg(suite).arg(&this.0).arg(MIRROR))?;
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

    fn sh(&self, line: &str) -> Command {
        // What is mounted is gone with the shell.
        const IN: &str = "mount -t proc proc \"$0/proc\" && exec chroot \"$0\" sh -c \"$1\"";
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
