//! `bytehop doctor --verify`: traces small programs over every path at each level, and compares.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytehop_core::event::Only;
use tempfile::TempDir;
use tracer::caps::{self, Level, Tried};
use tracer::user::Identity;
use verify::judge::Judge;
use verify::report::{self, Run};
use verify::scene::Done;

use crate::cli;
use crate::fail::{FAILED, Fail, NOT_ALLOWED, Trouble, USAGE};
use crate::output::{print, style};
use crate::resolve::Look;
use crate::show::summarise;

pub fn verify(args: &cli::Doctor) -> Result<i32, Fail> {
    let look = Look::from(args.style).telling(args.amount);
    let facts = caps::facts();
    let plan = caps::plan(&facts);
    if plan.level.is_none() {
        return Err(Fail::new(NOT_ALLOWED, Trouble::Untraceable));
    }
    if let Some(name) = args.only.iter().find(|name| !verify::drive::known(name)) {
        return Err(Fail::new(USAGE, Trouble::NoPath(name.clone())));
    }
    let identity = Identity::invoking()?;
    // Folders of the user's own: the programs run as the user.
    let own = |dir: &PathBuf| {
        let made = identity.with_file_rights(|| {
            tempfile::Builder::new()
                .prefix("bytehop-verify-")
                .tempdir_in(dir)
        });
        made.map_err(|e| Fail::new(USAGE, Trouble::WriteIn(dir.clone(), e)))
    };
    let folders: Vec<TempDir> = args.dir.iter().map(own).collect::<Result<_, _>>()?;
    let only = args.level.map(Level::from);
    let wanted = |level: &str| only.is_none_or(|only| only.as_str() == level);
    let mut runs = Vec::new();
    if wanted("T") {
        runs.push(trace(Level::T, &folders, args)?);
    }
    for (level, tried) in &plan.above {
        if !wanted(level.as_str()) {
            continue;
        }
        runs.push(match tried {
            Tried::Yes => trace(*level, &folders, args)?,
            Tried::No(why) | Tried::Untried(why) => {
                let lang = style(look, &io::stdout()).lang;
                Run::refused(level.as_str(), tracer::doctor::reason(why, lang))
            }
        });
    }
    let text = match args.json {
        true => {
            let value = report::json(&facts.kernel, &runs);
            serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
        }
        false => report::text(&facts.kernel, &runs, &style(look, &io::stdout())),
    };
    print(&text)?;
    Ok(i32::from(runs.iter().any(Run::wrong)))
}

/// How often what may be the kernel's omission is traced again.
const AGAIN: usize = 3;

/// Traces the programs at one level.
fn trace(level: Level, folders: &[TempDir], args: &cli::Doctor) -> Result<Run, Fail> {
    let mut run = once(level, folders, args, None)?;
    for _ in 0..AGAIN {
        let doubtful = run.doubtful();
        if doubtful.is_empty() {
            break;
        }
        run.settle(once(level, folders, args, Some(&doubtful))?);
    }
    Ok(run)
}

/// Records the programs, in a process of its own: it gives its rights up. All that were asked for or,
/// `again`, these.
fn once(
    level: Level,
    folders: &[TempDir],
    args: &cli::Doctor,
    again: Option<&[String]>,
) -> Result<Run, Fail> {
    let fail = |e: io::Error| Fail::new(FAILED, Trouble::Again(e));
    let own = std::env::current_exe().map_err(fail)?;
    let Some(first) = folders.first() else {
        return Err(Fail::new(USAGE, Trouble::NoFolder));
    };
    let recording = first.path().join(level.as_str());
    let _ = std::fs::remove_file(&recording);
    let mut command = Command::new(&own);
    command.args(["record", "--json", "--summary", "/dev/null"]);
    command.args(["--lang", crate::config::lang(args.style.lang).name()]);
    command
        .args(["--level", level.as_str(), "-o"])
        .arg(&recording);
    command.arg("--").arg(&own).arg("verify-paths");
    for folder in folders {
        command.arg("--dir").arg(folder.path());
    }
    if let Some(peer) = args.peer {
        command.args(["--peer", &peer.to_string()]);
    }
    command.args(again.unwrap_or(&args.only));
    let output = command.stdin(Stdio::null()).output().map_err(fail)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let why = said.lines().last().unwrap_or_default();
        return Ok(Run::refused(
            level.as_str(),
            why.trim_start_matches("bytehop: ").to_owned(),
        ));
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    let done = lines.lines().map(serde_json::from_str);
    let mut done: Vec<Done> = done
        .collect::<Result<_, _>>()
        .map_err(|e| Fail::new(FAILED, Trouble::Nonsense(e.to_string())))?;
    // Named as the user named them.
    for done in &mut done {
        let at = folders
            .iter()
            .position(|folder| folder.path() == Path::new(&done.dir));
        if let Some(dir) = at.and_then(|at| args.dir.get(at)) {
            done.dir = dir.display().to_string();
        }
    }
    let mut judge = Judge::new(&done);
    let summary = summarise(&recording, &Only::default(), &mut judge)?;
    if let Some(keep) = args.keep.as_ref().filter(|_| again.is_none()) {
        let _ = std::fs::copy(&recording, PathBuf::from(keep).join(level.as_str()));
    }
    Ok(Run::new(level.as_str(), done, &judge, summary))
}

/// The programs themselves: what [`once`] records.
pub fn paths(args: &cli::Paths) -> Result<i32, Fail> {
    verify::drive::drive(&args.dir, args.peer, &args.names)
        .map_err(|e| Fail::new(FAILED, e.to_string()))?;
    Ok(0)
}
