//! The verbs that trace: run, record, attach, stat.

mod live;
mod whole;
mod words;

pub use live::is_able;

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytehop_core::decode::{decode, encode_meta};
use bytehop_core::event::{Event, Meta, Only, Start};
use bytehop_core::i18n::{Lang, Say};
use bytehop_core::model::Summary;
use bytehop_core::notice::Notice;
use bytehop_core::reconstruct::{NoSink, Reconstructor, Sink};
use bytehop_core::record::{LogWriter, Part, Place, RecordError, Writer};
use tracer::btf::KernelBtf;
use tracer::capture::{self, Capture, Control, Ended, Followed, Output, Priority, Target, Which};
use tracer::launch::{Command, Held};
use tracer::lent;
use tracer::limits;
use tracer::load::{Options, Probes, Ring, Verb};
use tracer::privileges::{self, Privileges};
use tracer::signals::Signals;
use tracer::sources::Resolver;
use tracer::user::Identity;

use crate::budget::Expected;
use crate::cli::{self, SummaryArgs, Tracing};
use crate::fail::{FAILED, Fail, Trouble, USAGE, signalled};
use crate::output::{self, SummaryOutput};
use crate::show;

use self::whole::Whole;

pub fn run(args: cli::Run) -> Result<i32, Fail> {
    let what = What::Command(&args.command.argv);
    let look = args.summary.look().themed(args.theme);
    if args.budgets.is_some() {
        if args.ui.tui {
            return Err(Fail::new(USAGE, Trouble::ExpectAndTui));
        }
        let budgets = Some(&args.budgets);
        // A broken budget names the line that did it.
        let mut tracing = args.tracing;
        tracing.stacks = true;
        return trace(what, args.output, false, &tracing, &args.summary, budgets);
    }
    live::check_theme(args.theme, args.ui, &args.summary)?;
    match live::is_wanted(args.ui, &args.summary) {
        true => live::trace(what, args.output, &args.tracing, &args.summary, look),
        false => trace(what, args.output, false, &args.tracing, &args.summary, None),
    }
}

pub fn record(args: cli::Record) -> Result<i32, Fail> {
    let what = match args.processes.which() {
        Some(which) => What::Processes(which, args.duration),
        None => What::Command(&args.argv),
    };
    trace(
        what,
        Some(args.output),
        true,
        &args.tracing,
        &args.summary,
        None,
    )
}

pub fn attach(args: cli::Attach) -> Result<i32, Fail> {
    let Some(which) = args.processes.which() else {
        return Err(Fail::new(USAGE, Trouble::NothingToTrace));
    };
    let what = What::Processes(which, args.duration);
    let look = args.summary.look().themed(args.theme);
    live::check_theme(args.theme, args.ui, &args.summary)?;
    match live::is_wanted(args.ui, &args.summary) {
        true => live::trace(what, args.output, &args.tracing, &args.summary, look),
        false => trace(what, args.output, false, &args.tracing, &args.summary, None),
    }
}

pub fn stat(args: cli::Stat) -> Result<i32, Fail> {
    let argv = args.command.argv;
    let wanted = Options {
        verb: match args.null_probes {
            true => Verb::Null,
            false => Verb::Stat,
        },
        cost: args.cost,
        ..Options::from(&args.follow)
    };
    let what = What::Command(&argv);
    elevate(&args.follow)?;
    let signals = what.hold_signals()?;
    let mut session = Session::prepare(what, wanted, &args.summary, None)?;
    let ended = session.trace(signals, None, &mut Nothing)?;
    let mut reported = Ok(());
    if !args.null_probes {
        let summary = tracer::stat::summary(&session.probes, &session.start, &ended.end)?;
        reported = session.summary.write(&summary, ended.at_terminal);
    }
    ended.status(reported, session.summary.lang())
}

