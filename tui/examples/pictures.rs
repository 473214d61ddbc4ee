//! Makes the pictures of the README and the docs, from recordings: `pictures FOLDER`.
//!
//! `cargo xtask pictures` calls it.

use std::path::{Path, PathBuf};

use bytehop_core::i18n::Lang;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use terminput::{Event, KeyCode, KeyEvent};
use tui::action::Action;
use tui::app::{App, MOVING, Other};
use tui::look::Look;
use tui::store::Store;
use tui::svg::{animation, path_svg, svg};
use tui::theme::Theme;
use tui::{keys, update, view};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const THEMES: [(Theme, &str); 2] = [(Theme::Dark, "dark"), (Theme::Light, "light")];
const LANGS: [(Lang, &str); 2] = [(Lang::En, ""), (Lang::Zh, ".zh")];

fn recording(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    folder.join(name).with_extension("bhop")
}

fn app(name: &str, look: Look, size: (u16, u16)) -> Result<App> {
    Ok(App::new(Store::open(&recording(name))?, look, size))
}

/// Types keys: single characters, Enter as `\n`, Esc as `\x1b`, Tab as `\t`.
fn press(app: &mut App, typed: &str) {
    for c in typed.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            '\x1b' => KeyCode::Esc,
            '\t' => KeyCode::Tab,
            c => KeyCode::Char(c),
        };
        let event = Event::Key(KeyEvent::new(code));
        if let Some(action) = keys::action(&event, app) {
            update::update(app, action);
        }
    }
}

fn tick(app: &mut App, ticks: u32) {
    for _ in 0..ticks {
        update::update(app, Action::Tick);
    }
}

fn frame(app: &App) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    view::draw(app, &mut buffer);
    buffer
}

/// A screen at rest.
fn screen(name: &str, look: Look, size: (u16, u16), typed: &str) -> Result<Buffer> {
    let mut app = app(name, look, size)?;
    press(&mut app, typed);
    tick(&mut app, MOVING);
    Ok(frame(&app))
}

/// Stepping through a program that reads and writes: each hop, moving and then at rest.
fn stepping(look: Look) -> Result<Vec<(Buffer, u32)>> {
    let mut app = app("source", look, (132, 42))?;
    press(&mut app, "/read in.bin\nNN\x1b");
    tick(&mut app, MOVING);
    let mut frames = vec![(frame(&app), 1200)];
    for _ in 0..7 {
        press(&mut app, "n");
        for _ in 0..6 {
            tick(&mut app, MOVING / 6);
            frames.push((frame(&app), 90));
        }
        frames.push((frame(&app), 900));
    }
    Ok(frames)
}

fn main() -> Result<()> {
    let folder = std::path::absolute(std::env::args().nth(1).ok_or("a folder")?)?;
    // Recordings name the program's source by its path from the package.
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR"))?;
    let write = |name: String, picture: String| -> Result<()> {
        let path = folder.join(name).with_added_extension("svg");
        std::fs::write(&path, picture)?;
        println!("{}", path.display());
        Ok(())
    };
    for (theme, dark) in THEMES {
        for (lang, zh) in LANGS {
            let look = Look {
                lang,
                theme,
                ascii: false,
                own: None,
            };
            write(
                format!("stepping-{dark}{zh}"),
                animation(&stepping(look)?, theme),
            )?;
            let about = "/read src\nNn\x1b";
            let explain = screen("copy", look, (90, 30), &format!("{about}\n"))?;
            write(format!("explain-{dark}{zh}"), svg(&explain, theme))?;
            let source = screen("source", look, (100, 30), "/read in.bin\nNN\x1b\t\t")?;
            write(format!("source-{dark}{zh}"), svg(&source, theme))?;
            let timeline = screen("copy", look, (100, 26), &format!("{about}\t\t\t"))?;
            write(format!("timeline-{dark}{zh}"), svg(&timeline, theme))?;

            let mut both = app("sendfile", look, (110, 40))?;
            both.compare_with(Other {
                summary: Store::open(&recording("copy"))?.summary,
                names: ["read + write".to_owned(), "sendfile".to_owned()],
            });
            write(format!("compare-{dark}{zh}"), svg(&frame(&both), theme))?;
            for name in ["copy", "sendfile", "splice", "mmap", "direct", "uring"] {
                let summary = Store::open(&recording(name))?.summary;
                write(
                    format!("path-{name}-{dark}{zh}"),
                    path_svg(&summary, lang, theme),
                )?;
            }
        }
    }
    Ok(())
}
