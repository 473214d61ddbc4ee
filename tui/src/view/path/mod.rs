//! The path view: places in three bands, and the hops between them as arrows.

mod glyphs;

use bytehop_core::model::{Place, Summary};
use bytehop_core::terms;
use bytehop_core::units;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use self::glyphs::{Pen, way};
use super::describe;
use crate::app::{App, MOVING, Scope};
use crate::areas::inside;
use crate::arrows::{Arrow, Known, Later, of_rows};
use crate::draw::{Lines, frame, put};
use crate::layout::{At, Label, Layout, PlaceBox, Wish, Words};
use crate::look::Look;
use crate::store::{Amount, What};
use crate::text::{compact, fit, pad, width};
use crate::theme::Paint;
use crate::words;

/// What the path view shows: arrows where a layout has put them, and what each of them counts now.
pub struct Scene<'a> {
    pub look: Look,
    pub layout: &'a Layout,
    pub arrows: &'a [Arrow],
    /// Of each arrow: what its label counts, and whether one is there.
    pub shown: Vec<(Amount, bool)>,
    /// Bytes of the arrow that moves most in the whole run.
    pub most: u64,
    /// Places that the current hops touch.
    pub touched: Vec<&'a Place>,
    /// Only what is current counts: the others step back.
    pub alone: bool,
    /// Ticks since the last step, while its bytes are shown moving.
    pub moving: Option<u32>,
    /// Live: how long each arrow is still shown moving, and the time, in ticks.
    pub flowing: Option<(&'a [u32], u32)>,
    /// A call was just entered: its crossing shows on the border of user mode.
    pub flash: bool,
    /// What the CPU does while a device moves the current bytes.
    pub meanwhile: Option<String>,
}

/// What the path view of this size would be laid out for.
pub fn wish(app: &App, area: Rect) -> Wish {
    let amounts = app.arrows.iter().map(|a| a.amount(&app.total)).collect();
    let devices = &app.store.summary.devices;
    Wish::new(&app.look, area, app.arrows.clone(), amounts, devices)
}

/// Draws into the inside of the pane's frame.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let most = app.arrows.iter().map(|a| a.amount(&app.total).bytes).max();
    let keys = app.hops().iter().filter_map(|hop| app.store.key(hop));
    let entered = app.cursor.hop.is_none() && app.ticks < MOVING / 3;
    let scene = Scene {
        look: app.look,
        layout: &app.layout,
        arrows: &app.arrows,
        shown: app.arrows.iter().map(|a| shown(app, a)).collect(),
        most: most.unwrap_or(0),
        touched: keys.flat_map(|key| [&key.from, &key.to]).collect(),
        alone: app.scope == Scope::Call,
        moving: (app.ticks < MOVING && app.animation).then_some(app.ticks),
        flowing: match app.animation {
            true => Some((&app.flow.arrows, app.flow.clock)),
            false => None,
        },
        flash: app.animation && (entered || app.flow.crossing > 0),
        meanwhile: meanwhile(app),
    };
    scene.draw(area, buf);
}

/// Draws the path view of a whole run in a frame of its own, with a title at its right end. Arrows of
/// less than a `least`th of the largest one's bytes are left out, and the title says so.
pub fn draw_run(
    summary: &Summary,
    look: Look,
    area: Rect,
    title: &str,
    least: Option<u64>,
    buf: &mut Buffer,
) {
    let (arrows, amounts) = of_rows(&summary.hops);
    let all = arrows.len();
    let most = amounts.iter().map(|amount| amount.bytes).max().unwrap_or(0);
    let least = least.map_or(0, |part| most / part.max(1));
    let kept = arrows
        .into_iter()
        .zip(amounts)
        .filter(|(_, amount)| amount.bytes >= least);
    let (arrows, amounts): (Vec<_>, Vec<_>) = kept.unzip();
    let title = match all - arrows.len() {
        0 => title.to_owned(),
        n => format!("{title} · {}", words::small_left_out(look.lang, n as u64)),
    };
    let inner = inside(area);
    let wish = Wish::new(&look, inner, arrows, amounts, &summary.devices);
    let layout = Layout::new(&wish);
    let titles = [words::band_user(look.lang), title.as_str()];
    frame(buf, area, &look, false, false, titles);
    let scene = Scene {
        look,
        layout: &layout,
        arrows: &wish.arrows,
        shown: wish.amounts.iter().map(|amount| (*amount, false)).collect(),
        most: wish.amounts.iter().map(|a| a.bytes).max().unwrap_or(0),
        touched: Vec::new(),
        alone: false,
        moving: None,
        flowing: None,
        flash: false,
        meanwhile: None,
    };
    scene.draw(inner, buf);
}

