//! The path view: places in three bands, and the hops between them as arrows.

mod glyphs;
mod grid;
mod layout;
mod plan;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use tracer::report::units;

use self::glyphs::{Pen, way};
use self::grid::At;
use self::layout::{Label, PlaceBox, Words};
pub use self::layout::{Layout, Wish};
use super::lines::Lines;
use super::{compact, put};
use crate::app::{App, MOVING, Scope};
use crate::arrows::{Arrow, Known, Later};
use crate::store::Amount;
use crate::text::{fit, pad, width};
use crate::theme::Paint;
use crate::words;

/// What the path view of this size would be laid out for.
pub fn wish(app: &App, area: Rect) -> Wish {
    let drawn = |name: &str| {
        let is = |place: &tracer::model::Place| matches!(place, tracer::model::Place::Device(n) | tracer::model::Place::Nic(n) if n == name);
        app.arrows.iter().any(|a| is(&a.from) || is(&a.to))
    };
    let software = app.store.summary.devices.iter();
    let software = software.filter(|device| {
        let moved = device.read_bytes > 0 || device.write_bytes > 0;
        device.engine == tracer::event::Engine::Software && moved && !drawn(&device.name)
    });
    Wish {
        width: area.width,
        height: area.height,
        lang: app.look.lang,
        ascii: app.look.ascii,
        amounts: app.arrows.iter().map(|a| a.amount(&app.total)).collect(),
        arrows: app.arrows.clone(),
        software: software.map(|device| device.name.clone()).collect(),
    }
}

/// Draws into the inside of the pane's frame.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let canvas = Canvas { app, area };
    let layout = &app.layout;
    for (i, row) in layout.borders.iter().enumerate() {
        canvas.border(*row, i == 0 && crossing_now(app), buf);
    }
    for b in &layout.boxes {
        canvas.place(b, buf);
    }
    let is_current: Vec<bool> = app.arrows.iter().map(|a| current(app, a)).collect();
    // The current arrows last: on top where lines cross.
    for on_top in [false, true] {
        for (i, arrow) in app.arrows.iter().enumerate() {
            let current = is_current.get(i) == Some(&true);
            let path = layout.paths.get(i).map_or(&[][..], |path| path);
            if current == on_top {
                let label = layout.labels.get(i).copied().flatten();
                canvas.arrow(arrow, path, label, current, buf);
            }
        }
    }
    for note in &layout.notes {
        let paint = if note.title {
            Paint::Strong
        } else {
            Paint::Dim
        };
        canvas.text(note.at, &note.text, app.look.theme.style(paint), buf);
    }
}

/// Whether an arrow stands for the current hop, or one of the current call's if no hop is chosen.
fn current(app: &App, arrow: &Arrow) -> bool {
    match app.hop() {
        Some(hop) => arrow.is_of(hop),
        None => app.hops().iter().any(|hop| arrow.is_of(hop)),
    }
}

/// A call was just entered: its crossing shows on the border between user mode and the kernel.
fn crossing_now(app: &App) -> bool {
    app.cursor.hop.is_none() && app.ticks < MOVING / 3
}

struct Canvas<'a> {
    app: &'a App,
    area: Rect,
}

