//! Two runs side by side: their paths, then what each did with bars to one scale, then what changed.

use bytehop_core::compare::{Comparison, Row, compare};
use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use bytehop_core::report::compare::{
    bar, bars, changes, names_width, quantity, ratio, regions, value,
};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::path::draw_run;
use crate::draw::put;
use crate::look::Look;
use crate::text::{fit, pad, pad_left, wrap};
use crate::theme::Paint;
use crate::words;

/// Rows of the two path views: at least, at most.
const PATHS: (u16, u16) = (13, 24);

/// Draws two runs; `names`: how they are called. Rows of the table and the words below the paths can be
/// scrolled. Gives how many rows there are, and how many are in sight.
pub fn draw(
    runs: [&Summary; 2],
    names: [&str; 2],
    look: Look,
    area: Rect,
    scroll: usize,
    buf: &mut Buffer,
) -> (usize, usize) {
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    let both = compare(runs[0], runs[1]);
    let (mut table, words) = (
        table(&both, names, look, area.width),
        sentences(&both, look, area.width),
    );
    // Where not all of it is in sight, the words come first.
    let room = usize::from(area.height.saturating_sub(PATHS.0));
    let lines: Vec<Line> = if table.len() + 1 + words.len() > room {
        let rows = table.split_off(1);
        words.into_iter().chain(table).chain(rows).collect()
    } else {
        table.push(Vec::new());
        table.into_iter().chain(words).collect()
    };
    let below = lines.len() as u16;
    let high = area.height.saturating_sub(below).clamp(PATHS.0, PATHS.1);
    let high = high.min(area.height.saturating_sub(3));
    let left = area.width / 2;
    let halves = [
        Rect::new(area.x, area.y, left, high),
        Rect::new(area.x + left, area.y, area.width - left, high),
    ];
    for ((run, half), name) in runs.into_iter().zip(halves).zip(["A", "B"]) {
        draw_run(run, look, half, name, Some(100), buf);
    }
    let rows = usize::from(area.height - high);
    let from = scroll.min(lines.len().saturating_sub(rows));
    for (y, line) in (area.y + high..area.bottom()).zip(lines.iter().skip(from)) {
        let mut x = area.x;
        for (text, paint) in line {
            let style = match paint {
                Some(paint) => look.theme.style(*paint),
                None => Style::new(),
            };
            x = put(buf, x, y, area.right(), text, style);
        }
    }
    (lines.len(), rows)
}

type Line = Vec<(String, Option<Paint>)>;

/// Cells of a number, and of a ratio.
const NUMBER: usize = 11;
const RATIO: usize = 8;

fn table(both: &Comparison, names: [&str; 2], look: Look, room: u16) -> Vec<Line> {
    let (lang, ascii) = (look.lang, look.ascii);
    let room = usize::from(room);
    let name = |row: &Row| quantity(row.what, lang);
    let label = names_width(both, lang);
    let cells = room.saturating_sub(label + 2 * (NUMBER + 2) + RATIO + 2) / 2;
    let cells = cells.clamp(3, 40);
    let half = NUMBER + 1 + cells + 1;
    let mut lines: Vec<Line> = Vec::new();
    let head = |mark: &str, name: &str| pad(&format!(" {mark} {name}"), half, ascii);
    lines.push(vec![
        (" ".repeat(label + 1), None),
        (head("A", names[0]), Some(Paint::Strong)),
        (head("B", names[1]), Some(Paint::Strong)),
        (pad_left("B / A", RATIO, ascii), Some(Paint::Dim)),
    ]);
    for row in &both.rows {
        let paint = Some(row.what.kind().map_or(Paint::Dim, Paint::Kind));
        let mut line: Line = vec![(
            format!(" {}", pad(name(row), label, ascii)),
            Some(Paint::Strong),
        )];
        for (shown, eighths) in [row.a, row.b].into_iter().zip(bars(row, cells)) {
            let number = value(shown, row.unit, lang);
            let number = if ascii {
                number
                    .replace('⇢', "~>")
                    .replace('–', "-")
                    .replace('µ', "u")
            } else {
                number
            };
            line.push((pad_left(&number, NUMBER, ascii), None));
            line.push((
                format!(" {} ", pad(&bar(eighths, ascii), cells, ascii)),
                paint,
            ));
        }
        line.push((
            pad_left(&plain(&ratio(row), ascii), RATIO, ascii),
            Some(Paint::Dim),
        ));
        lines.push(line);
    }
    lines
}

/// What changed.
fn sentences(both: &Comparison, look: Look, room: u16) -> Vec<Line> {
    let (lang, ascii) = (look.lang, look.ascii);
    let room = usize::from(room).saturating_sub(5);
    let mut lines: Vec<Line> = Vec::new();
    let dot = if ascii { "  - " } else { "  · " };
    for sentence in changes(both, lang).into_iter().chain(regions(both, lang)) {
        let sentence = plain(&sentence, ascii);
        for (i, text) in wrap(&sentence, room).into_iter().enumerate() {
            let start = if i == 0 { dot } else { "    " };
            lines.push(vec![(start.to_owned(), Some(Paint::Dim)), (text, None)]);
        }
    }
    lines
}

fn plain(text: &str, ascii: bool) -> String {
    match ascii {
        true => text.replace('→', "->").replace('×', "x").replace('…', ".."),
        false => text.to_owned(),
    }
}

/// The keys of this screen, for its last row.
pub fn hint(lang: Lang, more: (usize, usize), room: usize, ascii: bool) -> String {
    let (lines, rows) = more;
    let scroll = match lines > rows {
        true => format!("  {}", words::more_rows(lang, lines - rows)),
        false => String::new(),
    };
    fit(
        &format!(" {}{scroll}", words::compare_keys(lang)),
        room,
        ascii,
    )
}
