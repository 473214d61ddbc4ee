//! The hop table: who moved the bytes.

use super::layout::{Align, Flow, Page, Paint, Span, pad, span, width};
use super::{Detail, words};
use crate::event::Engine;
use crate::i18n::Lang;
use crate::model::{HopKind, HopRow, Known, Place, Summary};
use crate::terms::{self, Form};
use crate::units;

/// Cells before a row's path: indent, letter, kind.
const INDENT: usize = 4;

/// Who moves the bytes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mover {
    Cpu,
    Device,
    Nobody,
}

impl Mover {
    const ALL: [Mover; 3] = [Mover::Cpu, Mover::Device, Mover::Nobody];

    /// Transfers of a device that is only software are a CPU's work.
    pub fn of(row: &HopRow) -> Self {
        match row.kind {
            HopKind::Copy | HopKind::Fill => Mover::Cpu,
            HopKind::Dma if row.engine == Some(Engine::Software) => Mover::Cpu,
            HopKind::Dma => Mover::Device,
            HopKind::Share | HopKind::Map => Mover::Nobody,
        }
    }

    fn name(self, lang: Lang) -> &'static str {
        match self {
            Mover::Cpu => words::by_cpu(lang),
            Mover::Device => words::by_device(lang),
            Mover::Nobody => words::by_nobody(lang),
        }
    }
}

/// Writes the table, grouped by who moves.
pub fn write(page: &mut Page, summary: &Summary) {
    let lang = page.style.lang;
    page.line(
        &[
            span(" ", Paint::Plain),
            span(words::who_moved(lang), Paint::Strong),
        ],
        Flow::default(),
        0,
    );
    let columns = Columns::of(page, &summary.hops);
    for mover in Mover::ALL {
        let mut rows: Vec<&HopRow> = summary
            .hops
            .iter()
            .filter(|row| Mover::of(row) == mover)
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.bytes, row.count)));
        let total = totals(summary, mover, lang);
        if total.is_empty() {
            continue;
        }
        let names = Mover::ALL.map(|mover| width(mover.name(lang)));
        let cells = names.into_iter().max().unwrap_or(0) + 2;
        let name = pad(mover.name(lang), cells, Align::Left, page.style.ascii);
        page.line(
            &[span("  ", Paint::Plain), span(name, Paint::Strong)],
            total,
            cells + 2,
        );
        for row in rows {
            write_row(page, &columns, row, summary);
        }
    }
    write_notes(page, summary);
}

/// What a mover did altogether, in words; empty if there is nothing to say.
pub fn totals(summary: &Summary, mover: Mover, lang: Lang) -> Flow {
    let sum = |wanted: &dyn Fn(&HopRow) -> bool| {
        let rows = || {
            summary
                .hops
                .iter()
                .filter(|row| Mover::of(row) == mover && wanted(row))
        };
        rows().next().is_some().then(|| {
            let bytes = rows().fold(0, |sum: u64, row| sum.saturating_add(row.bytes));
            let about = if rows().any(|row| row.evidence.known() == Known::Estimated) {
                "~"
            } else {
                ""
            };
            let least = HopKind::ALL
                .iter()
                .any(|kind| summary.is_at_least(*kind) && rows().any(|row| row.kind == *kind));
            let bytes = format!("{about}{}", units::bytes(bytes));
            match least {
                true => words::no_less(lang, bytes),
                false => bytes,
            }
        })
    };
    let kind = |kind| sum(&move |row: &HopRow| row.kind == kind);
    // A trace with gaps cannot say that something did not happen.
    let whole = summary.lost_events == 0 && summary.warnings.is_empty();
    let whole = |kind| whole && !summary.is_at_least(kind);
    let solid = |text: String| Flow::solid(text, Paint::Plain);
    let mut parts: Vec<Flow> = Vec::new();
    match mover {
        Mover::Cpu => {
            parts.push(match kind(HopKind::Copy) {
                Some(bytes) => solid(words::copied(lang, bytes)),
                None if whole(HopKind::Copy) => Flow::words(words::copied_none(lang), Paint::Plain),
                None => Flow::words(words::copied_none_seen(lang), Paint::Plain),
            });
            parts.extend(kind(HopKind::Fill).map(|bytes| solid(words::zeroed(lang, bytes))));
            let software = kind(HopKind::Dma).map(|bytes| words::moved_software(lang, bytes));
            parts.extend(software.map(|text| Flow::words(&text, Paint::Plain)));
        }
        Mover::Device => {
            let known = |row: &HopRow| row.engine != Some(Engine::Unknown) && row.engine.is_some();
            let dma = sum(&known);
            let unknown = sum(&|row| !known(row));
            let watched = !summary
                .missing_probes
                .iter()
                .any(|(probe, _)| probe.contains("block_"));
            if dma.is_none() && unknown.is_none() && whole(HopKind::Dma) {
                let others = [&summary.metadata_io, &summary.unattributed];
                let none = match watched {
                    true if others
                        .iter()
                        .all(|io| io.read_requests == 0 && io.write_requests == 0) =>
                    {
                        words::moved_dma_none(lang)
                    }
                    true => words::moved_dma_none_tied(lang),
                    false => words::moved_dma_none_seen(lang),
                };
                parts.push(Flow::words(none, Paint::Plain));
            }
            parts.extend(dma.map(|bytes| solid(words::moved_dma(lang, bytes))));
            parts.extend(
                unknown.map(|bytes| Flow::words(&words::moved_unknown(lang, bytes), Paint::Plain)),
            );
        }
        Mover::Nobody => {
            parts.extend(kind(HopKind::Share).map(|bytes| solid(words::shared(lang, bytes))));
            parts.extend(kind(HopKind::Map).map(|bytes| solid(words::mapped(lang, bytes))));
            if !parts.is_empty() {
                parts.push(Flow::solid(words::not_moved(lang), Paint::Quiet));
            }
        }
    }
    Flow::join(parts, words::comma(lang))
}

