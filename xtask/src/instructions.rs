//! `cargo xtask instructions`: how many instructions reading and writing a recording take, beside what it was when that was
//! last agreed upon.
//!
//! Valgrind counts them, so that neither the machine nor what else it does has a say: a count that grows
//! is a change of the code. They are of the compiler that the table names; another one's are not compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, find, output, run, target_dir};
use crate::workspace;

/// What was agreed upon, a line each: a name and a count.
const TABLE: &str = "core/examples/offline.counts";
/// Calls of the recording that is made for it.
const CALLS: &str = "20000";
/// A recording of many kinds of calls.
const MIXED: &str = "labs/modes/recordings/one-byte.bhop";
/// Growth that fails, in percent.
const MOST: u64 = 5;

/// What is counted: its name in the table, what `offline` does, and whether with the recording of [`CALLS`] alike
/// or with the [`MIXED`] one.
const ROWS: [(&str, &str, bool); 8] = [
    ("read", "read", true),
    ("write", "write", true),
    ("decode", "decode", true),
    ("reconstruct", "reconstruct", true),
    ("jsonl", "jsonl", true),
    ("write-mixed", "write", false),
    ("reconstruct-mixed", "reconstruct", false),
    ("jsonl-mixed", "jsonl", false),
];

/// What a comparison showed.
pub enum Proof {
    Same(String),
    NotRun(String),
}

/// Counts, and writes the table.
///
/// # Errors
/// If there is no valgrind, or the example cannot be built or fails.
pub fn agree() -> Result<()> {
    let workspace = workspace();
    let mut table = format!("{}\n", compiler()?);
    for (name, count) in count(&workspace)? {
        println!("{name:<20} {count:>14}");
        table += &format!("{name} {count}\n");
    }
    let path = workspace.join(TABLE);
    fs::write(&path, table).with_context(|| path.display().to_string())
}

/// Counts, and compares with the table.
///
/// # Errors
/// If a count has grown by more than [`MOST`] percent, or cannot be had.
pub fn check() -> Result<Proof> {
    let workspace = workspace();
    if find("valgrind").is_none() {
        return Ok(Proof::NotRun("there is no valgrind".to_owned()));
    }
    let path = workspace.join(TABLE);
    let table = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let (then, rows) = table.split_once('\n').context("an empty table")?;
    let now = compiler()?;
    if then != now {
        let why = format!("the counts are of {then}, here is {now}");
        return Ok(Proof::NotRun(why));
    }
    let mut grown = Vec::new();
    for (name, count) in count(&workspace)? {
        let was = rows.lines().find_map(|row| {
            let (row, was) = row.split_once(' ')?;
            (row == name).then(|| was.parse::<u64>().ok())?
        });
        let was = was.with_context(|| format!("{TABLE} has no row {name}"))?;
        let percent = (count as f64 / was as f64 - 1.0) * 100.0;
        println!("{name:<20} {count:>14}  {percent:+.1} %");
        if count * 100 > was * (100 + MOST) {
            grown.push(name);
        }
    }
    if !grown.is_empty() {
        bail!(
            "more than {MOST} % more instructions than agreed upon: {} (where it is worth it: cargo xtask instructions --agree)",
            grown.join(", ")
        );
    }
    Ok(Proof::Same(format!(
        "no more than {MOST} % above the agreed counts"
    )))
}

fn compiler() -> Result<String> {
    let version = output(Command::new("rustc").arg("--version"))?;
    Ok(format!("{version} {}", std::env::consts::ARCH))
}

fn count(workspace: &Path) -> Result<Vec<(&'static str, u64)>> {
    run(cargo(workspace).args([
        "build",
        "--quiet",
        "--package",
        "bytehop-core",
        "--example",
        "offline",
    ]))?;
    let folder = target_dir(workspace).join("debug/examples");
    let offline = folder.join("offline");
    let alike = folder.join("alike.bhop");
    run(Command::new(&offline)
        .args(["make-calls", CALLS])
        .arg(&alike))?;
    let mixed = workspace.join(MIXED);
    let rows = ROWS.map(|(name, what, is_alike)| {
        let file = if is_alike { &alike } else { &mixed };
        Ok((name, instructions(&offline, what, file)?))
    });
    rows.into_iter().collect()
}

fn instructions(offline: &PathBuf, what: &str, file: &Path) -> Result<u64> {
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(offline)
        .arg(what)
        .arg(file)
        .output()
        .context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&ran.stderr);
    let count = said.lines().find_map(|line| {
        let (_, count) = line.split_once("Collected : ")?;
        count.trim().parse().ok()
    });
    match count {
        Some(count) if ran.status.success() => Ok(count),
        _ => bail!("valgrind counted nothing of `offline {what}`: {said}"),
    }
}
