//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use bytehop_core::address::{Address, Url};
use bytehop_core::budget::Budget;
use bytehop_core::event::Only;
use bytehop_core::i18n::Lang;
use bytehop_core::report::Format;
use bytehop_core::report::export::Weight;
use bytehop_core::report::top::Column;
use clap::{Args, Parser, Subcommand, ValueEnum};
#[cfg(feature = "capture")]
use tracer::capture::Which;
use tui::theme::Theme;

use crate::fail::{Fail, Trouble, USAGE};

/// See every hop your bytes make through the Linux kernel: which the CPU copies, which a device
/// moves by DMA, which only pass page references, and every switch between user and kernel mode.
#[derive(Debug, Parser)]
#[command(
    name = "bytehop",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

impl Cli {
    /// The language that was asked for.
    pub fn lang(&self) -> Option<Lang> {
        match self.verb.as_ref()? {
            Verb::Run(args) => args.summary.style.lang,
            Verb::Attach(args) => args.summary.style.lang,
            Verb::Stat(args) => args.summary.style.lang,
            Verb::Record(args) => args.summary.style.lang,
            Verb::Top(args) => args.style.lang,
            Verb::View(args) => args.style.lang,
            Verb::Report(args) => args.style.lang,
            Verb::Cut(args) => args.lang,
            Verb::Annotate(args) => args.style.lang,
            Verb::Advise(args) => args.style.lang,
            Verb::Diff(args) => args.style.lang,
            Verb::Doctor(args) => args.style.lang,
            Verb::Demo(args) => args.style.lang,
            Verb::Lab(args) => args.look.lang,
            Verb::Setup(args) => args.lang,
            Verb::VerifyPaths(_) | Verb::Completions(_) | Verb::Man(_) => None,
        }
    }
}

impl Cli {
    /// Whether standard error is for people: else it is for a program that reads the summary there, or nothing
    /// is shown at all.
    pub fn talks(&self) -> bool {
        let summary = match &self.verb {
            Some(Verb::Run(args)) => &args.summary,
            Some(Verb::Attach(args)) => &args.summary,
            Some(Verb::Stat(args)) => &args.summary,
            Some(Verb::Record(args)) => &args.summary,
            Some(Verb::VerifyPaths(_) | Verb::Completions(_) | Verb::Man(_)) => return false,
            _ => return true,
        };
        !summary.json || summary.summary.is_some()
    }
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Trace a command and say what it did
    Run(Run),
    /// Trace a running process until it ends, or for a time
    Attach(Attach),
    /// Run a command and only count, in the kernel: the lowest overhead
    Stat(Stat),
    /// What the bytes of every process cost, live
    Top(Top),
    /// Write a recording of a command, or of a running process
    Record(Record),
    /// Step through a recording in the terminal; needs no privileges
    View(View),
    /// Show a finished recording as text or data
    Report(Report),
    /// Write a part of a recording as a smaller one
    Cut(Cut),
    /// Source lines with what each did: bytes copied, bytes by DMA, crossings, time
    Annotate(Annotate),
    /// Which copies and crossings of a recording could go, and how
    Advise(Advise),
    /// Two recordings side by side: what each did, and what changed
    Diff(Diff),
    /// Say what this kernel lets us measure, and why not more
    Doctor(Doctor),
    /// Guided labs: predict, observe, explain, change, check
    Lab(Lab),
    /// The programs of `doctor --verify`, which traces them
    #[command(hide = true)]
    VerifyPaths(Paths),
    /// For root, on a shared server: let a group of users trace what is theirs
    Setup(Setup),
    /// Write a shell's completion script
    Completions(Completions),
    /// Write the manual pages
    #[command(hide = true)]
    Man(Man),
    /// Trace a small copy program, or show a recording of one where tracing is not possible
    Demo(Demo),
}

#[derive(Debug, Args)]
pub struct Run {
    /// Write a recording as well
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub ui: Ui,
    #[command(flatten)]
    pub tracing: Tracing,
    #[command(flatten)]
    pub summary: SummaryArgs,
    /// Colours of the terminal UI: dark, light, contrast or plain (default: from the environment)
    #[arg(long, value_name = "THEME", value_parser = |s: &str| s.parse::<Theme>(), conflicts_with = "no_tui")]
    pub theme: Option<Theme>,
    #[command(flatten)]
    pub budgets: BudgetArgs,
    #[command(flatten)]
    pub command: CommandArgs,
}

