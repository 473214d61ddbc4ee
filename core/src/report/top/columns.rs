//! The columns of `top`: what stands in them, how rows are ordered by them.

use std::cmp::{Ordering, Reverse};
use std::time::Duration;

use super::words;
use crate::i18n::Lang;
use crate::model::HopKind;
use crate::report::layout::{Align, pad};
use crate::top::{Amount, Frame, More, Row, Who};
use crate::units;

/// A column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Column {
    Pid,
    #[default]
    Crossings,
    Faults,
    Copied,
    Dma,
    Shared,
    Filled,
    Name,
}

impl Column {
    /// From left to right.
    pub const ALL: [Self; 8] = [
        Self::Pid,
        Self::Crossings,
        Self::Faults,
        Self::Copied,
        Self::Dma,
        Self::Shared,
        Self::Filled,
        Self::Name,
    ];

    /// As a command line names it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Pid => "pid",
            Self::Crossings => "crossings",
            Self::Faults => "faults",
            Self::Copied => "copied",
            Self::Dma => "dma",
            Self::Shared => "shared",
            Self::Filled => "filled",
            Self::Name => "name",
        }
    }

    /// Cells that it takes, the space before it included; the name has what is left.
    pub fn width(self, ascii: bool) -> usize {
        match self {
            Self::Pid => 8,
            Self::Crossings | Self::Faults => 9,
            // The mark is longer.
            Self::Copied | Self::Dma | Self::Shared | Self::Filled => 10 + usize::from(ascii),
            Self::Name => 0,
        }
    }

    /// Its heading; `total`: not per second.
    pub fn title(self, lang: Lang, total: bool) -> String {
        let text = match self {
            Self::Pid => return words::column_pid(lang).to_owned(),
            Self::Name => return words::column_name(lang).to_owned(),
            Self::Crossings => words::column_crossings(lang),
            Self::Faults => words::column_faults(lang),
            Self::Copied => words::column_copied(lang),
            Self::Dma => words::column_dma(lang),
            Self::Shared => words::column_shared(lang),
            Self::Filled => words::column_filled(lang),
        };
        match total {
            true => text.to_owned(),
            false => words::per_second(lang, text),
        }
    }

    /// The kind of hops that it sums up.
    pub fn kind(self) -> Option<HopKind> {
        match self {
            Self::Copied => Some(HopKind::Copy),
            Self::Dma => Some(HopKind::Dma),
            Self::Shared => Some(HopKind::Share),
            Self::Filled => Some(HopKind::Fill),
            Self::Pid | Self::Crossings | Self::Faults | Self::Name => None,
        }
    }

    /// What stands in it; `wide`: there is room for command lines.
    pub fn cell(self, row: &Row, scale: &Scale, wide: bool, lang: Lang) -> String {
        match self {
            Self::Pid => row.who.pid().map_or(String::new(), |pid| pid.to_string()),
            Self::Crossings => scale.count(row.crossings()),
            Self::Faults => match row.faults {
                Some(n) => scale.count(n),
                None => "?".to_owned(),
            },
            Self::Name => name(row, wide, lang),
            _ => self
                .kind()
                .and_then(|kind| row.amount(kind))
                .map_or(String::new(), |amount| scale.amount(amount)),
        }
    }

    /// Orders two rows: the larger number first, names from A.
    pub fn order(self, a: &Row, b: &Row) -> Ordering {
        let number = |row: &Row| match self {
            Self::Crossings => (row.crossings(), 0),
            Self::Faults => (row.faults.unwrap_or(0), row.calls),
            Self::Pid => (u64::from(row.who.pid().unwrap_or(0)), 0),
            _ => {
                let amount = self.kind().and_then(|kind| row.amount(kind));
                // Of those without a number, the ones that may have one.
                let more = amount.is_some_and(|a| a.more != More::Nothing);
                (amount.map_or(0, |a| a.bytes), u64::from(more))
            }
        };
        let by_column = match self {
            Self::Name => a.name.cmp(&b.name),
            _ => number(b).cmp(&number(a)),
        };
        by_column
            .then_with(|| b.crossings().cmp(&a.crossings()))
            .then_with(|| a.who.cmp(&b.who))
    }
}

/// `--sort` names no column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownColumn(pub String);

crate::says! { UnknownColumn, lang:
    Self(name) => "no column '{name}': pid, crossings, faults, copied, dma, shared, filled or name"
        | "没有“{name}”这一列：可用 pid、crossings、faults、copied、dma、shared、filled 或 name";
}

