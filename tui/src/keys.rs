//! What the events of a terminal mean, and to whom.

use terminput::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
    ScrollDirection,
};

use crate::action::Action;
use crate::app::App;
use crate::areas;
use crate::keymap::Keymap;
use crate::program::input;

/// What an event of the terminal is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    Ours(Action),
    /// It is for the traced program: these bytes.
    Program(Vec<u8>),
}

/// Terminals send Alt with a key as Esc and the key: two keys that come fast cannot be told from it. For
/// us they are two; the program gets what was sent.
pub fn apart(event: Event, app: &App) -> (Event, Option<Event>) {
    match event {
        Event::Key(key) if key.modifiers.contains(KeyModifiers::ALT) && !app.is_typing() => {
            let mut second = key;
            second.modifiers -= KeyModifiers::ALT;
            let first = KeyEvent::new(KeyCode::Esc);
            (Event::Key(first), Some(Event::Key(second)))
        }
        event => (event, None),
    }
}

/// Who an event of the terminal is for, and what it means to them.
pub fn meaning(event: &Event, app: &App) -> Option<Meaning> {
    let program = app.program.as_ref().filter(|_| app.is_typing());
    let Some(program) = program else {
        return match event {
            Event::Paste(_) => None,
            event => action(event, app).map(Meaning::Ours),
        };
    };
    let screen = program.screen();
    let bytes = match event {
        Event::Key(key) if input::is_escape(key) => {
            let pressed = key.kind != KeyEventKind::Release;
            return pressed.then_some(Meaning::Ours(Action::Program));
        }
        Event::Key(key) => input::key(key, screen),
        Event::Paste(text) => input::paste(text, screen),
        Event::Mouse(mouse) => match areas::program_cell(app, mouse.column, mouse.row) {
            Some(cell) => {
                let bytes = input::mouse(mouse, cell, screen);
                // A wheel that the program does not want scrolls over what it wrote.
                if bytes.is_empty() && !screen.alternate_screen() {
                    return mean(event, &app.keys, false).map(Meaning::Ours);
                }
                bytes
            }
            None => return mean(event, &app.keys, false).map(Meaning::Ours),
        },
        event => return mean(event, &app.keys, false).map(Meaning::Ours),
    };
    (!bytes.is_empty()).then_some(Meaning::Program(bytes))
}

/// What an event of the terminal means to us.
pub fn action(event: &Event, app: &App) -> Option<Action> {
    mean(event, &app.keys, app.input.is_some())
}

/// The same with these keys; `typing`: a filter is being typed.
pub fn mean(event: &Event, keys: &Keymap, typing: bool) -> Option<Action> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => pressed(key, keys, typing),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) | MouseEventKind::Drag(MouseButton::Left) => {
                Some(Action::Click(mouse.column, mouse.row))
            }
            MouseEventKind::Scroll(ScrollDirection::Up) => {
                Some(Action::Scroll(-1, mouse.column, mouse.row))
            }
            MouseEventKind::Scroll(ScrollDirection::Down) => {
                Some(Action::Scroll(1, mouse.column, mouse.row))
            }
            _ => None,
        },
        _ => None,
    }
}

fn pressed(key: &KeyEvent, keys: &Keymap, typing: bool) -> Option<Action> {
    // Upper case comes with or without Shift.
    let modifiers = key.modifiers - KeyModifiers::SHIFT;
    if typing {
        match key.code {
            KeyCode::Enter => return Some(Action::Accept),
            KeyCode::Esc => return Some(Action::Back),
            KeyCode::Backspace => return Some(Action::Erase),
            KeyCode::Char(c) if modifiers.is_empty() => {
                return Some(Action::Type(c));
            }
            _ => {}
        }
    }
    let find = |modifiers| keys.action((key.code, modifiers));
    find(key.modifiers).or_else(|| find(modifiers))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: KeyModifiers = KeyModifiers::NONE;
    const CTRL: KeyModifiers = KeyModifiers::CTRL;

    fn press(code: KeyCode, modifiers: KeyModifiers, typing: bool) -> Option<Action> {
        let event = Event::Key(KeyEvent::new(code).modifiers(modifiers));
        mean(&event, &Keymap::default(), typing)
    }

    #[test]
    fn keys_and_typing() {
        let shift = KeyModifiers::SHIFT;
        assert_eq!(
            press(KeyCode::Char('N'), shift, false),
            Some(Action::NextCall)
        );
        assert_eq!(press(KeyCode::Char('q'), NONE, false), Some(Action::Quit));
        assert_eq!(
            press(KeyCode::Char('q'), NONE, true),
            Some(Action::Type('q'))
        );
        assert_eq!(press(KeyCode::Char('c'), CTRL, true), Some(Action::Quit));
        assert_eq!(press(KeyCode::Esc, NONE, true), Some(Action::Back));
        assert_eq!(press(KeyCode::Char('x'), CTRL, false), None);
        assert_eq!(press(KeyCode::Tab, shift, false), Some(Action::PrevPane));
        assert_eq!(press(KeyCode::Tab, NONE, false), Some(Action::NextPane));
    }
}
