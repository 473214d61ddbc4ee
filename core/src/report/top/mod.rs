//! `bytehop top` as text: a block for each interval. The terminal UI has the same columns and words.

mod columns;
mod json;
#[cfg(test)]
mod tests;
pub mod words;

pub use columns::{Column, Scale, UnknownColumn, View, is_wide, mark, name};
pub use json::line;

use super::Style;
use super::layout::{Align, Flow, Page, Paint, pad, span};
use crate::catalogue::ProbeId;
use crate::i18n::Lang;
use crate::notice::Why;
use crate::top::{Frame, Lost, Row, Unknown, What};
use crate::units;

/// A table for people. `missing`: hooks that are not attached, and why.
pub fn table(frame: &Frame, view: &View, missing: &[(String, String)], style: &Style) -> String {
    let lang = style.lang;
    let mut page = Page::new(style);
    let rows = view.rows(frame);
    let heading = format!("bytehop top · {}", title(frame, lang));
    page.line(&[span(heading, Paint::Strong)], Flow::default(), 0);
    for text in caveats(&frame.lost, missing, lang) {
        page.line(&[], Flow::words(&text, Paint::Warn), 2);
    }
    let scale = Scale::of(frame, style.ascii);
    let numbers: usize = Column::ALL
        .iter()
        .map(|column| column.width(style.ascii))
        .sum();
    let wide = is_wide(page.width().saturating_sub(numbers));
    let cells = |of: &dyn Fn(Column) -> String, paint: &dyn Fn(Column) -> Paint| {
        let mut spans = Vec::new();
        for column in Column::ALL {
            let text = of(column);
            spans.push(match column {
                Column::Name => span(format!(" {text}"), paint(column)),
                _ => {
                    let text = pad(
                        &text,
                        column.width(style.ascii) - 1,
                        Align::Right,
                        style.ascii,
                    );
                    span(format!(" {text}"), paint(column))
                }
            });
        }
        spans
    };
    let plain = |column: Column| column.kind().map_or(Paint::Plain, Paint::Kind);
    let head = cells(&|column| column.title(lang, frame.total), &plain);
    page.line(&head, Flow::default(), 0);
    for row in &rows {
        let spans = cells(&|column| column.cell(row, &scale, wide, lang), &plain);
        page.line(&spans, Flow::default(), 0);
    }
    if rows.is_empty() {
        page.line(&[], Flow::words(words::nothing(lang), Paint::Quiet), 0);
    }
    let marked = |row: &&Row| Column::ALL.iter().any(|column| is_marked(*column, row));
    if rows.iter().any(marked) {
        let legend = words::legend(lang, mark(style.ascii));
        page.line(&[], Flow::words(&legend, Paint::Quiet), 0);
    }
    page.finish()
}

fn is_marked(column: Column, row: &Row) -> bool {
    let amount = column.kind().and_then(|kind| row.amount(kind));
    amount.is_some_and(|a| a.inferred > 0 || a.more != crate::top::More::Nothing)
}

/// What the table counts.
pub fn title(frame: &Frame, lang: Lang) -> String {
    let time = units::time(frame.interval.as_nanos() as u64);
    let what = match frame.total {
        true => words::title_total(lang, time),
        false => words::title_interval(lang, time),
    };
    let active = frame.rows.iter().filter(|row| !row.is_idle()).count();
    let active = words::active(lang, active, frame.rows.len());
    format!("{what} · {active} · {}", words::level(lang))
}

/// What is not in the numbers.
pub fn caveats(lost: &Lost, missing: &[(String, String)], lang: Lang) -> Vec<String> {
    let mut texts = Vec::new();
    for (n, text) in [
        (lost.calls, words::lost_calls as fn(Lang, u64) -> String),
        (lost.counts, words::lost_counts),
        (lost.skipped, words::lost_skipped),
        (lost.descriptors, words::lost_descriptors),
    ] {
        if n > 0 {
            texts.push(text(lang, n));
        }
    }
    // A field of a struct that no hook of ours asks for is no news here.
    let is_hook = |label: &str| matches!(ProbeId::of_label(label), Some(ProbeId::Tracepoint(_)));
    let hooks = missing.iter().filter(|(probe, _)| is_hook(probe));
    texts.extend(hooks.map(|(probe, why)| words::missing(lang, probe, Why::of(why).words(lang))));
    texts
}

/// What counters cannot tell of a row, in a sentence.
pub fn unknown(unknown: &Unknown, lang: Lang) -> String {
    let what = match unknown.what {
        What::FreshPages => words::unknown_fresh(lang),
        What::LargePages => words::unknown_large(lang),
        What::Messages => words::unknown_messages(lang),
        What::UnknownFiles => words::unknown_files(lang),
        What::Undecided => words::unknown_undecided(lang),
        What::ZeroCopySends => words::unknown_zerocopy(lang),
        What::OtherTable => words::unknown_table(lang),
        What::Received => words::unknown_received(lang),
        What::Requests => words::unknown_requests(lang),
        What::Faults => words::unknown_faults(lang),
        What::Arguments => words::unknown_arguments(lang),
    };
    let n = units::count(unknown.count);
    match unknown.up_to {
        Some(bytes) => words::more_up_to(lang, what, n, units::bytes(bytes)),
        None => words::more_unbounded(lang, what, n),
    }
}
