//! The loop: events in, actions to the model, frames out.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ratatui::crossterm::event;
use ratatui::crossterm::terminal::size;
use tracer::i18n::Lang;
use tracer::record::RecordError;

use crate::action::{Action, Effect};
use crate::app::{App, Look, TICKS};
use crate::keys;
use crate::store::Store;
use crate::terminal::{Asked, Screen, Signals};
use crate::theme::Theme;
use crate::update::update;
use crate::view::draw;

/// How the UI is to look and behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub lang: Lang,
    pub theme: Theme,
    /// No characters outside ASCII of our own, apart from the words of a language.
    pub ascii: bool,
    /// Take clicks and the wheel; without it the terminal's own selection works as usual.
    pub mouse: bool,
}

impl Options {
    /// What the environment asks for: `BYTEHOP_LANG` and the locale, `NO_COLOR`, `BYTEHOP_THEME`
    /// (`dark`, `light`, `contrast`), else the terminal's background by `COLORFGBG`.
    pub fn from_env(lang: Option<Lang>) -> Self {
        Self {
            lang: Lang::from_env(lang),
            theme: Theme::choose(|name| std::env::var(name).ok()),
            ascii: false,
            mouse: true,
        }
    }
}

/// Why the UI could not be shown, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error(transparent)]
    Recording(#[from] RecordError),
    #[error("the terminal UI needs a terminal on standard input and output")]
    NotATerminal,
    #[error("the terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Shows a recording until the user quits.
///
/// # Errors
/// If the recording cannot be opened, or the terminal does not do what is asked of it. The terminal
/// is as before in any case.
pub fn view(path: &Path, options: &Options) -> Result<(), ViewError> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(ViewError::NotATerminal);
    }
    let store = Store::open(path)?;
    let look = Look {
        lang: options.lang,
        theme: options.theme,
        ascii: options.ascii,
    };
    let app = App::new(store, look, size()?);
    run(app, options)
}

/// Waits for a key; `false` if the terminal is gone. The library's own wait does not tell, and turns
/// round and round on a terminal that has hung up.
fn wait_for_input(wait: Duration) -> io::Result<bool> {
    let stdin = io::stdin();
    let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    let wait = PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX);
    match poll(&mut fds, wait) {
        // A signal: of a new size, or of ours, which are looked at next.
        Ok(_) | Err(Errno::EINTR) => {}
        Err(e) => return Err(e.into()),
    }
    let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
    Ok(!fds[0]
        .revents()
        .is_some_and(|events| events.intersects(gone)))
}

/// The time of one tick.
const TICK: Duration = Duration::from_nanos(1_000_000_000 / TICKS as u64);
/// Events applied between two frames.
const BATCH: usize = 256;
/// How long to wait for a key before looking whether a signal has come.
const IDLE: Duration = Duration::from_millis(200);

fn run(mut app: App, options: &Options) -> Result<(), ViewError> {
    let mut signals = Signals::install().map_err(io::Error::from)?;
    let mut screen = Screen::enter(options.mouse)?;
    let mut due = Instant::now() + TICK;
    let mut dirty = true;
    loop {
        if dirty {
            screen.terminal.draw(|frame| {
                let area = frame.area();
                if (area.width, area.height) != app.size {
                    update(&mut app, Action::Resize(area.width, area.height));
                }
                draw(&app, frame.buffer_mut());
            })?;
            dirty = false;
        }
        let wait = if app.is_moving() {
            due.saturating_duration_since(Instant::now())
        } else {
            IDLE
        };
        // All that has come is applied before the next frame. Each key at once: what the next one
        // means may depend on it.
        if !wait_for_input(wait)? {
            return Ok(());
        }
        let mut more = event::poll(Duration::ZERO)?;
        for _ in 0..BATCH {
            if !more {
                break;
            }
            let event = event::read()?;
            if let Some(action) = keys::action(&event, app.input.is_some()) {
                dirty = true;
                if apply(&mut app, &mut screen, action)? {
                    return Ok(());
                }
            }
            more = event::poll(Duration::ZERO)?;
        }
        if app.is_moving() && Instant::now() >= due {
            dirty = true;
            update(&mut app, Action::Tick);
            // After a pause the clock starts anew.
            due = (due + TICK).max(Instant::now());
        }
        while let Some(asked) = signals.receive() {
            dirty = true;
            match asked {
                Asked::Quit => return Ok(()),
                Asked::Suspend => screen.suspend()?,
                Asked::Resume => screen.resume()?,
            }
        }
    }
}

/// Applies an action, and does what the model cannot; true if that was the last.
fn apply(app: &mut App, screen: &mut Screen, action: Action) -> Result<bool, ViewError> {
    match update(app, action) {
        Some(Effect::Quit) => return Ok(true),
        Some(Effect::Suspend) => screen.suspend()?,
        Some(Effect::Redraw) => screen.terminal.clear()?,
        None => {}
    }
    Ok(false)
}
