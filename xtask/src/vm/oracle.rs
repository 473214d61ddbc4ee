//! The oracle tests (`tests/oracle`) as a job for a machine, and what came out as a table.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use super::kernels::Cpu;
use super::matrix::{self, Paths};
use super::{disks, quoted};
use crate::command::{cargo, output};
use crate::targets;

/// Tests of what depends on the kernel; the others (isolation, exit statuses, recordings, …) run with
/// `--all`.
const PATHS: &str = "accounting:: breakpoints:: files:: memory:: sockets:: top::";
/// Those that say the same at every level.
const AT_EACH_LEVEL: &str = "accounting:: files:: memory:: sockets::";
const ON_OTHER_DISKS: &str = "files::";

/// In a job's folder: what it printed, and (with disk and level) tests that could not run, and why.
const OUT: &str = "out";
const NOT_RUN: &str = "not-run-";

/// The words of `only` that name tests of these modules (`a::b` is one of `a::`), or of all if there are none.
fn of(only: &str, modules: &str) -> String {
    let modules = modules.split_whitespace();
    let all = modules.clone().next().is_none();
    let words = only.split_whitespace();
    let words = words.filter(|word| all || modules.clone().any(|module| word.starts_with(module)));
    words.collect::<Vec<_>>().join(" ")
}

/// The level of tests that run at one only: what the kernel gives.
const BEST: &str = "";

/// Which tests run on which disk, at which level: `(disk, level, filters)`.
fn passes(all: bool) -> Vec<(String, &'static str, &'static str)> {
    let first = "nvme-ext4";
    let others = disks::labels().filter(|disk| match all {
        true => disk != first,
        false => disk != first && disks::ONCE.contains(&disk.as_str()),
    });
    let at = |level| (first.to_owned(), level, AT_EACH_LEVEL);
    let best = if all { "" } else { PATHS };
    let mut passes = vec![(first.to_owned(), BEST, best), at("F"), at("T")];
    passes.extend(others.map(|disk| (disk, BEST, ON_OTHER_DISKS)));
    passes
}

/// The built programs. In the profile of ordinary tests, so that nothing is built twice: loading probes
/// takes longer there than what they measure.
pub struct Programs {
    bytehop: PathBuf,
    /// The oracle tests and the fixture, if they are wanted.
    tests: Option<[PathBuf; 2]>,
}

impl Programs {
    /// # Errors
    /// If something does not compile.
    pub fn build(workspace: &Path, cpu: Cpu, tests: bool) -> Result<Self> {
        if cpu == Cpu::Aarch64 {
            return Self::build_static(workspace);
        }
        // Copies: the next build must not change what a machine is running.
        let folder = workspace.join("target/vm");
        fs::create_dir_all(&folder)?;
        let build = |args: &[&str], name: &str| {
            let built = executables(cargo(workspace).args(args))?;
            let found = built.into_iter().find(|(target, _)| target == name);
            let (_, from) = found.ok_or_else(|| anyhow!("cargo built no {name}"))?;
            let to = folder.join(name);
            fs::copy(&from, &to).with_context(|| from.display().to_string())?;
            anyhow::Ok(to)
        };
        let bytehop = build(&["build", "--bin", "bytehop"], "bytehop")?;
        let tests = match tests {
            true => Some([
                build(&["test", "--no-run", "--test", "oracle"], "oracle")?,
                build(
                    &["build", "--package", "bytehop-fixture"],
                    "bytehop-fixture",
                )?,
            ]),
            false => None,
        };
        Ok(Self { bytehop, tests })
    }

    /// A static program for a machine that has nothing of the host's.
    fn build_static(workspace: &Path) -> Result<Self> {
        println!("{}", targets::static_build(workspace)?);
        Ok(Self {
            bytehop: targets::static_program(workspace),
            tests: None,
        })
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.bytehop
    }

    /// As a machine's jobs start it.
    pub fn bytehop(&self, cpu: Cpu) -> &Path {
        match cpu {
            Cpu::X86_64 => &self.bytehop,
            Cpu::Aarch64 => Path::new("/bin/bytehop"),
        }
    }

    /// The script that runs every path (`paths`), and the tests if they were built.
    ///
    /// `only`: of the tests those with one of these words in their name; not `each`: on one disk, at one level.
    pub fn job(&self, cpu: Cpu, paths: bool, all: bool, each: bool, only: Option<&str>) -> String {
        let word = |path: &Path| quoted(&path.display().to_string());
        let bytehop = self.bytehop(cpu);
        let mut job = format!(
            "{} doctor --json >/vm/job/doctor.json\nfailed=0\n",
            word(bytehop)
        );
        if paths {
            job += &matrix::job(cpu, bytehop, all);
        }
        if let Some([program, fixture]) = &self.tests {
            job += &format!("export BYTEHOP_FIXTURE={}\n", word(fixture));
            let many = if each { usize::MAX } else { 1 };
            for (disk, level, filters) in passes(all).into_iter().take(many) {
                let filters = match only {
                    Some(only) if each => of(only, filters),
                    Some(only) => only.to_owned(),
                    None => filters.to_owned(),
                };
                if only.is_some() && filters.is_empty() {
                    continue;
                }
                let export = match level {
                    BEST => "unset BYTEHOP_TEST_LEVEL".to_owned(),
                    level => format!("export BYTEHOP_TEST_LEVEL={level}"),
                };
                job += &format!(
                    "echo 'disk {disk} {level}'\n{export}\n\
                     export BYTEHOP_TEST_DIR=/vm/{disk} BYTEHOP_NOT_RUN=/vm/job/{NOT_RUN}{disk}{level}\n\
                     : >$BYTEHOP_NOT_RUN\n\
                     {} --ignored --test-threads=1 {filters} || failed=1\n",
                    word(program)
                );
            }
        }
        job + "exit $failed\n"
    }
}

