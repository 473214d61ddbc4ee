//! Where the bytes went, by name: files, sockets, threads, cgroups; and calls by size and time.

use super::layout::{Align, Flow, Page, Paint, clean, pad, span, width};
use super::ledger::{kind, path};
use super::lists::fold;
use super::section::{plain, section};
use super::{Detail, words};
use crate::annotate::Line;
use crate::histogram::Histogram;
use crate::i18n::Lang;
use crate::model::{NamedRow, Summary, Thing};
use crate::terms;
use crate::units;

/// Rows of a table before "… more".
const FOLD: usize = 8;
/// Cells of a number's column.
const CELLS: usize = 11;

/// What a table shows of a row.
struct Column {
    name: fn(Lang) -> &'static str,
    value: fn(&Line) -> u64,
    text: fn(u64) -> String,
}

const COLUMNS: [Column; 6] = [
    Column {
        name: words::column_calls,
        value: |line| line.syscalls,
        text: units::count,
    },
    Column {
        name: terms::copy,
        value: |line| line.copied,
        text: units::bytes,
    },
    Column {
        name: terms::dma,
        value: |line| line.dma,
        text: units::bytes,
    },
    Column {
        name: terms::share,
        value: |line| line.shared,
        text: units::bytes,
    },
    Column {
        name: terms::map,
        value: |line| line.mapped,
        text: units::bytes,
    },
    Column {
        name: words::column_time,
        value: |line| line.time_ns,
        text: units::time,
    },
];

/// The tables: files and sockets where there are any, the others where there are several.
pub fn write(page: &mut Page, summary: &Summary) {
    let by_name = &summary.by_name;
    let lang = page.style.lang;
    let verbose = page.style.detail == Detail::Verbose;
    let several = |table: &[NamedRow]| verbose && table.len() > 1;
    let threads = by_name.threads.len() > by_name.processes.len() && several(&by_name.threads);
    for (label, rows, shown) in [
        (words::label_regions(lang), &by_name.regions, true),
        (words::label_files(lang), &by_name.files, true),
        (words::label_sockets(lang), &by_name.sockets, true),
        (words::label_threads(lang), &by_name.threads, threads),
        (
            words::label_cgroups(lang),
            &by_name.cgroups,
            several(&by_name.cgroups),
        ),
    ] {
        if shown && !rows.is_empty() {
            table(page, label, rows);
        }
    }
}

fn table(page: &mut Page, label: &str, rows: &[NamedRow]) {
    let (lang, ascii) = (page.style.lang, page.style.ascii);
    let lines: Vec<Line> = rows.iter().map(Line::of).collect();
    let columns: Vec<&Column> = COLUMNS
        .iter()
        .filter(|column| lines.iter().any(|line| (column.value)(line) > 0))
        .collect();
    let shown = match page.style.detail {
        Detail::Verbose => rows.len(),
        _ => fold(rows.len(), FOLD),
    };
    page.blank();
    let head: String = columns
        .iter()
        .map(|column| pad((column.name)(lang), CELLS, Align::Right, ascii))
        .collect();
    let spans = [
        span(head, Paint::Quiet),
        span(format!("  {label}"), Paint::Strong),
    ];
    page.line(&spans, Flow::default(), 0);
    let hang = columns.len() * CELLS + 2;
    for (row, line) in rows.iter().zip(&lines).take(shown) {
        let cell = |column: &&Column| {
            let value = (column.value)(line);
            let text = if value == 0 {
                String::new()
            } else {
                (column.text)(value)
            };
            pad(&text, CELLS, Align::Right, ascii)
        };
        let cells: String = columns.iter().map(cell).collect();
        let name = clean(&name(&row.thing, lang), ascii);
        let room = page.width().saturating_sub(hang).max(12);
        let spans = [
            span(format!("{cells}  "), Paint::Plain),
            span(end(&name, room, ascii), Paint::Plain),
        ];
        page.line(&spans, Flow::default(), 0);
    }
    if shown < rows.len() {
        let more = words::more_processes(lang, (rows.len() - shown) as u64);
        page.line(
            &[span(" ".repeat(hang), Paint::Plain)],
            Flow::solid(more, Paint::Quiet),
            hang,
        );
    }
}

