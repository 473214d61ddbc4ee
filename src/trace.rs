//! The verbs that trace: run, record, attach, stat.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tracer::btf::KernelBtf;
use tracer::capture::{self, Capture, Ended, Output, Target};
use tracer::decode::decode;
use tracer::event::{Event, Meta, Start};
use tracer::launch::{Command, Held};
use tracer::load::{Options, Probes, Ring};
use tracer::model::Summary;
use tracer::privileges::{self, Privileges};
use tracer::reconstruct::{NoSink, Reconstructor};
use tracer::record::Writer;
use tracer::signals::Signals;
use tracer::user::Identity;

use crate::cli::{self, SummaryArgs, Tracing};
use crate::fail::{FAILED, Fail};
use crate::output::{self, SummaryOutput};
use crate::show;

pub fn run(args: cli::Run) -> Result<i32, Fail> {
    trace(
        What::Command(&args.command.argv),
        args.output,
        false,
        &args.tracing,
        &args.summary,
    )
}

pub fn record(args: cli::Record) -> Result<i32, Fail> {
    let what = match args.pid {
        Some(pid) => What::Process(pid, args.duration),
        None => What::Command(&args.argv),
    };
    trace(what, Some(args.output), true, &args.tracing, &args.summary)
}

pub fn attach(args: cli::Attach) -> Result<i32, Fail> {
    trace(
        What::Process(args.pid, args.duration),
        args.output,
        false,
        &args.tracing,
        &args.summary,
    )
}

pub fn stat(args: cli::Stat) -> Result<i32, Fail> {
    let argv = args.command.argv;
    let mut session = Session::prepare(
        What::Command(&argv),
        &args.tracing,
        &args.summary,
        |options| {
            options.stat = true;
            options.null = args.null_probes;
        },
    )?;
    let ended = session.trace(None, &mut Nothing)?;
    let mut reported = Ok(());
    if !args.null_probes {
        let summary = tracer::stat::summary(&session.probes, &session.start, &ended.end)?;
        reported = session.summary.write(&summary, ended.at_terminal);
    }
    ended.status(reported)
}

/// Traces with records: live into a summary, into a recording, or both.
fn trace(
    what: What<'_>,
    file: Option<PathBuf>,
    from_file: bool,
    tracing: &Tracing,
    summary: &SummaryArgs,
) -> Result<i32, Fail> {
    let mut session = Session::prepare(what, tracing, summary, |_| {})?;
    let writer = match &file {
        Some(path) => Some(Writer::new(session.create(path)?, path)?),
        None => None,
    };
    // A recording alone is written as fast as possible and summed up afterwards.
    let live = (!from_file).then(|| {
        Reconstructor::new(tracer::arch::Arch::host().unwrap_or(tracer::arch::Arch::X86_64))
    });
    let mut sinks = Sinks {
        writer,
        live,
        failed: false,
    };
    let ring = session.probes.ring()?;
    let start = session.start.clone();
    sinks.meta(&Meta::Start(start));
    let ended = session.trace(Some(ring), &mut sinks)?;
    let mut reported = sinks.finish();
    let summary = match (sinks.live.take(), &file) {
        (Some(live), _) => Some(live.finish()),
        (None, Some(path)) => Some(show::summarise(path, &mut NoSink)?),
        (None, None) => None,
    };
    if let Some(mut summary) = summary {
        mention_live(&mut summary, &ended);
        reported = reported.and(session.summary.write(&summary, ended.at_terminal));
    }
    ended.status(reported)
}

fn mention_live(summary: &mut Summary, ended: &Ended) {
    if ended.end.reason == "interrupted" {
        summary
            .warnings
            .push("tracing was stopped before the program ended".to_owned());
    }
}

/// What to trace.
enum What<'a> {
    Command(&'a [OsString]),
    Process(u32, Option<std::time::Duration>),
}

/// What is ready when the command may go.
struct Session {
    identity: Identity,
    probes: Probes,
    start: Start,
    summary: SummaryOutput,
    pending: Option<Pending>,
}

enum Pending {
    Held(Box<Held>),
    Process(Target),
}

