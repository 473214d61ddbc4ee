//! Screens of the recordings in `tests/recordings`.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod pty;
pub mod tmux;

use std::path::{Path, PathBuf};

use bytehop_core::i18n::Lang;
use ratatui::backend::TestBackend;
use ratatui::{Terminal, TerminalOptions};
use terminput::{Event, KeyCode, KeyEvent};
use tui::action::Action;
use tui::app::{App, MOVING};
use tui::look::Look;
use tui::store::Store;
use tui::theme::Theme;
use tui::{draw, keys, update, view};

/// The paths of the labs, and what a level-T machine makes of some other calls.
pub const RECORDINGS: [&str; 15] = [
    "copy",
    "sendfile",
    "splice",
    "mmap",
    "direct",
    "uring",
    "write-fsync",
    "cow",
    "pipe",
    // The same paths on a machine of level B.
    "b-copy",
    "b-sendfile",
    "b-splice",
    "b-mmap",
    "b-direct",
    "b-uring",
];

pub const PLAIN: Look = Look {
    lang: Lang::En,
    theme: Theme::Plain,
    ascii: false,
    own: None,
};

pub fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    folder.join(name).with_extension("bhop")
}

pub fn store(name: &str) -> Store {
    Store::open(&path(name)).expect("a recording")
}

pub fn app(name: &str, look: Look, size: (u16, u16)) -> App {
    App::new(store(name), look, size)
}

/// Types keys: single characters, and names in angle brackets (`<Enter>`).
pub fn press(app: &mut App, keys: &str) {
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let code = match name {
            Some((name, after)) => {
                rest = after;
                match name {
                    "Enter" => KeyCode::Enter,
                    "Esc" => KeyCode::Esc,
                    "Tab" => KeyCode::Tab,
                    "Up" => KeyCode::Up,
                    "Down" => KeyCode::Down,
                    "Left" => KeyCode::Left,
                    "Right" => KeyCode::Right,
                    "PageDown" => KeyCode::PageDown,
                    "Backspace" => KeyCode::Backspace,
                    other => panic!("no such key: {other}"),
                }
            }
            None => {
                rest = &rest[c.len_utf8()..];
                KeyCode::Char(c)
            }
        };
        let event = Event::Key(KeyEvent::new(code));
        if let Some(action) = keys::action(&event, app) {
            update::update(app, action);
        }
    }
}

/// Lets what moves come to rest.
pub fn settle(app: &mut App) {
    for _ in 0..MOVING {
        update::update(app, Action::Tick);
    }
}

/// The screen as the terminal would have it.
pub fn buffer(app: &App) -> ratatui::buffer::Buffer {
    let backend = TestBackend::new(app.size.0, app.size.1);
    let options = TerminalOptions::default();
    let mut terminal = Terminal::with_options(backend, options).expect("a terminal");
    terminal
        .draw(|frame| view::draw(app, frame.buffer_mut()))
        .expect("a frame");
    terminal.backend().buffer().clone()
}

/// A screen at rest, as text.
pub fn screen(name: &str, look: Look, size: (u16, u16), keys: &str) -> String {
    let mut app = app(name, look, size);
    press(&mut app, keys);
    settle(&mut app);
    draw::text(&buffer(&app))
}
