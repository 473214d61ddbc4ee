//! `cargo xtask vm`: runs a command inside stock kernels that are not this machine's.
//!
//! A machine is emulated (KVM is not needed) with disks of several kinds and a network card; its root
//! is the host's, over 9p with a tmpfs overlay, so that programs built here run there as they are.
//! Times inside it mean nothing; counts and bytes do.

mod bounce;
mod disks;
mod initramfs;
mod kernels;
mod labs;
mod machine;
mod matrix;
mod oracle;
mod table;

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use self::kernels::{Cpu, KERNELS, Kernel};
use self::machine::Machine;
use self::oracle::{Column, Programs};
use crate::workspace;

#[derive(Debug)]
pub struct Options {
    cpu: Cpu,
    kernels: Vec<&'static Kernel>,
    command: Vec<String>,
    limit: Duration,
    update: bool,
    kvm: bool,
    /// Words more on the kernel's command line.
    boot: String,
    /// `doctor --verify` only, or the oracle tests only.
    paths: bool,
    tests: bool,
    /// Every test on every disk.
    all: bool,
    /// The guided labs only.
    labs: bool,
    /// Tests run on each disk and at each level that they are meant for, and their results are kept: always,
    /// but for [`Self::only`] without `--tests`.
    each: bool,
    /// Only tests with one of these words in their name, or labs of these names.
    only: Option<String>,
    /// How many machines share the labs.
    machines: Option<usize>,
    /// Put the table into the documents.
    doc: bool,
    /// Run nothing: the results of the last run of each kernel.
    last: bool,
}

impl Options {
    /// # Errors
    /// On an option or a kernel that is not in the usage text.
    pub fn parse(args: &[&str]) -> Result<Self> {
        let mut options = Options {
            cpu: Cpu::X86_64,
            kernels: Vec::new(),
            command: Vec::new(),
            limit: Duration::from_secs(900),
            update: false,
            kvm: false,
            boot: String::new(),
            paths: true,
            tests: true,
            all: false,
            each: false,
            labs: false,
            only: None,
            machines: None,
            doc: false,
            last: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match *arg {
                "--arch" => {
                    let wanted = args.next().context("--arch ARCHITECTURE")?;
                    let found = Cpu::ALL.into_iter().find(|cpu| cpu.name() == *wanted);
                    options.cpu = found.with_context(|| format!("no machine of {wanted}"))?;
                }
                "--update" => options.update = true,
                "--paths" => options.tests = false,
                "--tests" => (options.paths, options.each) = (false, true),
                "--all" => options.all = true,
                "--labs" => options.labs = true,
                "--only" => {
                    options.paths = false;
                    options.only = args.next().map(|word| (*word).to_owned());
                }
                "--machines" => {
                    let number = args.next().and_then(|word| word.parse().ok());
                    options.machines = Some(number.context("--machines NUMBER")?);
                }
                "--doc" => options.doc = true,
                "--last" => options.last = true,
                "--kvm" => options.kvm = true,
                "--boot" => {
                    let words = args.next().context("--boot WORDS")?;
                    options.boot = (*words).to_owned();
                }
                "--limit" => {
                    let seconds = args.next().and_then(|word| word.parse().ok());
                    options.limit = Duration::from_secs(seconds.context("--limit SECONDS")?);
                }
                "--" => options.command = args.by_ref().map(|word| (*word).to_owned()).collect(),
                name => match KERNELS.iter().find(|kernel| kernel.name == name) {
                    Some(kernel) => options.kernels.push(kernel),
                    None => bail!("no such option or kernel of `vm`: {name}"),
                },
            }
        }
        options.each |= options.all || options.only.is_none();
        if options.cpu != Cpu::X86_64 {
            if options.labs || options.all || !options.paths && options.command.is_empty() {
                bail!("a machine of another processor runs paths, or a command");
            }
            options.tests = false;
        }
        if let Some(none) = options.kernels.iter().find(|k| !k.is_for(options.cpu)) {
            bail!("Debian has no {} for {}", none.name, options.cpu.name());
        }
        if options.kernels.is_empty() {
            options.kernels.extend(KERNELS);
            options.kernels.retain(|kernel| kernel.is_for(options.cpu));
        }
        Ok(options)
    }
}