/// What a run may cost.
#[derive(Clone, Debug, Default, Args)]
pub struct BudgetArgs {
    /// A budget that has to hold, such as 'crossings < 500' or 'copy page_cache->user <= 2 * size(in.bin)';
    /// status 1 if one does not (docs/ci.md)
    #[arg(long, value_name = "EXPR", value_parser = |s: &str| s.parse::<Budget>())]
    pub expect: Vec<Budget>,
    /// Budgets from a file, one a line; lines that begin with # say nothing
    #[arg(long, value_name = "FILE")]
    pub expect_file: Vec<PathBuf>,
    /// Write what came of the budgets to this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

/// Whether the terminal UI is shown.
#[derive(Clone, Copy, Debug, Args)]
pub struct Ui {
    /// The terminal UI (the default on a terminal, unless --json or --summary is given)
    #[arg(long, overrides_with = "no_tui")]
    pub tui: bool,
    /// Text at the end, no terminal UI
    #[arg(long, overrides_with = "tui")]
    pub no_tui: bool,
}

#[derive(Debug, Args)]
#[command(mut_group("running", |group| group.required(true)))]
pub struct Attach {
    #[command(flatten)]
    pub processes: Running,
    /// Stop after this many seconds
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
    pub duration: Option<std::time::Duration>,
    /// Write a recording as well
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub ui: Ui,
    #[command(flatten)]
    pub tracing: Tracing,
    #[command(flatten)]
    pub summary: SummaryArgs,
    /// Colours of the terminal UI: dark, light, contrast or plain (default: from the environment)
    #[arg(long, value_name = "THEME", value_parser = |s: &str| s.parse::<Theme>(), conflicts_with = "no_tui")]
    pub theme: Option<Theme>,
}

#[derive(Debug, Args)]
pub struct Stat {
    /// Attach programs that do nothing instead: what any tracer costs at least (for the benchmark)
    #[arg(long, hide = true)]
    pub null_probes: bool,
    /// Tell how much time each probe took, which the numbers include; taking it costs a little more
    #[arg(long, conflicts_with = "null_probes")]
    pub cost: bool,
    #[command(flatten)]
    pub follow: Follow,
    #[command(flatten)]
    pub summary: SummaryArgs,
    #[command(flatten)]
    pub command: CommandArgs,
}

#[derive(Debug, Args)]
pub struct Top {
    /// Time between two tables
    #[arg(short, long, value_name = "SECONDS", default_value = "2", value_parser = interval)]
    pub delay: std::time::Duration,
    /// Stop after N tables
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub rounds: Option<u64>,
    /// Only processes whose name or command line contains this, or with this process id
    #[arg(short, long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Order by this column: pid, crossings, faults, copied, dma, shared, filled or name
    #[arg(short, long, value_name = "COLUMN", default_value = "crossings", value_parser = |s: &str| s.parse::<Column>())]
    pub sort: Column,
    /// The smallest first
    #[arg(short, long)]
    pub reverse: bool,
    /// Totals since the start, not rates
    #[arg(short, long)]
    pub total: bool,
    /// Show the table on the screen (the default on a terminal, unless --json is given)
    #[arg(long, overrides_with = "no_tui")]
    pub tui: bool,
    /// Text: one block for each table
    #[arg(long, overrides_with = "tui")]
    pub no_tui: bool,
    /// One line of JSON for each table
    #[arg(long, conflicts_with = "tui")]
    pub json: bool,
    #[command(flatten)]
    pub fleet: Fleet,
    /// Start again through sudo
    #[arg(long)]
    pub elevate: bool,
    #[command(flatten)]
    pub style: Style,
    /// Colours of the screen: dark, light, contrast or plain (default: from the environment)
    #[arg(long, value_name = "THEME", value_parser = |s: &str| s.parse::<Theme>(), conflicts_with_all = ["no_tui", "json"])]
    pub theme: Option<Theme>,
}

/// For other systems, in place of tables.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("exports").args(["openmetrics", "otlp"]).multiple(true))]
pub struct Fleet {
    /// Show no table: answer scrapes of Prometheus at http://ADDR/metrics. ADDR is PORT, IP or IP:PORT;
    /// without an IP, only this machine is answered
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:9814",
          value_parser = |s: &str| s.parse::<Address>(),
          conflicts_with_all = ["tui", "no_tui", "json", "filter", "sort", "reverse", "total", "theme"])]
    pub openmetrics: Option<Address>,
    /// Show no table: send each reading to a collector by OTLP, as protocol buffers over HTTP
    #[arg(long, value_name = "URL", value_parser = |s: &str| s.parse::<Url>(),
          conflicts_with_all = ["tui", "no_tui", "json", "filter", "sort", "reverse", "total", "theme"])]
    pub otlp: Option<Url>,
    /// What --openmetrics and --otlp tell apart: name (of the process) or cgroup
    #[arg(
        long,
        value_name = "KEY",
        value_enum,
        default_value = "name",
        requires = "exports"
    )]
    pub by: By,
    /// So many names or cgroups have a row of their own; all others are in one
    #[arg(long, value_name = "N", default_value = "200", value_parser = clap::value_parser!(u16).range(1..=10_000),
          requires = "exports")]
    pub rows: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    Name,
    Cgroup,
}

