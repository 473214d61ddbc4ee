//! `bytehop top`: what the bytes of every process cost, live.

mod export;

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use bytehop_core::event::Start;
use bytehop_core::i18n::Say;
use bytehop_core::report::top::{View, line, table};
use bytehop_core::top::Frame;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tracer::btf::KernelBtf;
use tracer::capture;
use tracer::load::{Options, Probes, Verb};
use tracer::privileges;
use tracer::signals::Signals;
use tracer::top::Sampler;
use tracer::user::Identity;

use crate::cli::{self, By};
use crate::fail::{FAILED, Fail, Trouble, signalled};
use crate::output::{print, style, ui};
use crate::resolve::Look;
use crate::top::export::Exporter;
use crate::trace::{is_able, not_ended, require_rights};

pub fn top(args: &cli::Top) -> Result<i32, Fail> {
    if args.elevate {
        tracer::elevate::elevate()?;
    }
    let on_screen = is_wanted(args);
    if on_screen {
        tui::needs_terminal()?;
    }
    let identity = Identity::invoking()?;
    require_rights()?;
    let exporter = Exporter::listen(args)?;
    // Process ids are those of the first namespace.
    capture::on_the_host()?;
    tracer::limits::lift(0)?;
    // Held back to the end: what comes once the UI is there it reads itself.
    let held = Signals::install();
    let mut signals = held.map_err(|e| Fail::new(FAILED, Trouble::Signals(e.into())))?;
    let kernel = KernelBtf::load()?;
    let options = Options {
        verb: Verb::Top,
        ..Options::default()
    };
    let probes = Probes::load(&kernel, options)?;
    not_ended(&mut signals)?;
    let start = capture::start(&probes, &[], 0, false, true);
    let view = View {
        sort: args.sort,
        reverse: args.reverse,
        filter: args.filter.clone().unwrap_or_default(),
        idle: false,
    };
    let sampler = match args.fleet.by {
        By::Cgroup if exporter.is_some() => Sampler::new(&probes).with_cgroups(),
        _ => Sampler::new(&probes),
    };
    let mut source = Source { sampler, probes };
    if on_screen {
        privileges::drop_after_load(&identity)?;
        let settings = tui::top::Settings {
            view,
            interval: args.delay,
            rounds: args.rounds,
            total: args.total,
            missing: start.missing,
        };
        let look = Look::from(args.style).themed(args.theme);
        tui::top::run(&mut source, settings, &ui(look))?;
        return Ok(0);
    }
    privileges::drop_after_load(&identity)?;
    if let Some(exporter) = exporter {
        return exporter.run(args, source, &start, signals);
    }
    text(args, source, &view, &start, signals)
}

fn is_wanted(args: &cli::Top) -> bool {
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let exports = args.fleet.openmetrics.is_some() || args.fleet.otlp.is_some();
    args.tui || (!exports && !args.no_tui && !args.json && terminal && is_able())
}

/// The counters, for whoever shows them.
struct Source {
    sampler: Sampler,
    probes: Probes,
}

impl tui::top::Source for Source {
    fn read(&mut self) -> Result<(), Box<dyn Say + Send + Sync>> {
        self.sampler
            .read(&mut self.probes)
            .map_err(|e| Box::new(e) as _)
    }

    fn frame(&mut self, total: bool) -> Frame {
        self.sampler.frame(total)
    }
}

/// Blocks of text, or lines of JSON, until someone has had enough.
fn text(
    args: &cli::Top,
    mut source: Source,
    view: &View,
    start: &Start,
    mut signals: Signals,
) -> Result<i32, Fail> {
    let style = style(args.style, &io::stdout());
    let mut due = Instant::now();
    let mut round = 0;
    while args.rounds.is_none_or(|rounds| round < rounds) {
        due += args.delay;
        if let Some(status) = wait(due, &mut signals, Some(&io::stdout()))? {
            return Ok(status);
        }
        source.sampler.read(&mut source.probes)?;
        let frame = source.sampler.frame(args.total);
        let text = match args.json {
            true => format!("{}\n", line(&frame, &view.rows(&frame), start)),
            false => {
                let blank = if round > 0 { "\n" } else { "" };
                format!("{blank}{}", table(&frame, view, &start.missing, &style))
            }
        };
        print(&text)?;
        round += 1;
        // After a pause (we were stopped) the clock starts anew.
        due = due.max(Instant::now().checked_sub(args.delay).unwrap_or(due));
    }
    Ok(0)
}

/// Waits; a status if we are asked to end, or nobody reads `out` on.
fn wait(
    until: Instant,
    signals: &mut Signals,
    out: Option<&io::Stdout>,
) -> Result<Option<i32>, Fail> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        // Of our output only its end is of interest: that is told unasked.
        let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        fds.extend(out.map(|out| PollFd::new(out.as_fd(), PollFlags::empty())));
        let left = left + Duration::from_micros(999);
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(e) => return Err(Fail::new(FAILED, Trouble::Wait(e.into()))),
        }
        let mut any = fds.iter().map(|fd| fd.any().unwrap_or(false));
        let (asked, closed) = (any.next() == Some(true), any.next() == Some(true));
        let failed = |e: Errno| Fail::new(FAILED, Trouble::Signals(e.into()));
        if asked && let Some(received) = signals.receive().map_err(failed)? {
            return Ok(Some(signalled(received.signal as i32).into()));
        }
        if closed {
            return Ok(Some(0));
        }
    }
}
