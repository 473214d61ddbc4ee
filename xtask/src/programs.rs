//! `cargo xtask programs`: traces programs of Debian's packages, and says of each whether its account closes.
//!
//! What calls returned, what hops account for, and what is left, by call and reason: as `bytehop record` has it.
//! A program that is not to be had is NOT RUN, with the reason; a remainder is no failure, but stands in the table.

mod table;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::{cargo, is_root, output};
use crate::setup::{ensure, installed};
use crate::workspace;
use table::{PROGRAMS, Program};

/// No program takes longer, seconds, unless it hangs.
const LIMIT: &str = "120";
/// The beginning and the end of the table in a document.
const MARKS: [&str; 2] = ["<!-- programs -->\n", "<!-- /programs -->"];
/// The documents that have it, and its heading in their languages.
const DOCUMENTS: [(&str, &str); 2] = [
    (
        "docs/programs.md",
        "| program | returned | accounted | unaccounted | of which |\n| --- | ---: | ---: | ---: | --- |\n",
    ),
    (
        "docs/zh/programs.md",
        "| 程序 | 返回 | 有去向 | 去向不明 | 其中 |\n| --- | ---: | ---: | ---: | --- |\n",
    ),
];

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Only programs with one of these words in their name.
    words: Vec<String>,
    level: Option<String>,
    doc: bool,
    setup: bool,
}

impl Options {
    /// # Errors
    /// On unknown words.
    pub fn parse(args: &[&str]) -> Result<Self> {
        let mut options = Self {
            setup: true,
            ..Self::default()
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match *arg {
                "--doc" => options.doc = true,
                "--no-setup" => options.setup = false,
                "--level" => options.level = args.next().map(|level| (*level).to_owned()),
                word if word.starts_with('-') => bail!("programs has no option {word}"),
                word => options.words.push(word.to_owned()),
            }
        }
        Ok(options)
    }

    fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }
}

/// What became of a program.
enum Outcome {
    NotRun(String),
    /// Its summary.
    Traced(Value),
}

/// Traces every program that is wanted.
///
/// # Errors
/// If bytehop cannot be built or started, or a document cannot be written.
pub fn run(options: &Options) -> Result<()> {
    if !is_root() {
        bail!("tracing takes root: sudo env PATH=\"$PATH\" cargo xtask programs");
    }
    if options.doc && !options.words.is_empty() {
        bail!("the table in the documents has all programs: --doc goes without words");
    }
    let wanted: Vec<Program> = programs()
        .into_iter()
        .filter(|program| options.wants(&program.name))
        .collect();
    if options.setup {
        let packages: HashSet<&str> = wanted
            .iter()
            .flat_map(|p| p.packages.iter().copied())
            .collect();
        ensure(&packages)?;
    }
    let installed = installed()?;
    crate::command::run(cargo(&workspace()).args(["build", "--quiet", "--bin", "bytehop"]))?;
    let bytehop = workspace().join("target/debug/bytehop");
    let mut rows = Vec::new();
    for program in wanted {
        let lacking = program.packages.iter().find(|p| !installed.contains(**p));
        let outcome = match lacking {
            Some(package) => Outcome::NotRun(format!("no package {package} here")),
            None => trace(&bytehop, &program, options.level.as_deref())?,
        };
        tell(&program.name, &outcome);
        rows.push((program.name, outcome));
    }
    if options.doc {
        for (document, heading) in DOCUMENTS {
            put(
                &workspace().join(document),
                &(heading.to_owned() + &markdown(&rows)),
            )?;
        }
    }
    Ok(())
}

/// The table, and fio with each engine that it has.
fn programs() -> Vec<Program> {
    let engines = output(Command::new("fio").arg("--enghelp")).unwrap_or_default();
    let engines = engines.lines().skip(1).map(str::trim).map(str::to_owned);
    let all = engines.map(|engine| table::fio(&engine));
    let all = all.chain(["libaio", "io_uring"].map(table::fio_direct));
    PROGRAMS.iter().map(Program::of).chain(all).collect()
}

/// Runs a program in a folder of its own: what it needs first, then what is traced.
fn trace(bytehop: &Path, program: &Program, level: Option<&str>) -> Result<Outcome> {
    let folder = Folder::new()?;
    let prepared = shell(&program.prepare, &folder.0)
        .output()
        .context("cannot start sh")?;
    if !prepared.status.success() {
        return Ok(Outcome::NotRun(format!(
            "it could not be prepared: {}",
            last(&prepared)
        )));
    }
    let summary = folder.0.join("summary.json");
    let mut command = Command::new("timeout");
    command.args(["--kill-after=10", LIMIT]).arg(bytehop);
    command
        .args(["record", "--json", "--summary"])
        .arg(&summary);
    command.arg("-o").arg(folder.0.join("trace.bhop"));
    command.args(level.into_iter().flat_map(|level| ["--level", level]));
    command
        .args(["--", "sh", "-ec", &program.script])
        .current_dir(&folder.0);
    let ran = command
        .stdin(Stdio::null())
        .output()
        .context("cannot start bytehop")?;
    let text = fs::read_to_string(&summary).unwrap_or_default();
    match serde_json::from_str(&text) {
        _ if !ran.status.success() => Ok(Outcome::NotRun(format!("it failed: {}", last(&ran)))),
        Ok(summary) => Ok(Outcome::Traced(summary)),
        Err(_) => Ok(Outcome::NotRun(format!(
            "nothing was traced: {}",
            last(&ran)
        ))),
    }
}

