//! Which key means what, by default and as a user's own file has it. The help screen is made from the same table.

use bytehop_core::i18n::Lang;
use terminput::{KeyCode, KeyModifiers};

use crate::action::{Action, Dir};
use crate::words;

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
        Binding { shown: "H", text: words::key_histogram, keys: &[ch('H', Action::Histogram)] },
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

/// Actions by the names that a user's file has for them.
pub const NAMES: [(&str, Action); 35] = [
    ("next-hop", Action::NextHop),
    ("previous-hop", Action::PrevHop),
    ("next-call", Action::NextCall),
    ("previous-call", Action::PrevCall),
    ("first", Action::First),
    ("last", Action::Last),
    ("play", Action::PlayPause),
    ("follow", Action::Follow),
    ("faster", Action::Faster),
    ("slower", Action::Slower),
    ("next-pane", Action::NextPane),
    ("previous-pane", Action::PrevPane),
    ("left", Action::Move(Dir::Left)),
    ("down", Action::Move(Dir::Down)),
    ("up", Action::Move(Dir::Up)),
    ("right", Action::Move(Dir::Right)),
    ("page-up", Action::Page(-1)),
    ("page-down", Action::Page(1)),
    ("zoom", Action::Zoom),
    ("scope", Action::Scope),
    ("compare", Action::Compare),
    ("histogram", Action::Histogram),
    ("explain", Action::Explain),
    ("find", Action::Filter),
    ("back", Action::Back),
    ("copy", Action::Copy),
    ("edit", Action::Edit),
    ("animation", Action::Animation),
    ("theme", Action::Theme),
    ("language", Action::Language),
    ("help", Action::Help),
    ("redraw", Action::Redraw),
    ("suspend", Action::Suspend),
    ("quit", Action::Quit),
    ("program", Action::Program),
];

/// A key with what is held beside it.
pub type Key = (KeyCode, KeyModifiers);

/// These mean what they mean, whatever a file says: there is always a way out, and one out of the program's
/// terminal.
const FIXED: [(Key, Action); 3] = [
    ((KeyCode::Char('c'), CTRL), Action::Quit),
    ((KeyCode::Char(']'), CTRL), Action::Program),
    ((KeyCode::Char('5'), CTRL), Action::Program),
];

/// Names of keys that are no characters, as files and the help have them.
const KEYS: [(&str, KeyCode, &str); 15] = [
    ("enter", KeyCode::Enter, "Enter"),
    ("esc", KeyCode::Esc, "Esc"),
    ("tab", KeyCode::Tab, "Tab"),
    ("backspace", KeyCode::Backspace, "Backspace"),
    ("space", KeyCode::Char(' '), "space"),
    ("left", KeyCode::Left, "←"),
    ("down", KeyCode::Down, "↓"),
    ("up", KeyCode::Up, "↑"),
    ("right", KeyCode::Right, "→"),
    ("home", KeyCode::Home, "Home"),
    ("end", KeyCode::End, "End"),
    ("page-up", KeyCode::PageUp, "PgUp"),
    ("page-down", KeyCode::PageDown, "PgDn"),
    ("insert", KeyCode::Insert, "Ins"),
    ("delete", KeyCode::Delete, "Del"),
];