#[derive(Debug, Args)]
pub struct Record {
    /// File to write the recording to
    #[arg(short, long, value_name = "FILE", default_value = bytehop_core::record::DEFAULT_NAME)]
    pub output: PathBuf,
    #[command(flatten)]
    pub processes: Running,
    /// Stop after this many seconds (of running processes)
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds, requires = "running")]
    pub duration: Option<std::time::Duration>,
    #[command(flatten)]
    pub tracing: Tracing,
    #[command(flatten)]
    pub summary: SummaryArgs,
    /// The command and its arguments
    #[arg(
        last = true,
        value_name = "CMD",
        conflicts_with = "running",
        required_unless_present = "running"
    )]
    pub argv: Vec<OsString>,
}

/// Processes that run already.
#[derive(Clone, Debug, Args)]
#[group(id = "running", multiple = false)]
pub struct Running {
    /// The process to trace, all its threads
    #[arg(short, long, value_name = "PID")]
    pub pid: Option<u32>,
    /// All processes with this name
    #[arg(long, value_name = "NAME")]
    pub comm: Option<String>,
    /// All processes in this cgroup and below it: /system.slice/nginx.service
    #[arg(long, value_name = "PATH")]
    pub cgroup: Option<String>,
    /// All processes in this container: its id, or the beginning of it (Docker, Podman, containerd, CRI-O), or its name (nspawn, LXC)
    #[arg(long, value_name = "ID")]
    pub container: Option<String>,
}

impl Running {
    #[cfg(feature = "capture")]
    pub fn which(&self) -> Option<Which> {
        let comm = || self.comm.clone().map(Which::Comm);
        let cgroup = || self.cgroup.clone().map(Which::Cgroup);
        let container = || self.container.clone().map(Which::Container);
        let pid = self.pid.map(Which::Pid);
        pid.or_else(comm).or_else(cgroup).or_else(container)
    }
}

#[derive(Debug, Args)]
pub struct View {
    /// The recording
    pub file: PathBuf,
    #[command(flatten)]
    pub amount: Amount,
    #[command(flatten)]
    pub part: Within,
    #[command(flatten)]
    pub style: Style,
    /// Colours of the terminal UI: dark, light, contrast or plain (default: from the environment)
    #[arg(long, value_name = "THEME", value_parser = |s: &str| s.parse::<Theme>())]
    pub theme: Option<Theme>,
}

#[derive(Debug, Args)]
pub struct Report {
    /// The recording
    pub file: PathBuf,
    /// text, json, jsonl (one event a line), html (a page with the screens, for any browser), csv, folded
    /// (stacks with their weights), flamegraph (the same as a picture), markdown (for a bug report), svg
    /// (the path), perfetto (a time line for ui.perfetto.dev), or parquet (a table for DuckDB)
    #[arg(long, default_value = "text", value_parser = |s: &str| s.parse::<Format>())]
    pub format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// With --format folded or flamegraph: weigh stacks by copied (bytes, the default), dma (bytes) or time (in calls, ns)
    #[arg(long, value_name = "WEIGHT", value_parser = |s: &str| s.parse::<Weight>())]
    pub weight: Option<Weight>,
    /// Write to this file, not to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub budgets: BudgetArgs,
    #[command(flatten)]
    pub amount: Amount,
    #[command(flatten)]
    pub part: Within,
    #[command(flatten)]
    pub style: Style,
}

#[derive(Debug, Args)]
pub struct Cut {
    /// The recording
    pub file: PathBuf,
    /// File to write the smaller recording to
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    pub part: Within,
    /// Language: en or zh (default: from the environment)
    #[arg(long, value_name = "LANG", value_parser = |s: &str| s.parse::<Lang>())]
    pub lang: Option<Lang>,
}

