//! Which key means what. The help screen is made from the same table.

use bytehop_core::i18n::Lang;
use terminput::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
    ScrollDirection,
};

use crate::action::{Action, Dir};
use crate::app::App;
use crate::program::input;
use crate::{areas, words};

/// A line of the help screen, and the keys on it.
pub struct Binding {
    /// The keys as the help screen names them.
    pub shown: &'static str,
    pub text: fn(Lang) -> &'static str,
    keys: &'static [(KeyCode, KeyModifiers, Action)],
}

/// Lines of the help screen under a heading.
pub struct Group {
    pub name: fn(Lang) -> &'static str,
    pub bindings: &'static [Binding],
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CTRL;

const fn ch(c: char, action: Action) -> (KeyCode, KeyModifiers, Action) {
    (KeyCode::Char(c), NONE, action)
}

const fn ctrl(c: char, action: Action) -> (KeyCode, KeyModifiers, Action) {
    (KeyCode::Char(c), CTRL, action)
}

const fn key(code: KeyCode, action: Action) -> (KeyCode, KeyModifiers, Action) {
    (code, NONE, action)
}

#[rustfmt::skip] // a table
pub const GROUPS: &[Group] = &[
    Group { name: words::group_step, bindings: &[
        Binding { shown: "n p", text: words::key_next_hop, keys: &[ch('n', Action::NextHop), ch('p', Action::PrevHop)] },
        Binding { shown: "N P", text: words::key_next_call, keys: &[ch('N', Action::NextCall), ch('P', Action::PrevCall)] },
        Binding { shown: "g G", text: words::key_first_last, keys: &[ch('g', Action::First), ch('G', Action::Last), key(KeyCode::Home, Action::First), key(KeyCode::End, Action::Last)] },
        Binding { shown: "space", text: words::key_play, keys: &[ch(' ', Action::PlayPause)] },
        Binding { shown: "f", text: words::key_follow, keys: &[ch('f', Action::Follow)] },
        Binding { shown: "+ -", text: words::key_speed, keys: &[ch('+', Action::Faster), ch('=', Action::Faster), ch('-', Action::Slower)] },
    ] },
    Group { name: words::group_look, bindings: &[
        Binding { shown: "Tab", text: words::key_pane, keys: &[key(KeyCode::Tab, Action::NextPane), (KeyCode::Tab, KeyModifiers::SHIFT, Action::PrevPane)] },
        Binding { shown: "←↓↑→ hjkl", text: words::key_move, keys: &[
            key(KeyCode::Left, Action::Move(Dir::Left)), key(KeyCode::Down, Action::Move(Dir::Down)),
            key(KeyCode::Up, Action::Move(Dir::Up)), key(KeyCode::Right, Action::Move(Dir::Right)),
            ch('h', Action::Move(Dir::Left)), ch('j', Action::Move(Dir::Down)),
            ch('k', Action::Move(Dir::Up)), ch('l', Action::Move(Dir::Right)),
        ] },
        Binding { shown: "PgUp PgDn", text: words::key_page, keys: &[key(KeyCode::PageUp, Action::Page(-1)), key(KeyCode::PageDown, Action::Page(1)), ctrl('u', Action::Page(-1)), ctrl('d', Action::Page(1))] },
        Binding { shown: "Ctrl-]", text: words::key_program, keys: &[ctrl(']', Action::Program), ctrl('5', Action::Program)] },
        Binding { shown: "z", text: words::key_zoom, keys: &[ch('z', Action::Zoom)] },
        Binding { shown: "v", text: words::key_scope, keys: &[ch('v', Action::Scope)] },
        Binding { shown: "c", text: words::key_compare, keys: &[ch('c', Action::Compare)] },
        Binding { shown: "Enter", text: words::key_explain, keys: &[key(KeyCode::Enter, Action::Explain)] },
        Binding { shown: "/", text: words::key_filter, keys: &[ch('/', Action::Filter)] },
        Binding { shown: "Esc", text: words::key_back, keys: &[key(KeyCode::Esc, Action::Back)] },
    ] },
    Group { name: words::group_other, bindings: &[
        Binding { shown: "y", text: words::key_copy, keys: &[ch('y', Action::Copy)] },
        Binding { shown: "e", text: words::key_edit, keys: &[ch('e', Action::Edit)] },
        Binding { shown: "m", text: words::key_animation, keys: &[ch('m', Action::Animation)] },
        Binding { shown: "T", text: words::key_theme, keys: &[ch('T', Action::Theme)] },
        Binding { shown: "L", text: words::key_language, keys: &[ch('L', Action::Language)] },
        Binding { shown: "?", text: words::key_help, keys: &[ch('?', Action::Help), key(KeyCode::F(1), Action::Help)] },
        Binding { shown: "Ctrl-L", text: words::key_redraw, keys: &[ctrl('l', Action::Redraw)] },
        Binding { shown: "Ctrl-Z", text: words::key_suspend, keys: &[ctrl('z', Action::Suspend)] },
        Binding { shown: "q Ctrl-C", text: words::key_quit, keys: &[ch('q', Action::Quit), ctrl('c', Action::Quit)] },
    ] },
];

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
            event => action(event, app.input.is_some()).map(Meaning::Ours),
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
                    return action(event, false).map(Meaning::Ours);
                }
                bytes
            }
            None => return action(event, false).map(Meaning::Ours),
        },
        event => return action(event, false).map(Meaning::Ours),
    };
    (!bytes.is_empty()).then_some(Meaning::Program(bytes))
}

/// What an event of the terminal means to us; `typing`: a filter is being typed.
pub fn action(event: &Event, typing: bool) -> Option<Action> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => pressed(key, typing),
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

fn pressed(key: &KeyEvent, typing: bool) -> Option<Action> {
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
    let find = |modifiers| {
        let bindings = GROUPS.iter().flat_map(|group| group.bindings);
        let mut keys = bindings.flat_map(|binding| binding.keys);
        keys.find(|(code, with, _)| *code == key.code && *with == modifiers)
            .map(|(.., action)| *action)
    };
    find(key.modifiers).or_else(|| find(modifiers))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers, typing: bool) -> Option<Action> {
        action(
            &Event::Key(KeyEvent::new(code).modifiers(modifiers)),
            typing,
        )
    }

    #[test]
    fn no_key_means_two_things() {
        let bindings = GROUPS.iter().flat_map(|group| group.bindings);
        let keys: Vec<_> = bindings.flat_map(|binding| binding.keys).collect();
        let distinct: HashSet<_> = keys.iter().map(|(code, with, _)| (*code, *with)).collect();
        assert_eq!(distinct.len(), keys.len());
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