/// Traces with records: live into a summary, into a recording, or both.
fn trace(
    what: What<'_>,
    file: Option<PathBuf>,
    from_file: bool,
    tracing: &Tracing,
    summary: &SummaryArgs,
    budgets: Option<&cli::BudgetArgs>,
) -> Result<i32, Fail> {
    elevate(&tracing.follow)?;
    let identity = Identity::invoking()?;
    let expected = budgets.map(|budgets| budgets.read(|path| output::create(path, &identity)));
    let expected = expected.transpose()?.flatten();
    let signals = what.hold_signals()?;
    let mut session = Session::prepare(what, Options::from(tracing), summary, None)?;
    let whole = Whole::wanted(tracing, file.as_deref(), &session.identity)?;
    let file = whole.as_ref().map(|whole| whole.path().to_owned()).or(file);
    let writer = session.writer(file.as_deref(), whole.as_ref())?;
    // A recording alone is written as fast as possible and summed up afterwards.
    let live = (!from_file && whole.is_none()).then(|| Reconstructor::new(show::host()));
    let mut sinks = Sinks {
        part: Part::of(&only(tracing)),
        writer,
        live,
        expected,
        lang: session.summary.lang(),
        ..Sinks::default()
    };
    let ring = session.probes.ring()?;
    let start = session.start.clone();
    sinks.meta(&Meta::Start(start));
    let ended = session.trace(signals, Some(ring), &mut sinks)?;
    let mut reported = sinks.finish();
    let summary = match (sinks.live.take(), &file) {
        (Some(mut live), _) => {
            if let Some(expected) = &mut sinks.expected {
                live.drain(&mut expected.sink);
            }
            Some(live.finish())
        }
        (None, Some(path)) => Some(match &mut sinks.expected {
            Some(expected) => sum_up(path, whole.as_ref(), &mut expected.sink, &mut reported)?,
            None => sum_up(path, whole.as_ref(), &mut NoSink, &mut reported)?,
        }),
        (None, None) => None,
    };
    if let Some(mut summary) = summary {
        mention_live(&mut summary, &ended);
        let written = match sinks.expected.take() {
            None => session.summary.write(&summary, ended.at_terminal),
            Some(mut expected) => {
                let out = &mut session.summary;
                out.judged(&summary, &mut expected, ended.at_terminal)
            }
        };
        reported = reported.and(written);
    }
    ended.status(reported, session.summary.lang())
}

/// Sums up a recording; all of it, with a failure, if the part that is wanted is not in it.
fn sum_up(
    path: &Path,
    whole: Option<&Whole>,
    sink: &mut impl Sink,
    reported: &mut Result<(), Fail>,
) -> Result<Summary, Fail> {
    match whole.map(|whole| whole.sum_up(sink)) {
        Some(Ok(part)) => return Ok(part),
        Some(Err(fail)) => *reported = Err(fail),
        None => {}
    }
    show::summed_up(path, &Only::default(), sink)
}

fn mention_live(summary: &mut Summary, ended: &Ended) {
    if ended.end.reason == "interrupted" {
        summary.warnings.push(Notice::Stopped);
    }
}

/// By sudo, if that is wanted: before signals are held back, which sudo would inherit.
fn elevate(follow: &cli::Follow) -> Result<(), Fail> {
    if follow.elevate {
        tracer::elevate::elevate()?;
    }
    Ok(())
}

/// One line that says what is missing, if we may not trace.
pub fn require_rights() -> Result<(), Fail> {
    let rights = Privileges::check();
    let rights = rights.map_err(|e| Fail::new(FAILED, Trouble::Capabilities(e.into())));
    Ok(rights?.require()?)
}

/// What to trace.
enum What<'a> {
    Command(&'a [OsString]),
    Processes(Which, Option<std::time::Duration>),
}

impl What<'_> {
    /// Holds back the signals that would end us, from here on: whoever sends one gets a summary, also while
    /// probes are loaded.
    fn hold_signals(&self) -> Result<Signals, Fail> {
        let held = match self {
            Self::Command(_) => Signals::install(),
            Self::Processes(..) => Signals::install_alone(),
        };
        held.map_err(|e| Fail::new(FAILED, Trouble::Signals(e.into())))
    }
}

/// A failure, if a signal that ends us came while nothing was traced yet.
pub fn not_ended(signals: &mut Signals) -> Result<(), Fail> {
    let received = signals
        .receive()
        .map_err(|e| Fail::new(FAILED, Trouble::Signals(e.into())))?;
    match received.map(|received| received.signal) {
        Some(signal) => {
            let what = Trouble::WhileLoading(signal.as_str());
            Err(Fail::new(signalled(signal as i32), what))
        }
        None => Ok(()),
    }
}

