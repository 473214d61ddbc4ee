//! A run's [`Summary`](crate::model::Summary) as text and as data; events as lines of JSON.
//!
//! Everything here is a pure function of what it is given: no I/O, no clock, no environment.

use std::str::FromStr;

use crate::i18n::Lang;

mod advise;
mod annotate;
mod budget;
pub mod compare;
pub mod export;
mod json;
mod jsonl;
pub mod layout;
mod ledger;
mod lists;
pub mod names;
mod section;
mod text;
pub mod top;
mod words;

#[cfg(test)]
mod random;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use advise::{advice, advice_json};
pub use annotate::{annotation, annotation_json, around};
pub use budget::{budget, budgets_hold, budgets_json, junit};
pub use compare::{comparison, comparison_json};
pub use export::printable;
pub use json::{json, json_string};
pub use jsonl::Lines;
pub use lists::interrupted;
pub use text::{lost, text};

/// What `--format` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: [`text()`].
    #[default]
    Text,
    /// The summary as one JSON object: [`json()`].
    Json,
    /// One JSON object per event and line: [`Lines`].
    Jsonl,
    /// The screens and the summary as one page.
    Html,
    /// For other tools: [`export`].
    Csv,
    Folded,
    Flamegraph,
    Markdown,
    Svg,
    Perfetto,
    Parquet,
}

impl Format {
    /// Each with its name.
    pub const ALL: [(&str, Self); 11] = [
        ("text", Self::Text),
        ("json", Self::Json),
        ("jsonl", Self::Jsonl),
        ("html", Self::Html),
        ("csv", Self::Csv),
        ("folded", Self::Folded),
        ("flamegraph", Self::Flamegraph),
        ("markdown", Self::Markdown),
        ("svg", Self::Svg),
        ("perfetto", Self::Perfetto),
        ("parquet", Self::Parquet),
    ];
}

/// `--format` names nothing that we can write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownFormat(pub String);

crate::says! { UnknownFormat, lang:
    Self(name) => "unknown format '{name}': text, json, jsonl, html, csv, folded, flamegraph, markdown, svg, perfetto or parquet"
        | "未知的格式“{name}”：可用 text、json、jsonl、html、csv、folded、flamegraph、markdown、svg、perfetto 或 parquet";
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().find(|(name, _)| *name == text);
        known
            .map(|(_, format)| *format)
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// How much the text report says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// `-q`: a title, the totals, and what was lost.
    Quiet,
    #[default]
    Normal,
    /// `-v`: nothing folded, each number with its probe.
    Verbose,
}

/// How the text report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// ANSI colours. Nothing is said by colour alone.
    pub color: bool,
    /// Cells that a line may take; fewer than [`Self::MIN_WIDTH`] count as that many.
    pub width: usize,
    pub lang: Lang,
    pub detail: Detail,
    /// No characters outside ASCII of our own, apart from the words of a language.
    pub ascii: bool,
}

impl Style {
    /// The narrowest report.
    pub const MIN_WIDTH: usize = 40;
}

impl Default for Style {
    /// For a pipe: 80 cells, no colour, English.
    fn default() -> Self {
        Self {
            color: false,
            width: 80,
            lang: Lang::En,
            detail: Detail::Normal,
            ascii: false,
        }
    }
}