/// Cells that each column of the table takes.
struct Columns {
    kind: usize,
    path: usize,
    bytes: usize,
    count: usize,
    evidence: usize,
}

impl Columns {
    fn of(page: &Page, rows: &[HopRow]) -> Self {
        let lang = page.style.lang;
        let widest = |cells: &dyn Fn(&HopRow) -> usize| rows.iter().map(cells).max().unwrap_or(0);
        let kind = widest(&|row| width(kind(row, lang)));
        let bytes = widest(&|row| width(&amount(row)));
        let count = widest(&|row| width(&times(row)));
        let fixed = INDENT + 2 + kind + 2 + bytes + 2 + count + 4;
        let room = page.width().saturating_sub(fixed).max(8);
        // Two cells more than the text has if the arrows are to be spelt.
        let spelt = if page.style.ascii { 2 } else { 0 };
        Self {
            kind,
            path: widest(&|row| width(&path(row, lang)) + spelt).min(room),
            bytes,
            count,
            evidence: widest(&|row| width(evidence(row, lang))),
        }
    }
}

fn write_row(page: &mut Page, columns: &Columns, row: &HopRow, summary: &Summary) {
    let (lang, ascii) = (page.style.lang, page.style.ascii);
    let paint = match Mover::of(row) {
        Mover::Cpu if row.kind == HopKind::Dma => Paint::Kind(HopKind::Copy),
        _ => Paint::Kind(row.kind),
    };
    let plain = |text: String| span(text, Paint::Plain);
    let start: [Span; 5] = [
        plain(" ".repeat(INDENT)),
        span(
            format!(
                "{} {}",
                letter(row),
                pad(kind(row, lang), columns.kind, Align::Left, ascii)
            ),
            paint,
        ),
        plain(format!(
            "  {}",
            pad(&path(row, lang), columns.path, Align::Left, ascii)
        )),
        span(
            format!(
                "  {}",
                pad(&amount(row), columns.bytes, Align::Right, ascii)
            ),
            paint,
        ),
        plain(format!(
            "  {}  ",
            pad(&times(row), columns.count, Align::Right, ascii)
        )),
    ];
    let path_column = INDENT + 2 + columns.kind + 2;
    let remark_column: usize = start.iter().map(|s| width(&s.text)).sum();
    let name_column = remark_column + columns.evidence + 2;
    let hang = if page.width().saturating_sub(name_column) >= 24 {
        name_column
    } else {
        path_column + 2
    };
    // What a device is, is told below in full: here it may be short.
    let told = summary.devices.iter().any(|device| {
        [&row.from, &row.to]
            .iter()
            .any(|place| is_device(place, &device.name))
    });
    let cells = |parts: &[Flow]| parts.iter().map(|part| part.width() + 2).sum::<usize>();
    let least = summary.is_row_at_least(row);
    let mut parts = remarks(row, least, lang, page.style.detail, false);
    if told && name_column + cells(&parts) > page.width() + 2 {
        parts = remarks(row, least, lang, page.style.detail, true);
    }
    let mut flow = Flow::solid(evidence(row, lang), Paint::Plain);
    if !parts.is_empty() {
        let gap = columns.evidence - width(evidence(row, lang)) + 1;
        flow = flow
            .glue(&" ".repeat(gap), Paint::Plain)
            .then(Flow::join(parts, words::comma(lang)));
    }
    page.line(&start, flow, hang);
}