/// The end of a name that is too long: of a path, that tells more than its beginning.
fn end(name: &str, room: usize, ascii: bool) -> String {
    if width(name) <= room {
        return name.to_owned();
    }
    let mark = if ascii { "..." } else { "…" };
    let mut rest = name;
    while width(rest) + width(mark) > room {
        let mut chars = rest.chars();
        if chars.next().is_none() {
            break;
        }
        rest = chars.as_str();
    }
    format!("{mark}{rest}")
}

/// What a thing is called.
pub fn name(thing: &Thing, lang: Lang) -> String {
    match thing {
        Thing::File {
            path: Some(path), ..
        } => path.clone(),
        Thing::File { device, inode, .. } => words::a_file(lang, device, inode),
        Thing::Socket {
            protocol,
            local,
            peer,
            inode,
        } => match (local, peer) {
            (Some(local), Some(peer)) => format!("{protocol} {local} → {peer}"),
            (Some(local), None) => format!("{protocol} {local}"),
            _ => words::a_socket(lang, protocol, inode),
        },
        Thing::Device { device } => device.clone(),
        Thing::Process { pid, comm } => format!("{comm} ({pid})"),
        Thing::Thread { tid, pid, comm } if tid == pid => format!("{comm} ({tid})"),
        Thing::Thread { tid, pid, comm } => format!("{comm} ({tid}, {pid})"),
        Thing::Cgroup { cgroup } => cgroup.clone(),
        Thing::Region {
            region,
            passes,
            duration_ns,
            ..
        } => words::a_region(lang, region, passes, units::time(*duration_ns)),
        Thing::Unnamed { .. } => words::unnamed(lang).to_owned(),
    }
}

/// Calls and hops by how much they moved and how long they took: by powers of two.
pub fn histograms(page: &mut Page, summary: &Summary) {
    let lang = page.style.lang;
    let calls = summary.syscalls.iter().map(|row| {
        let flow = shape(Flow::default(), &row.sizes, &row.times, lang);
        (row.name.as_str(), flow)
    });
    under(page, words::calls_by_size(lang), calls.collect());
    let hops = summary.hops.iter().map(|row| {
        let path = plain(format!("{} ({})", path(row, lang), row.evidence.by()));
        let flow = shape(path, &row.sizes, &row.times, lang);
        (kind(row, lang), flow)
    });
    under(page, words::hops_by_size(lang), hops.collect());
}

/// Labelled lines below a heading, if there are any.
fn under(page: &mut Page, heading: &str, lines: Vec<(&str, Flow)>) {
    if lines.iter().all(|(_, flow)| flow.is_empty()) {
        return;
    }
    page.blank();
    let heading = [span(format!(" {heading}"), Paint::Strong)];
    page.line(&heading, Flow::default(), 0);
    for (label, flow) in lines {
        section(page, label, flow);
    }
}

/// Sizes and times, after what they are of; nothing where there are neither.
fn shape(of: Flow, sizes: &Histogram, times: &Histogram, lang: Lang) -> Flow {
    let parts = [
        (words::sizes(lang), sizes, units::bytes as fn(u64) -> String),
        (words::times(lang), times, units::time),
    ];
    let parts = parts
        .into_iter()
        .filter(|(_, histogram, _)| !histogram.is_empty())
        .map(|(label, histogram, text)| {
            plain(label).then(Flow::join(buckets(histogram, text), " ·"))
        });
    let parts: Vec<Flow> = parts.collect();
    if parts.is_empty() {
        return Flow::default();
    }
    let of = (!of.is_empty()).then_some(of);
    Flow::join(
        of.into_iter().chain(parts).collect(),
        words::semicolon(lang),
    )
}

fn buckets(histogram: &Histogram, text: fn(u64) -> String) -> Vec<Flow> {
    let one = |(from, n)| {
        Flow::solid(
            format!("≥{} ×{}", text(from), units::count(n)),
            Paint::Plain,
        )
    };
    histogram.buckets().map(one).collect()
}
