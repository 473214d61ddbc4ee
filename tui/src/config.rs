//! What a user's own file says of keys, colours, the language and columns.
//!
//! Whatever is wrong in it is said with its line and passed over; the rest holds.

use bytehop_core::i18n::{Lang, Say};
use bytehop_core::report::top::Column;
use ratatui::style::Color;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::columns::SourceColumn;
use crate::keymap::{self, Keymap};
use crate::theme::{PAINTS, Paint, Theme};

/// Larger files are not read.
pub const SIZE_MAX: u64 = 64 << 10;

/// What a file asks for. What it does not say is `None`, or as it is without one.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub lang: Option<Lang>,
    pub theme: Option<Theme>,
    /// Colours of one's own, over those of a theme.
    pub colors: Vec<(Paint, Color)>,
    pub keys: Keymap,
    pub source_columns: Option<Vec<SourceColumn>>,
    pub top_columns: Option<Vec<Column>>,
    /// What is wrong, from the first line to the last.
    pub problems: Vec<Problem>,
}

/// Something that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1 on.
    pub line: usize,
    pub wrong: Wrong,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// In the words of the parser.
    Syntax(String),
    /// A name that is none, and those that are.
    Unknown(String, String),
    /// What a name can have.
    Value(String, String),
    /// A key that two actions have: of the first it is.
    Twice(String, &'static str, &'static str),
    TooLarge,
    /// In the words of the system, in each language.
    Unreadable {
        en: String,
        zh: String,
    },
}

bytehop_core::says! { Wrong, lang:
    Self::Syntax(why) => "this is no TOML ({why}): write name = \"value\""
        | "不是 TOML（{why}）：请写 name = \"value\"";
    Self::Unknown(name, known) => "'{name}' means nothing here: write {known}"
        | "“{name}”在这里没有意义：可写 {known}";
    Self::Value(name, known) => "{name}: write {known}" | "{name}：请写 {known}";
    Self::Twice(key, first, second) => "{key} is a key of {first}: write another for {second}"
        | "{key} 已是 {first} 的按键：请为 {second} 另写一个";
    Self::TooLarge => "it is larger than 64 KiB: write less" | "文件超过 64 KiB：请缩短";
    Self::Unreadable { en, zh } => "it cannot be read ({en}): write a file that you may read"
        | "无法读取（{zh}）：请写成一个你有权读取的文件";
}

const TOP: [&str; 5] = ["lang", "theme", "colors", "keys", "columns"];
const COLOR: &str = "\"red\", \"light-red\", \"#d70000\", \"208\"";
const KEY: &str = "\"x\", \"ctrl-x\", \"shift-tab\", \"enter\", \"f2\", [\"n\", \"right\"]";

impl Config {
    pub fn parse(text: &str) -> Self {
        let mut config = Self::default();
        // Editors of Windows put this first.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let why = error.message().lines().collect::<Vec<_>>().join("; ");
                config.problem(text, at, Wrong::Syntax(why));
                return config;
            }
        };
        let mut reading = Reading {
            config: &mut config,
            text,
        };
        for (name, value) in table.get_ref() {
            reading.top(name, value);
        }
        config.problems.sort_by_key(|problem| problem.line);
        config
    }

    /// A file that says nothing, and why.
    pub fn unread(wrong: Wrong) -> Self {
        Self {
            problems: vec![Problem { line: 1, wrong }],
            ..Self::default()
        }
    }

    fn problem(&mut self, text: &str, at: usize, wrong: Wrong) {
        let before = text.as_bytes().iter().take(at);
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        self.problems.push(Problem { line, wrong });
    }

    /// One line for all that is wrong in the file of that name; `None` if nothing is.
    pub fn complaint(&self, file: &str, lang: Lang) -> Option<String> {
        let Problem { line, wrong } = self.problems.first()?;
        let more = match self.problems.len() - 1 {
            0 => String::new(),
            more => crate::words::config_more(lang, more as u64),
        };
        let said = wrong.say(lang);
        Some(format!("{file}:{line}{}{said}{more}", lang.colon()))
    }
}

type Name<'i> = Spanned<std::borrow::Cow<'i, str>>;
type Value<'i> = Spanned<DeValue<'i>>;