/// How it is known beyond the word, and what else to know.
fn remarks(row: &HopRow, least: bool, lang: Lang, detail: Detail, short: bool) -> Vec<Flow> {
    let mut parts = Vec::new();
    let by = row.evidence.by();
    let said = row.evidence.known() != Known::Measured || detail == Detail::Verbose;
    parts.extend(said.then(|| Flow::solid(by, Paint::Quiet)));
    if row.deferred {
        parts.push(Flow::solid(terms::later(lang), Paint::Strong));
    }
    if least {
        parts.push(Flow::solid(words::at_least_row(lang), Paint::Warn));
    }
    if row.kind == HopKind::Dma {
        parts.push(Flow::words(engine(row, lang, short), Paint::Plain));
    }
    parts.extend(
        row.cpu_ns
            .map(|ns| Flow::solid(words::cpu_time(lang, units::time(ns)), Paint::Plain)),
    );
    parts
}

/// What the device of a `dma` row is.
pub fn engine(row: &HopRow, lang: Lang, short: bool) -> &'static str {
    match row.engine {
        Some(Engine::Hardware) => words::hardware(lang),
        Some(Engine::Paravirtual) if short => words::paravirtual_short(lang),
        Some(Engine::Software) if short => words::software_short(lang),
        Some(Engine::Paravirtual) => words::paravirtual(lang),
        Some(Engine::Software) => words::software(lang),
        Some(Engine::Unknown) | None => words::engine_unknown(lang),
    }
}

/// Quiet lines below the table that explain the marks in it.
fn write_notes(page: &mut Page, summary: &Summary) {
    let lang = page.style.lang;
    let any = |wanted: &dyn Fn(&HopRow) -> bool| summary.hops.iter().any(wanted);
    let mut notes = Vec::new();
    if any(&|row| row.evidence.known() == Known::Inferred) {
        notes.push(words::legend_inferred(lang, INFERRED));
    }
    if any(&|row| row.deferred) {
        notes.push(words::legend_later(lang).to_owned());
    }
    if any(&|row| row.kind == HopKind::Map && row.from == Place::PageCache) {
        notes.push(words::user_mode(lang).to_owned());
    }
    for note in notes {
        page.line(
            &[span("  ", Paint::Plain)],
            Flow::words(&note, Paint::Quiet),
            2,
        );
    }
}

/// The arrow of what a rule concluded; what was seen or sampled has a solid one.
pub const INFERRED: char = '⇢';

fn letter(row: &HopRow) -> char {
    match Mover::of(row) {
        Mover::Cpu if row.kind == HopKind::Dma => '–',
        _ => row.kind.letter(),
    }
}

pub fn kind(row: &HopRow, lang: Lang) -> &'static str {
    match row.kind {
        HopKind::Dma if row.engine == Some(Engine::Software) => terms::no_dma(lang),
        kind => terms::kind(kind, lang, Form::Short),
    }
}

pub fn path(row: &HopRow, lang: Lang) -> String {
    let arrow = if row.evidence.known() == Known::Inferred {
        INFERRED
    } else {
        '→'
    };
    format!(
        "{} {arrow} {}",
        place(&row.from, lang),
        place(&row.to, lang)
    )
}

pub fn place(place: &Place, lang: Lang) -> &str {
    terms::place(place, lang, Form::Short)
}

fn is_device(place: &Place, device: &str) -> bool {
    matches!(place, Place::Device(name) | Place::Nic(name) if name == device)
}

pub fn amount(row: &HopRow) -> String {
    let about = if row.evidence.known() == Known::Estimated {
        "~"
    } else {
        ""
    };
    format!("{about}{}", units::bytes(row.bytes))
}

pub fn times(row: &HopRow) -> String {
    format!("×{}", units::count(row.count))
}

pub fn evidence(row: &HopRow, lang: Lang) -> &'static str {
    terms::evidence(row.evidence.known(), lang)
}