/// Runs the command in each kernel, one after the other.
///
/// # Errors
/// If a machine can't be had.
pub fn vm(options: &Options) -> Result<ExitCode> {
    let cache = cache()?;
    let workspace = workspace();
    let tests = options.command.is_empty() && !options.labs;
    let cpu = options.cpu;
    let mut bounced = None;
    // A machine of another processor has nothing of the host's but this.
    let mut bytehop = PathBuf::new();
    let jobs = if options.last {
        Vec::new()
    } else if options.labs {
        labs::jobs(&workspace, options.only.as_deref(), options.machines)?
    } else if tests {
        let programs = Programs::build(&workspace, cpu, options.tests)?;
        bounced = options
            .paths
            .then(|| bounce::job(cpu, programs.bytehop(cpu)));
        let only = options.only.as_deref();
        bytehop = programs.file().to_owned();
        vec![programs.job(cpu, options.paths, options.all, options.each, only)]
    } else {
        if cpu != Cpu::X86_64 {
            bytehop = Programs::build(&workspace, cpu, false)?.file().to_owned();
        }
        let words: Vec<String> = options.command.iter().map(|word| quoted(word)).collect();
        vec![words.join(" ")]
    };
    let here = quoted(&workspace.display().to_string());
    let script = |job: &String| match cpu {
        Cpu::X86_64 => format!("cd {here}\n{job}\n"),
        Cpu::Aarch64 => format!("{job}\n"),
    };
    let jobs: Vec<String> = jobs.iter().map(script).collect();
    let results = |cpu: Cpu, name: &str| cache.join("results").join(cpu.folder(name));
    let folder = cache.join(if tests { "tests" } else { "jobs" });
    if !options.last {
        // Before machines that start at the same time would both make them.
        let _one = one_at_a_time();
        disks::arguments(cpu, &cache)?;
    }
    let mut failed = false;
    for kernel in options.kernels.iter().filter(|_| !options.last) {
        let name = cpu.folder(kernel.name);
        let to = results(cpu, kernel.name);
        let kernel = {
            let _one = one_at_a_time();
            kernel.unpacked(cpu, &cache, options.update)?
        };
        println!("== {name} ({})", kernel.release);
        let machine = |i: usize| Machine {
            cache: &cache,
            kernel: &kernel,
            folder: match jobs.len() {
                1 => folder.join(&name),
                _ => folder.join(format!("{name}-{i}")),
            },
            limit: options.limit,
            kvm: options.kvm,
            boot: &options.boot,
            bytehop: &bytehop,
        };
        failed |= !all_pass(&jobs, machine)?;
        if let Some(bounced) = &bounced {
            failed |= bounce::run(&machine(0), &script(bounced))?;
        }
        if tests && options.each {
            let from = machine(0).folder;
            let some = options.only.is_some();
            oracle::keep(&from, &to, options.paths, options.tests, some)?;
        }
    }
    if tests {
        // With the kernels that ran another time.
        let all = KERNELS.iter().map(|kernel| results(cpu, kernel.name));
        let columns: Vec<Column> = all.filter_map(|folder| Column::read(&folder)).collect();
        println!("\n{}", table::text(&columns));
        let ran = |column: &&Column| {
            let kernels = options.kernels.iter();
            kernels
                .clone()
                .any(|kernel| kernel.is(cpu, &column.release))
        };
        if options.paths {
            failed |= columns.iter().filter(ran).any(|c| c.paths.wrong() > 0);
        }
        if options.doc {
            table::document(&workspace, cpu, &columns)?;
        }
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Runs each job in a machine of its own, at the same time; whether all end well.
fn all_pass<'a>(jobs: &[String], machine: impl Fn(usize) -> Machine<'a>) -> Result<bool> {
    let machines: Vec<_> = (0..jobs.len()).map(machine).collect();
    std::thread::scope(|scope| {
        let runs = machines.iter().zip(jobs);
        let runs: Vec<_> = runs
            .map(|(machine, job)| scope.spawn(|| machine.run(job)))
            .collect();
        let mut pass = true;
        for run in runs {
            let ended = run
                .join()
                .map_err(|_| anyhow!("a machine's thread panicked"))?;
            pass &= ended? == Some(0);
        }
        Ok(pass)
    })
}

/// Held while what machines share is made.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static MAKING: Mutex<()> = Mutex::new(());
    MAKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where kernels, images and the results of jobs are kept: never in the source tree.
fn cache() -> Result<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(home)
        .context("neither XDG_CACHE_HOME nor HOME is set")?;
    let cache = base.join("bytehop/vm");
    std::fs::create_dir_all(&cache).with_context(|| cache.display().to_string())?;
    Ok(cache)
}

/// A line of a Markdown table.
fn row(text: &mut String, cells: impl IntoIterator<Item = String>) {
    for cell in cells {
        // Writing to a string cannot fail.
        let _ = write!(text, "| {cell} ");
    }
    text.push_str("|\n");
}

/// A word for `sh`.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