/// What is ready when the command may go.
struct Session {
    identity: Identity,
    probes: Probes,
    start: Start,
    summary: SummaryOutput,
    pending: Option<Pending>,
    /// Of a process that runs already: who is traced.
    followed: Option<Followed>,
    /// Source lines are wanted.
    stacks: bool,
    /// What the calling thread had before.
    priority: Priority,
}

enum Pending {
    Held(Box<Held>),
    Process(Target),
}

impl Session {
    /// Everything up to the moment before the command is released: rights, the held command, probes.
    fn prepare(
        what: What<'_>,
        wanted: Options,
        summary: &SummaryArgs,
        terminal: Option<OwnedFd>,
    ) -> Result<Self, Fail> {
        let priority = capture::keep_up();
        limits::lift(wanted.ring_size())?;
        let identity = Identity::invoking()?;
        require_rights()?;
        let summary = SummaryOutput::open(summary, &identity)?;

        let (command, pid, mut pending) = match what {
            What::Command(argv) => {
                let mut command = Command {
                    argv: argv.to_vec(),
                    cwd: None,
                    identity: identity.clone(),
                };
                if let Some(terminal) = &terminal {
                    live::at_home(&mut command.identity, terminal);
                }
                let held = Held::spawn_on(&command, terminal.as_ref().map(AsFd::as_fd))?;
                if lent::caller().is_some_and(|caller| caller.is_more_by(held.program())) {
                    let program = held.program().display();
                    summary.announce(|lang| words::without_rights(lang, program));
                }
                (lossy(argv), held.pid(), Pending::Held(Box::new(held)))
            }
            What::Processes(which, duration) => {
                let target = Target::processes(&which, duration)?;
                let pid = target.pid();
                (command_of(pid), pid, Pending::Process(target))
            }
        };
        let attached = matches!(pending, Pending::Process(_));

        let options = Options { pid, ..wanted };
        let mut probes = capture::first(|| Probes::load(&KernelBtf::load()?, options))?;
        let mut start = capture::start(&probes, &command, pid, attached, options.follow);
        let mut followed = None;
        if let Pending::Process(target) = &mut pending {
            let processes = target.begin(&mut probes, options.follow)?;
            let children = processes.processes.iter().skip(1);
            start.children = children
                .map(|child| (child.pid, child.comm.clone()))
                .collect();
            start.cut = processes.cut.clone();
            followed = Some(processes);
        }
        capture::whereabouts(&mut start);
        Ok(Self {
            identity,
            probes,
            start,
            summary,
            pending: Some(pending),
            followed,
            stacks: options.stacks,
            priority,
        })
    }

    /// Creates the recording, if one is wanted; it belongs to the user.
    fn writer(
        &self,
        path: Option<&Path>,
        whole: Option<&Whole>,
    ) -> Result<Option<Writer<File>>, Fail> {
        if let Some(ours) = whole.map_or(Ok(None), Whole::writer)? {
            return Ok(Some(ours));
        }
        let Some(path) = path else { return Ok(None) };
        let file = output::create_recording(path, &self.identity)?;
        Ok(Some(Writer::new(file, path)?))
    }

    /// Gives up our rights, lets the command go, and traces it to its end.
    fn trace(
        &mut self,
        signals: Signals,
        ring: Option<Ring>,
        out: &mut dyn Output,
    ) -> Result<Ended, Fail> {
        self.give_up_rights()?;
        if let Some(followed) = &self.followed {
            self.summary.announce(|lang| words::ready(lang, followed));
        }
        let (mut capture, target) = self.release(ring, Control::signals(signals), out)?;
        let ended = capture.run(target, out)?;
        self.mention_not_shown(&ended);
        Ok(ended)
    }

    /// Says what rights that are only lent did not show.
    fn mention_not_shown(&self, ended: &Ended) {
        if ended.not_shown > 0 {
            let say = |lang| words::not_shown(lang, ended.not_shown);
            self.summary.announce(say);
        }
    }

    /// The last thing that takes rights. Threads may be started afterwards.
    fn give_up_rights(&mut self) -> Result<(), Fail> {
        if let Some(Pending::Held(held)) = &self.pending {
            self.probes.await_execve(held.pid())?;
        }
        Ok(privileges::drop_after_load(&self.identity)?)
    }

