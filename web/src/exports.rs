//! What the page's glue calls. Numbers alone cross: texts and bytes lie in two buffers, `input` (written by
//! the page) and `output` (read by it), each valid until the next call.

mod lab;

use std::cell::RefCell;
use std::fmt::Write;
use std::sync::Arc;

use bytehop_core::i18n::Lang;
use labs::site::Course;
use tui::look::Look;
use tui::theme::Theme;

use crate::screen::{Pointer, Screen};

#[derive(Default)]
struct Page {
    input: Vec<u8>,
    output: String,
    screen: Option<Screen>,
    /// On a page of the course.
    course: Option<Course>,
}

thread_local! {
    static PAGE: RefCell<Page> = RefCell::default();
}

fn with<T: Default>(job: impl FnOnce(&mut Screen) -> T) -> T {
    PAGE.with_borrow_mut(|page| page.screen.as_mut().map(job).unwrap_or_default())
}

fn say(text: String) {
    PAGE.with_borrow_mut(|page| page.output = text);
}

fn lang(number: u32) -> Lang {
    match number {
        0 => Lang::En,
        _ => Lang::Zh,
    }
}

const THEMES: [Theme; 3] = [Theme::Dark, Theme::Light, Theme::Contrast];

fn theme(number: u32) -> Theme {
    THEMES.get(number as usize).copied().unwrap_or_default()
}

/// Room for so many bytes.
// SAFETY: no other function of the page has these names.
#[unsafe(no_mangle)]
extern "C" fn input(len: usize) -> *mut u8 {
    PAGE.with_borrow_mut(|page| {
        page.input.clear();
        page.input.resize(len, 0);
        page.input.as_mut_ptr()
    })
}

// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn output() -> *const u8 {
    PAGE.with_borrow(|page| page.output.as_ptr())
}

// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn output_len() -> usize {
    PAGE.with_borrow(|page| page.output.len())
}

/// Opens the recording in `input`; 0, or 1 with the reason in `output`.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn open(in_lang: u32, in_theme: u32, columns: u16, rows: u16) -> u32 {
    let bytes = PAGE.with_borrow_mut(|page| std::mem::take(&mut page.input));
    show(bytes.into(), in_lang, in_theme, (columns, rows))
}

fn show(bytes: Arc<[u8]>, in_lang: u32, in_theme: u32, size: (u16, u16)) -> u32 {
    let look = Look {
        lang: lang(in_lang),
        theme: theme(in_theme),
        ascii: false,
        own: None,
    };
    match Screen::open(bytes, look, size) {
        Ok(screen) => {
            PAGE.with_borrow_mut(|page| page.screen = Some(screen));
            0
        }
        Err(e) => {
            say(e.to_string());
            1
        }
    }
}

/// Reads on, so many records; 1 if that was all.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn read(records: u32) -> u32 {
    with(|screen| screen.read(u64::from(records)).into())
}

/// A key, its name in `input`; 1 if it means anything.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn key(shift: u32) -> u32 {
    let name = PAGE.with_borrow_mut(|page| std::mem::take(&mut page.input));
    let name = String::from_utf8_lossy(&name);
    with(|screen| screen.key(&name, shift != 0).into())
}

/// A pointer at a cell: 0 down, 1 drag, 2 wheel up, 3 wheel down.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn pointer(what: u32, column: u16, row: u16) -> u32 {
    let what = match what {
        0 => Pointer::Down,
        1 => Pointer::Drag,
        2 => Pointer::WheelUp,
        _ => Pointer::WheelDown,
    };
    with(|screen| screen.pointer(what, column, row).into())
}

/// A thirtieth of a second has passed.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn tick() {
    with(Screen::tick);
}

// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn resize(columns: u16, rows: u16) {
    with(|screen| screen.resize(columns, rows));
}

// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn look(in_lang: u32, in_theme: u32) {
    with(|screen| screen.set_look(lang(in_lang), theme(in_theme)));
}

// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn animation(on: u32) {
    with(|screen| screen.set_animation(on != 0));
}

/// Draws. `output`: a line of language, theme and whether anything moves, then a line for each row that has
/// changed, its number before it.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn draw() {
    let text = with(|screen| {
        let changed = screen.draw();
        let app = screen.app();
        let lang = u32::from(app.look.lang == Lang::Zh);
        let theme = THEMES.iter().position(|theme| *theme == app.look.theme);
        let theme = theme.unwrap_or_default();
        let moving = u32::from(app.is_moving());
        let mut text = format!("{lang} {theme} {moving}\n");
        for (y, row) in changed {
            let _ = writeln!(text, "{y} {row}");
        }
        text
    });
    say(text);
}

/// `output`: a number for the cells of the last frame, and on the next lines their text.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn text() {
    let text = with(|screen| format!("{:016x}\n{}", screen.fingerprint(), screen.text()));
    say(text);
}
