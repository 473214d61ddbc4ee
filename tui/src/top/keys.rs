//! Which key means what. The help is made from the same table.

use bytehop_core::i18n::Lang;
use bytehop_core::report::top::Column;
use terminput::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::words;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Quit,
    Suspend,
    Redraw,
    /// By so many rows.
    Move(isize),
    /// By so many pages.
    Page(isize),
    First,
    Last,
    SortBy(Column),
    NextColumn(isize),
    Reverse,
    Total,
    Idle,
    Pause,
    Interval(i8),
    Filter,
    Type(char),
    Erase,
    Enter,
    Back,
    Help,
    Theme,
    Language,
}

/// A line of the help, and the keys on it.
pub struct Binding {
    pub shown: &'static str,
    pub text: fn(Lang) -> &'static str,
    keys: &'static [(KeyCode, KeyModifiers, Action)],
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CTRL;

const fn ch(c: char, action: Action) -> (KeyCode, KeyModifiers, Action) {
    (KeyCode::Char(c), NONE, action)
}

const fn key(code: KeyCode, action: Action) -> (KeyCode, KeyModifiers, Action) {
    (code, NONE, action)
}

const fn ctrl(c: char, action: Action) -> (KeyCode, KeyModifiers, Action) {
    (KeyCode::Char(c), CTRL, action)
}

#[rustfmt::skip] // a table
pub const BINDINGS: &[Binding] = &[
    Binding { shown: "↑↓ jk", text: words::key_move, keys: &[key(KeyCode::Up, Action::Move(-1)), key(KeyCode::Down, Action::Move(1)), ch('k', Action::Move(-1)), ch('j', Action::Move(1))] },
    Binding { shown: "PgUp PgDn", text: words::key_page, keys: &[key(KeyCode::PageUp, Action::Page(-1)), key(KeyCode::PageDown, Action::Page(1)), ctrl('u', Action::Page(-1)), ctrl('d', Action::Page(1))] },
    Binding { shown: "g G", text: words::key_ends, keys: &[ch('g', Action::First), ch('G', Action::Last), key(KeyCode::Home, Action::First), key(KeyCode::End, Action::Last)] },
    Binding { shown: "Enter", text: words::key_detail, keys: &[key(KeyCode::Enter, Action::Enter)] },
    Binding { shown: "←→ < >", text: words::key_column, keys: &[key(KeyCode::Left, Action::NextColumn(-1)), key(KeyCode::Right, Action::NextColumn(1)), ch('<', Action::NextColumn(-1)), ch('>', Action::NextColumn(1))] },
    Binding { shown: "x f c d s z p n", text: words::key_sort, keys: &[
        ch('x', Action::SortBy(Column::Crossings)), ch('f', Action::SortBy(Column::Faults)),
        ch('c', Action::SortBy(Column::Copied)), ch('d', Action::SortBy(Column::Dma)),
        ch('s', Action::SortBy(Column::Shared)), ch('z', Action::SortBy(Column::Filled)),
        ch('p', Action::SortBy(Column::Pid)), ch('n', Action::SortBy(Column::Name)),
    ] },
    Binding { shown: "r", text: words::key_reverse, keys: &[ch('r', Action::Reverse)] },
    Binding { shown: "t", text: words::key_total, keys: &[ch('t', Action::Total)] },
    Binding { shown: "i", text: words::key_idle, keys: &[ch('i', Action::Idle)] },
    Binding { shown: "/", text: words::key_filter, keys: &[ch('/', Action::Filter)] },
    Binding { shown: "space", text: words::key_pause, keys: &[ch(' ', Action::Pause)] },
    Binding { shown: "+ -", text: words::key_interval, keys: &[ch('+', Action::Interval(1)), ch('=', Action::Interval(1)), ch('-', Action::Interval(-1))] },
    Binding { shown: "Esc", text: words::key_back, keys: &[key(KeyCode::Esc, Action::Back)] },
    Binding { shown: "T L", text: words::key_look, keys: &[ch('T', Action::Theme), ch('L', Action::Language)] },
    Binding { shown: "? F1", text: words::key_help, keys: &[ch('?', Action::Help), key(KeyCode::F(1), Action::Help)] },
    Binding { shown: "Ctrl-L Ctrl-Z", text: words::key_redraw, keys: &[ctrl('l', Action::Redraw), ctrl('z', Action::Suspend)] },
    Binding { shown: "q Ctrl-C", text: words::key_quit, keys: &[ch('q', Action::Quit), ctrl('c', Action::Quit)] },
];

/// What an event of the terminal asks for; `typing`: a filter is being typed.
pub fn action(event: &Event, typing: bool) -> Option<Action> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => pressed(key, typing),
        _ => None,
    }
}

fn pressed(key: &KeyEvent, typing: bool) -> Option<Action> {
    // Upper case comes with or without Shift.
    let modifiers = key.modifiers - KeyModifiers::SHIFT;
    if typing {
        match key.code {
            KeyCode::Backspace => return Some(Action::Erase),
            KeyCode::Char(c) if modifiers.is_empty() => return Some(Action::Type(c)),
            KeyCode::Enter | KeyCode::Esc => {}
            _ if modifiers == CTRL => {}
            _ => return None,
        }
    }
    let mut keys = BINDINGS.iter().flat_map(|binding| binding.keys);
    keys.find(|(code, with, _)| *code == key.code && *with == modifiers)
        .map(|(.., action)| *action)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_means_two_things() {
        let keys: Vec<_> = BINDINGS.iter().flat_map(|b| b.keys).collect();
        let distinct: HashSet<_> = keys.iter().map(|(code, with, _)| (*code, *with)).collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn typing() {
        let press =
            |code, with, typing| action(&Event::Key(KeyEvent::new(code).modifiers(with)), typing);
        assert_eq!(press(KeyCode::Char('q'), NONE, false), Some(Action::Quit));
        assert_eq!(
            press(KeyCode::Char('q'), NONE, true),
            Some(Action::Type('q'))
        );
        assert_eq!(press(KeyCode::Char('c'), CTRL, true), Some(Action::Quit));
        assert_eq!(press(KeyCode::Down, NONE, true), None);
    }
}