/// What the thread of a call did while a device moved its bytes: measured, by the switches away from
/// it and back. The call is the current one; live, the last for which a device worked.
fn meanwhile(app: &App) -> Option<String> {
    let current = || {
        let moved = match app.hop() {
            Some(hop) => app.store.is_dma(hop),
            None => app.hops().iter().any(|hop| app.store.is_dma(hop)),
        };
        moved.then_some(app.cursor.call)
    };
    let call = match app.follow {
        true => app.flow.device(),
        false => current(),
    };
    let call = app.store.call(call?)?;
    let sig = app.store.sig(&call)?;
    let lang = app.look.lang;
    let text = match (&sig.what, call.waited) {
        (What::Later, _) => words::nobody_waits(lang).to_owned(),
        (_, 0) => words::cpu_runs_on(lang).to_owned(),
        (_, waited) => words::cpu_waits(lang, units::time(waited.into())),
    };
    Some(match app.follow {
        true => format!("{}: {text}", describe::name(app, sig)),
        false => format!("{text}{}", told(app)),
    })
}

/// How the kernel was told that the device was done, and whether that woke the thread: of the current hop,
/// or of the one of the current call that did.
fn told(app: &App) -> String {
    let key = |hop| app.store.key(hop).and_then(|key| key.interrupt);
    let interrupt = match app.hop() {
        Some(hop) => key(hop),
        None => app.hops().iter().filter_map(key).max_by_key(|i| i.woke),
    };
    let Some(interrupt) = interrupt else {
        return String::new();
    };
    let lang = app.look.lang;
    let arrow = if app.look.ascii { "->" } else { "→" };
    let what = match interrupt.number {
        Some(number) => words::interrupt(lang, number),
        None => words::no_interrupt(lang).to_owned(),
    };
    match interrupt.woke {
        true => format!(" {arrow} {what} {arrow} {}", words::wakes(lang)),
        false => format!(" {arrow} {what}"),
    }
}

/// What an arrow's label counts, and whether the arrow stands for the current hop, or one of the
/// current call's if no hop is chosen.
fn shown(app: &App, arrow: &Arrow) -> (Amount, bool) {
    if app.follow {
        // No call stands still long enough to be looked at.
        return (arrow.amount(&app.total), false);
    }
    let current = match app.hop() {
        Some(hop) => arrow.is_of(hop),
        None => app.hops().iter().any(|hop| arrow.is_of(hop)),
    };
    if !current && app.scope != Scope::Call {
        let amount = match app.scope {
            Scope::SoFar => arrow.amount(&app.so_far),
            _ => arrow.amount(&app.total),
        };
        return (amount, false);
    }
    let hops = match app.hop() {
        Some(hop) if app.scope != Scope::Call => std::slice::from_ref(hop),
        _ => app.hops(),
    };
    let mut own = Amount::default();
    for hop in hops.iter().filter(|hop| arrow.is_of(hop)) {
        own.bytes = own.bytes.saturating_add(hop.bytes);
        own.count = own.count.saturating_add(u64::from(hop.count));
    }
    (own, current)
}

/// The arrow whose line or label lies at a cell of the screen.
pub fn arrow_at(app: &App, area: Rect, at: Position) -> Option<usize> {
    let (x, y) = (
        i32::from(at.x) - i32::from(area.x),
        i32::from(at.y) - i32::from(area.y),
    );
    let label = |label: &Option<Label>| {
        label.is_some_and(|label| {
            label.at.y == y && (label.at.x..label.at.x + label.cells as i32).contains(&x)
        })
    };
    let labels = app.layout.labels.iter().position(label);
    labels.or_else(|| {
        let mut paths = app.layout.paths.iter();
        paths.position(|path| path.contains(&At { x, y }))
    })
}

impl Scene<'_> {
    /// Draws into `area`.
    pub fn draw(&self, area: Rect, buf: &mut Buffer) {
        let canvas = Canvas { scene: self, area };
        let layout = self.layout;
        for (i, row) in layout.borders.iter().enumerate() {
            canvas.border(*row, i == 0 && self.flash, buf);
        }
        for b in &layout.boxes {
            canvas.place(b, buf);
        }
        // The current arrows last: on top where lines cross.
        for on_top in [false, true] {
            for (i, arrow) in self.arrows.iter().enumerate() {
                let (amount, current) = self.shown.get(i).copied().unwrap_or_default();
                let path = layout.paths.get(i).map_or(&[][..], |path| path);
                if current == on_top {
                    let label = layout.labels.get(i).copied().flatten();
                    canvas.arrow(arrow, path, label, amount, current, buf);
                    if let Some((left, clock)) = self.flowing
                        && left.get(i).is_some_and(|left| *left > 0)
                    {
                        canvas.flow(arrow, path, clock, buf);
                    }
                }
            }
        }
        for note in &layout.notes {
            let paint = if note.title {
                Paint::Strong
            } else {
                Paint::Dim
            };
            canvas.text(note.at, &note.text, self.look.theme.style(paint), buf);
        }
        if let (Some(text), Some(row)) = (&self.meanwhile, layout.borders.get(1)) {
            canvas.on_border(*row, text, buf);
        }
    }
}