impl Session {
    /// Everything up to the moment before the command is released: rights, the held command, probes.
    fn prepare(
        what: What<'_>,
        tracing: &Tracing,
        summary: &SummaryArgs,
        adjust: impl FnOnce(&mut Options),
    ) -> Result<Self, Fail> {
        if tracing.elevate {
            tracer::elevate::elevate()?;
        }
        let identity = Identity::invoking()?;
        Privileges::check()
            .map_err(|e| Fail::new(FAILED, format!("cannot read our capabilities: {e}")))?
            .require()?;
        let summary = SummaryOutput::open(summary, &identity)?;

        let (command, pid, pending) = match what {
            What::Command(argv) => {
                let command = Command {
                    argv: argv.to_vec(),
                    cwd: None,
                    identity: identity.clone(),
                };
                let held = Held::spawn(&command)?;
                (lossy(argv), held.pid(), Pending::Held(Box::new(held)))
            }
            What::Process(pid, duration) => (
                command_of(pid),
                pid,
                Pending::Process(Target::process(pid, duration)?),
            ),
        };
        let attached = matches!(pending, Pending::Process(_));

        let kernel = KernelBtf::load()?;
        let follow = !tracing.no_follow;
        let mut options = Options {
            stat: false,
            follow,
            buffer: tracing.buffer_size,
            level: tracing.level,
            pid,
            sampling: !tracing.no_sampling,
            null: false,
        };
        adjust(&mut options);
        let probes = Probes::load(&kernel, options)?;
        let start = capture::start(&probes, &command, pid, attached, follow);
        Ok(Self {
            identity,
            probes,
            start,
            summary,
            pending: Some(pending),
        })
    }

    /// Creates a file that belongs to the user.
    fn create(&self, path: &Path) -> Result<File, Fail> {
        output::create(path, &self.identity)
    }

    /// Gives up our rights, lets the command go, and traces it to its end.
    fn trace(&mut self, ring: Option<Ring>, out: &mut dyn Output) -> Result<Ended, Fail> {
        let signals = Signals::install()
            .map_err(|e| Fail::new(FAILED, format!("cannot receive signals: {e}")))?;
        let pending = self.pending.take();
        match &pending {
            Some(Pending::Held(held)) => self.probes.await_execve(held.pid())?,
            Some(Pending::Process(target)) => {
                capture::trace_threads(&mut self.probes, target.pid())?
            }
            None => {}
        }
        capture::keep_up();
        privileges::drop_after_load(&self.identity)?;
        let mut capture = Capture::new(&mut self.probes, ring, signals);
        capture.introduce(out);
        let begin = Instant::now();
        let target = match pending {
            Some(Pending::Held(held)) => Target::Command(held.release()?),
            Some(Pending::Process(target)) => target,
            None => return Err(Fail::new(FAILED, "nothing to trace")),
        };
        Ok(capture.run(target, begin, out)?)
    }
}

/// The traced program's exit status; a failure of ours shows where the program had none.
trait Status {
    fn status(&self, reported: Result<(), Fail>) -> Result<i32, Fail>;
}

impl Status for Ended {
    fn status(&self, reported: Result<(), Fail>) -> Result<i32, Fail> {
        let code = self.exit.map_or(0, |exit| exit.code());
        match reported {
            Ok(()) => Ok(code),
            Err(fail) if code != 0 => {
                output::complain(&fail.message);
                Ok(code)
            }
            Err(fail) => Err(fail),
        }
    }
}

/// Takes nothing: the kernel counts.
struct Nothing;

impl Output for Nothing {
    fn record(&mut self, _: &[u8]) {}
    fn meta(&mut self, _: &Meta) {}
}

/// The recording and the live summary.
struct Sinks {
    writer: Option<Writer<File>>,
    live: Option<Reconstructor>,
    failed: bool,
}

impl Sinks {
    /// Says once that the recording cannot go on; tracing does.
    fn check(&mut self, result: Result<(), tracer::record::RecordError>) {
        if let Err(e) = result
            && !self.failed
        {
            self.failed = true;
            output::complain(&e.to_string());
        }
    }

    fn finish(&mut self) -> Result<(), Fail> {
        match self.writer.take().map(Writer::finish) {
            Some(Err(_)) if self.failed => Err(Fail::new(1, "")),
            Some(Err(e)) => Err(e.into()),
            Some(Ok(_)) | None => Ok(()),
        }
    }
}

impl Output for Sinks {
    fn record(&mut self, record: &[u8]) {
        if let Some(writer) = &mut self.writer {
            let result = writer.record(record);
            self.check(result);
        }
        if let Some(live) = &mut self.live
            && let Ok(event) = decode(record)
        {
            live.push(&event, &mut NoSink);
        }
    }

    fn meta(&mut self, meta: &Meta) {
        if let Some(writer) = &mut self.writer {
            let result = writer.meta(meta);
            self.check(result);
        }
        if let Some(live) = &mut self.live {
            live.push(&Event::Meta(meta.clone()), &mut NoSink);
        }
    }

    fn tick(&mut self, now: Instant) {
        if let Some(writer) = &mut self.writer {
            let result = writer.tick(now);
            self.check(result);
        }
    }
}

fn lossy(argv: &[OsString]) -> Vec<String> {
    argv.iter()
        .map(|a| a.to_string_lossy().into_owned())
        .collect()
}

/// The command line of a running process.
fn command_of(pid: u32) -> Vec<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = bytes.split(|b| *b == 0).filter(|w| !w.is_empty());
    words
        .map(|w| String::from_utf8_lossy(w).into_owned())
        .collect()
}