/// A key as a file has it: `x`, `ctrl-x`, `shift-tab`, `f2`.
pub fn parse(text: &str) -> Option<Key> {
    let (mut with, mut name) = (NONE, text);
    loop {
        let more = [("ctrl-", CTRL), ("shift-", KeyModifiers::SHIFT)];
        let found = more.iter().find_map(|(prefix, modifier)| {
            let rest = name.strip_prefix(prefix).filter(|rest| !rest.is_empty())?;
            Some((rest, *modifier))
        });
        let Some((rest, modifier)) = found else { break };
        (name, with) = (rest, with | modifier);
    }
    let named = KEYS.iter().find(|(known, ..)| *known == name);
    let mut chars = name.chars();
    let code = match (named, chars.next(), chars.next()) {
        (Some((_, code, _)), ..) => *code,
        (None, Some(c), None) if !c.is_control() => KeyCode::Char(c),
        (None, Some('f'), Some(_)) => {
            let number = name.get(1..)?.parse().ok();
            KeyCode::F(number.filter(|n| (1..=12u8).contains(n))?)
        }
        _ => return None,
    };
    // Terminals tell Shift with letters by the letter, and Ctrl by small ones.
    match (
        code,
        with.contains(KeyModifiers::SHIFT),
        with.contains(CTRL),
    ) {
        (KeyCode::Char(_), true, _) => None,
        (KeyCode::Char(c), _, true) if !c.is_ascii_lowercase() && !"]5".contains(c) => None,
        _ => Some((code, with)),
    }
}

/// A key as the help has it.
fn shown((code, with): Key) -> String {
    let mut text = String::new();
    for (modifier, name) in [(CTRL, "Ctrl-"), (KeyModifiers::SHIFT, "Shift-")] {
        if with.contains(modifier) {
            text += name;
        }
    }
    let named = KEYS.iter().find(|(_, known, _)| *known == code);
    match (named, code) {
        (Some((_, _, name)), _) => text + name,
        (None, KeyCode::Char(c)) if with.contains(CTRL) => text + &c.to_uppercase().to_string(),
        (None, KeyCode::Char(c)) => text + &c.to_string(),
        (None, KeyCode::F(n)) => text + &format!("F{n}"),
        (None, _) => text,
    }
}

/// Which key means what now.
#[derive(Clone, Debug)]
pub struct Keymap {
    keys: Vec<(Key, Action)>,
    /// Actions whose keys a file has set.
    set: Vec<Action>,
    /// Actions whose keys are not those of the table.
    changed: Vec<Action>,
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings = GROUPS.iter().flat_map(|group| group.bindings);
        let keys = bindings.flat_map(|binding| binding.keys);
        Self {
            keys: keys
                .map(|(code, with, action)| ((*code, *with), *action))
                .collect(),
            set: Vec::new(),
            changed: Vec::new(),
        }
    }
}

impl Keymap {
    pub fn action(&self, key: Key) -> Option<Action> {
        let found = self.keys.iter().find(|(known, _)| *known == key);
        found.map(|(_, action)| *action)
    }

    /// The action that a key cannot be taken from: it is fixed, or a file has set it before.
    pub fn owner(&self, key: Key) -> Option<Action> {
        let fixed = FIXED.iter().find(|(known, _)| *known == key);
        let set = || self.action(key).filter(|action| self.set.contains(action));
        fixed.map(|(_, action)| *action).or_else(set)
    }

    /// Gives an action other keys; whatever else they meant they mean no more.
    pub fn set(&mut self, action: Action, keys: &[Key]) {
        let before = std::mem::take(&mut self.keys);
        for (key, meant) in before {
            let fixed = FIXED.iter().any(|(fixed, _)| *fixed == key);
            let taken = keys.contains(&key) && meant != action;
            if taken {
                self.changed.push(meant);
            } else if meant != action || fixed {
                self.keys.push((key, meant));
            }
        }
        for key in keys {
            if !self.keys.iter().any(|(known, _)| known == key) {
                self.keys.push((*key, action));
            }
        }
        self.set.push(action);
        self.changed.push(action);
    }

    /// The keys of a line of the help, as they hold.
    pub fn shown(&self, binding: &Binding) -> String {
        let mut actions: Vec<Action> = Vec::new();
        for (_, _, action) in binding.keys {
            if !actions.contains(action) {
                actions.push(*action);
            }
        }
        self.of(&actions, binding.shown, usize::MAX)
    }

