//! The loop: events in, actions to the model, frames out.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use bytehop_core::event::Only;
use bytehop_core::i18n::Say;
use bytehop_core::model::Summary;
use bytehop_core::record::{Log, RecordError};
use terminput::Event;

use crate::action::{Action, Effect};
use crate::app::{App, Other, Source, TICKS, Target};
use crate::keys::{self, Meaning};
use crate::look::Look;
use crate::options::Options;
use crate::store::{Feed, Store};
use crate::terminal::{Asked, Console, Pty, Screen, outside, size};
use crate::update::{fed, output, update};
use crate::view::draw;

/// Why the UI could not be shown, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    Recording(#[from] RecordError),
    NotATerminal,
    /// What is to be shown cannot be had any more.
    Source(Box<dyn Say + Send + Sync>),
    /// A signal of this number ended it: whoever sent it knows.
    Ended(i32),
    Terminal(#[from] io::Error),
}

bytehop_core::says! { ViewError, lang:
    Self::Recording(e) => { e.say(lang) };
    Self::NotATerminal => "the terminal UI needs a terminal on standard input and output"
        | "终端界面需要标准输入和标准输出都是终端";
    Self::Source(e) => { e.say(lang) };
    Self::Ended(_) => { String::new() };
    Self::Terminal(e) => "the terminal: {why}" | "终端：{why}", why = e.say(lang);
}

/// Whether there is a terminal to show the UI on.
///
/// # Errors
/// If there is none.
pub fn needs_terminal() -> Result<(), ViewError> {
    match io::stdout().is_terminal() && io::stdin().is_terminal() {
        true => Ok(()),
        false => Err(ViewError::NotATerminal),
    }
}

/// Shows a recording, or a part of it, until the user quits.
///
/// # Errors
/// If the recording cannot be opened, or the terminal does not do what is asked of it. The terminal
/// is as before in any case.
pub fn view(path: &Path, only: &Only, options: &Options) -> Result<(), ViewError> {
    needs_terminal()?;
    let (mut feed, mut store) = Feed::of_part(path, only)?;
    // Small recordings are whole on the first frame.
    feed.pull(&mut store, Some(Instant::now() + TICK));
    Ui::recorded(feed, store, None, options)?.run()
}

/// Shows two recordings beside each other, and behind that the second to step through.
///
/// # Errors
/// As [`view`].
pub fn diff(first: &Path, second: &Path, only: &Only, options: &Options) -> Result<(), ViewError> {
    needs_terminal()?;
    let summary = Store::open_only(first, only)?.summary;
    let (mut feed, mut store) = Feed::of_part(second, only)?;
    feed.finish(&mut store);
    let other = Other {
        summary,
        names: names(first, second),
    };
    Ui::recorded(feed, store, Some(other), options)?.run()
}

/// The names of two files, as short as they differ.
fn names(first: &Path, second: &Path) -> [String; 2] {
    let last = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    match (last(first), last(second)) {
        (Some(a), Some(b)) if a != b => [a, b],
        _ => [first, second].map(|path| path.display().to_string()),
    }
}

/// The UI over a trace that goes on.
pub struct Live(Ui);

impl Live {
    /// `pty`: our end of the program's terminal, if it has one of ours. Signals that would end or stop
    /// us are held back from now on: to be made before other threads are.
    ///
    /// # Errors
    /// If the size of our terminal cannot be told.
    pub fn new(log: Log, target: Target, pty: Option<Pty>, options: &Options) -> io::Result<Self> {
        let (feed, store) = Feed::live(log);
        let app = App::new(store, options.look(), size()?);
        let mut app = app.live(target, pty.is_some());
        options.apply(&mut app);
        Ok(Self(Ui {
            console: Console::open()?,
            app,
            feed,
            pty,
            target: Some(target),
            options: options.clone(),
        }))
    }

    /// The size that the program's terminal will have at first, in columns and rows.
    ///
    /// # Errors
    /// If the size of our terminal cannot be told.
    pub fn program_size() -> io::Result<(u16, u16)> {
        let app = App::new(Store::default(), Look::default(), size()?);
        let app = app.live(Target::Command, true);
        Ok(app.program.map_or((80, 24), |program| program.size()))
    }