struct Reading<'a> {
    config: &'a mut Config,
    text: &'a str,
}

impl Reading<'_> {
    fn wrong(&mut self, at: usize, wrong: Wrong) {
        self.config.problem(self.text, at, wrong);
    }

    fn unknown(&mut self, name: &Name<'_>, known: &[&str]) {
        let known = known.join(", ");
        let wrong = Wrong::Unknown(name.get_ref().to_string(), known);
        self.wrong(name.span().start, wrong);
    }

    fn value(&mut self, name: &Name<'_>, value: &Value<'_>, known: &str) {
        let wrong = Wrong::Value(name.get_ref().to_string(), known.to_owned());
        self.wrong(value.span().start, wrong);
    }

    fn top(&mut self, name: &Name<'_>, value: &Value<'_>) {
        match name.get_ref().as_ref() {
            "lang" => match text(value).and_then(|text| text.parse().ok()) {
                Some(lang) => self.config.lang = Some(lang),
                None => self.value(name, value, "\"en\", \"zh\""),
            },
            "theme" => match text(value).and_then(|text| text.parse().ok()) {
                Some(theme) => self.config.theme = Some(theme),
                None => self.value(name, value, "\"dark\", \"light\", \"contrast\", \"plain\""),
            },
            "colors" => self.table(name, value, Self::color),
            "keys" => self.table(name, value, Self::key),
            "columns" => self.table(name, value, Self::columns),
            _ => self.unknown(name, &TOP),
        }
    }

    fn table(
        &mut self,
        name: &Name<'_>,
        value: &Value<'_>,
        each: fn(&mut Self, &Name<'_>, &Value<'_>),
    ) {
        let Some(table) = value.get_ref().as_table() else {
            return self.value(name, value, &format!("[{}]", name.get_ref()));
        };
        // In the order of the file: the first has the key.
        let mut rows: Vec<_> = table.iter().collect();
        rows.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in rows {
            each(self, name, value);
        }
    }

    fn color(&mut self, name: &Name<'_>, value: &Value<'_>) {
        let known = PAINTS
            .iter()
            .find(|(known, _)| *known == name.get_ref().as_ref());
        let Some((_, paint)) = known else {
            return self.unknown(name, &PAINTS.map(|(name, _)| name));
        };
        let number = value.get_ref().as_integer().map(|n| n.as_str());
        match text(value).or(number).and_then(|text| text.parse().ok()) {
            Some(color) => self.config.colors.push((*paint, color)),
            None => self.value(name, value, COLOR),
        }
    }

    fn key(&mut self, name: &Name<'_>, value: &Value<'_>) {
        let names = keymap::NAMES;
        let known = names
            .iter()
            .find(|(known, _)| *known == name.get_ref().as_ref());
        let Some((action_name, action)) = known else {
            return self.unknown(name, &names.map(|(name, _)| name));
        };
        let Some(texts) = texts(value) else {
            return self.value(name, value, KEY);
        };
        let mut keys = Vec::new();
        for (at, text) in texts {
            let Some(key) = keymap::parse(text) else {
                let wrong = Wrong::Value(action_name.to_string(), KEY.to_owned());
                return self.wrong(at, wrong);
            };
            if let Some(first) = self.config.keys.owner(key).filter(|first| first != action) {
                let first = names.iter().find(|(_, action)| *action == first);
                let first = first.map_or("", |(name, _)| name);
                let wrong = Wrong::Twice(text.to_owned(), first, action_name);
                return self.wrong(at, wrong);
            }
            keys.push(key);
        }
        self.config.keys.set(*action, &keys);
    }

    fn columns(&mut self, name: &Name<'_>, value: &Value<'_>) {
        match name.get_ref().as_ref() {
            "source" => {
                let all = SourceColumn::ALL.map(SourceColumn::key);
                self.config.source_columns = self.list(name, value, &all);
            }
            "top" => {
                let all = Column::ALL.map(Column::key);
                self.config.top_columns = self.list(name, value, &all);
            }
            _ => self.unknown(name, &["source", "top"]),
        }
    }

    fn list<T: std::str::FromStr>(
        &mut self,
        name: &Name<'_>,
        value: &Value<'_>,
        all: &[&str],
    ) -> Option<Vec<T>> {
        let known = format!("[\"{}\"]", all.join("\", \""));
        let Some(texts) = texts(value).filter(|texts| !texts.is_empty()) else {
            self.value(name, value, &known);
            return None;
        };
        let mut columns = Vec::new();
        for (at, text) in texts {
            match text.parse() {
                Ok(column) => columns.push(column),
                Err(_) => {
                    let wrong = Wrong::Unknown(text.to_owned(), all.join(", "));
                    self.wrong(at, wrong);
                }
            }
        }
        (!columns.is_empty()).then_some(columns)
    }
}