#[derive(Debug, Args)]
pub struct Annotate {
    /// A recording made with --stacks
    pub file: PathBuf,
    /// Show every line of this source file (the end of its path is enough); by default, only lines that
    /// did something
    pub source: Option<String>,
    /// Look for debug information that was missing when recording in this directory, by build id; may be given
    /// more than once
    #[arg(long, value_name = "DIR")]
    pub debug_dir: Vec<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub amount: Amount,
    #[command(flatten)]
    pub part: Within,
    #[command(flatten)]
    pub style: Style,
}

#[derive(Debug, Args)]
pub struct Advise {
    /// The recording
    pub file: PathBuf,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub amount: Amount,
    #[command(flatten)]
    pub part: Within,
    #[command(flatten)]
    pub style: Style,
}

#[derive(Debug, Args)]
pub struct Diff {
    /// The first recording
    pub a: PathBuf,
    /// The second recording: changes are counted from the first to this one
    pub b: PathBuf,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Show both in the terminal UI
    #[arg(long, conflicts_with_all = ["json", "quiet", "verbose"])]
    pub tui: bool,
    #[command(flatten)]
    pub amount: Amount,
    #[command(flatten)]
    pub part: Within,
    #[command(flatten)]
    pub style: Style,
    /// Colours of the terminal UI: dark, light, contrast or plain (default: from the environment)
    #[arg(long, value_name = "THEME", value_parser = |s: &str| s.parse::<Theme>(), requires = "tui")]
    pub theme: Option<Theme>,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Prove it: trace programs with a known payload on every path, and compare
    #[arg(long)]
    pub verify: bool,
    /// With --verify: folder for the programs' files; the disk below it is tested. Further folders add
    /// their disks
    #[arg(long, value_name = "DIR", num_args = 1.., default_value = "/var/tmp", requires = "verify")]
    pub dir: Vec<PathBuf>,
    /// With --verify: only these paths (`disk`: every path that uses a disk)
    #[arg(long, value_name = "PATH", num_args = 1.., requires = "verify")]
    pub only: Vec<String>,
    /// With --verify: only this level
    #[arg(long, value_name = "LEVEL", value_parser = level, requires = "verify")]
    pub level: Option<Level>,
    /// With --verify: a TCP server beyond a network device that reads and discards all it gets
    #[arg(long, value_name = "ADDRESS:PORT", requires = "verify")]
    pub peer: Option<std::net::SocketAddr>,
    /// With --verify: keep the recordings in this folder, named after their levels
    #[arg(long, value_name = "DIR", requires = "verify", hide = true)]
    pub keep: Option<PathBuf>,
    #[command(flatten)]
    pub amount: Amount,
    #[command(flatten)]
    pub style: Style,
}

#[derive(Debug, Args)]
pub struct Paths {
    /// Where their files go
    #[arg(long)]
    pub dir: Vec<PathBuf>,
    #[arg(long)]
    pub peer: Option<std::net::SocketAddr>,
    /// All, if none is named
    pub names: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Show the bundled recording instead of tracing
    #[arg(long, conflicts_with = "output")]
    pub replay: bool,
    /// Write a recording as well (the bundled one was made like this)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub amount: Amount,
    #[command(flatten)]
    pub style: Style,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// For this shell
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub struct Setup {
    /// The group: its members start bytehop, and nobody else does
    #[arg(long, value_name = "GROUP", required_unless_present = "undo")]
    pub group: Option<String>,
    /// Take it away: bytehop is open to everyone again, and lends no rights
    #[arg(long, conflicts_with = "group")]
    pub undo: bool,
    /// The program to change (default: the one that is running)
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// Language: en or zh (default: from the environment)
    #[arg(long, value_name = "LANG", value_parser = |s: &str| s.parse::<Lang>())]
    pub lang: Option<Lang>,
}

#[derive(Debug, Args)]
pub struct Man {
    /// Which page: a verb
    #[arg(default_value = "bytehop")]
    pub page: String,
    /// All of them, into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "page")]
    pub dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Args)]
