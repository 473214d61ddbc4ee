//! `cargo xtask test`: every check and every test, and a table of what ran.
//!
//! What cannot run here (no root, no BPF, a tool is missing) is not a failure, but stands in the table
//! as NOT RUN with the reason; with `--strict` a step that could not run fails the run.

use std::fs;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, find, is_root, line, output, target_dir};
use crate::{book, circles, ebpf, instructions, setup, targets, vm, web, workspace};

/// A test that cannot run here appends a line `name: reason` to the file that this variable names.
const NOT_RUN_LOG: &str = "BYTEHOP_NOT_RUN";
const DENY_WARNINGS: &[&str] = &["--", "-D", "warnings"];

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    setup: bool,
    strict: bool,
}

impl Options {
    /// # Errors
    /// On an option that is not in the usage text.
    pub fn parse(args: &[&str]) -> Result<Self> {
        let mut options = Options {
            setup: true,
            strict: std::env::var_os("CI").is_some(),
        };
        for arg in args {
            match *arg {
                "--no-setup" => options.setup = false,
                "--strict" => options.strict = true,
                _ => bail!("no such option of `test`: {arg}"),
            }
        }
        Ok(options)
    }
}

/// Emulated, arm64 takes more than ten minutes with its build: only checked here, by "other targets".
const ARM64: &str = "every path on arm64: `cargo xtask vm --arch aarch64` runs them";

/// Labs at level B: those that between them take every way that it measures. Emulated, a lab takes two minutes.
const LABS: &str =
    "first-hops,page-cache,mmap,direct-io,sendfile,io-uring,zerocopy-send,write-back";
const LABS_LEFT: &str =
    "the other labs at level B: `cargo xtask vm 6.12 --labs` runs all (here, live, all ran)";

/// How one step ended.
enum Outcome {
    Passed(String),
    Failed(String),
    NotRun(String),
}

use Outcome::{Failed, NotRun, Passed};

/// Runs all steps, each whether or not those before it passed.
///
/// # Errors
/// If the log of tests that did not run can't be kept.
pub fn test(options: &Options) -> Result<ExitCode> {
    let workspace = workspace();
    let at = workspace.as_path();
    let log = NotRunLog::new(at)?;
    let mut rows: Vec<(&str, Outcome)> = Vec::new();
    let mut step = |name: &'static str, run: &dyn Fn() -> Outcome| {
        println!("\n== {name}");
        let began = Instant::now();
        rows.push((name, run()));
        println!("== {name}: {} s", began.elapsed().as_secs());
    };

    if options.setup {
        step("setup", &|| match setup::setup() {
            Ok(()) => Passed(String::new()),
            Err(error) => NotRun(format!("{error:#}")),
        });
    }
    step("format", &|| {
        passes(cargo(at).args(["fmt", "--all", "--check"]))
    });
    step("eBPF object", &|| match ebpf::check() {
        Ok(what) => Passed(what),
        Err(error) => Failed(format!("{error:#}")),
    });
    step("the page's program", &|| match web::check() {
        Ok(web::Proof::Same(what)) => Passed(what),
        Ok(web::Proof::NotRun(why)) => NotRun(why),
        Err(error) => Failed(format!("{error:#}")),
    });
    step("circles", &|| match circles::find(at) {
        Ok(found) if found.is_empty() => {
            Passed("no module, and no crate, is used by what it uses".into())
        }
        Ok(found) => {
            found.iter().for_each(|circle| println!("{circle}"));
            Failed(format!("{} circles of imports", found.len()))
        }
        Err(error) => Failed(format!("{error:#}")),
    });
    step("other targets", &|| match targets::check(at) {
        Ok(not_had) if not_had.is_empty() => Passed(targets::WHAT.to_owned()),
        Ok(not_had) => NotRun(format!("no standard library for {}", not_had.join(", "))),
        Err(error) => Failed(format!("{error:#}")),
    });
    step("lint", &|| {
        passes(
            cargo(at)
                .args(["clippy", "--workspace", "--all-targets"])
                .args(DENY_WARNINGS),
        )
    });
    step("viewer", &|| {
        let viewer = ["--package", "bytehop", "--no-default-features"];
        match passes(cargo(at).arg("clippy").args(viewer).args(DENY_WARNINGS)) {
            Passed(_) => passes_tests(
                cargo(at)
                    .arg("test")
                    .args(viewer)
                    .args(["--bins", "--test", "viewer"]),
            ),
            other => other,
        }
    });
    step("lint eBPF", &|| passes(&mut lint_ebpf(at)));
    step("tests", &|| {
        passes_tests(log.name_in(cargo(at).args(["test", "--workspace", "--no-fail-fast"])))
    });
    step("instructions", &|| match instructions::check() {
        Ok(instructions::Proof::Same(what)) => Passed(what),
        Ok(instructions::Proof::NotRun(why)) => NotRun(why),
        Err(error) => Failed(format!("{error:#}")),
    });
    step("book", &|| {
        let site = target_dir(at).join("book/site");
        let result = book::book(&site).and_then(|links| Ok((links, book::look(&site)?)));
        match result {
            Ok((links, None)) => Passed(format!("{links} links, search in both languages")),
            Ok((_, Some(why))) => NotRun(why),
            Err(error) => match book::mdbook() {
                Some(_) => Failed(format!("{error:#}")),
                None => NotRun(format!("{error:#}")),
            },
        }
    });
    step("tests as root", &|| match as_root(at) {
        Ok(mut command) => passes_tests(log.name_in(&mut command)),
        Err(reason) => NotRun(reason),
    });
    step("kernel 6.12", &|| {
        // Emulated, a machine uses one processor.
        std::thread::scope(|scope| {
            // That tries again by itself, lab by lab.
            let labs = scope.spawn(|| {
                let args = ["6.12", "--labs", "--only", LABS, "--machines", "1"];
                let what = "labs of every way at level B";
                other_kernel(1, &[&args[..], &["--limit", "1800"]].concat(), what)
            });
            // Emulated, with its memory reclaimed and its packets sent again, it is tried once more.
            let paths = other_kernel(2, &["6.12", "--paths"], "every path, at levels T, F and B");
            let labs = labs.join();
            both(
                paths,
                labs.unwrap_or_else(|_| Failed("labs: a panic".into())),
            )
        })
    });
    step("documentation", &|| {
        passes(
            cargo(at)
                .args([
                    "doc",
                    "--workspace",
                    "--no-deps",
                    "--document-private-items",
                ])
                // The links between private items work: those items are documented too.
                .env(
                    "RUSTDOCFLAGS",
                    "-D warnings -A rustdoc::private_intra_doc_links",
                ),
        )
    });
    if find("cargo-deny").is_some() {
        step("licences", &|| {
            passes(cargo(at).args(["deny", "check", "licenses", "bans", "sources"]))
        });
    }
    let mut not_run = log.lines();
    not_run.extend([ARM64, LABS_LEFT].map(str::to_owned));
    Ok(report(&rows, &not_run, options.strict))
}