    /// One key for each of some actions, where the table has `usual`.
    pub fn hint(&self, actions: &[Action], usual: &str) -> String {
        self.of(actions, usual, 1)
    }

    fn of(&self, actions: &[Action], usual: &str, most: usize) -> String {
        if !actions.iter().any(|action| self.changed.contains(action)) {
            return usual.to_owned();
        }
        let keys = actions.iter().flat_map(|action| {
            let of_action = self.keys.iter().filter(move |(_, meant)| meant == action);
            of_action.take(most).map(|(key, _)| shown(*key))
        });
        keys.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_means_two_things() {
        let bindings = GROUPS.iter().flat_map(|group| group.bindings);
        let keys: Vec<_> = bindings.flat_map(|binding| binding.keys).collect();
        let distinct: HashSet<_> = keys.iter().map(|(code, with, _)| (*code, *with)).collect();
        assert_eq!(distinct.len(), keys.len());
    }

    /// Every action that a key has has a name.
    #[test]
    fn every_action_has_a_name() {
        let named: Vec<_> = NAMES.iter().map(|(_, action)| *action).collect();
        for (_, action) in Keymap::default().keys {
            assert!(named.contains(&action), "{action:?}");
        }
        let names: HashSet<_> = NAMES.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), NAMES.len());
    }

    #[test]
    fn keys_as_files_have_them() {
        for (text, key) in [
            ("x", Some((KeyCode::Char('x'), NONE))),
            ("X", Some((KeyCode::Char('X'), NONE))),
            ("-", Some((KeyCode::Char('-'), NONE))),
            ("ctrl-x", Some((KeyCode::Char('x'), CTRL))),
            ("shift-tab", Some((KeyCode::Tab, KeyModifiers::SHIFT))),
            ("page-up", Some((KeyCode::PageUp, NONE))),
            ("f12", Some((KeyCode::F(12), NONE))),
            ("f", Some((KeyCode::Char('f'), NONE))),
            ("你", Some((KeyCode::Char('你'), NONE))),
            ("f13", None),
            ("ctrl-X", None),
            ("shift-x", None),
            ("ctrl-", None),
            ("alt-x", None),
            ("xx", None),
            ("", None),
            ("\n", None),
        ] {
            assert_eq!(parse(text), key, "{text}");
        }
    }

    #[test]
    fn other_keys() {
        let mut map = Keymap::default();
        let key = |text| parse(text).expect("a key");
        let binding = |action| {
            let mut bindings = GROUPS.iter().flat_map(|group| group.bindings);
            let has = |binding: &&Binding| binding.keys.iter().any(|(.., of)| *of == action);
            bindings.find(has).expect("a line of the help")
        };
        map.set(Action::NextHop, &[key("x"), key("right")]);
        assert_eq!(map.action(key("x")), Some(Action::NextHop));
        assert_eq!(map.action(key("n")), None);
        assert_eq!(map.action(key("p")), Some(Action::PrevHop));
        assert_eq!(map.shown(binding(Action::NextHop)), "x → p");
        assert_eq!(map.hint(&[Action::NextHop, Action::PrevHop], "n p"), "x p");
        // The arrow means this in every pane now.
        assert_eq!(map.action(key("right")), Some(Action::NextHop));
        assert_eq!(map.shown(binding(Action::Move(Dir::Left))), "← h ↓ j ↑ k l");
        assert_eq!(map.shown(binding(Action::Zoom)), "z");
        // There is always a way out.
        map.set(Action::Quit, &[key("Q")]);
        assert_eq!(map.action(key("q")), None);
        assert_eq!(map.action(key("ctrl-c")), Some(Action::Quit));
        assert_eq!(map.owner(key("ctrl-c")), Some(Action::Quit));
        assert_eq!(map.owner(key("x")), Some(Action::NextHop));
        assert_eq!(map.owner(key("z")), None);
        assert_eq!(map.shown(binding(Action::Quit)), "Ctrl-C Q");
    }
}