pub struct Lab {
    #[command(subcommand)]
    pub verb: Option<LabVerb>,
    /// The lab to open; without it, the menu
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// Use the labs' recordings: needs no privileges
    #[arg(long, global = true)]
    pub replay: bool,
    /// As text: for pipes, screen readers and CI
    #[arg(long, global = true)]
    pub no_tui: bool,
    /// Answers to the questions: `question = answer` lines, or one answer a line
    #[arg(long, value_name = "FILE", requires = "id", conflicts_with = "check")]
    pub answers: Option<PathBuf>,
    /// Vary the programs' sizes and counts; the same word gives the same ones
    #[arg(long, value_name = "WORD", conflicts_with = "replay")]
    pub seed: Option<String>,
    /// Check the change exercise and nothing else; status 1 if it does not pass
    #[arg(long, requires = "id")]
    pub check: bool,
    /// Check this file instead of your copy
    #[arg(long, value_name = "FILE", requires = "check")]
    pub program: Option<PathBuf>,
    /// The language of the programs: rust or c; kept until you choose again
    #[arg(long, value_enum, value_name = "LANG", global = true)]
    pub code: Option<Code>,
    /// Labs of your own: a folder of folders (docs/labs/format.md)
    #[arg(long, value_name = "DIR", global = true)]
    pub labs_dir: Vec<PathBuf>,
    /// Where your copies of the programs are (default: ./bytehop-labs, else ~/bytehop-labs)
    #[arg(long, value_name = "DIR", global = true)]
    pub work: Option<PathBuf>,
    /// Your name, for the result file (default: the user's)
    #[arg(long, value_name = "NAME", conflicts_with = "replay")]
    pub student: Option<String>,
    /// Start again through sudo; the programs still run as you
    #[arg(long)]
    pub elevate: bool,
    #[command(flatten)]
    pub look: LabLook,
}

#[derive(Debug, Subcommand)]
pub enum LabVerb {
    /// The labs, and how far you are
    List,
    /// Restore a lab's programs, and forget its answers
    Reset {
        /// Which lab; without it, all of them
        id: Option<String>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Say what is wrong with labs
    Lint {
        /// A folder of labs; without it, the bundled ones
        dir: Option<PathBuf>,
        /// Mark the translations as up to date
        #[arg(long, requires = "dir")]
        bless: bool,
    },
    /// Write a handout (Markdown, and a page of HTML with the paths as pictures), or the course as a web site
    Export {
        #[arg(required_unless_present = "site")]
        id: Option<String>,
        /// The whole course, to this folder: static pages for any web server, or to open from the disk
        #[arg(long, value_name = "DIR", conflicts_with_all = ["id", "output", "solutions"])]
        site: Option<PathBuf>,
        /// Folder to write to
        #[arg(short, long, value_name = "DIR", default_value = ".")]
        output: PathBuf,
        /// With solutions, for teachers
        #[arg(long)]
        solutions: bool,
    },
    /// Pack your results into one file, to be handed in
    HandIn {
        /// The file to write (default: your name with .hand-in.tar, here)
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Grade students' hand-ins and result files, and answers from the course's web site, as CSV
    Grade {
        /// The students, one a line: ids are the first column; each one's seed is the id
        #[arg(long, value_name = "FILE")]
        roster: Option<PathBuf>,
        /// Build and run what was handed in, here: programs of others, as nobody and without a network (needs root)
        #[arg(long)]
        rerun: bool,
        /// A row for each lab, or one for each student as a course system imports it
        #[arg(long, value_enum, value_name = "WHAT", default_value = "csv")]
        format: Columns,
        /// Hand-ins, or folders with them or with result files and their recordings
        #[arg(required = true, value_name = "DIR")]
        dirs: Vec<PathBuf>,
    },
    /// Run a command, and end all that it leaves: what lab runs start their programs with
    #[command(hide = true)]
    Own {
        /// As the learner
        #[arg(long)]
        learner: bool,
        /// Without a network
        #[arg(long)]
        alone: bool,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<OsString>,
    },
    /// Remove what a lab's session leaves
    #[command(hide = true)]
    Tidy,
    /// Record a lab's programs again, into its folder
    Record {
        /// Folder of labs
        #[arg(long, value_name = "DIR", default_value = "labs")]
        to: PathBuf,
        /// Which labs
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// The language that the labs' programs are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Code {
    Rust,
    C,
}

/// How grades are put down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Columns {
    /// A row for each result
    Csv,
    /// A row for each student, as Moodle's gradebook imports it
    Moodle,
    /// A row for each student, as Canvas imports it
    Canvas,
}

/// How labs look.
#[derive(Clone, Debug, Args)]
pub struct LabLook {
    /// Colour: auto, always or never (NO_COLOR is respected)
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        global = true
    )]
    pub color: When,
    /// Language: en or zh (default: from the environment)
    #[arg(long, value_name = "LANG", value_parser = |s: &str| s.parse::<Lang>(), global = true)]
    pub lang: Option<Lang>,
    /// Use ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
}

/// Who is traced, and with whose rights.
#[derive(Clone, Debug, Args)]
pub struct Follow {
    /// Trace child processes too (the default)
    #[arg(long, overrides_with = "no_follow")]
    pub follow_forks: bool,
    /// Trace the process itself only, with all its threads
    #[arg(long, overrides_with = "follow_forks")]
    pub no_follow: bool,
    /// Start again through sudo; the command still runs as you
    #[arg(long)]
    pub elevate: bool,
}