/// Runs `cargo xtask vm` with these arguments, until it passes: what passes then is `what`.
fn other_kernel(tries: u32, args: &[&str], what: &str) -> Outcome {
    let run = || vm::Options::parse(args).and_then(|options| vm::vm(&options));
    let mut result = run();
    for _ in 1..tries {
        if !matches!(result, Ok(code) if code != ExitCode::SUCCESS) {
            break;
        }
        println!("\nnot all as it should be: once more");
        result = run();
    }
    match result {
        Ok(code) if code == ExitCode::SUCCESS => Passed(what.to_owned()),
        Ok(_) => Failed("the output above says what".into()),
        // No qemu, or no way to the kernel's packages.
        Err(error) => NotRun(format!("{error:#}")),
    }
}

/// Two that ran at the same time, as one.
fn both(one: Outcome, other: Outcome) -> Outcome {
    match (one, other) {
        (Passed(one), Passed(other)) => Passed(format!("{one}; {other}")),
        (Failed(one), Failed(other)) => Failed(format!("{one}; {other}")),
        (failed @ Failed(_), _) | (_, failed @ Failed(_)) => failed,
        (not_run @ NotRun(_), _) | (_, not_run @ NotRun(_)) => not_run,
    }
}

/// Prints the table; the exit code says whether all is well.
///
/// A single test that the kernel has no means for is listed, but is no failure even if `strict`.
fn report(rows: &[(&str, Outcome)], tests_not_run: &[String], strict: bool) -> ExitCode {
    let (mut failed, mut not_run) = (0, 0);
    println!("\n== summary");
    for (name, outcome) in rows {
        let (word, detail) = match outcome {
            Passed(detail) => ("passed", detail),
            Failed(detail) => {
                failed += 1;
                ("FAILED", detail)
            }
            NotRun(detail) => {
                not_run += 1;
                ("NOT RUN", detail)
            }
        };
        println!("{}", format!("{name:<14} {word:<8} {detail}").trim_end());
    }
    for test in tests_not_run {
        println!("{:<14} NOT RUN  {test}", "  a test");
    }
    match (failed, not_run + tests_not_run.len()) {
        (0, 0) => println!("all steps passed"),
        (_, not_run) => println!("{failed} failed, {not_run} could not run"),
    }
    if failed > 0 || (strict && not_run > 0) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The eBPF programs type-check for the host too; this says nothing about the verifier.
fn lint_ebpf(at: &Path) -> Command {
    let mut command = cargo(at);
    command
        .args(["clippy", "--package", ebpf::PACKAGE, "--features", "bpf"])
        .args(["--bin", ebpf::BINARY, "--target-dir", "target/ebpf-host"])
        .args(DENY_WARNINGS)
        .env("RUSTFLAGS", "-C panic=abort");
    command
}

/// The command that runs the tests that are ignored unless root, or why they cannot run.
fn as_root(at: &Path) -> Result<Command, String> {
    let mut command = cargo(at);
    command.args(["test", "--workspace", "--no-fail-fast", "--tests"]);
    command.args(["--", "--ignored"]);
    let mut doctor = Vec::new();
    if !is_root() {
        let sudo = find("sudo").ok_or("not root, and there is no sudo")?;
        let may_ask = std::io::stdin().is_terminal();
        let mut check = Command::new(&sudo);
        check.args(if may_ask { ["-v"] } else { ["-n"] });
        if !may_ask {
            check.arg("true");
        }
        if !check.status().is_ok_and(|status| status.success()) {
            return Err("not root, and sudo did not let us".to_owned());
        }
        // sudo drops PATH even with -E.
        let path = std::env::var("PATH").unwrap_or_default();
        let runner = format!("sudo -E env PATH={path}");
        for target in ["X86_64", "AARCH64"] {
            command.env(
                format!("CARGO_TARGET_{target}_UNKNOWN_LINUX_GNU_RUNNER"),
                &runner,
            );
        }
        doctor.extend(["sudo".to_owned(), "-E".to_owned()]);
    }

    // The program itself knows whether this kernel will do.
    output(cargo(at).args(["build", "--quiet"])).map_err(|e| format!("{e:#}"))?;
    doctor.push(target_dir(at).join("debug/bytehop").display().to_string());
    doctor.push("doctor".to_owned());
    let status = Command::new(&doctor[0])
        .args(&doctor[1..])
        .stdout(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(command),
        Ok(_) => Err("this kernel does not let us trace: see `bytehop doctor`".to_owned()),
        Err(error) => Err(format!("{}: {error}", doctor.join(" "))),
    }
}

fn passes(command: &mut Command) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Passed(String::new()),
        Ok(status) => Failed(format!("{} ({status})", line(command))),
        Err(error) => Failed(format!("{}: {error}", line(command))),
    }
}