/// Runs cargo; the names and paths of the programs that it made.
pub fn executables(cargo: &mut Command) -> Result<Vec<(String, PathBuf)>> {
    let messages = output(cargo.args(["--quiet", "--message-format", "json"]))?;
    let programs = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let path = message["executable"].as_str()?;
        Some((message["target"]["name"].as_str()?.to_owned(), path.into()))
    });
    Ok(programs.collect())
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed,
    /// The kernel has no means for it.
    NotOffered,
    /// The machine ended before it.
    NotRun,
}

impl Outcome {
    pub fn sign(self) -> &'static str {
        match self {
            Self::Passed => "✓",
            Self::Failed => "✗",
            Self::NotOffered => "–",
            Self::NotRun => "?",
        }
    }
}

/// What ran in one kernel.
pub struct Column {
    /// As `uname -r` says.
    pub release: String,
    /// What `bytehop doctor --json` said.
    pub doctor: Value,
    /// By test, disk, level (empty: the best of the kernel).
    pub outcomes: BTreeMap<[String; 3], Outcome>,
    pub paths: Paths,
}

/// Keeps what the job left in its folder `from`, beside what the other kind of job left before.
///
/// `some`: only some tests ran, and the others' last results stay.
///
/// # Errors
/// If a file can't be copied.
pub fn keep(from: &Path, to: &Path, paths: bool, tests: bool, some: bool) -> Result<()> {
    fs::create_dir_all(to)?;
    if some {
        return add(from, to);
    }
    let wanted = |name: &str| match name {
        "release" | "doctor.json" => true,
        matrix::FILE => paths,
        OUT => tests,
        name => tests && name.starts_with(NOT_RUN),
    };
    for folder in [to, from] {
        for file in fs::read_dir(folder)? {
            let file = file?;
            if !file.file_name().to_str().is_some_and(wanted) {
                continue;
            }
            match folder == to {
                true => fs::remove_file(file.path())?,
                false => drop(fs::copy(file.path(), to.join(file.file_name()))?),
            }
        }
    }
    Ok(())
}

/// Puts results of tests behind those that are there: of each test the last counts.
fn add(from: &Path, to: &Path) -> Result<()> {
    for file in fs::read_dir(from)? {
        let file = file?;
        let name = file.file_name();
        if name == OUT || name.to_str().is_some_and(|name| name.starts_with(NOT_RUN)) {
            let mut known = File::options()
                .append(true)
                .create(true)
                .open(to.join(name))?;
            io::copy(&mut File::open(file.path())?, &mut known)?;
        }
    }
    Ok(())
}

impl Column {
    /// What was kept of a kernel; nothing if it never ran.
    pub fn read(folder: &Path) -> Option<Self> {
        let release = fs::read_to_string(folder.join("release")).ok()?;
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let mut outcomes = BTreeMap::new();
        for ([test, disk, level], passed) in results(&text(OUT)) {
            let not_offered = text(&format!("{NOT_RUN}{disk}{level}"))
                .lines()
                .any(|line| {
                    let name = test.rsplit("::").next();
                    line.split_once(':').map(|(name, _)| name) == name
                });
            let outcome = match passed {
                true if not_offered => Outcome::NotOffered,
                true => Outcome::Passed,
                false => Outcome::Failed,
            };
            outcomes.insert([test, disk, level], outcome);
        }
        Some(Self {
            release,
            doctor: serde_json::from_str(&text("doctor.json")).unwrap_or_default(),
            outcomes,
            paths: Paths::read(folder),
        })
    }
}

/// `([test, disk, level], passed)` from what the job printed.
fn results(out: &str) -> Vec<([String; 3], bool)> {
    let (mut disk, mut level) = ("", BEST);
    let mut results = Vec::new();
    for line in out.lines() {
        if let Some(pass) = line.strip_prefix("disk ") {
            (disk, level) = pass.split_once(' ').unwrap_or((pass, BEST));
        }
        let Some((test, said)) = line
            .strip_prefix("test ")
            .and_then(|line| line.split_once(" ... "))
        else {
            continue;
        };
        // A test's own output may stand between.
        if said.ends_with("ok") || said.ends_with("FAILED") {
            let key = [test, disk, level].map(str::to_owned);
            results.push((key, said.ends_with("ok")));
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::results;

    #[test]
    fn results_by_disk_and_level() {
        let out = "disk a \nrunning 2 tests\ntest x::y ... ok\ntest x::z ... FAILED\n\
                   disk a F\ntest x::y ... ok\ntest x::w ... ";
        let result = |test: &str, level: &str, passed| {
            let key = [test, "a", level].map(str::to_owned);
            (key, passed)
        };
        let expected = [
            result("x::y", "", true),
            result("x::z", "", false),
            result("x::y", "F", true),
        ];
        assert_eq!(results(out), expected);
    }
}
