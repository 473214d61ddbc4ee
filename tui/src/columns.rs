//! Which columns stand beside the source.

use std::str::FromStr;

use bytehop_core::annotate::Line;
use bytehop_core::i18n::Lang;
use bytehop_core::model::HopKind;
use bytehop_core::units;

use crate::text::compact;
use crate::words;

/// What a line of the source did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceColumn {
    Copied,
    Dma,
    Shared,
    Mapped,
    Zeroed,
    Crossings,
    Time,
}

impl SourceColumn {
    pub const ALL: [Self; 7] = [
        Self::Copied,
        Self::Dma,
        Self::Shared,
        Self::Mapped,
        Self::Zeroed,
        Self::Crossings,
        Self::Time,
    ];

    /// Those that are shown if nothing else is asked for.
    pub const USUAL: [Self; 4] = [Self::Copied, Self::Dma, Self::Crossings, Self::Time];
    /// The same where there is little room: the source matters more than crossings and time.
    pub const NARROW: [Self; 2] = [Self::Copied, Self::Dma];

    /// As a file names it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Dma => "dma",
            Self::Shared => "shared",
            Self::Mapped => "mapped",
            Self::Zeroed => "zeroed",
            Self::Crossings => "crossings",
            Self::Time => "time",
        }
    }

    pub fn head(self, lang: Lang) -> &'static str {
        match self {
            Self::Copied => words::cpu_copies(lang),
            Self::Dma => words::dma(lang),
            Self::Shared => words::by_reference(lang),
            Self::Mapped => words::mapped(lang),
            Self::Zeroed => words::zeroed(lang),
            Self::Crossings => words::column_crossings(lang),
            Self::Time => words::column_time(lang),
        }
    }

    pub fn cells(self) -> usize {
        match self {
            Self::Crossings => 8,
            _ => 9,
        }
    }

    /// The kind of its bytes.
    pub fn kind(self) -> Option<HopKind> {
        Some(match self {
            Self::Copied => HopKind::Copy,
            Self::Dma => HopKind::Dma,
            Self::Shared => HopKind::Share,
            Self::Mapped => HopKind::Map,
            Self::Zeroed => HopKind::Fill,
            Self::Crossings | Self::Time => return None,
        })
    }

    /// What stands in it; nothing for 0. `mark`: before what may be inferred.
    pub fn text(self, line: &Line, mark: &str) -> String {
        let bytes = |n| units::bytes(n).replace(".00", "");
        let (n, text) = match self {
            Self::Copied => (line.copied, format!("{mark}{}", bytes(line.copied))),
            Self::Dma => (line.dma, bytes(line.dma)),
            Self::Shared => (line.shared, bytes(line.shared)),
            Self::Mapped => (line.mapped, bytes(line.mapped)),
            Self::Zeroed => (line.zeroed, bytes(line.zeroed)),
            Self::Crossings => (line.crossings, compact(line.crossings)),
            Self::Time => (line.time_ns, units::time(line.time_ns)),
        };
        if n == 0 { String::new() } else { text }
    }
}

impl FromStr for SourceColumn {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let mut all = Self::ALL.into_iter();
        all.find(|column| column.key() == name).ok_or(())
    }
}
