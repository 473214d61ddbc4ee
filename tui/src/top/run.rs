//! The loop: counters and keys in, frames out.

use std::time::{Duration, Instant};

use bytehop_core::i18n::Say;
use bytehop_core::report::top::View;
use bytehop_core::top::Frame;

use super::keys::action;
use super::model::{Effect, Top};
use super::view;
use crate::options::Options;
use crate::run::ViewError;
use crate::terminal::{Asked, Console, Screen, size};

/// Where tables come from.
pub trait Source {
    /// Reads the counters.
    ///
    /// # Errors
    /// A line that says why they cannot be read any more.
    fn read(&mut self) -> Result<(), Box<dyn Say + Send + Sync>>;
    /// A table of what was read last: of the last interval, or since the beginning.
    fn frame(&mut self, total: bool) -> Frame;
}

/// What is shown, how often.
#[derive(Clone, Debug)]
pub struct Settings {
    pub view: View,
    pub interval: Duration,
    /// End after so many tables.
    pub rounds: Option<u64>,
    pub total: bool,
    /// Hooks that are not attached, and why.
    pub missing: Vec<(String, String)>,
}

/// Intervals that the keys go through.
const INTERVALS: [Duration; 8] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];
/// The first table does not keep one waiting.
const FIRST: Duration = Duration::from_millis(500);

/// Shows tables until the user has had enough, or the rounds are over.
///
/// # Errors
/// If the terminal does not do what is asked of it, or the counters cannot be read. The terminal is as
/// before in any case.
pub fn run(
    source: &mut dyn Source,
    settings: Settings,
    options: &Options,
) -> Result<(), ViewError> {
    let mut top = Top::new(settings.view, settings.total, options.look(), size()?);
    top.missing = settings.missing;
    top.columns.clone_from(&options.top_columns);
    let mut interval = settings.interval;
    let mut console = Console::open()?;
    // Text can be selected: there is nothing to click at.
    let mut screen = Screen::enter(false)?;
    let first = interval.min(FIRST);
    let mut due = Instant::now() + first;
    loop {
        screen.terminal.draw(|frame| {
            let area = frame.area();
            top.size = (area.width, area.height);
            view::draw(&top, frame.buffer_mut());
            view::waiting(&top, first, frame.buffer_mut());
        })?;
        let left = due.saturating_duration_since(Instant::now());
        if !console.wait(None, left)? {
            return Ok(());
        }
        while let Some(event) = console.event() {
            let Some(action) = action(&event, top.input.is_some()) else {
                continue;
            };
            match top.update(action) {
                Some(Effect::Quit) => return Ok(()),
                Some(Effect::Suspend) => screen.suspend()?,
                Some(Effect::Redraw) => screen.redraw()?,
                Some(Effect::Again) => top.frame = source.frame(top.total),
                Some(Effect::Interval(by)) => {
                    interval = other(interval, by);
                    due = due.min(Instant::now() + interval);
                }
                None => {}
            }
        }
        while let Some(asked) = console.asked() {
            match asked {
                Asked::Quit(signal) => return Err(ViewError::Ended(signal)),
                Asked::Suspend => screen.suspend()?,
                Asked::Resume => screen.resume()?,
                // The next frame has it.
                Asked::Size => {}
            }
        }
        let now = Instant::now();
        if now >= due && !top.paused {
            source.read().map_err(ViewError::Source)?;
            top.frame = source.frame(top.total);
            if settings
                .rounds
                .is_some_and(|rounds| top.frame.round >= rounds)
            {
                return Ok(());
            }
        }
        if now >= due {
            // After a pause the clock starts anew.
            due = (due + interval).max(now);
        }
    }
}

/// The next longer or shorter interval.
fn other(interval: Duration, by: i8) -> Duration {
    let mut longer = INTERVALS.into_iter().filter(|other| *other > interval);
    let shorter = INTERVALS.into_iter().rfind(|other| *other < interval);
    match by > 0 {
        true => longer.next(),
        false => shorter,
    }
    .unwrap_or(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        let seconds = Duration::from_secs;
        assert_eq!(other(seconds(2), 1), seconds(5));
        assert_eq!(other(seconds(2), -1), seconds(1));
        assert_eq!(other(seconds(3), -1), seconds(2));
        assert_eq!(other(seconds(60), 1), seconds(60));
        assert_eq!(other(seconds(90), -1), seconds(60));
    }
}
