//! The list of calls, with the hops of the current one below it.

use bytehop_core::terms;
use bytehop_core::units;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::describe;
use crate::app::App;
use crate::draw::{put, put_line};
use crate::list::{Entry, Row};
use crate::text::{compact, pad, pad_left};
use crate::theme::Paint;
use crate::words;

/// The first row shown: the cursor stands in the upper half, as far as there is something above.
pub fn top(app: &App, height: u16) -> usize {
    let height = usize::from(height);
    let hops = app.hops().len();
    let row = app.list.row_of(app.cursor);
    let most = app.list.rows(hops).saturating_sub(height);
    row.saturating_sub(height / 3).min(most)
}

pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let lang = app.look.lang;
    if app.list.is_empty() {
        let text = if app.store.is_empty() {
            words::no_calls(lang)
        } else {
            words::no_match(lang)
        };
        put(
            buf,
            area.x + 1,
            area.y,
            area.right(),
            text,
            app.look.theme.style(Paint::Dim),
        );
        return;
    }
    let hops = app.hops().len();
    let top = top(app, area.height);
    let cursor_row = app.list.row_of(app.cursor);
    for (y, row) in (area.y..area.bottom()).zip(top..) {
        let line = Rect::new(area.x, y, area.width, 1);
        let Some(what) = app.list.row(row, app.cursor, hops) else {
            break;
        };
        let pieces = match what {
            Row::Entry(number) => entry(app, number),
            Row::Member(position) => {
                let call = app.list.call(position).unwrap_or_default();
                member(app, call, "   ")
            }
            Row::Hop(hop) => self::hop(app, hop, area.width),
        };
        put_line(&app.look, line, buf, &pieces);
        if row == cursor_row {
            buf.set_style(line, app.look.theme.style(Paint::Current));
            let mark = if app.look.ascii { ">" } else { "▸" };
            put(
                buf,
                line.x,
                y,
                line.right(),
                mark,
                app.look.theme.style(Paint::Current),
            );
        }
    }
}

/// A call, a run of calls, or a loop.
fn entry(app: &App, number: usize) -> Vec<(String, Paint)> {
    let Some(entry) = app.list.entry(number) else {
        return Vec::new();
    };
    let first = app.list.call(entry.first as usize).unwrap_or_default();
    if !entry.is_run() {
        return member(app, first, "");
    }
    let times = if app.look.ascii { 'x' } else { '×' };
    let open = match (app.list.is_open(number), app.look.ascii) {
        (true, true) => '-',
        (true, false) => '▾',
        (false, true) => '+',
        (false, false) => '▹',
    };
    let reps = compact(u64::from(entry.reps));
    let mut pieces = vec![(format!(" {open}{:>6} ", first + 1), Paint::Dim)];
    if app.list.is_head(number) {
        let text = words::before_main(app.look.lang, entry.size());
        pieces.push((text, Paint::Text));
    } else if entry.period == 1 {
        pieces.push((format!("{times}{reps} "), Paint::Strong));
        let call = if here(app, entry) {
            app.cursor.call
        } else {
            first
        };
        pieces.push((describe::call(app, call), Paint::Text));
    } else {
        let names = (0..entry.period).filter_map(|i| {
            let call = app.list.call((entry.first + i) as usize)?;
            let sig = app.store.sig(&app.store.call(call)?)?;
            Some(describe::name(app, sig))
        });
        let names: Vec<_> = names.collect();
        let text = format!("{times}{reps} {} ", words::a_loop(app.look.lang));
        pieces.push((text, Paint::Strong));
        pieces.push((names.join(", "), Paint::Text));
        if here(app, entry) {
            pieces.push((
                format!("  {}", describe::call(app, app.cursor.call)),
                Paint::Text,
            ));
        }
    }
    if here(app, entry) && !app.list.is_open(number) {
        let n = app.list.position(app.cursor.call) - entry.first as usize + 1;
        pieces.push((format!("  {n}/{}", entry.size()), Paint::Dim));
    }
    pieces.extend(kinds(app, first));
    pieces
}

/// Whether the cursor is in an entry.
fn here(app: &App, entry: Entry) -> bool {
    let first = entry.first as usize;
    (first..first + entry.size()).contains(&app.list.position(app.cursor.call))
}

fn member(app: &App, call: usize, indent: &str) -> Vec<(String, Paint)> {
    let mut pieces = vec![
        (format!("  {indent}{:>6} ", call + 1), Paint::Dim),
        (describe::call(app, call), Paint::Text),
    ];
    pieces.extend(kinds(app, call));
    pieces
}

/// What a call's hops are, as letters.
fn kinds(app: &App, call: usize) -> Vec<(String, Paint)> {
    let mut pieces: Vec<(String, Paint)> = Vec::new();
    for hop in app.store.hops(call) {
        let Some(key) = app.store.key(&hop) else {
            continue;
        };
        let paint = Paint::Kind(key.kind);
        let letter = format!(" {}", key.kind.letter());
        if !pieces.contains(&(letter.clone(), paint)) {
            pieces.push((letter, paint));
        }
    }
    if !pieces.is_empty() {
        pieces.insert(0, (" ".to_owned(), Paint::Text));
    }
    pieces
}

fn hop(app: &App, number: usize, room: u16) -> Vec<(String, Paint)> {
    let (lang, ascii) = (app.look.lang, app.look.ascii);
    let Some(hop) = app.hops().get(number) else {
        return Vec::new();
    };
    let Some(key) = app.store.key(hop) else {
        return Vec::new();
    };
    let paint = Paint::Kind(key.kind);
    let (evidence, by) = describe::evidence(app, key);
    let later = if key.deferred { terms::later(lang) } else { "" };
    // Columns: letter, kind, route, bytes, times, evidence, by.
    let route = usize::from(room).saturating_sub(60).clamp(22, 34);
    vec![
        (format!("         {} ", key.kind.letter()), paint),
        (pad(words::kind(lang, key.kind), 9, ascii), paint),
        (pad(&describe::route(app, key), route, ascii), Paint::Text),
        (pad_left(&units::bytes(hop.bytes), 9, ascii), Paint::Strong),
        (
            pad(&format!(" {}", describe::times(app, hop)), 6, ascii),
            Paint::Text,
        ),
        (format!(" {evidence} "), Paint::Text),
        (format!("{by} {later}"), Paint::Dim),
    ]
}