/// What is traced, event by event.
#[derive(Clone, Debug, Args)]
pub struct Tracing {
    #[command(flatten)]
    pub follow: Follow,
    /// Size of the kernel's ring buffer (with K, M or G); rounded up to a power of two
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size)]
    pub buffer_size: u32,
    /// Measure at this level or not at all: T (tracepoints), F (functions) or B (breakpoints, however
    /// often they are hit). By default, the best level that the kernel allows
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub level: Option<Level>,
    /// Without --level: breakpoints are taken off after so many hits, and a fifth of it more for each
    /// second of tracing
    #[arg(long, value_name = "HITS", hide = true, conflicts_with = "level")]
    pub breakpoint_budget: Option<u64>,
    /// Record the source line of each call (the program needs debug information)
    #[arg(long)]
    pub stacks: bool,
    /// Only what was done in this region, which the program marks itself (docs/regions.md): nothing else is
    /// kept or summed up
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// Only what programs did from their `main` on, without the start of the loader and the language's runtime.
    /// Stacks tell that: it means --stacks, and is cut out at the end; the screen shows all until then
    #[arg(long)]
    pub from_main: bool,
    /// Do not sample where the program spends its CPU time
    #[arg(long)]
    pub no_sampling: bool,
    /// Tell how much time each probe took, which the numbers include; taking it costs a little more
    #[arg(long)]
    pub cost: bool,
}

/// Where the summary goes, and in what form.
#[derive(Clone, Debug, Args)]
pub struct SummaryArgs {
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Write the summary to this file instead of standard error
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    #[command(flatten)]
    pub amount: Amount,
    #[command(flatten)]
    pub style: Style,
}

/// How much is said.
#[derive(Clone, Copy, Debug, Args)]
pub struct Amount {
    /// Only the totals
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Everything, nothing folded
    #[arg(short, long)]
    pub verbose: bool,
}

/// A part of a recording.
#[derive(Clone, Debug, Args)]
pub struct Within {
    /// Only what happened from this time on, counted from the start of tracing: 1.5s, 200ms, 30us
    #[arg(long, value_name = "T", value_parser = time, allow_hyphen_values = true)]
    pub from: Option<u64>,
    /// Only what happened before this time
    #[arg(long, value_name = "T", value_parser = time, allow_hyphen_values = true)]
    pub to: Option<u64>,
    /// Only what this process did, with all its threads
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
    /// Only what was done in this region, which the program marks itself (docs/regions.md)
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// Only what programs did from their `main` on (of a recording made with --stacks)
    #[arg(long)]
    pub from_main: bool,
}

impl Within {
    pub fn only(&self) -> Result<Only, Fail> {
        if self.from.unwrap_or(0) >= self.to.unwrap_or(u64::MAX) {
            return Err(Fail::new(USAGE, Trouble::NoTimeLeft));
        }
        Ok(Only {
            from_ns: self.from.filter(|from| *from > 0),
            to_ns: self.to,
            pid: self.pid,
            region: self.region.clone(),
            from_main: self.from_main,
        })
    }
}

/// How text looks.
#[derive(Clone, Copy, Debug, Args)]
pub struct Style {
    /// Colour: auto, always or never (NO_COLOR is respected)
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub color: When,
    /// Language: en or zh (default: from the environment)
    #[arg(long, value_name = "LANG", value_parser = |s: &str| s.parse::<Lang>())]
    pub lang: Option<Lang>,
    /// Use ASCII characters only
    #[arg(long)]
    pub ascii: bool,
}

/// How much is measured: see `tracer::caps::Level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    T,
    F,
    B,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Debug, Args)]
pub struct CommandArgs {
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "CMD")]
    pub argv: Vec<OsString>,
}

/// A value that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadValue {
    Level,
    Seconds,
    TooShort,
    Size,
    Time,
}

bytehop_core::says! { BadValue, lang:
    Self::Level => "not a level: T, F or B" | "不是级别：T、F 或 B";
    Self::Seconds => "not a number of seconds" | "不是秒数";
    Self::TooShort => "at least 0.1" | "至少 0.1";
    Self::Size => "not a size of at most 1G, such as 64K or 16M" | "不是大小：例如 64K 或 16M，最大 1G";
    Self::Time => "not a time: write it like 1.5s, 200ms or 30us" | "不是时间：请写成 1.5s、200ms 或 30us 这样";
}

