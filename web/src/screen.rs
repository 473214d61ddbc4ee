//! A recording on a screen of cells: what the page holds, without the browser.

use std::sync::Arc;

use bytehop_core::i18n::Lang;
use bytehop_core::record::RecordError;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use terminput::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
    ScrollDirection,
};
use tui::action::Action;
use tui::app::{App, Source};
use tui::look::Look;
use tui::store::Feed;
use tui::text::width;
use tui::theme::Theme;
use tui::{draw, keys, svg, update, view};

/// What a pointer does at a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    Down,
    Drag,
    WheelUp,
    WheelDown,
}

/// The screen, and what of it the page has.
pub struct Screen {
    app: App,
    feed: Feed,
    buffer: Buffer,
    /// More was read than the screen knows of.
    behind: bool,
    /// Rows as the page has them.
    rows: Vec<String>,
}

impl Screen {
    /// Nothing of the recording is read yet.
    ///
    /// # Errors
    /// If it is no recording.
    pub fn open(bytes: Arc<[u8]>, look: Look, size: (u16, u16)) -> Result<Self, RecordError> {
        let (feed, store) = Feed::of_bytes(bytes, "the recording")?;
        let mut app = App::new(store, look, size);
        update::fed(&mut app, Source::File(0), 0);
        Ok(Self {
            app,
            feed,
            buffer: Buffer::default(),
            behind: false,
            rows: Vec::new(),
        })
    }

    /// Reads on, so many records; whether that was all. It is summed up when it is looked at.
    pub fn read(&mut self, records: u64) -> bool {
        self.behind |= self.feed.take(&mut self.app.store, records);
        self.feed.is_over()
    }

    /// Brings the screen up to what was read.
    fn catch_up(&mut self) {
        if std::mem::take(&mut self.behind) {
            self.feed.sum_up(&mut self.app.store);
            let source = Source::File(self.feed.percent().unwrap_or(100));
            update::fed(&mut self.app, source, self.feed.behind());
        }
    }

    /// Applies a key, by its name in the browser (`KeyboardEvent.key`); whether it means anything here.
    pub fn key(&mut self, name: &str, shift: bool) -> bool {
        let Some(code) = code(name) else {
            return false;
        };
        let with = match shift {
            true => KeyModifiers::SHIFT,
            false => KeyModifiers::NONE,
        };
        self.event(&Event::Key(KeyEvent::new(code).modifiers(with)))
    }

    pub fn pointer(&mut self, what: Pointer, column: u16, row: u16) -> bool {
        let kind = match what {
            Pointer::Down => MouseEventKind::Down(MouseButton::Left),
            Pointer::Drag => MouseEventKind::Drag(MouseButton::Left),
            Pointer::WheelUp => MouseEventKind::Scroll(ScrollDirection::Up),
            Pointer::WheelDown => MouseEventKind::Scroll(ScrollDirection::Down),
        };
        self.event(&Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }))
    }

    fn event(&mut self, event: &Event) -> bool {
        self.catch_up();
        // A page is left as pages are: what the terminal would do at an effect has no meaning.
        let action = keys::action(event, self.app.input.is_some());
        action.map(|action| update::update(&mut self.app, action));
        action.is_some()
    }

    pub fn tick(&mut self) {
        self.catch_up();
        update::update(&mut self.app, Action::Tick);
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.catch_up();
        update::update(&mut self.app, Action::Resize(columns, rows));
    }

    pub fn set_look(&mut self, lang: Lang, theme: Theme) {
        self.catch_up();
        self.app.look.lang = lang;
        self.app.look.theme = theme;
        // Labels have other lengths.
        update::update(&mut self.app, Action::Redraw);
    }

    pub fn set_animation(&mut self, on: bool) {
        self.app.animation = on;
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// Draws; the rows of the picture that differ from those given before, by number.
    pub fn draw(&mut self) -> Vec<(usize, String)> {
        self.catch_up();
        let (w, h) = self.app.size;
        self.buffer = Buffer::empty(Rect::new(0, 0, w, h));
        view::draw(&self.app, &mut self.buffer);
        let now: Vec<String> = svg::rows(&self.buffer, self.app.look.theme).collect();
        let before = std::mem::replace(&mut self.rows, now);
        let rows = self.rows.iter().enumerate();
        rows.filter(|(y, row)| before.get(*y) != Some(*row))
            .map(|(y, row)| (y, row.clone()))
            .collect()
    }

    /// What was drawn last, as text.
    pub fn text(&self) -> String {
        draw::text(&self.buffer)
    }

    /// A number for what was drawn last, with colours and all.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(&self.buffer)
    }
}

/// A number for the cells of a screen: their text, colours and styles (FNV-1a).
pub fn fingerprint(buffer: &Buffer) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut hidden = 0;
    for cell in &buffer.content {
        // What is behind a wide character nobody sees.
        if hidden > 0 {
            hidden -= 1;
            continue;
        }
        hidden = width(cell.symbol()).saturating_sub(1);
        let style = cell.style();
        let text = format!(
            "{}\0{:?}\0{:?}\0{:?}\0",
            cell.symbol(),
            style.fg,
            style.bg,
            style.add_modifier
        );
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// A key by its name in browsers.
fn code(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    Some(match (chars.next()?, chars.next()) {
        (c, None) => KeyCode::Char(c),
        _ => match name {
            "Enter" => KeyCode::Enter,
            "Escape" => KeyCode::Esc,
            "Tab" => KeyCode::Tab,
            "Backspace" => KeyCode::Backspace,
            "ArrowUp" => KeyCode::Up,
            "ArrowDown" => KeyCode::Down,
            "ArrowLeft" => KeyCode::Left,
            "ArrowRight" => KeyCode::Right,
            "PageUp" => KeyCode::PageUp,
            "PageDown" => KeyCode::PageDown,
            "Home" => KeyCode::Home,
            "End" => KeyCode::End,
            "F1" => KeyCode::F(1),
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_by_their_names() {
        assert_eq!(code("n"), Some(KeyCode::Char('n')));
        assert_eq!(code("缺"), Some(KeyCode::Char('缺')));
        assert_eq!(code("ArrowLeft"), Some(KeyCode::Left));
        assert_eq!((code(""), code("Dead"), code("F5")), (None, None, None));
    }
}
