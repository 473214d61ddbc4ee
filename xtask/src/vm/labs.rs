//! The guided labs as jobs for machines, one for each processor: emulated, a machine uses no more.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use super::oracle::executables;
use super::quoted;
use crate::command::{cargo, output};

const TEST: &str = "every_lab_end_to_end";
/// The same in C, if this is set: it doubles the time.
const TEST_C: &str = "labs_end_to_end_in_c";
const IN_C: &str = "BYTEHOP_LABS_C";
const ONLY: &str = "BYTEHOP_LABS";
/// More machines have too little memory, and the longest lab is a machine's work in any case.
const MACHINES: usize = 4;

/// The scripts that run all labs, or those that are named here or by `BYTEHOP_LABS`, each its share of them: as many
/// as there are processors, if no number is given.
///
/// The labs' programs are built here: there is no cargo in the machines.
///
/// # Errors
/// If something does not compile.
pub fn jobs(workspace: &Path, only: Option<&str>, machines: Option<usize>) -> Result<Vec<String>> {
    let build = ["test", "--no-run", "--package", "bytehop", "--test", "labs"];
    let made = executables(cargo(workspace).args(build))?;
    let built = |name: &str| {
        let found = made.iter().find(|(target, _)| target == name);
        let path = found.map(|(_, path)| path.as_path());
        path.ok_or_else(|| anyhow!("cargo built no {name}"))
    };
    let (bytehop, test) = (built("bytehop")?, built("labs")?);
    let in_c = std::env::var_os(IN_C).is_some();
    let tests = match in_c {
        true => format!("{TEST} {TEST_C}"),
        false => TEST.to_owned(),
    };
    let said = output(
        Command::new(test)
            .args(["--ignored", "--exact", "--nocapture"])
            .args(tests.split(' '))
            .env("BYTEHOP_LABS_BUILD", "1"),
    )?;
    let work = said.lines().find_map(|line| line.strip_prefix("built in "));
    let work = Path::new(work.context("the test did not say where the programs are")?);
    let staged = workspace.join("target/vm/labs");
    stage(&staged, [(bytehop, "bytehop"), (test, "labs")], work)?;

    let chosen = match only {
        Some(ids) => ids.to_owned(),
        None => std::env::var(ONLY).unwrap_or_default(),
    };
    let ids: Vec<String> = match chosen.is_empty() {
        true => all(workspace)?,
        false => chosen.split(',').map(str::to_owned).collect(),
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let machines = machines.unwrap_or(processors).clamp(1, MACHINES);
    let machines = machines.min(ids.len());
    let share = |first: usize| {
        let ids = ids.iter().skip(first).step_by(machines);
        ids.map(String::as_str).collect::<Vec<_>>().join(",")
    };
    let script = |ids: String| {
        let word = |path: &Path| quoted(&path.display().to_string());
        format!(
            // Taking hundreds of probes off waits as often for all processors. What a program wrote is not to come to
            // the disk in the seconds that it takes here: the kernel's own 30 s, and too few dirty pages to begin.
            "echo 1 >/sys/kernel/rcu_expedited\n\
             echo 3000 >/proc/sys/vm/dirty_expire_centisecs\n\
             cp -a {staged} /vm/virtio-ext4/labs\n\
             sync\n\
             mount --bind /vm/virtio-ext4/labs/bytehop {bytehop}\n\
             mount --bind /vm/virtio-ext4/labs/work {work}\n\
             export {ONLY}={ids} BYTEHOP_LABS_DISK=/vm/nvme-ext4 BYTEHOP_LABS_LEVEL=B {IN_C}=all\n\
             export BYTEHOP_NOT_RUN=/vm/job/not-run-labs\n\
             touch $BYTEHOP_NOT_RUN\n\
             /vm/virtio-ext4/labs/labs --ignored --nocapture --exact {tests}\n\
             status=$?; cat $BYTEHOP_NOT_RUN; exit $status\n",
            staged = word(&staged),
            bytehop = word(bytehop),
            work = word(work),
            ids = quoted(&ids),
        )
    };
    Ok((0..machines).map(share).map(script).collect())
}

/// Where the labs' programs are built.
const BUILT: [&str; 2] = ["target/debug", "target/c"];

/// The ids of all labs.
fn all(workspace: &Path) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(workspace.join("labs"))? {
        let path = entry?.path();
        if path.join("lab.toml").is_file() {
            let name = path.file_name().unwrap_or_default();
            ids.push(name.to_string_lossy().into_owned());
        }
    }
    ids.sort();
    Ok(ids)
}

/// Copies what a machine needs, so that the next build does not change it, and without what only
/// debuggers read: over 9p, size is time.
fn stage(to: &Path, built: [(&Path, &str); 2], work: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    for folder in BUILT {
        fs::create_dir_all(to.join("work").join(folder))?;
    }
    for (from, name) in built {
        strip(from, &to.join(name))?;
    }
    let copied = to.join("work");
    for entry in fs::read_dir(work)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name != "target") {
            // Times are kept: by them the test sees that nothing is to be built.
            output(Command::new("cp").arg("-a").arg(path).arg(&copied))?;
        }
    }
    for folder in BUILT.iter().map(|folder| work.join(folder)) {
        if !folder.is_dir() {
            continue;
        }
        for path in programs(&folder)? {
            strip(&path, &copied.join(path.strip_prefix(work)?))?;
        }
    }
    for folder in fs::read_dir(work.join("target/given"))? {
        let folder = folder?.path();
        fs::create_dir_all(copied.join(folder.strip_prefix(work)?))?;
        for path in programs(&folder)? {
            strip(&path, &copied.join(path.strip_prefix(work)?))?;
        }
    }
    Ok(())
}

/// The executables of a folder, not of those below it.
fn programs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Beside each is a `.d` that says what it was made from.
        let is_hidden = || {
            path.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with('.'))
        };
        if path.is_file() && path.extension().is_none() && !is_hidden() {
            found.push(path);
        }
    }
    Ok(found)
}

fn strip(from: &Path, to: &Path) -> Result<()> {
    output(Command::new("strip").arg("-g").arg(from).arg("-o").arg(to))?;
    Ok(())
}
