//! `cargo xtask bench`: what tracing costs, beside other tools and beside the least it can cost.
//!
//! Every tool watches the same work: one workload of the fixture, which times its own inner loop, so
//! that neither the start of the program nor the loading of probes counts. A round runs every tool
//! once, so that whatever changes on the machine meanwhile meets all of them; the result is the median
//! over the rounds. This is a benchmark, not a test: it prints, and never fails on a number.

mod servers;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, find, output, run as run_command, target_dir};
use crate::workspace;
use servers::{SERVERS, Server};
use tables::{
    BEGINNINGS, FILE_SIZE, FLOOR, NOTHING, PIECE, START, TOOLS, Tool, WORKLOADS, Workload,
};

/// Runs the benchmark; `args` are `--rounds N` and names of workloads, of servers, or `start` (all if none is given).
///
/// # Errors
/// On unknown words, and if the fixture cannot be built or fails by itself.
pub fn run(args: &[&str]) -> Result<()> {
    let Wanted {
        rounds,
        workloads,
        servers,
        start,
    } = parse(args)?;
    let bench = Bench::new()?;
    println!("{}\n", facts());
    println!(
        "{rounds} rounds; median of each. ns added is to the same operation unwatched; floor is"
    );
    println!("how many times what do-nothing eBPF programs on both system call hooks add.\n");
    let mut reasons: Vec<String> = Vec::new();
    let mut explain = |results: &[Measured]| {
        for (tool, result) in TOOLS.iter().zip(results) {
            if let Err(error) = result {
                let reason = format!("{}: not run: {error:#}", tool.name);
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
    };
    for workload in workloads {
        let results = measure(rounds, |tool| bench.once(workload, tool));
        print_table(workload, &results);
        bench.print_size(workload);
        explain(&results);
    }
    for server in servers {
        let results = measure(rounds, |tool| server.once(&bench, tool));
        print_server(server, &results);
        explain(&results);
    }
    if start {
        bench.print_start(rounds);
    }
    for reason in reasons {
        println!("{reason}");
    }
    Ok(())
}

/// What is measured.
struct Wanted {
    rounds: usize,
    workloads: Vec<&'static Workload>,
    servers: Vec<&'static Server>,
    /// The time until a program begins.
    start: bool,
}

fn parse(args: &[&str]) -> Result<Wanted> {
    let mut wanted = Wanted {
        rounds: 7,
        workloads: Vec::new(),
        servers: Vec::new(),
        start: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if *arg == "--rounds" {
            let number = args.next().and_then(|n| n.parse().ok());
            wanted.rounds = number
                .filter(|n| *n > 0)
                .context("--rounds wants a number")?;
        } else if *arg == START {
            wanted.start = true;
        } else if let Some(workload) = WORKLOADS.iter().find(|w| w.name == *arg) {
            wanted.workloads.push(workload);
        } else if let Some(server) = SERVERS.iter().find(|s| s.name == *arg) {
            wanted.servers.push(server);
        } else {
            let names = WORKLOADS.iter().map(|w| w.name);
            let names = names.chain(SERVERS.iter().map(|s| s.name));
            let names: Vec<_> = names.chain([START]).collect();
            bail!("no such workload: {arg} (there are {})", names.join(", "));
        }
    }
    if wanted.workloads.is_empty() && wanted.servers.is_empty() && !wanted.start {
        wanted.workloads.extend(WORKLOADS);
        wanted.servers.extend(SERVERS);
        wanted.start = true;
    }
    Ok(wanted)
}

/// Where everything is.
struct Bench {
    bytehop: String,
    fixture: String,
    scratch: PathBuf,
}

/// ns that an operation took under one tool, or requests a second; or why that could not be had.
type Measured = Result<f64>;

/// The median of each tool over `rounds` rounds.
fn measure(rounds: usize, once: impl Fn(&Tool) -> Measured) -> Vec<Measured> {
    let mut samples: Vec<Result<Vec<f64>>> = TOOLS.iter().map(|_| Ok(Vec::new())).collect();
    for round in 0..rounds {
        for turn in 0..TOOLS.len() {
            // Another one goes first in every round.
            let i = (turn + round) % TOOLS.len();
            if let Ok(so_far) = &mut samples[i] {
                match once(&TOOLS[i]) {
                    Ok(value) => so_far.push(value),
                    Err(error) => samples[i] = Err(error),
                }
            }
        }
    }
    samples
        .into_iter()
        .map(|samples| samples.map(median))
        .collect()
}

impl Bench {
    fn new() -> Result<Self> {
        let at = workspace();
        run_command(cargo(&at).args([
            "build",
            "--release",
            "-p",
            "bytehop",
            "-p",
            "bytehop-fixture",
        ]))?;
        let target = target_dir(&at);
        let scratch = target.join("bench");
        fs::create_dir_all(&scratch).with_context(|| scratch.display().to_string())?;
        fs::write(scratch.join("file"), vec![0xb5; FILE_SIZE])?;
        let text = |path: PathBuf| path.into_os_string().into_string();
        let (Ok(bytehop), Ok(fixture)) = (
            text(target.join("release/bytehop")),
            text(target.join("release/bytehop-fixture")),
        ) else {
            bail!("the target folder's path is not UTF-8");
        };
        Ok(Self {
            bytehop,
            fixture,
            scratch,
        })
    }

    /// One run: ns an operation, as the fixture timed it.
    fn once(&self, workload: &Workload, tool: &Tool) -> Measured {
        let report = self.scratch.join("report.json");
        // From the run before; there is none before the first.
        let _ = fs::remove_file(&report);
        let mut command = self.command(workload, tool, &report)?;
        let result = command.stdin(Stdio::null()).stdout(Stdio::null()).output();
        let result = result.with_context(|| format!("cannot start {}", tool.name))?;
        let said = String::from_utf8_lossy(&result.stderr);
        let first_line = said
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        if !result.status.success() {
            bail!("{}: {first_line}", result.status);
        }
        let Ok(report) = fs::read_to_string(&report) else {
            bail!("the program was not run: {first_line}");
        };
        self.nothing_lost(tool)?;
        match (number(&report, "elapsed_ns"), number(&report, "ops")) {
            (Some(ns), Some(ops)) if ops > 0 => Ok(ns as f64 / ops as f64),
            _ => bail!("the fixture's report says {report}"),
        }
    }

    fn command(&self, workload: &Workload, tool: &Tool, report: &Path) -> Result<Command> {
        let ops = if tool.slow {
            workload.slow_ops
        } else {
            workload.ops
        };
        let scratch = self.scratch.display().to_string();
        let mut work = vec![self.fixture.clone()];
        work.extend(workload.words.iter().map(|word| match *word {
            "OPS" => ops.to_string(),
            "BYTES" => (ops * PIECE).to_string(),
            "ROUNDS" => (ops / 10_000).to_string(),
            "FILE" => format!("{scratch}/file"),
            word => word.to_owned(),
        }));
        work.extend(["--report".to_owned(), report.display().to_string()]);

        let mut words = self.tool_words(tool)?;
        if tool.quoted {
            words.push(work.join(" "));
        } else {
            words.extend(work);
        }
        // Before whatever else runs on this machine. Without root it only complains.
        let mut command = Command::new("nice");
        command.args(["-n", "-20"]).args(words);
        Ok(command)
    }

    /// Fails if the run that was recorded last is not complete.
    fn nothing_lost(&self, tool: &Tool) -> Result<()> {
        if tool.words.contains(&"SCRATCH/summary") {
            let summary = fs::read_to_string(self.scratch.join("summary"))?;
            match number(&summary, "lost_events") {
                Some(0) => {}
                lost => bail!("events lost: {lost:?}"),
            }
        }
        Ok(())
    }

    /// The words before what is watched.
    fn tool_words(&self, tool: &Tool) -> Result<Vec<String>> {
        let scratch = self.scratch.display().to_string();
        let words = tool.words.iter().map(|word| match *word {
            "BYTEHOP" => self.bytehop.clone(),
            word => word.replace("SCRATCH", &scratch),
        });
        let words: Vec<String> = words.collect();
        if let Some(program) = words.first()
            && find(program).is_none()
            && !Path::new(program).exists()
        {
            bail!("{program} is not installed");
        }
        Ok(words)
    }
}

impl Bench {
    /// Bytes of the recording that was made last, by operation.
    fn print_size(&self, workload: &Workload) {
        if let Ok(recording) = fs::metadata(self.scratch.join("recording")) {
            let bytes = recording.len() as f64 / workload.ops as f64;
            println!("recording: {bytes:.1} bytes an operation\n");
        }
    }

    /// How long it takes until the program begins.
    fn print_start(&self, rounds: usize) {
        println!("| until the program begins | ms |\n| --- | ---: |");
        let mut samples: Vec<Result<Vec<f64>>> = BEGINNINGS.iter().map(|_| Ok(vec![])).collect();
        for _ in 0..rounds {
            for (samples, (_, words)) in samples.iter_mut().zip(BEGINNINGS) {
                if let Ok(so_far) = samples {
                    match self.beginning(words) {
                        Ok(ms) => so_far.push(ms),
                        Err(error) => *samples = Err(error),
                    }
                }
            }
        }
        for ((name, _), samples) in BEGINNINGS.iter().zip(samples) {
            match samples {
                Ok(ms) => println!("| {name} | {:.0} |", median(ms)),
                Err(error) => println!("| {name} | not run: {error:#} |"),
            }
        }
        println!();
    }

    /// ms until a program that these words start says what time it is.
    fn beginning(&self, words: &[&str]) -> Result<f64> {
        let scratch = self.scratch.display().to_string();
        let words = words.iter().map(|word| match *word {
            "BYTEHOP" => self.bytehop.clone(),
            word => word.replace("SCRATCH", &scratch),
        });
        let words: Vec<_> = words.chain(["date", "+%s%N"].map(str::to_owned)).collect();
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let said = output(Command::new(&words[0]).args(&words[1..]))?;
        let began: u128 = said.trim().parse().context("no time was said")?;
        Ok(began.saturating_sub(since.as_nanos()) as f64 / 1e6)
    }
}

/// The number after `"key":` in JSON text.
fn number(json: &str, key: &str) -> Option<u64> {
    let (_, rest) = json.split_once(&format!("\"{key}\":"))?;
    let rest = rest.trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// The middle value; not a number if there is none.
fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    match samples.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => samples[middle],
        _ => (samples[middle - 1] + samples[middle]) / 2.0,
    }
}

fn print_table(workload: &Workload, results: &[Measured]) {
    println!(
        "| {} | ns/op | ns added | floor | slow-down |",
        workload.title
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    let ns = |i: usize| results[i].as_ref().ok().copied();
    let base = ns(NOTHING);
    let floor = base.zip(ns(FLOOR)).map(|(base, ns)| ns - base);
    for (i, tool) in TOOLS.iter().enumerate() {
        let Some(value) = ns(i) else {
            println!("| {} | not run | | | |", tool.name);
            continue;
        };
        let (added, slower) = match base {
            Some(base) if i != NOTHING => (
                format!("{:.0}", value - base),
                format!("{:.2}×", value / base),
            ),
            _ => (String::new(), String::new()),
        };
        // Where the floor is within the noise, a ratio to it says nothing.
        let ratio = match base.zip(floor) {
            Some((base, floor)) if i > FLOOR && floor > base * 0.02 => {
                format!("{:.1}×", (value - base) / floor)
            }
            _ => String::new(),
        };
        println!(
            "| {} | {value:.0} | {added} | {ratio} | {slower} |",
            tool.name
        );
    }
    println!();
}

fn print_server(server: &Server, results: &[Measured]) {
    println!("| {} | requests/s | of bare |", server.title);
    println!("| --- | ---: | ---: |");
    let bare = results[NOTHING].as_ref().ok();
    for (tool, result) in TOOLS.iter().zip(results) {
        match (result, bare) {
            (Ok(value), Some(bare)) => {
                println!("| {} | {value:.0} | {:.2} |", tool.name, value / bare);
            }
            (Ok(value), None) => println!("| {} | {value:.0} | |", tool.name),
            (Err(_), _) => println!("| {} | not run | |", tool.name),
        }
    }
    println!();
}

/// What the numbers depend on: date, kernel, processor, versions.
fn facts() -> String {
    let said = |words: &[&str]| output(Command::new(words[0]).args(&words[1..])).ok();
    let first_line = |text: String| text.lines().next().unwrap_or_default().to_owned();
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let hypervisor = cpu
        .lines()
        .any(|line| line.starts_with("flags") && line.contains(" hypervisor"));
    let tools: [&[&str]; 3] = [
        &["strace", "-V"],
        &["perf", "--version"],
        &["bpftrace", "--version"],
    ];
    let versions = tools.iter().filter_map(|words| said(words).map(first_line));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{}; Linux {}; {} × {}{}; load average {}; {}",
        said(&["date", "-u", "+%F"]).unwrap_or_default(),
        said(&["uname", "-r"]).unwrap_or_default(),
        std::thread::available_parallelism().map_or(0, usize::from),
        model.unwrap_or("unknown processor"),
        if hypervisor { " (virtual machine)" } else { "" },
        load.split(' ').next().unwrap_or_default(),
        versions.collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::{SERVERS, WORKLOADS, median, number, parse};

    #[test]
    fn numbers_are_found_in_json() {
        let json = r#"{"elapsed_ns":12345,"ops": 7}"#;
        assert_eq!(number(json, "elapsed_ns"), Some(12345));
        assert_eq!(number(json, "ops"), Some(7));
        assert_eq!(number(json, "lost_events"), None);
    }

    #[test]
    fn medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn words_choose_workloads() {
        let chosen = |args: &[&str]| {
            let wanted = parse(args).unwrap();
            let (workloads, servers) = (wanted.workloads.len(), wanted.servers.len());
            (wanted.rounds, workloads, servers, wanted.start)
        };
        assert_eq!(chosen(&[]), (7, WORKLOADS.len(), SERVERS.len(), true));
        assert_eq!(chosen(&["--rounds", "3", "null"]), (3, 1, 0, false));
        assert_eq!(chosen(&["nginx"]), (7, 0, 1, false));
        assert_eq!(chosen(&["start"]), (7, 0, 0, true));
        assert!(parse(&["--rounds"]).is_err());
        assert!(parse(&["nonsense"]).is_err());
    }
}
