//! How large and how long: the current call among all calls of its name, and its hops among all of their kind.

use bytehop_core::histogram::Histogram;
use bytehop_core::report::compare::{bar, eighths};
use bytehop_core::units;
use ratatui::buffer::Buffer;

use super::describe;
use crate::app::App;
use crate::draw::popup;
use crate::store::{Hop, What};
use crate::text::{pad, pad_left};
use crate::theme::Paint;
use crate::words;

type Line = Vec<(String, Paint)>;

/// Cells of the longest bar.
const BAR: usize = 32;

/// What is counted, and where in it one is.
struct Part<'a> {
    title: &'static str,
    histogram: &'a Histogram,
    text: fn(u64) -> String,
    /// Of the current call or hop; `None`: not known.
    here: Option<u64>,
}

pub fn draw(app: &App, buf: &mut Buffer) {
    let lines = lines(app);
    let title = words::histogram(app.look.lang);
    popup(&app.look, app.popup_scroll, title, &lines, buf);
}

pub fn lines(app: &App) -> Vec<Line> {
    let lang = app.look.lang;
    let mut lines = Vec::new();
    call(app, &mut lines);
    // The hop that is chosen, else each kind that the call has.
    let hops: &[Hop] = match app.hop() {
        Some(hop) => std::slice::from_ref(hop),
        None => app.hops(),
    };
    let mut seen = Vec::new();
    for hop in hops {
        let Some(key) = app.store.key(hop).filter(|_| !seen.contains(&hop.key)) else {
            continue;
        };
        seen.push(hop.key);
        let [sizes, times] = app.store.histograms(hop);
        let (evidence, by) = describe::evidence(app, key);
        lines.push(vec![
            (format!("{} ", key.kind.letter()), Paint::Kind(key.kind)),
            (describe::route(app, key), Paint::Strong),
            (format!("  {evidence} {by}"), Paint::Dim),
        ]);
        let parts = [
            Part {
                title: words::by_bytes(lang),
                histogram: sizes,
                text: units::bytes,
                here: Some(hop.bytes),
            },
            Part {
                title: words::by_time(lang),
                histogram: times,
                text: units::time,
                here: kept(hop.dur).filter(|dur| *dur > 0),
            },
        ];
        parts
            .iter()
            .for_each(|part| self::part(app, part, &mut lines));
    }
    if lines.is_empty() {
        lines.push(vec![(words::no_histogram(lang).to_owned(), Paint::Dim)]);
    }
    lines
}

/// A time as it was; `None`: it was longer than is kept of one call.
fn kept(dur: u32) -> Option<u64> {
    (dur < u32::MAX).then_some(u64::from(dur))
}

/// Calls of the same name: as the summary counts them.
fn call(app: &App, lines: &mut Vec<Line>) {
    let lang = app.look.lang;
    let Some(call) = app.store.call(app.cursor.call) else {
        return;
    };
    let Some(What::Syscall { name, .. }) = app.store.sig(&call).map(|sig| &sig.what) else {
        return;
    };
    let rows = &app.store.summary.syscalls;
    let Some(row) = rows.iter().find(|row| *row.name == **name) else {
        return;
    };
    lines.push(vec![
        (row.name.clone(), Paint::Strong),
        (
            format!("  {}", words::all_calls(lang, row.calls)),
            Paint::Dim,
        ),
    ]);
    let parts = [
        Part {
            title: words::by_bytes(lang),
            histogram: &row.sizes,
            text: units::bytes,
            here: (call.bytes > 0).then_some(call.bytes),
        },
        Part {
            title: words::by_time(lang),
            histogram: &row.times,
            text: units::time,
            here: kept(call.dur),
        },
    ];
    parts.iter().for_each(|part| self::part(app, part, lines));
}

fn part(app: &App, part: &Part<'_>, lines: &mut Vec<Line>) {
    let ascii = app.look.ascii;
    if part.histogram.is_empty() {
        return;
    }
    lines.push(vec![(format!("  {}", part.title), Paint::Dim)]);
    let most = part.histogram.buckets().map(|(_, n)| n).max().unwrap_or(1);
    // Of powers of two the last that is not larger.
    let here = part.here.and_then(|here| {
        let reached = part.histogram.buckets().filter(|(from, _)| *from <= here);
        reached.map(|(from, _)| from).last()
    });
    let least = if ascii { ">=" } else { "≥" };
    for (from, n) in part.histogram.buckets() {
        let bar = bar(eighths(n, most, BAR), ascii);
        let (mark, paint) = match (here == Some(from), ascii) {
            (false, _) => (" ", Paint::Text),
            (true, false) => ("▸", Paint::Strong),
            (true, true) => (">", Paint::Strong),
        };
        let label = format!("{least} {}", (part.text)(from));
        lines.push(vec![
            (format!(" {mark}"), paint),
            (pad_left(&label, 12, ascii), paint),
            (pad_left(&units::count(n), 9, ascii), paint),
            (" ".to_owned(), Paint::Text),
            (pad(&bar, BAR, ascii), Paint::Key),
        ]);
    }
}