impl std::error::Error for BadValue {}

fn level(text: &str) -> Result<Level, BadValue> {
    match text {
        "T" | "t" => Ok(Level::T),
        "F" | "f" => Ok(Level::F),
        "B" | "b" => Ok(Level::B),
        _ => Err(BadValue::Level),
    }
}

fn seconds(text: &str) -> Result<std::time::Duration, BadValue> {
    let seconds: f64 = text.parse().map_err(|_| BadValue::Seconds)?;
    std::time::Duration::try_from_secs_f64(seconds).map_err(|_| BadValue::Seconds)
}

/// A time in ns, from a number with its unit; seconds if it has none.
fn time(text: &str) -> Result<u64, BadValue> {
    const UNITS: [(&str, u32); 7] = [
        ("ns", 0),
        ("us", 3),
        ("µs", 3),
        ("μs", 3),
        ("ms", 6),
        ("s", 9),
        ("", 9),
    ];
    let unit = UNITS.iter().find(|(unit, _)| text.ends_with(unit));
    let (unit, digits) = unit.ok_or(BadValue::Time)?;
    let number = text[..text.len() - unit.len()].trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + part.len() == 0 || !is_number(whole) || !is_number(part) {
        return Err(BadValue::Time);
    }
    // What is below a nanosecond is cut off.
    let places = *digits as usize;
    let part = format!("{:0<places$}", &part[..part.len().min(places)]);
    format!("{whole}{part}").parse().map_err(|_| BadValue::Time)
}

/// A time between two tables.
fn interval(text: &str) -> Result<std::time::Duration, BadValue> {
    const LEAST: std::time::Duration = std::time::Duration::from_millis(100);
    let interval = seconds(text)?;
    match interval < LEAST {
        true => Err(BadValue::TooShort),
        false => Ok(interval),
    }
}