impl Canvas<'_> {
    fn cell(&self, at: At) -> Option<(u16, u16)> {
        let inside = (0..i32::from(self.area.width)).contains(&at.x)
            && (0..i32::from(self.area.height)).contains(&at.y);
        inside.then_some((self.area.x + at.x as u16, self.area.y + at.y as u16))
    }

    fn set(&self, at: At, c: char, style: Style, buf: &mut Buffer) {
        if let Some(cell) = self.cell(at).and_then(|at| buf.cell_mut(at)) {
            cell.set_char(c).set_style(style);
        }
    }

    fn text(&self, at: At, text: &str, style: Style, buf: &mut Buffer) {
        if let Some((x, y)) = self.cell(at) {
            put(buf, x, y, self.area.right(), text, style);
        }
    }

    /// A border between two bands, joined to the frame.
    fn border(&self, row: i32, flash: bool, buf: &mut Buffer) {
        let lines = Lines::of(self.app.look.ascii);
        let theme = self.app.look.theme;
        let style = theme.style(if flash { Paint::Focus } else { Paint::Border });
        let line = if flash && !self.app.look.ascii {
            '━'
        } else {
            lines.across
        };
        for x in 0..i32::from(self.area.width) {
            self.set(At { x, y: row }, line, style, buf);
        }
        let Some((x, y)) = self.cell(At { x: 0, y: row }) else {
            return;
        };
        let ends = [
            (x.checked_sub(1), lines.left),
            (Some(self.area.right()), lines.right),
        ];
        for (x, c) in ends {
            if let Some(cell) = x.and_then(|x| buf.cell_mut((x, y))) {
                cell.set_char(c);
            }
        }
    }

    fn place(&self, b: &PlaceBox, buf: &mut Buffer) {
        let lines = Lines::of(self.app.look.ascii);
        let theme = self.app.look.theme;
        let touched = self.app.hops().iter().any(|hop| {
            let key = self.app.store.key(hop);
            key.is_some_and(|key| key.from == b.place || key.to == b.place)
        });
        let frame = theme.style(if touched { Paint::Text } else { Paint::Border });
        let (left, right, top, bottom) = (b.left, b.right(), b.top, b.bottom());
        for x in left..=right {
            self.set(At { x, y: top }, lines.across, frame, buf);
            self.set(At { x, y: bottom }, lines.across, frame, buf);
        }
        for y in top..=bottom {
            self.set(At { x: left, y }, lines.upright, frame, buf);
            self.set(At { x: right, y }, lines.upright, frame, buf);
        }
        let corners = [(left, top), (right, top), (left, bottom), (right, bottom)];
        for ((x, y), c) in corners.into_iter().zip(lines.corners) {
            self.set(At { x, y }, c, frame, buf);
        }
        let room = (b.width - 2).max(0) as usize;
        let mut text = b.text.clone();
        if self.app.look.ascii {
            text = text.replace('·', "-");
        }
        let text = fit(&text, room, self.app.look.ascii);
        let x = left + 1 + (room - width(&text)) as i32 / 2;
        let y = (top + bottom) / 2;
        self.text(At { x, y }, &text, theme.style(Paint::Strong), buf);
    }

    fn arrow(
        &self,
        arrow: &Arrow,
        path: &[At],
        label: Option<Label>,
        current: bool,
        buf: &mut Buffer,
    ) {
        let app = self.app;
        let amount = self.amount(arrow, current);
        let nothing = amount == Amount::default();
        let mut style = app.look.theme.style(Paint::Kind(arrow.kind));
        if current {
            style = style.add_modifier(Modifier::BOLD);
        } else if nothing || app.scope == Scope::Call || arrow.later == Later::All {
            style = style.add_modifier(Modifier::DIM);
        }
        let pen = Pen {
            kind: arrow.kind,
            broken: arrow.known != Known::Measured,
            ascii: app.look.ascii,
        };
        for (i, window) in path.windows(3).enumerate() {
            let &[before, at, after] = window else {
                continue;
            };
            let c = pen.body(i, way(before, at), way(at, after));
            self.set(at, c.unwrap_or(' '), style, buf);
        }
        if let [first, second, ..] = path {
            self.set(*first, pen.tail(way(*first, *second)), style, buf);
        }
        if let [.., before, last] = path {
            self.set(*last, pen.head(way(*before, *last)), style, buf);
        }
        match label {
            Some(label) => self.label(arrow, label, amount, current, style, buf),
            // No room beside it: the letter stands in the line.
            None => {
                if let Some(at) = path.get(path.len() / 2) {
                    self.set(*at, arrow.kind.letter(), style, buf);
                }
            }
        }
        if current && app.ticks < MOVING && path.len() > 2 {
            let along = (path.len() - 1) * app.ticks as usize / MOVING as usize;
            if let Some(at) = path.get(along) {
                let dot = if app.look.ascii { 'o' } else { '●' };
                self.set(*at, dot, style, buf);
            }
        }
    }

    /// What an arrow's label counts.
    fn amount(&self, arrow: &Arrow, current: bool) -> Amount {
        let app = self.app;
        let mut own = Amount::default();
        if current || app.scope == Scope::Call {
            let hops = match app.hop() {
                Some(hop) if app.scope != Scope::Call => std::slice::from_ref(hop),
                _ => app.hops(),
            };
            for hop in hops.iter().filter(|hop| arrow.is_of(hop)) {
                own.bytes = own.bytes.saturating_add(hop.bytes);
                own.count = own.count.saturating_add(u64::from(hop.count));
            }
            return own;
        }
        match app.scope {
            Scope::SoFar => arrow.amount(&app.so_far),
            _ => arrow.amount(&app.total),
        }
    }

    fn label(
        &self,
        arrow: &Arrow,
        label: Label,
        amount: Amount,
        current: bool,
        style: Style,
        buf: &mut Buffer,
    ) {
        let app = self.app;
        let (lang, ascii) = (app.look.lang, app.look.ascii);
        let mark = match (current, ascii) {
            (true, true) => '>',
            (true, false) => '▸',
            (false, _) => ' ',
        };
        let letter = arrow.kind.letter();
        let text = match label.words {
            Words::Letter => format!("{mark}{letter}"),
            _ if amount == Amount::default() => format!("{mark}{letter}"),
            Words::Tight => format!("{mark}{letter} {}", tight(amount.bytes)),
            words => {
                let most = app.arrows.iter().map(|a| a.amount(&app.total).bytes).max();
                let weight = weight(amount.bytes, most.unwrap_or(0), ascii);
                let mut text = format!("{mark}{letter}{weight} {}", units::bytes(amount.bytes));
                if words == Words::All {
                    if amount.count > 1 {
                        let times = if ascii { 'x' } else { '×' };
                        text += &format!(" {times}{}", compact(amount.count));
                    }
                    if arrow.later != Later::No {
                        text += &format!(" {}", words::later(lang));
                    }
                }
                text
            }
        };
        let style = if current {
            style.add_modifier(Modifier::REVERSED)
        } else {
            style
        };
        // Clears the border under it.
        self.text(label.at, &pad(&text, label.cells, ascii), Style::new(), buf);
        self.text(label.at, &fit(&text, label.cells, ascii), style, buf);
    }
}

