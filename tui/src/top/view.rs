//! The screen as a function of the model and its size.

use bytehop_core::report::top::{Column, Scale, caveats, is_wide, mark, title, words as texts};
use bytehop_core::top::Row;
use bytehop_core::units;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::model::{Popup, Top};
use super::{detail, keys, words};
use crate::draw::{frame, plain, popup, put, put_line};
use crate::text::{pad, pad_left, wrap};
use crate::theme::Paint;
use crate::words as common;

/// The smallest screen.
pub const MIN: (u16, u16) = (40, 8);
/// From this height on the current row's details stand below the table.
const TALL: u16 = 36;
/// Lines of them, with their frame.
const DETAILS: u16 = 16;
/// Cells that a name needs; columns that would leave it less are not shown.
const NAME: usize = 9;
/// Columns in the order in which they go where there is no room.
const GO: [Column; 4] = [Column::Filled, Column::Shared, Column::Faults, Column::Dma];

/// Draws the screen.
pub fn draw(top: &Top, buf: &mut Buffer) {
    let area = buf.area;
    let lang = top.look.lang;
    if area.width < MIN.0 || area.height < MIN.1 {
        let text = common::too_small(lang, area.width, area.height, MIN.0, MIN.1);
        let lines = wrap(&text, usize::from(area.width));
        for (y, line) in (area.y..area.bottom()).zip(lines) {
            put(buf, area.x, y, area.right(), &line, Style::new());
        }
        return plain(&top.look, buf);
    }
    let mut y = area.y;
    let mut line = |pieces: &[(String, Paint)], buf: &mut Buffer| {
        put_line(&top.look, Rect::new(area.x, y, area.width, 1), buf, pieces);
        y += 1;
    };
    line(&heading(top), buf);
    for text in caveats(&top.frame.lost, &top.missing, lang)
        .into_iter()
        .take(2)
    {
        line(&[(format!(" ! {text}"), Paint::Warning)], buf);
    }
    let rows = top.rows();
    let below = match area.height >= TALL {
        true => DETAILS,
        false => 0,
    };
    let table = Rect {
        y,
        height: area.bottom() - y - 1 - below,
        ..area
    };
    draw_table(top, &rows, table, buf);
    let current = rows.get(top.position(&rows));
    if below > 0 {
        let pane = Rect::new(area.x, table.bottom(), area.width, below);
        draw_pane(top, current.copied(), pane, buf);
    }
    put_line(
        &top.look,
        Rect::new(area.x, area.bottom() - 1, area.width, 1),
        buf,
        &hints(top),
    );
    match (top.popup, current) {
        (Some(Popup::Help), _) => help(top, buf),
        (Some(Popup::Detail), Some(row)) => {
            let lines = detail::lines(row, top, inside(top));
            let title = detail::title(row, top);
            popup(&top.look, top.popup_scroll, &title, &lines, buf);
        }
        _ => {}
    }
    plain(&top.look, buf);
}

fn heading(top: &Top) -> Vec<(String, Paint)> {
    let lang = top.look.lang;
    let mut pieces = vec![(" bytehop top".to_owned(), Paint::Strong)];
    let mut say = |text: String, paint| pieces.push((format!(" · {text}"), paint));
    if top.paused {
        say(words::paused(lang).to_owned(), Paint::Warning);
    }
    if top.input.is_none() && !top.view.filter.is_empty() {
        say(words::filter_is(lang, &top.view.filter), Paint::Key);
    }
    if top.frame.round > 0 {
        say(title(&top.frame, lang), Paint::Text);
    }
    pieces
}

/// The columns that there is room for.
fn columns(top: &Top, width: usize) -> Vec<Column> {
    let mut columns = top.columns.clone().unwrap_or(Column::ALL.to_vec());
    // What a row is of stands at its end.
    columns.retain(|column| *column != Column::Name);
    columns.push(Column::Name);
    let cells = |columns: &[Column]| -> usize {
        let widths = columns.iter().map(|column| column.width(top.look.ascii));
        widths.sum()
    };
    for column in GO {
        if cells(&columns) + NAME > width {
            columns.retain(|c| *c != column);
        }
    }
    columns
}

