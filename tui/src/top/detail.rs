//! What the numbers of one row are made of, and how each is known.

use bytehop_core::model::{Evidence, HopRow, Place};
use bytehop_core::report::top::{Scale, mark, name, unknown, words as texts};
use bytehop_core::terms;
use bytehop_core::top::Row;
use bytehop_core::units;

use super::model::Top;
use super::words;
use crate::text::{pad, pad_left, width as cells, wrap};
use crate::theme::Paint;
use crate::words as common;

pub type Line = Vec<(String, Paint)>;

/// Cells of a hop's way and of numbers.
const WAY: usize = 31;
const NUMBER: usize = 14;
/// Calls that are listed.
const CALLS: usize = 40;

/// Who it is: the title of its lines.
pub fn title(row: &Row, top: &Top) -> String {
    let who = name(row, true, top.look.lang);
    match row.who.pid() {
        Some(pid) => format!("{pid} {}", who.trim_end()),
        None => who,
    }
}

/// In lines of at most `width` cells, where they are sentences.
pub fn lines(row: &Row, top: &Top, width: u16) -> Vec<Line> {
    let (lang, ascii) = (top.look.lang, top.look.ascii);
    let scale = Scale::of(&top.frame, ascii);
    let per = |text| per(top, text);
    let mut lines: Vec<Line> = row
        .hops
        .iter()
        .map(|hop| hop_line(hop, top, &scale))
        .collect();
    if row.hops.is_empty() {
        lines.push(vec![(format!(" {}", words::no_hops(lang)), Paint::Dim)]);
    }
    let metadata = row.metadata_io;
    if metadata.read_requests + metadata.write_requests > 0 {
        let bytes = |n| per(units::bytes(scale.number(n)));
        let text = texts::metadata(
            lang,
            bytes(metadata.read_bytes),
            bytes(metadata.write_bytes),
        );
        lines.push(vec![(format!(" {text}"), Paint::Text)]);
    }
    if !row.unknown.is_empty() {
        lines.push(vec![(
            format!(" {}", words::not_known(lang)),
            Paint::Warning,
        )]);
        let sentences = row.unknown.iter().map(|it| unknown(it, lang));
        lines.extend(sentences.flat_map(|text| sentence(" + ", &text, width)));
    }
    if row.who.pid().is_some() && !row.ended {
        let pid = row.who.pid().unwrap_or_default();
        lines.push(vec![(
            format!(" {}", texts::attach_hint(lang, pid)),
            Paint::Key,
        )]);
    }
    for call in row.syscalls.iter().take(CALLS) {
        let errors = match call.errors {
            0 => String::new(),
            errors => {
                let names = call.errnos.iter().map(|(name, _)| name.as_str());
                let names = names.collect::<Vec<_>>().join(" ");
                let gap = if names.is_empty() { "" } else { " " };
                let failed = words::failed(lang, per(scale.count(errors)));
                format!("  {failed}{gap}{names}")
            }
        };
        let bytes = match call.bytes {
            0 => String::new(),
            bytes => per(units::bytes(scale.number(bytes))),
        };
        lines.push(vec![
            (pad(&format!("   {}", call.name), WAY, ascii), Paint::Strong),
            (
                pad_left(&per(scale.count(call.calls)), NUMBER, ascii),
                Paint::Text,
            ),
            (pad_left(&bytes, NUMBER, ascii), Paint::Text),
            (errors, Paint::Dim),
        ]);
    }
    lines
}

/// A number as it is in the table: a rate, or a total.
fn per(top: &Top, text: String) -> String {
    match top.frame.total {
        true => text,
        false => texts::per_second(top.look.lang, text),
    }
}

/// A sentence behind a mark, in as many lines as it needs.
pub fn sentence(mark: &str, text: &str, width: u16) -> Vec<Line> {
    let room = usize::from(width).saturating_sub(cells(mark));
    let blank = " ".repeat(cells(mark));
    let wrapped = wrap(text, room).into_iter().enumerate();
    let line = |(i, text)| {
        let start = if i == 0 { mark } else { &blank };
        vec![(format!("{start}{text}"), Paint::Text)]
    };
    wrapped.map(line).collect()
}

fn hop_line(hop: &HopRow, top: &Top, scale: &Scale) -> Line {
    let (lang, ascii) = (top.look.lang, top.look.ascii);
    let place = |place: &Place| common::place(lang, place);
    let inferred = !matches!(hop.evidence, Evidence::Measured(_));
    let (arrow, known) = match inferred {
        true => (mark(ascii), terms::inferred(lang)),
        false => ("→", terms::measured(lang)),
    };
    let way = format!("{} {arrow} {}", place(&hop.from), place(&hop.to));
    let engine = match hop.engine {
        Some(engine) => format!(" ({})", common::engine(lang, engine)),
        None => String::new(),
    };
    let later = match hop.deferred {
        true => format!("{} ", terms::later(lang)),
        false => String::new(),
    };
    let paint = Paint::Kind(hop.kind);
    vec![
        (format!(" {} ", hop.kind.letter()), paint),
        (pad(&way, WAY - 3, ascii), Paint::Text),
        (
            pad_left(
                &per(top, units::bytes(scale.number(hop.bytes))),
                NUMBER,
                ascii,
            ),
            Paint::Strong,
        ),
        (format!("  {later}{known}"), Paint::Text),
        (format!(" {}{engine}", hop.evidence.by()), Paint::Dim),
    ]
}