/// A size in bytes, with K, M or G for powers of 1024.
fn size(text: &str) -> Result<u32, BadValue> {
    let (number, unit) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let bytes = number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_shl(unit))
        .filter(|n| *n <= 1 << 30);
    let bytes = bytes.ok_or(BadValue::Size)?;
    Ok(bytes as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times() {
        assert_eq!(time("1.5s"), Ok(1_500_000_000));
        assert_eq!(time("200ms"), Ok(200_000_000));
        assert_eq!(time("2"), Ok(2_000_000_000));
        assert_eq!(time("0.25 us"), Ok(250));
        assert_eq!(time(".5µs"), Ok(500));
        assert_eq!(time("7ns"), Ok(7));
        assert_eq!(time("1.00000000099"), Ok(1_000_000_000));
        for wrong in ["", "s", ".", "-1s", "1e3", "1,5s", "1h", "99999999999s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("64K"), Ok(65536));
        assert_eq!(size("1G"), Ok(1 << 30));
        assert!(size("2G").is_err() && size("M").is_err() && size("x").is_err());
    }

    const STYLE: &str = "ascii color lang";
    const AMOUNT: &str = "quiet verbose";
    const SUMMARY: &str = "json summary";
    const FOLLOW: &str = "elevate follow-forks no-follow";
    const EVENTS: &str =
        "breakpoint-budget buffer-size cost from-main level no-sampling region stacks";
    const UI: &str = "no-tui theme tui";
    const BUDGETS: &str = "expect expect-file junit";
    const PART: &str = "from from-main pid region to";

    /// Each verb with the flags that do something there. A new flag has to be entered, with its effect
    /// tried.
    const FLAGS: [(&str, &[&str]); 18] = [
        (
            "run",
            &[
                "output", UI, BUDGETS, FOLLOW, EVENTS, SUMMARY, AMOUNT, STYLE,
            ],
        ),
        (
            "attach",
            &[
                "cgroup comm container duration output pid",
                UI,
                FOLLOW,
                EVENTS,
                SUMMARY,
                AMOUNT,
                STYLE,
            ],
        ),
        (
            "stat",
            &["cost null-probes", FOLLOW, SUMMARY, AMOUNT, STYLE],
        ),
        (
            "top",
            &[
                "by delay elevate filter json openmetrics otlp reverse rounds rows sort total",
                UI,
                STYLE,
            ],
        ),
        (
            "record",
            &[
                "cgroup comm container duration output pid",
                FOLLOW,
                EVENTS,
                SUMMARY,
                AMOUNT,
                STYLE,
            ],
        ),
        ("view", &["theme", PART, AMOUNT, STYLE]),
        (
            "report",
            &["format json output weight", BUDGETS, PART, AMOUNT, STYLE],
        ),
        ("cut", &["lang output", PART]),
        ("annotate", &["debug-dir json", PART, AMOUNT, STYLE]),
        ("advise", &["json", PART, AMOUNT, STYLE]),
        ("diff", &["json theme tui", PART, AMOUNT, STYLE]),
        (
            "doctor",
            &["dir json keep level only peer verify", AMOUNT, STYLE],
        ),
        (
            "lab",
            &[
                "answers check code elevate labs-dir no-tui program replay seed student work",
                STYLE,
            ],
        ),
        ("verify-paths", &["dir peer"]),
        ("demo", &["output replay", AMOUNT, STYLE]),
        ("completions", &[]),
        ("man", &["dir"]),
        ("setup", &["group lang program undo"]),
    ];

    #[test]
    fn each_verb_has_the_flags_that_do_something() {
        let cli = Cli::command();
        let mut verbs: Vec<&str> = cli.get_subcommands().map(|verb| verb.get_name()).collect();
        verbs.sort_unstable();
        let mut listed = FLAGS.map(|(verb, _)| verb);
        listed.sort_unstable();
        assert_eq!(verbs, listed);
        for (name, flags) in FLAGS {
            let verb = cli.find_subcommand(name).unwrap();
            let mut has: Vec<&str> = verb.get_arguments().filter_map(|a| a.get_long()).collect();
            has.sort_unstable();
            let mut flags: Vec<&str> = flags.iter().flat_map(|f| f.split(' ')).collect();
            flags.sort_unstable();
            assert_eq!(has, flags, "{name}");
        }
    }

    #[test]
    fn a_part_that_is_none_is_told_in_one_line() {
        for (line, has) in [
            ("--from soon", "not a time: write it like 1.5s"),
            ("--from -1s", "not a time: write it like 1.5s"),
            ("--to 1h", "not a time: write it like 1.5s"),
            ("--to 99999999999999s", "not a time: write it like 1.5s"),
            ("--from", "a value is required for '--from <T>'"),
        ] {
            let words = ["bytehop", "report", "x"]
                .into_iter()
                .chain(line.split(' '));
            let e = Cli::try_parse_from(words).expect_err(line).to_string();
            let said: Vec<_> = e.lines().filter(|line| !line.is_empty()).collect();
            assert!(said[0].contains(has), "{line}: {e}");
            assert_eq!(
                said[1..],
                ["For more information, try '--help'."],
                "{line}: {e}"
            );
        }
        for (from, to) in [(Some(5), Some(5)), (Some(6), Some(5)), (None, Some(0))] {
            let part = Within {
                from,
                to,
                pid: None,
                region: None,
                from_main: false,
            };
            let e = part.only().expect_err("no time is left");
            let what = e.what.expect("words");
            for (lang, has) in [
                (Lang::En, "--from is not before --to"),
                (Lang::Zh, "--from 不早于 --to"),
            ] {
                let said = what.say(lang);
                assert!(said.contains(has) && said.lines().count() == 1, "{said}");
            }
        }
        let whole = Within {
            from: Some(0),
            to: None,
            pid: None,
            region: None,
            from_main: false,
        };
        assert!(whole.only().is_ok_and(|only| only.is_all()));
    }

    #[test]
    fn flags_without_effect_are_refused() {
        for line in [
            "stat --level F -- true",
            "stat --stacks -- true",
            "stat --no-sampling -- true",
            "stat --buffer-size 1M -- true",
            "run --no-tui --theme dark -- true",
            "run --level T --breakpoint-budget 5 -- true",
            "record --theme dark -- true",
            "report --theme dark x",
            "run --expect copy -- true",
            "record --from 1s -- true",
            "view --to 1h x",
            "diff --theme dark a b",
            "diff --tui -q a b",
            "top --json --theme dark",
            "top --openmetrics --json",
            "top --openmetrics --tui",
            "top --openmetrics example.org",
            "top --openmetrics -f x",
            "top --otlp https://x",
            "top --otlp x --total",
            "top --openmetrics --rows 0",
            "top --by cgroup",
            "top --rows 3",
            "demo --theme dark",
            "setup",
            "setup --group g --undo",
            "lab list --seed x",
            "lab --answers f",
            "lab --seed x --replay first-hops",
            "lab --student x --replay first-hops",
        ] {
            let words = std::iter::once("bytehop").chain(line.split(' '));
            let refused = Cli::try_parse_from(words).err();
            assert_eq!(refused.map(|e| e.exit_code()), Some(2), "{line}");
        }
    }
}
