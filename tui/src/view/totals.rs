//! The totals of the whole run, each with its evidence.

use bytehop_core::annotate;
use bytehop_core::model::HopKind;
use bytehop_core::report::names::name;
use bytehop_core::terms;
use bytehop_core::units;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::describe;
use crate::app::App;
use crate::draw::put_line;
use crate::text::{compact, pad, pad_left};
use crate::theme::Paint;
use crate::words;

type Line = Vec<(String, Paint)>;

pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let lines = lines(app);
    let most = lines.len().saturating_sub(usize::from(area.height));
    let from = app.totals_scroll.min(most);
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(from)) {
        put_line(&app.look, Rect::new(area.x, y, area.width, 1), buf, line);
    }
}

pub fn lines(app: &App) -> Vec<Line> {
    let (lang, ascii) = (app.look.lang, app.look.ascii);
    let summary = &app.store.summary;
    let mut lines: Vec<Line> = Vec::new();
    let mut keys: Vec<(usize, &crate::store::HopKey)> =
        app.store.keys().iter().enumerate().collect();
    keys.sort_by_key(|(i, key)| (key.kind, std::cmp::Reverse(app.total.of(*i).bytes)));
    for (i, key) in keys {
        let amount = app.total.of(i);
        if amount.bytes == 0 && amount.count == 0 {
            continue;
        }
        let paint = Paint::Kind(key.kind);
        let (evidence, by) = describe::evidence(app, key);
        let times = if ascii { 'x' } else { '×' };
        let late = match key.deferred {
            true => format!("{} ", terms::later(lang)),
            false => String::new(),
        };
        let name = format!("{} {}->{}", key.kind.word(), key.from, key.to);
        let least = match summary.at_least.contains(&name) {
            true => format!("{} ", words::at_least(lang)),
            false => String::new(),
        };
        let engine = key
            .engine
            .map_or(String::new(), |e| format!(" ({})", words::engine(lang, e)));
        lines.push(vec![
            (format!(" {} ", key.kind.letter()), paint),
            (pad(&describe::route(app, key), 26, ascii), Paint::Text),
            (
                pad_left(&units::bytes(amount.bytes), 9, ascii),
                Paint::Strong,
            ),
            (
                pad(&format!(" {times}{}", compact(amount.count)), 7, ascii),
                Paint::Text,
            ),
            (late, Paint::Text),
            (least, Paint::Warning),
            (evidence.to_owned(), Paint::Text),
            (format!(" {by}{engine}"), Paint::Dim),
        ]);
    }
    let ledger = &summary.ledger;
    for sentence in ledger.sentences(lang) {
        let (mark, paint) = match ledger.open.is_empty() {
            true => (" ", Paint::Text),
            false => (" ! ", Paint::Warning),
        };
        lines.push(vec![(format!("{mark}{sentence}"), paint)]);
    }
    if !summary.at_least.is_empty() {
        let totals = summary.at_least.join(lang.list());
        let text = words::at_least_totals(lang, totals);
        lines.push(vec![(format!(" ! {text}"), Paint::Warning)]);
    }
    let mut say = |text: String| lines.push(vec![(format!(" {text}"), Paint::Text)]);
    let crossings = &summary.crossings;
    let told = |n| match summary.knows_user_faults() {
        true => units::count(n),
        false => "?".to_owned(),
    };
    say(words::total_crossings(
        lang,
        told(crossings.total),
        units::count(crossings.syscall / 2),
        told(crossings.page_fault / 2),
    ));
    let switches = &summary.context_switches;
    say(words::total_switches(
        lang,
        units::count(switches.voluntary),
        units::count(switches.involuntary),
    ));
    if summary.waits.count > 0 {
        say(words::total_waits(
            lang,
            units::time(summary.waits.time_ns),
            units::time(summary.waits.device_ns),
        ));
    }
    if let Some(ns) = summary.cpu_ns {
        say(words::total_cpu(lang, units::time(ns)));
    }
    if let Some(cost) = &summary.cost {
        let (time, runs) = (units::time(cost.time_ns), units::count(cost.runs));
        say(words::total_cost(lang, time, runs));
    }
    if summary.dirty_bytes > 0 {
        say(words::still_dirty(lang, units::bytes(summary.dirty_bytes)));
    }
    let metadata = summary.metadata_io.read_bytes + summary.metadata_io.write_bytes;
    if metadata > 0 {
        say(words::metadata(lang, units::bytes(metadata)));
    }
    by_name(app, &mut lines);
    let mut say = |text: String| lines.push(vec![(format!(" {text}"), Paint::Text)]);
    for (kind, n) in &summary.lost_by_kind {
        say(format!("{}{}{kind}", words::lost(lang, n), lang.colon()));
    }
    for warning in &summary.warnings {
        lines.push(vec![(
            format!(" ! {}", warning.words(lang)),
            Paint::Warning,
        )]);
    }
    lines
}

/// Rows of each table.
const ROWS: usize = 10;

/// The files, sockets, threads and cgroups that most bytes met.
fn by_name(app: &App, lines: &mut Vec<Line>) {
    let (lang, ascii) = (app.look.lang, app.look.ascii);
    let by_name = &app.store.summary.by_name;
    for (label, rows, least) in [
        (words::by_region(lang), &by_name.regions, 1),
        (words::by_file(lang), &by_name.files, 1),
        (words::by_socket(lang), &by_name.sockets, 1),
        (words::by_thread(lang), &by_name.threads, 2),
        (words::by_cgroup(lang), &by_name.cgroups, 2),
    ] {
        if rows.len() < least {
            continue;
        }
        lines.push(vec![(format!(" {label}"), Paint::Strong)]);
        for row in rows.iter().take(ROWS) {
            let sums = annotate::Line::of(row);
            let mut line = vec![(" ".to_owned(), Paint::Text)];
            for (kind, bytes) in [
                (HopKind::Copy, sums.copied),
                (HopKind::Dma, sums.dma),
                (HopKind::Share, sums.shared),
                (HopKind::Map, sums.mapped),
            ] {
                let text = match bytes {
                    0 => String::new(),
                    bytes => format!("{} {}", kind.letter(), units::bytes(bytes)),
                };
                line.push((pad_left(&text, 12, ascii), Paint::Kind(kind)));
            }
            line.push((format!("  {}", name(&row.thing, lang)), Paint::Text));
            lines.push(line);
        }
        if rows.len() > ROWS {
            let more = words::more_rows(lang, rows.len() - ROWS);
            lines.push(vec![(format!(" {more}"), Paint::Dim)]);
        }
    }
}