/// A number of bytes in four cells: `64K`, `1.1M`.
fn tight(bytes: u64) -> String {
    let mut unit = 1u64;
    for name in ["B", "K", "M", "G", "T", "P"] {
        let tenths = u128::from(bytes) * 10 / u128::from(unit);
        if tenths < 10_000 {
            return match tenths {
                1..100 if unit > 1 => format!("{}.{}{name}", tenths / 10, tenths % 10),
                _ => format!("{}{name}", tenths / 10),
            };
        }
        unit = unit.saturating_mul(1024);
    }
    "lots".to_owned()
}

/// How many bytes, as the height of a bar: logarithmic, the most is full.
fn weight(bytes: u64, most: u64, ascii: bool) -> char {
    if ascii {
        return ' ';
    }
    let log = |n: u64| u64::from(n.saturating_add(1).ilog2());
    let level = (log(bytes) * 8).div_ceil(log(most).max(1)).clamp(1, 8);
    ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
        .get(level as usize - 1)
        .copied()
        .unwrap_or('█')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tight_bytes() {
        let cases = [
            (0, "0B"),
            (999, "999B"),
            (1000, "0.9K"),
            (4096, "4.0K"),
            (65536, "64K"),
            (1 << 20, "1.0M"),
            ((1 << 20) - 1, "0.9M"),
            (u64::MAX, "lots"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(tight(bytes), expected);
            assert!(tight(bytes).len() <= 4);
        }
    }
}