    /// Shows it until the user quits, also after the program's end. The terminal is as before then.
    ///
    /// # Errors
    /// If the terminal does not do what is asked of it.
    pub fn run(&mut self) -> Result<(), ViewError> {
        self.0.run()
    }

    /// Hangs up on the program.
    pub fn hang_up(&mut self) {
        self.0.pty = None;
    }

    /// What the program wrote to its terminal, for ours: it went by behind the UI.
    pub fn transcript(&mut self) -> String {
        let program = self.0.app.program.as_mut();
        let lines = program.map_or_else(Vec::new, |program| program.transcript());
        lines.iter().map(|line| format!("{line}\x1b[m\n")).collect()
    }

    /// Takes what is still to come, once tracing has ended; the summary.
    pub fn finish(mut self) -> Summary {
        self.0.feed.finish(&mut self.0.app.store);
        self.0.app.store.summary
    }
}

/// The time of one tick.
pub const TICK: Duration = Duration::from_nanos(1_000_000_000 / TICKS as u64);
/// The part of a tick in which records of a live trace are taken; drawing and keys have the rest.
pub const FEEDING: Duration = Duration::from_millis(14);
/// The same while a recording is read: nothing moves yet, and the end is waited for.
pub const READING: Duration = Duration::from_millis(50);
/// Events applied between two frames.
const BATCH: usize = 256;
/// What the program may write between two frames.
const OUTPUT: usize = 256 << 10;
/// The shortest time between two frames.
const BETWEEN: Duration = Duration::from_millis(8);
/// How long to wait where nothing moves.
const IDLE: Duration = Duration::from_millis(200);

struct Ui {
    console: Console,
    app: App,
    feed: Feed,
    pty: Option<Pty>,
    /// `None`: a recording.
    target: Option<Target>,
    options: Options,
}

impl Ui {
    /// Over a recording, beside another one perhaps.
    fn recorded(
        feed: Feed,
        store: Store,
        other: Option<Other>,
        options: &Options,
    ) -> Result<Self, ViewError> {
        let mut app = App::new(store, options.look(), size()?);
        options.apply(&mut app);
        if let Some(other) = other {
            app.compare_with(other);
        }
        Ok(Self {
            console: Console::open()?,
            app,
            feed,
            pty: None,
            target: None,
            options: options.clone(),
        })
    }

    fn run(&mut self) -> Result<(), ViewError> {
        let mut screen = Screen::enter(self.options.mouse)?;
        let mut due = Instant::now() + TICK;
        let mut drawable = Instant::now();
        let mut dirty = true;
        self.fit();
        self.fed();
        loop {
            let now = Instant::now();
            if now >= due {
                if self.app.is_moving() {
                    dirty = true;
                    update(&mut self.app, Action::Tick);
                }
                let time = match self.target {
                    Some(_) => FEEDING,
                    None => READING,
                };
                if self.feed.pull(&mut self.app.store, Some(now + time)) {
                    dirty = true;
                    self.fed();
                }
                // After a pause the clock starts anew.
                due = (due + TICK).max(now);
            }
            if dirty && now >= drawable {
                self.draw(&mut screen)?;
                dirty = false;
                drawable = Instant::now() + BETWEEN;
            }
            let next = match self.app.is_moving() || !self.feed.is_over() {
                true => due,
                false => now + IDLE,
            };
            let next = if dirty { next.min(drawable) } else { next };
            let wait = next.saturating_duration_since(Instant::now());
            if !self.console.wait(self.pty.as_ref(), wait)? {
                return Ok(());
            }
            dirty |= self.take_output();
            match self.take_input(&mut screen)? {
                Taken::Nothing => {}
                Taken::Something => dirty = true,
                Taken::Quit => return Ok(()),
            }
            while let Some(asked) = self.console.asked() {
                dirty = true;
                match asked {
                    Asked::Quit(signal) => return Err(ViewError::Ended(signal)),
                    Asked::Suspend => self.suspend(&mut screen)?,
                    Asked::Resume => screen.resume()?,
                    // Each frame asks for it.
                    Asked::Size => {}
                }
            }
        }
    }

    fn draw(&mut self, screen: &mut Screen) -> Result<(), ViewError> {
        let app = &mut self.app;
        screen.terminal.draw(|frame| {
            let area = frame.area();
            if (area.width, area.height) != app.size {
                update(app, Action::Resize(area.width, area.height));
            }
            draw(app, frame.buffer_mut());
        })?;
        self.fit();
        Ok(())
    }