fn shell(script: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-ec", script])
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// The last line of what a program said: errors first.
fn last(output: &Output) -> String {
    let text =
        [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let mut lines = text.iter().flat_map(|text| text.trim().lines().next_back());
    let line = lines.find(|line| !line.trim().is_empty());
    line.unwrap_or("without a word")
        .trim()
        .chars()
        .take(120)
        .collect()
}

/// A folder that goes away with its files.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let folder = workspace().join(format!("target/tmp/programs-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        // Servers give up root.
        crate::command::run(Command::new("chmod").arg("777").arg(&folder))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn number(summary: &Value, name: &str) -> u64 {
    summary["ledger"][name].as_u64().unwrap_or_default()
}

/// What is left of a program's account: call, bytes, how many, reason.
fn open(summary: &Value) -> Vec<(&str, u64, u64, &str)> {
    let rows = summary["ledger"]["open"].as_array();
    let rows = rows.into_iter().flatten().map(|row| {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let number = |name: &str| row[name].as_u64().unwrap_or_default();
        (text("call"), number("bytes"), number("count"), text("why"))
    });
    rows.collect()
}

fn tell(name: &str, outcome: &Outcome) {
    let summary = match outcome {
        Outcome::NotRun(why) => return println!("{name:<28} NOT RUN: {why}"),
        Outcome::Traced(summary) => summary,
    };
    let of = |what| number(summary, what);
    let lost = summary["lost_events"].as_u64().unwrap_or_default();
    let lost = match lost {
        0 => String::new(),
        n => format!("  ({n} events lost)"),
    };
    println!(
        "{name:<28} returned {:>12}  accounted {:>12}  unaccounted {:>10}{lost}",
        of("returned"),
        of("accounted"),
        of("unaccounted")
    );
    for (call, bytes, count, why) in open(summary) {
        println!("{:<28}   {bytes} of {call} ({count}): {why}", "");
    }
    for what in summary["disagreements"].as_array().into_iter().flatten() {
        println!("{:<28}   disagreement: {what}", "");
    }
}

/// The rows of the table for a document.
fn markdown(rows: &[(String, Outcome)]) -> String {
    let mut text = String::new();
    for (name, outcome) in rows {
        let line = match outcome {
            Outcome::NotRun(why) => format!(
                "| {name} | – | – | – | NOT RUN: {} |\n",
                why.replace('|', "/")
            ),
            Outcome::Traced(summary) => {
                let of = |what| number(summary, what);
                let open: Vec<String> = open(summary)
                    .into_iter()
                    .map(|(call, bytes, count, _)| match bytes {
                        0 => format!("`{call}` ×{count}"),
                        _ => format!("`{call}` {bytes}"),
                    })
                    .collect();
                format!(
                    "| {name} | {} | {} | {} | {} |\n",
                    of("returned"),
                    of("accounted"),
                    of("unaccounted"),
                    open.join(", ")
                )
            }
        };
        text += &line;
    }
    text
}

/// Puts a table into a document, between its marks.
fn put(document: &Path, table: &str) -> Result<()> {
    let text = fs::read_to_string(document).with_context(|| document.display().to_string())?;
    let [begin, end] = MARKS;
    let parts = text
        .split_once(begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let Some((before, after)) = parts else {
        bail!("{} lacks {} … {end}", document.display(), begin.trim());
    };
    Ok(fs::write(
        document,
        format!("{before}{begin}{table}{end}{after}"),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::find;

    #[test]
    fn options_are_understood() {
        let options = Options::parse(&["fio", "--level", "T", "--doc"]).expect("options");
        assert!(
            options.doc && options.setup && options.wants("fio psync") && !options.wants("git")
        );
        assert_eq!(options.level.as_deref(), Some("T"));
        assert!(Options::parse(&["--nothing"]).is_err());
    }

    #[test]
    fn a_table_has_every_remainder() {
        let summary = serde_json::json!({ "ledger": {
            "returned": 10, "accounted": 7, "unaccounted": 3,
            "open": [{ "call": "read", "bytes": 3, "count": 1, "why": "…" },
                     { "call": "recvmmsg", "bytes": 0, "count": 2, "why": "…" }],
        }});
        let rows = [
            ("a".to_owned(), Outcome::Traced(summary)),
            (
                "b".to_owned(),
                Outcome::NotRun("no package b here".to_owned()),
            ),
        ];
        assert_eq!(
            markdown(&rows),
            "| a | 10 | 7 | 3 | `read` 3, `recvmmsg` ×2 |\n| b | – | – | – | NOT RUN: no package b here |\n"
        );
    }

    #[test]
    fn every_program_has_a_name_of_its_own() {
        let names: HashSet<_> = PROGRAMS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), PROGRAMS.len());
        assert!(find("sh").is_some());
    }
}
