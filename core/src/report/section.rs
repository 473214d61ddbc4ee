//! What the report's sections are made of: labelled lines and tables.

use super::layout::{Align, Flow, Page, Paint, Span, clean, pad, span, width};

/// Cells of a section's label, with what stands around it.
const LABEL: usize = 14;

/// A labelled line, if there is something to say.
pub fn section(page: &mut Page, label: &str, flow: Flow) {
    painted_section(page, label, Paint::Strong, flow);
}

pub fn painted_section(page: &mut Page, label: &str, paint: Paint, flow: Flow) {
    if flow.is_empty() {
        return;
    }
    let label = pad(label, LABEL - 2, Align::Left, page.style.ascii);
    page.line(
        &[
            span(" ", Paint::Plain),
            span(label, paint),
            span(" ", Paint::Plain),
        ],
        flow,
        LABEL,
    );
}

pub fn plain(text: impl AsRef<str>) -> Flow {
    Flow::words(text.as_ref(), Paint::Plain)
}

/// A table below its heading; columns not in `left` are numbers.
pub fn write_table(page: &mut Page, header: &[&str], left: &[usize], rows: &[Vec<String>]) {
    let ascii = page.style.ascii;
    let cells: Vec<usize> = (0..header.len())
        .map(|i| {
            let column = rows
                .iter()
                .filter_map(|row| row.get(i))
                .map(|cell| width(&clean(cell, ascii)));
            let least = if i == 0 { LABEL - 2 } else { 6 };
            column
                .chain([width(header[i])])
                .max()
                .unwrap_or(0)
                .clamp(least, 24)
        })
        .collect();
    let align = |i: usize| {
        if left.contains(&i) {
            Align::Left
        } else {
            Align::Right
        }
    };
    let line = |row: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        row.enumerate()
            .map(|(i, cell)| pad(cell, cells[i], align(i), ascii))
            .collect()
    };
    let spans = |cells: Vec<String>, first: Paint, rest: Paint| -> Vec<Span> {
        let paint = |i| if i == 0 { first } else { rest };
        let gap = |i| if i == 0 { " " } else { "  " };
        cells
            .into_iter()
            .enumerate()
            .map(|(i, cell)| span(format!("{}{cell}", gap(i)), paint(i)))
            .collect()
    };
    page.blank();
    let head = line(&mut header.iter().copied());
    page.line(
        &spans(head, Paint::Strong, Paint::Quiet),
        Flow::default(),
        0,
    );
    for row in rows {
        let row = line(&mut row.iter().map(String::as_str));
        page.line(&spans(row, Paint::Plain, Paint::Plain), Flow::default(), 0);
    }
    page.blank();
}