    /// Lets the command go.
    fn release(
        &mut self,
        ring: Option<Ring>,
        control: Control,
        out: &mut dyn Output,
    ) -> Result<(Capture<'_>, Target), Fail> {
        let mut capture = Capture::new(&mut self.probes, ring, control);
        if self.stacks {
            let attached = self.start.attached.then_some(self.start.pid);
            capture.tell_sources(Resolver::start(attached, &self.start.command));
        }
        capture.introduce(out);
        let target = match self.pending.take() {
            Some(Pending::Held(held)) => Target::Command(held.release()?),
            Some(Pending::Process(target)) => target,
            None => return Err(Fail::new(FAILED, Trouble::NothingToTrace)),
        };
        Ok((capture, target))
    }
}

/// The traced program's exit status, or that of the signal that ended tracing before; a failure of ours shows
/// where there is none.
trait Status {
    fn status(&self, reported: Result<(), Fail>, lang: Lang) -> Result<i32, Fail>;
}

impl Status for Ended {
    fn status(&self, reported: Result<(), Fail>, lang: Lang) -> Result<i32, Fail> {
        let signal = self
            .signal
            .map_or(0, |signal| signalled(signal as i32).into());
        let code = self.exit.map_or(signal, |exit| exit.code());
        match reported {
            Ok(()) => Ok(code),
            Err(fail) if code != 0 => {
                fail.complain(lang);
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

/// The recording, the live summary, the terminal UI.
#[derive(Default)]
struct Sinks {
    /// What of it is kept.
    part: Part,
    writer: Option<Writer<File>>,
    live: Option<Reconstructor>,
    /// What sees the calls and hops of `live`.
    expected: Option<Expected>,
    log: Option<LogWriter>,
    /// Why the recording, or the log, could not go on. Tracing does.
    failed: Option<RecordError>,
    lang: Lang,
}

impl Sinks {
    /// Says once that the recording cannot go on.
    fn check(&mut self, result: Result<(), RecordError>) {
        if let Err(e) = result
            && self.failed.is_none()
        {
            match &self.log {
                // The terminal UI has the screen.
                Some(log) => log.complain(&e),
                None => output::complain(&e.say(self.lang)),
            }
            self.failed = Some(e);
        }
    }

    /// Takes a record that is wanted.
    fn keep(&mut self, record: &[u8]) {
        if let Some(writer) = &mut self.writer {
            let result = writer.record(record);
            self.check(result);
        }
        if let Some(log) = &mut self.log {
            let result = log.record(record);
            self.check(result);
        }
        if self.live.is_some()
            && let Ok(event) = decode(record)
        {
            self.push(&event);
        }
    }

    /// Into the live summary.
    fn push(&mut self, event: &Event) {
        let Some(live) = &mut self.live else { return };
        match &mut self.expected {
            Some(expected) => live.push(event, &mut expected.sink),
            None => live.push(event, &mut NoSink),
        }
    }

    fn finish(&mut self) -> Result<(), Fail> {
        let in_ui = self.log.take().is_some();
        let finished = self.writer.take().map_or(Ok(()), |w| w.finish().map(drop));
        match (self.failed.take(), finished) {
            (Some(e), _) if in_ui => Err(e.into()),
            (Some(_), _) => Err(Fail::silent(1)),
            (None, finished) => Ok(finished?),
        }
    }
}

impl Output for Sinks {
    fn record(&mut self, record: &[u8]) {
        match self.part.next(record) {
            Place::Inside | Place::Context => self.keep(record),
            Place::Outside => {}
            Place::Instead(records) => records.iter().for_each(|record| self.keep(record)),
        }
    }

    fn meta(&mut self, meta: &Meta) {
        if self.part.is_partial() {
            let mut record = Vec::new();
            encode_meta(meta, &mut record);
            return self.record(&record);
        }
        if let Some(writer) = &mut self.writer {
            let result = writer.meta(meta);
            self.check(result);
        }
        if let Some(log) = &mut self.log {
            let result = log.meta(meta);
            self.check(result);
        }
        if self.live.is_some() {
            self.push(&Event::Meta(meta.clone()));
        }
    }

    fn tick(&mut self, now: Instant) {
        if let Some(writer) = &mut self.writer {
            let result = writer.tick(now);
            self.check(result);
        }
        if let Some(log) = &mut self.log {
            let result = log.tick(now);
            self.check(result);
        }
    }
}

/// What of a trace is kept.
fn only(tracing: &Tracing) -> Only {
    Only {
        region: tracing.region.clone(),
        ..Only::default()
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