impl std::str::FromStr for Column {
    type Err = UnknownColumn;

    fn from_str(text: &str) -> Result<Self, UnknownColumn> {
        let known = Self::ALL.into_iter().find(|column| column.key() == text);
        known.ok_or_else(|| UnknownColumn(text.to_owned()))
    }
}

/// Who it is, for people: the name, and (`wide`) more.
pub fn name(row: &Row, wide: bool, lang: Lang) -> String {
    /// `comm` has at most 15 characters.
    const NAME: usize = 16;
    match row.who {
        Who::Kernel if wide => words::kernel(lang).to_owned(),
        Who::Kernel => words::kernel_short(lang).to_owned(),
        Who::Ended(n) => words::ended_processes(lang, n),
        Who::Others(n) => words::others(lang, n),
        Who::Process(_) if row.ended => format!("{} {}", row.name, words::ended(lang)),
        Who::Process(_) if wide => {
            let name = pad(&row.name, NAME, Align::Left, false);
            format!("{name} {}", row.command)
        }
        Who::Process(_) => row.name.clone(),
    }
}

/// Whether a name with so many cells has room for more than itself.
pub fn is_wide(cells: usize) -> bool {
    cells >= 36
}

/// What stands before a number of which some is inferred: the broken arrow of inferred hops.
pub fn mark(ascii: bool) -> &'static str {
    match ascii {
        true => "~>",
        false => "⇢",
    }
}

/// Rates, or totals.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    ascii: bool,
    /// `None`: numbers stand as they are.
    over: Option<Duration>,
}

impl Scale {
    pub fn of(frame: &Frame, ascii: bool) -> Self {
        Self {
            ascii,
            over: (!frame.total).then_some(frame.interval),
        }
    }

    /// `n` per second, rounded; what is not 0 stays so.
    pub fn number(&self, n: u64) -> u64 {
        let Some(over) = self.over.filter(|over| !over.is_zero()) else {
            return n;
        };
        let rate = u128::from(n) * 1_000_000_000 / over.as_nanos();
        (rate as u64).max(u64::from(n > 0))
    }

    /// Nothing for 0.
    pub fn count(&self, n: u64) -> String {
        match self.number(n) {
            0 => String::new(),
            n @ ..1_000_000 => units::count(n),
            n @ ..1_000_000_000 => format!("{:.1}M", n as f64 / 1e6),
            n => format!("{:.1}G", n as f64 / 1e9),
        }
    }

    /// The mark of what is inferred, the bytes, and a `+` where there may be more.
    pub fn amount(&self, amount: &Amount) -> String {
        let more = amount.more != More::Nothing;
        match (amount.bytes, more) {
            (0, false) => String::new(),
            (0, true) => "?".to_owned(),
            (bytes, _) => {
                let mark = if amount.inferred > 0 {
                    mark(self.ascii)
                } else {
                    ""
                };
                let plus = if more { "+" } else { "" };
                format!("{mark}{}{plus}", short(self.number(bytes)))
            }
        }
    }
}

/// Bytes in few cells: `1.25MiB`, `3KiB`.
fn short(n: u64) -> String {
    units::bytes(n).replace(".00", "").replace(' ', "")
}

/// Which rows are shown, and in which order.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub sort: Column,
    pub reverse: bool,
    /// In the name or the command line, letters large or small; or the process id.
    pub filter: String,
    /// Rows that did nothing, too, but for those of processes that have ended: they are always shown.
    pub idle: bool,
}

impl View {
    /// The rows, in order.
    pub fn rows<'a>(&self, frame: &'a Frame) -> Vec<&'a Row> {
        let filter = self.filter.to_lowercase();
        let fits = |row: &&Row| {
            filter.is_empty()
                || row.name.to_lowercase().contains(&filter)
                || row.command.to_lowercase().contains(&filter)
                || row.who.pid().is_some_and(|pid| pid.to_string() == filter)
        };
        let rows = frame
            .rows
            .iter()
            .filter(|row| self.idle || row.ended || !row.is_idle());
        let mut rows: Vec<_> = rows.filter(fits).collect();
        rows.sort_by(|a, b| self.sort.order(a, b));
        // What did nothing stays below.
        if self.reverse {
            rows.reverse();
        }
        rows.sort_by_key(|row| Reverse(!row.is_idle()));
        rows
    }
}
