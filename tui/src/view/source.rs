//! The program's source: the line that made the current call, and what each line did.

use bytehop_core::annotate::Line;
use bytehop_core::event::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::App;
use crate::columns::SourceColumn;
use crate::draw::{put, put_line};
use crate::text::{fit, pad_left, wrap};
use crate::theme::Paint;
use crate::words;

/// Cells of a line's number.
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
        // What is shown is another's.
        return match current(app) {
            Some(_) => words::no_line(app.look.lang).to_owned(),
            None => String::new(),
        };
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

/// Cells from which on all of the usual columns are shown.
const WIDE: u16 = 64;

fn columns(app: &App, row: Rect) -> &[SourceColumn] {
    match &app.source_columns {
        Some(columns) => columns,
        None if row.width < WIDE => &SourceColumn::NARROW,
        None => &SourceColumn::USUAL,
    }
}

fn heads(app: &App, row: Rect, buf: &mut Buffer) {
    let (lang, ascii) = (app.look.lang, app.look.ascii);
    let mut pieces = vec![(" ".to_owned(), Paint::Dim)];
    pieces.extend(columns(app, row).iter().map(|column| {
        let head = pad_left(column.head(lang), column.cells(), ascii);
        (head, column.kind().map_or(Paint::Dim, Paint::Kind))
    }));
    put_line(&app.look, row, buf, &pieces);
}

fn write(app: &App, line: Option<&Line>, number: u32, source: &str, row: Rect, buf: &mut Buffer) {
    let ascii = app.look.ascii;
    let did = line.copied().unwrap_or_default();
    // What is inferred has the broken arrow of inferred hops.
    let mark = match (did.inferred, ascii) {
        (false, _) => "",
        (true, true) => "~>",
        (true, false) => "⇢",
    };
    let paint = match line {
        Some(_) => Paint::Text,
        None => Paint::Dim,
    };
    let mut pieces = vec![(" ".to_owned(), Paint::Dim)];
    pieces.extend(columns(app, row).iter().map(|column| {
        let text = pad_left(&column.text(&did, mark), column.cells(), ascii);
        (text, column.kind().map_or(Paint::Text, Paint::Kind))
    }));
    pieces.push((format!("{number:>NUMBER$} "), Paint::Dim));
    let used: usize = pieces
        .iter()
        .map(|(text, _)| crate::text::width(text))
        .sum();
    let room = usize::from(row.width).saturating_sub(used);
    pieces.push((fit(&source.replace('\t', "    "), room, ascii), paint));
    put_line(&app.look, row, buf, &pieces);
}
