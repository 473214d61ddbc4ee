//! The oracle tests (`tests/oracle`) as a job for a machine, and what came out as a table.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use super::matrix::{self, Paths};
use super::{disks, quoted};
use crate::command::{cargo, output};

/// Tests of what depends on the kernel; the others (isolation, exit statuses, recordings, …) run with
/// `--all`.
const PATHS: &str = "accounting:: breakpoints:: files:: memory:: sockets::";
const ON_OTHER_DISKS: &str = "files::";

/// Which tests run on which disk: `(disk, filters)`.
fn passes(all: bool) -> Vec<(String, &'static str)> {
    let first = "nvme-ext4";
    let tests = if all { "" } else { PATHS };
    let others = disks::labels().filter(|disk| match all {
        true => disk != first,
        false => disk != first && disks::ONCE.contains(&disk.as_str()),
    });
    std::iter::once((first.to_owned(), tests))
        .chain(others.map(|disk| (disk, ON_OTHER_DISKS)))
        .collect()
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
    pub fn build(workspace: &Path, tests: bool) -> Result<Self> {
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

    pub fn bytehop(&self) -> &Path {
        &self.bytehop
    }

    /// The script that runs every path (`paths`), and the tests if they were built.
    ///
    /// `only`: the tests with this in their name instead.
    pub fn job(&self, paths: bool, all: bool, only: Option<&str>) -> String {
        let word = |path: &Path| quoted(&path.display().to_string());
        let mut job = format!(
            "{} doctor --json >/vm/job/doctor.json\nfailed=0\n",
            word(&self.bytehop)
        );
        if paths {
            job += &matrix::job(&self.bytehop, all);
        }
        if let Some([program, fixture]) = &self.tests {
            job += &format!("export BYTEHOP_FIXTURE={}\n", word(fixture));
            // What is looked at alone is looked at on one disk, unless all are asked for.
            let disks = if only.is_some() && !all {
                1
            } else {
                usize::MAX
            };
            for (disk, filters) in passes(all).into_iter().take(disks) {
                let filters = only.unwrap_or(filters);
                job += &format!(
                    "echo 'disk {disk}'\n\
                     export BYTEHOP_TEST_DIR=/vm/{disk} BYTEHOP_NOT_RUN=/vm/job/not-run-{disk}\n\
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
    /// By `(test, disk)`.
    pub outcomes: BTreeMap<(String, String), Outcome>,
    pub paths: Paths,
}

impl Column {
    /// What the job left in its folder; nothing if it never ran.
    pub fn read(folder: &Path) -> Option<Self> {
        let release = fs::read_to_string(folder.join("release")).ok()?;
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let mut outcomes = BTreeMap::new();
        for (test, disk, passed) in results(&text("out")) {
            let not_offered = text(&format!("not-run-{disk}")).lines().any(|line| {
                let name = test.rsplit("::").next();
                line.split_once(':').map(|(name, _)| name) == name
            });
            let outcome = match passed {
                true if not_offered => Outcome::NotOffered,
                true => Outcome::Passed,
                false => Outcome::Failed,
            };
            outcomes.insert((test, disk), outcome);
        }
        Some(Self {
            release,
            doctor: serde_json::from_str(&text("doctor.json")).unwrap_or_default(),
            outcomes,
            paths: Paths::read(folder),
        })
    }
}

/// `(test, disk, passed)` from what the job printed.
fn results(out: &str) -> Vec<(String, String, bool)> {
    let mut disk = "";
    let mut results = Vec::new();
    for line in out.lines() {
        if let Some(label) = line.strip_prefix("disk ") {
            disk = label;
        }
        let Some((test, said)) = line
            .strip_prefix("test ")
            .and_then(|line| line.split_once(" ... "))
        else {
            continue;
        };
        // A test's own output may stand between.
        if said.ends_with("ok") || said.ends_with("FAILED") {
            results.push((test.to_owned(), disk.to_owned(), said.ends_with("ok")));
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::results;

    #[test]
    fn results_by_disk() {
        let out = "disk a\nrunning 2 tests\ntest x::y ... ok\ntest x::z ... FAILED\ntest x::w ... ";
        let result = |test: &str, passed| (test.to_owned(), "a".to_owned(), passed);
        assert_eq!(results(out), [result("x::y", true), result("x::z", false)]);
    }
}