struct Canvas<'a> {
    scene: &'a Scene<'a>,
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
        let lines = Lines::of(self.scene.look.ascii);
        let theme = self.scene.look.theme;
        let style = theme.style(if flash { Paint::Focus } else { Paint::Border });
        let line = if flash && !self.scene.look.ascii {
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

    /// Text on a border, as far right as nothing crosses it; left out where there is no such place.
    fn on_border(&self, row: i32, text: &str, buf: &mut Buffer) {
        let free = Lines::of(self.scene.look.ascii).across.to_string();
        let is_free = |x: i32, buf: &Buffer| {
            let cell = self.cell(At { x, y: row }).and_then(|at| buf.cell(at));
            cell.is_some_and(|cell| cell.symbol() == free)
        };
        let cells = width(text) as i32 + 2;
        let starts = (0..=i32::from(self.area.width) - cells).rev();
        let mut starts = starts.filter(|x| (*x..x + cells).all(|x| is_free(x, buf)));
        if let Some(x) = starts.next() {
            let paint = match self.scene.moving {
                Some(_) => Paint::Strong,
                None => Paint::Text,
            };
            let style = self.scene.look.theme.style(paint);
            self.text(At { x, y: row }, &format!(" {text} "), style, buf);
        }
    }

    fn place(&self, b: &PlaceBox, buf: &mut Buffer) {
        let lines = Lines::of(self.scene.look.ascii);
        let theme = self.scene.look.theme;
        let touched = self.scene.touched.contains(&&b.place);
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
        if self.scene.look.ascii {
            text = text.replace('·', "-");
        }
        let text = fit(&text, room, self.scene.look.ascii);
        let x = left + 1 + (room - width(&text)) as i32 / 2;
        let y = (top + bottom) / 2;
        self.text(At { x, y }, &text, theme.style(Paint::Strong), buf);
    }

    fn arrow(
        &self,
        arrow: &Arrow,
        path: &[At],
        label: Option<Label>,
        amount: Amount,
        current: bool,
        buf: &mut Buffer,
    ) {
        let scene = self.scene;
        let nothing = amount == Amount::default();
        let mut style = scene.look.theme.style(Paint::Kind(arrow.kind));
        if current {
            style = style.add_modifier(Modifier::BOLD);
        } else if nothing || scene.alone || arrow.later == Later::All {
            style = style.add_modifier(Modifier::DIM);
        }
        let pen = Pen {
            kind: arrow.kind,
            broken: arrow.known != Known::Measured,
            ascii: scene.look.ascii,
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
        if let Some(ticks) = scene.moving.filter(|_| current && path.len() > 2) {
            let along = (path.len() - 1) * ticks as usize / MOVING as usize;
            if let Some(at) = path.get(along) {
                let dot = if scene.look.ascii { 'o' } else { '●' };
                self.set(*at, dot, style, buf);
            }
        }
    }

    /// Bytes that move along an arrow now.
    fn flow(&self, arrow: &Arrow, path: &[At], clock: u32, buf: &mut Buffer) {
        const APART: usize = 5;
        let style = self.scene.look.theme.style(Paint::Kind(arrow.kind));
        let dot = if self.scene.look.ascii { 'o' } else { '●' };
        let first = (clock / 2) as usize % APART;
        for at in path.iter().skip(first).step_by(APART) {
            self.set(*at, dot, style.add_modifier(Modifier::BOLD), buf);
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
        let (lang, ascii) = (self.scene.look.lang, self.scene.look.ascii);
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
                let weight = weight(amount.bytes, self.scene.most, ascii);
                let mut text = format!("{mark}{letter}{weight} {}", units::bytes(amount.bytes));
                if words == Words::All {
                    if amount.count > 1 {
                        let times = if ascii { 'x' } else { '×' };
                        text += &format!(" {times}{}", compact(amount.count));
                    }
                    if arrow.later != Later::No {
                        text += &format!(" {}", terms::later(lang));
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
