//! Tracing under the terminal UI: one thread takes the records, the other shows them.
//!
//! Between them lies a log on the disk, so that neither waits for the other.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use bytehop_core::event::Meta;
use bytehop_core::reconstruct::NoSink;
use bytehop_core::record::{self, Part};
use nix::sys::signal::Signal;
use tracer::capture::{Control, Order, Output};
use tracer::load::Options;
use tracer::user::Identity;
use tui::theme::Theme;
use tui::{Live, Pty};

use super::whole::Whole;
use super::{Session, Sinks, Status, What, elevate, mention_live, not_ended, only};
use crate::cli::{SummaryArgs, Tracing, Ui};
use crate::fail::{FAILED, Fail, Trouble, USAGE};
use crate::output;
use crate::resolve::Look;

/// Whether the UI is to be shown: where there is a terminal, and nobody asks for the summary as data.
pub fn is_wanted(ui: Ui, summary: &SummaryArgs) -> bool {
    let terminal =
        io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal();
    let data = summary.json || summary.summary.is_some();
    ui.tui || (!ui.no_tui && !data && terminal && is_able())
}

/// Refuses colours of a UI that is not shown, since the summary is asked for as data.
pub fn check_theme(theme: Option<Theme>, ui: Ui, summary: &SummaryArgs) -> Result<(), Fail> {
    let data = summary.json || summary.summary.is_some();
    match theme.is_some() && data && !ui.tui {
        true => Err(Fail::new(USAGE, Trouble::ThemeOfNothing)),
        false => Ok(()),
    }
}

/// Whether the terminal can do more than print.
pub fn is_able() -> bool {
    std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// Makes the program at home on a terminal of ours: it is the user's, and it is an xterm.
pub fn at_home(identity: &mut Identity, terminal: &OwnedFd) {
    // Left over from the terminal that we are on.
    const STALE: [&str; 5] = [
        "TERM",
        "LINES",
        "COLUMNS",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
    ];
    identity
        .env
        .retain(|(name, _)| STALE.iter().all(|stale| name != stale));
    identity.env.push(("TERM".into(), "xterm-256color".into()));
    if let Some(credentials) = &identity.credentials {
        // Without it the program could not open its own terminal by name.
        let _ = nix::unistd::fchown(terminal, Some(credentials.uid), None);
    }
}

/// Traces, and shows it. The summary comes when the user has left the UI.
pub fn trace(
    what: What<'_>,
    file: Option<PathBuf>,
    tracing: &Tracing,
    args: &SummaryArgs,
    look: Look,
) -> Result<i32, Fail> {
    tui::needs_terminal()?;
    let terminal = |e: io::Error| Fail::new(FAILED, Trouble::Terminal(e));
    let options = crate::output::ui(look);
    let (kind, pty) = match what {
        What::Command(_) => {
            let size = Live::program_size().map_err(terminal)?;
            (
                tui::Target::Command,
                Some(Pty::open(size).map_err(terminal)?),
            )
        }
        What::Processes(..) => (tui::Target::Process, None),
    };
    let (pty, theirs) = pty.unzip();
    let wanted = Options {
        // The source pane follows what one looks at.
        stacks: true,
        ..Options::from(tracing)
    };
    elevate(&tracing.follow)?;
    // Held back to the end: what comes once the UI is there it reads itself.
    let mut signals = what.hold_signals()?;
    let mut session = Session::prepare(what, wanted, args, theirs)?;
    let whole = Whole::wanted(tracing, file.as_deref(), &session.identity)?;
    let writer = session.writer(file.as_deref(), whole.as_ref())?;
    let ring = session.probes.ring()?;
    session.give_up_rights()?;
    let priority = session.priority;

    not_ended(&mut signals)?;
    let (log, reader) = record::log(room)?;
    let mut sinks = Sinks {
        part: Part::of(&only(tracing)),
        writer,
        log: Some(log),
        lang: session.summary.lang(),
        ..Sinks::default()
    };
    sinks.meta(&Meta::Start(session.start.clone()));
    let mut ui = Live::new(reader, kind, pty, &options).map_err(terminal)?;
    let (orders, control) = Control::remote();
    let (mut capture, target) = session.release(Some(ring), control, &mut sinks)?;
    let (shown, traced) = thread::scope(|scope| {
        let orders = Orders(orders);
        let tracing = scope.spawn(move || {
            let ended = capture.run(target, &mut sinks);
            // Ends the log, too.
            (ended, sinks.finish())
        });
        priority.restore();
        let shown = ui.run();
        if !tracing.is_finished() {
            ui.hang_up();
            orders.end(kind, || tracing.is_finished());
        }
        drop(orders);
        (shown, tracing.join())
    });
    let (ended, mut reported) = traced.map_err(|_| Fail::new(FAILED, Trouble::BrokeOff))?;
    let ended = ended?;
    // Where the program would have written it. If that terminal is gone, there may still be a file.
    reported = reported.and(output::print(&ui.transcript()));
    let mut summary = ui.finish();
    if let Some(whole) = whole {
        // What was on the screen is more.
        match whole.sum_up(&mut NoSink) {
            Ok(part) => summary = part,
            Err(fail) => reported = reported.and(Err(fail)),
        }
    }
    mention_live(&mut summary, &ended);
    session.mention_not_shown(&ended);
    reported = reported.and(session.summary.write(&summary, ended.at_terminal));
    if let Err(e) = shown {
        reported = reported.and(Err(e.into()));
    }
    ended.status(reported, session.summary.lang())
}

/// Our end of what the capture is told.
struct Orders(Sender<Order>);

impl Orders {
    /// Ends a command that is ours, as closing a terminal does, then less and less politely; leaves a
    /// process that is not ours to itself.
    fn end(&self, target: tui::Target, is_over: impl Fn() -> bool) {
        const STEPS: [(Signal, Duration); 3] = [
            (Signal::SIGHUP, Duration::from_millis(300)),
            (Signal::SIGTERM, Duration::from_millis(1500)),
            (Signal::SIGKILL, Duration::from_millis(1500)),
        ];
        let steps = match target {
            tui::Target::Command => STEPS.as_slice(),
            tui::Target::Process => &[],
        };
        for (signal, wait) in steps {
            let _ = self.0.send(Order::Signal(*signal));
            let until = Instant::now() + *wait;
            while Instant::now() < until {
                if is_over() {
                    return;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

impl Drop for Orders {
    /// However the UI ends, the capture must not go on alone.
    fn drop(&mut self) {
        let _ = self.0.send(Order::Stop);
    }
}

/// Free bytes where a file lies.
fn room(file: &File) -> u64 {
    let room = nix::sys::statvfs::fstatvfs(file);
    room.map_or(u64::MAX, |room| {
        room.blocks_available().saturating_mul(room.fragment_size())
    })
}