fn text<'a>(value: &'a Value<'_>) -> Option<&'a str> {
    value.get_ref().as_str()
}

/// A text or a list of them, each with where it is.
fn texts<'a>(value: &'a Value<'_>) -> Option<Vec<(usize, &'a str)>> {
    let one = |value: &'a Value<'_>| Some((value.span().start, text(value)?));
    match value.get_ref().as_array() {
        Some(list) => list.iter().map(one).collect(),
        None => Some(vec![one(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use terminput::{KeyCode, KeyModifiers};

    use super::*;
    use crate::action::Action;

    const WHOLE: &str = include_str!("../../docs/config.toml");

    #[test]
    fn the_example_of_the_documents_is_whole() {
        let config = Config::parse(WHOLE);
        assert_eq!(config.problems, []);
        assert_eq!(config.lang, Some(Lang::Zh));
        assert_eq!(config.theme, Some(Theme::Light));
        assert!(!config.colors.is_empty() && config.source_columns.is_some());
        let key = (KeyCode::Char('x'), KeyModifiers::NONE);
        assert_eq!(config.keys.action(key), Some(Action::NextHop));
    }

    #[test]
    fn what_is_wrong_has_its_line_and_the_rest_holds() {
        for (text, said) in [
            (
                "lang = \"fr\"\ntheme = \"light\"",
                "c:1: lang: write \"en\", \"zh\"",
            ),
            (
                "theme = \"light\"\n\nlanguage = \"zh\"",
                "c:3: 'language' means nothing here: write lang, theme, colors, keys, columns",
            ),
            (
                "theme = \"light\"\n[colors]\ncopy = \"mauve-ish\"",
                "c:3: copy: write \"red\", \"light-red\", \"#d70000\", \"208\"",
            ),
            (
                "theme = \"light\"\n[keys]\nnext-hop = \"ctrl-shift-banana\"",
                "c:3: next-hop: write \"x\", \"ctrl-x\", \"shift-tab\", \"enter\", \"f2\", [\"n\", \"right\"]",
            ),
            (
                "theme = \"light\"\n[keys]\nnext-hop = [\"x\",\n  \"ctrl-c\"]",
                "c:4: ctrl-c is a key of quit: write another for next-hop",
            ),
            (
                "theme = \"light\"\n[keys]\nnext-hop = \"x\"\nfind = \"x\"\nzoom = 3",
                "c:4: x is a key of next-hop: write another for find (and 1 more)",
            ),
            (
                "theme = \"light\"\n[columns]\ntop = [\"pid\", \"cost\"]",
                "c:3: 'cost' means nothing here: write pid, crossings, faults, copied, dma, shared, filled, name",
            ),
            ("theme = \"light\"\nkeys = 1", "c:2: keys: write [keys]"),
        ] {
            let config = Config::parse(text);
            assert_eq!(config.theme, Some(Theme::Light), "{text}");
            assert_eq!(config.complaint("c", Lang::En).as_deref(), Some(said));
            let zh = config.complaint("c", Lang::Zh).expect("a complaint");
            assert!(zh.contains('：') && !zh.contains("write"), "{zh}");
        }
        let broken = Config::parse("lang = \"zh\"\ntheme = light\n");
        let said = broken.complaint("c", Lang::En).expect("a complaint");
        assert!(said.starts_with("c:2: this is no TOML ("), "{said}");
        assert_eq!(said.lines().count(), 1);
    }
}