/// Runs `cargo test`, showing its output as it comes and adding up its closing lines.
fn passes_tests(command: &mut Command) -> Outcome {
    let mut total = Counts::default();
    let outcome = (|| {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        for text in child
            .stdout
            .take()
            .into_iter()
            .flat_map(|out| BufReader::new(out).lines())
        {
            let text = text?;
            total.add(&text);
            println!("{text}");
        }
        child.wait()
    })();
    let counts = format!("{} passed, {} failed", total.passed, total.failed);
    match outcome {
        Ok(status) if status.success() && total.passed == 0 => NotRun("there are none".to_owned()),
        Ok(status) if status.success() => Passed(counts),
        Ok(status) => Failed(format!("{counts} ({status})")),
        Err(error) => Failed(format!("{}: {error}", line(command))),
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u32,
    failed: u32,
}

impl Counts {
    /// Adds what a line like `test result: ok. 3 passed; 0 failed; …` says; ignores other lines.
    fn add(&mut self, text: &str) {
        let Some((_, counts)) = text
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.split("; ") {
            match part.split_once(' ') {
                Some((n, "passed")) => self.passed += n.parse().unwrap_or(0),
                Some((n, "failed")) => self.failed += n.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

/// The file to which tests write that they could not run.
struct NotRunLog(PathBuf);

impl NotRunLog {
    fn new(at: &Path) -> Result<Self> {
        let folder = target_dir(at);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let path = folder.join("not-run.log");
        fs::write(&path, "").with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    fn name_in<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Some(python) = setup::python() {
            command.env(setup::PYTHON_VARIABLE, python);
        }
        if let Some(program) = find(setup::FLAME_GRAPH) {
            command.env("BYTEHOP_INFERNO", program);
        }
        command.env(NOT_RUN_LOG, &self.0)
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(&self.0)
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Options};

    #[test]
    fn counts_add_up_over_closing_lines() {
        let mut counts = Counts::default();
        for text in [
            "running 4 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            counts.add(text);
        }
        assert_eq!(
            counts,
            Counts {
                passed: 4,
                failed: 2
            }
        );
    }

    #[test]
    fn unknown_options_are_refused() {
        assert!(Options::parse(&["--fast"]).is_err());
        let options = Options::parse(&["--no-setup", "--strict"]).unwrap();
        assert_eq!(
            options,
            Options {
                setup: false,
                strict: true
            }
        );
    }
}
