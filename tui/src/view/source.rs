//! The program's source: the line that made the current call, and what each line did.

use bytehop_core::annotate::Line;
use bytehop_core::event::Frame;
use bytehop_core::model::HopKind;
use bytehop_core::units;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::App;
use crate::draw::{put, put_line};
use crate::text::{compact, fit, pad_left, wrap};
use crate::theme::Paint;
use crate::words;

/// Cells of a column of bytes, of crossings, and of a line's number.
const BYTES: usize = 9;
const COUNT: usize = 8;
const NUMBER: usize = 6;

/// Where one is: the line of the current call, else the one that did most.
fn current(app: &App) -> Option<(String, u32)> {
    if let Some(Frame { file, line, .. }) = app.store.line(app.cursor.call) {
        return Some((file.clone(), *line));
    }
    let file = app.store.annotation.files.first()?;
    let most = file
        .lines
        .iter()
        .max_by_key(|(_, line)| line.copied.max(line.dma).max(line.shared));
    Some((file.path.clone(), most.map_or(1, |(line, _)| *line)))
}

/// The file that is shown.
pub fn file(app: &App) -> Option<String> {
    current(app).map(|(file, _)| file)
}

/// `/src/copy.rs:7 let n = from.read(&mut buffer)?;`, of the current call.
pub fn here(app: &App) -> Option<String> {
    let Frame { file, line, .. } = app.store.line(app.cursor.call)?;
    let text = app.texts.get(file).and_then(Option::as_ref);
    let text = text.and_then(|text| text.get((*line as usize).checked_sub(1)?));
    let text = text.map_or("", |text| text.trim());
    Some(format!("{file}:{line} {text}").trim_end().to_owned())
}

/// `copy.rs:7 copy::copy`, of the current call.
pub fn title(app: &App) -> String {
    let Some(frame) = app.store.line(app.cursor.call) else {
        return String::new();
    };
    let file = frame.file.rsplit('/').next().unwrap_or_default();
    format!("{file}:{} {}", frame.line, frame.function)
}

pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let lang = app.look.lang;
    let style = |paint| app.look.theme.style(paint);
    let Some((path, line)) = current(app) else {
        let room = usize::from(area.width).saturating_sub(2);
        let lines = wrap(words::no_source(lang), room);
        for (y, line) in (area.y..area.bottom()).zip(lines) {
            put(buf, area.x + 1, y, area.right(), &line, style(Paint::Dim));
        }
        return;
    };
    let here = app.store.line(app.cursor.call).is_some();
    let known = app
        .store
        .annotation
        .files
        .iter()
        .find(|file| file.path == path);
    let text = app.texts.get(&path).and_then(Option::as_ref);
    heads(app, Rect { height: 1, ..area }, buf);
    let rows = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    // Where they grow, lines that did nothing yet have nothing.
    let so_far = app.lines.as_ref().map(|lines| lines.get(&path));
    let last = match (text, known) {
        (Some(text), _) => text.len() as u32,
        (None, file) => file
            .and_then(|file| file.lines.keys().last().copied())
            .unwrap_or(line),
    };
    // The current line stands in the upper half.
    let third = isize::from(rows.height as i16 / 3);
    let top = line as isize - third + app.source_scroll;
    let most = last as isize - isize::from(rows.height as i16) + 1;
    let top = top.min(most.max(1)).max(1) as u32;
    for (y, number) in (rows.y..rows.bottom()).zip(top..=last.max(top)) {
        let row = Rect {
            y,
            height: 1,
            ..rows
        };
        let source = match text {
            Some(text) => text
                .get((number as usize).wrapping_sub(1))
                .map_or("", |line| line),
            None if number == line => words::source_not_here(lang),
            None => "",
        };
        let whole = known.and_then(|file| file.lines.get(&number));
        let line_did = match so_far {
            Some(lines) => lines.and_then(|lines| lines.get(&number)),
            None => whole,
        };
        write(app, line_did, number, source, row, buf);
        if number == line && here {
            buf.set_style(row, style(Paint::Current));
            let mark = if app.look.ascii { ">" } else { "▸" };
            put(buf, row.x, y, row.right(), mark, style(Paint::Current));
        }
    }
}

/// Where there is little room the source matters more than crossings and time.
fn is_narrow(row: Rect) -> bool {
    row.width < 64
}

fn heads(app: &App, row: Rect, buf: &mut Buffer) {
    let (lang, ascii) = (app.look.lang, app.look.ascii);
    let head = |text, cells| pad_left(text, cells, ascii);
    let mut pieces = vec![
        (" ".to_owned(), Paint::Dim),
        (
            head(words::cpu_copies(lang), BYTES),
            Paint::Kind(HopKind::Copy),
        ),
        (head(words::dma(lang), BYTES), Paint::Kind(HopKind::Dma)),
    ];
    if !is_narrow(row) {
        pieces.push((head(words::column_crossings(lang), COUNT), Paint::Dim));
        pieces.push((head(words::column_time(lang), BYTES), Paint::Dim));
    }
    put_line(&app.look, row, buf, &pieces);
}

fn write(app: &App, line: Option<&Line>, number: u32, source: &str, row: Rect, buf: &mut Buffer) {
    let ascii = app.look.ascii;
    let Line {
        copied,
        dma,
        crossings,
        time_ns,
        inferred,
        ..
    } = line.copied().unwrap_or_default();
    // What is inferred has the broken arrow of inferred hops.
    let mark = match (inferred, ascii) {
        (false, _) => "",
        (true, true) => "~>",
        (true, false) => "⇢",
    };
    let cell = |n: u64, text: String, cells| match n {
        0 => " ".repeat(cells),
        _ => pad_left(&text, cells, ascii),
    };
    let short = |n: u64| units::bytes(n).replace(".00", "");
    let paint = if line.is_some() {
        Paint::Text
    } else {
        Paint::Dim
    };
    let mut pieces = vec![
        (" ".to_owned(), Paint::Dim),
        (
            cell(copied, format!("{mark}{}", short(copied)), BYTES),
            Paint::Kind(HopKind::Copy),
        ),
        (cell(dma, short(dma), BYTES), Paint::Kind(HopKind::Dma)),
    ];
    if !is_narrow(row) {
        let count = cell(crossings, compact(crossings), COUNT);
        pieces.push((count, Paint::Text));
        pieces.push((cell(time_ns, units::time(time_ns), BYTES), Paint::Text));
    }
    pieces.push((format!("{number:>NUMBER$} "), Paint::Dim));
    let used: usize = pieces
        .iter()
        .map(|(text, _)| crate::text::width(text))
        .sum();
    let room = usize::from(row.width).saturating_sub(used);
    pieces.push((fit(&source.replace('\t', "    "), room, ascii), paint));
    put_line(&app.look, row, buf, &pieces);
}