    /// Tells the model what the store has now.
    fn fed(&mut self) {
        let source = match (self.target, self.feed.is_over()) {
            (None, _) => Source::File(self.feed.percent().unwrap_or(100)),
            (Some(target), false) => Source::Live(target),
            (Some(target), true) => Source::Ended(target),
        };
        fed(&mut self.app, source, self.feed.behind());
    }

    /// Gives the program's terminal the size of its pane.
    fn fit(&mut self) {
        if let (Some(pty), Some(program)) = (&mut self.pty, &self.app.program) {
            pty.resize(program.size());
        }
    }

    /// What the program has written to its terminal; whether there was anything.
    fn take_output(&mut self) -> bool {
        let Some(pty) = &mut self.pty else {
            return false;
        };
        let mut buffer = [0; 16 << 10];
        let mut taken = 0;
        while taken < OUTPUT
            && let Some(bytes) = pty.read(&mut buffer)
        {
            taken += bytes.len();
            let replies = output(&mut self.app, bytes);
            pty.write(&replies);
        }
        pty.flush();
        taken > 0
    }

    /// Applies what was typed.
    fn take_input(&mut self, screen: &mut Screen) -> Result<Taken, ViewError> {
        let mut taken = Taken::Nothing;
        // Each at once: what the next one means may depend on it.
        for _ in 0..BATCH {
            let Some(event) = self.console.event() else {
                break;
            };
            taken = Taken::Something;
            let (first, second) = keys::apart(event, &self.app);
            for event in [Some(first), second].into_iter().flatten() {
                if self.typed(&event, screen)? {
                    return Ok(Taken::Quit);
                }
            }
        }
        Ok(taken)
    }

    /// Does what an event of the terminal asks for; true if that was the end.
    fn typed(&mut self, event: &Event, screen: &mut Screen) -> Result<bool, ViewError> {
        match keys::meaning(event, &self.app) {
            Some(Meaning::Ours(action)) => match update(&mut self.app, action) {
                Some(Effect::Quit) => return Ok(true),
                Some(Effect::Suspend) => self.suspend(screen)?,
                Some(Effect::Redraw) => screen.redraw()?,
                Some(Effect::Copy(text)) => {
                    self.app.note = Some(outside::copy(&text, self.app.look.lang)?);
                }
                Some(Effect::Edit(file, line)) => self.edit(&file, line, screen)?,
                None => {}
            },
            Some(Meaning::Program(bytes)) => {
                if let Some(pty) = &mut self.pty {
                    pty.write(&bytes);
                }
            }
            None => {}
        }
        Ok(false)
    }

    /// Lets the user edit a source file. The program stops meanwhile, for the same reason as below.
    fn edit(&mut self, file: &str, line: u32, screen: &mut Screen) -> io::Result<()> {
        let lang = self.app.look.lang;
        let editor = self.options.editor.as_ref();
        let edited = || outside::edit(screen, editor, (file, line), lang);
        self.app.note = self.paused(edited)?;
        // What it says now.
        self.app.texts.remove(file);
        Ok(())
    }

    /// Stops as Ctrl-Z does. The program stops with us: nobody would take its events or its output.
    fn suspend(&mut self, screen: &mut Screen) -> io::Result<()> {
        self.paused(|| screen.suspend())
    }

    /// Does something while the program stands still.
    fn paused<T>(&self, act: impl FnOnce() -> T) -> T {
        let pty = self.pty.as_ref().filter(|_| self.app.is_live());
        if let Some(pty) = pty {
            pty.pause(true);
        }
        let done = act();
        if let Some(pty) = pty {
            pty.pause(false);
        }
        done
    }
}

/// What was typed.
enum Taken {
    Nothing,
    Something,
    Quit,
}

#[cfg(test)]
mod tests {
    use bytehop_core::i18n::problems;

    use super::ViewError;
    use crate::config::Wrong;
    use crate::filter::NoBound;
    use crate::theme::UnknownTheme;

    #[test]
    fn errors_speak_the_readers_language() {
        for texts in [
            NoBound::TEXTS,
            UnknownTheme::TEXTS,
            ViewError::TEXTS,
            Wrong::TEXTS,
        ] {
            assert_eq!(problems(texts), [""; 0]);
        }
    }
}