fn draw_table(top: &Top, rows: &[&Row], area: Rect, buf: &mut Buffer) {
    let (lang, ascii) = (top.look.lang, top.look.ascii);
    let columns = columns(top, usize::from(area.width));
    let total = top.frame.total;
    let mut line = Vec::new();
    for column in &columns {
        let sorted = *column == top.view.sort;
        let paint = match (sorted, column.kind()) {
            (true, _) => Paint::Focus,
            (false, Some(kind)) => Paint::Kind(kind),
            (false, None) => Paint::Strong,
        };
        let text = column.title(lang, total);
        let text = match (sorted, top.view.reverse) {
            (true, true) => format!("▲{text}"),
            (true, false) => format!("▼{text}"),
            _ => text,
        };
        line.push((cell(*column, &text, ascii), paint));
    }
    put_line(&top.look, Rect { height: 1, ..area }, buf, &line);
    let list = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    if rows.is_empty() {
        let text = match top.frame.round {
            0 => String::new(),
            _ if top.frame.rows.is_empty() => texts::nothing(lang).to_owned(),
            _ => words::no_match(lang).to_owned(),
        };
        put_line(&top.look, list, buf, &[(format!(" {text}"), Paint::Dim)]);
        return;
    }
    let scale = Scale::of(&top.frame, ascii);
    let numbers: usize = columns.iter().map(|column| column.width(ascii)).sum();
    let wide = is_wide(usize::from(area.width).saturating_sub(numbers));
    if rows.len() < usize::from(list.height) {
        let legend = format!(" {}", texts::legend(lang, mark(ascii)));
        let at = Rect::new(list.x, list.bottom() - 1, list.width, 1);
        put_line(&top.look, at, buf, &[(legend, Paint::Dim)]);
    }
    let current = top.position(rows);
    let height = usize::from(list.height);
    // The current row stays in sight.
    let from = current.saturating_sub(height.saturating_sub(1));
    for (i, (y, row)) in (list.y..list.bottom())
        .zip(rows.iter().skip(from))
        .enumerate()
    {
        let at = Rect::new(list.x, y, list.width, 1);
        let idle = row.is_idle();
        let pieces: Vec<_> = columns
            .iter()
            .map(|column| {
                let text = column.cell(row, &scale, wide, lang);
                let paint = match (idle, column.kind()) {
                    (true, _) => Paint::Dim,
                    (false, Some(kind)) => Paint::Kind(kind),
                    (false, None) => Paint::Text,
                };
                (cell(*column, &text, ascii), paint)
            })
            .collect();
        put_line(&top.look, at, buf, &pieces);
        if from + i == current {
            let style = top.look.theme.style(Paint::Current);
            buf.set_style(at, style);
            let mark = if ascii { ">" } else { "▸" };
            put(buf, at.x, y, at.right(), mark, style);
        }
    }
}

/// A column's text in its cells.
fn cell(column: Column, text: &str, ascii: bool) -> String {
    match column {
        Column::Name => format!(" {text}"),
        // A heading may take the space before it.
        _ => pad_left(text, column.width(ascii), ascii),
    }
}

fn draw_pane(top: &Top, row: Option<&Row>, area: Rect, buf: &mut Buffer) {
    let title = row.map_or(String::new(), |row| detail::title(row, top));
    frame(buf, area, &top.look, false, false, [&title, ""]);
    let Some(row) = row else { return };
    let lines = detail::lines(row, top, area.width.saturating_sub(2));
    let inside = usize::from(area.height.saturating_sub(2));
    for (y, line) in (area.y + 1..).zip(lines.iter().take(inside)) {
        let at = Rect::new(area.x + 1, y, area.width.saturating_sub(2), 1);
        put_line(&top.look, at, buf, line);
    }
}

fn hints(top: &Top) -> Vec<(String, Paint)> {
    let lang = top.look.lang;
    if let Some(input) = &top.input {
        return vec![(
            format!(" {}", words::filter_prompt(lang, input)),
            Paint::Text,
        )];
    }
    let total = match top.total {
        true => words::hint_rate(lang),
        false => words::hint_total(lang),
    };
    let hints = [
        ("←→", words::hint_sort(lang)),
        ("Enter", words::hint_detail(lang)),
        ("t", total),
        ("/", words::hint_filter(lang)),
        ("space", words::hint_pause(lang)),
        ("?", words::hint_help(lang)),
        ("q", words::hint_quit(lang)),
    ];
    hints
        .into_iter()
        .flat_map(|(key, text)| {
            [
                (format!(" {key}"), Paint::Key),
                (format!(" {text} "), Paint::Dim),
            ]
        })
        .collect()
}

/// Cells of a line in a window.
fn inside(top: &Top) -> u16 {
    top.size.0.saturating_sub(5).min(104)
}

fn help(top: &Top, buf: &mut Buffer) {
    let (lang, ascii) = (top.look.lang, top.look.ascii);
    let legend = texts::legend(lang, mark(ascii));
    let about = [
        legend.as_str(),
        words::about_crossings(lang),
        words::about_dma(lang),
        words::about_ourselves(lang),
    ];
    let sentences = about
        .iter()
        .map(|text| detail::sentence(" ", text, inside(top)));
    let mut lines: Vec<_> = sentences.flatten().collect();
    for binding in keys::BINDINGS {
        let start = pad(&format!(" {}", binding.shown), 18, ascii);
        let mut text = detail::sentence(&start, (binding.text)(lang), inside(top));
        if let Some(first) = text.first_mut() {
            let rest = first[0].0.split_off(start.len());
            *first = vec![(start, Paint::Key), (rest, Paint::Text)];
        }
        lines.extend(text);
    }
    popup(&top.look, top.popup_scroll, words::help(lang), &lines, buf);
}

/// What stands in the table's place before there are numbers.
pub fn waiting(top: &Top, after: std::time::Duration, buf: &mut Buffer) {
    if top.frame.round == 0 && buf.area.height >= MIN.1 {
        let text = words::waiting(top.look.lang, units::time(after.as_nanos() as u64));
        let at = Rect::new(buf.area.x, buf.area.y + 2, buf.area.width, 1);
        put_line(&top.look, at, buf, &[(format!(" {text}"), Paint::Dim)]);
        plain(&top.look, buf);
    }
}
