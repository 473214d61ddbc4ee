//! Screens as SVG pictures. Lines, blocks and arrowheads are drawn as shapes, so that they meet
//! whatever font there is; only words are text.

use std::fmt::Write;

use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::arrows::of_rows;
use crate::look::Look;
use crate::text::width;
use crate::theme::Theme;
use crate::view;

/// Cells of the smallest picture of a path.
pub const PATH: (u16, u16) = (78, 18);

/// Size of a cell, in user units.
pub const CELL: (f32, f32) = (8.4, 18.0);
/// Room around the screen.
pub const MARGIN: f32 = 10.0;

/// A screen as a picture of its own: no script, no font, no reference to anything outside.
pub fn svg(buffer: &Buffer, theme: Theme) -> String {
    let (w, h) = extent(buffer);
    let palette = Palette::of(theme);
    let mut out = open(w, h, &palette);
    out += &group(buffer, &palette);
    out + "</svg>\n"
}

/// The rows of a screen as parts of a picture, for whoever changes them one by one: a line each.
pub fn rows(buffer: &Buffer, theme: Theme) -> impl Iterator<Item = String> {
    let palette = Palette::of(theme);
    let rows = buffer.area.y..buffer.area.bottom();
    rows.map(move |y| row(buffer, &palette, y).trim_end().to_owned())
}

/// Screens one after the other, each with the time that it is shown, ms; endless.
pub fn animation(frames: &[(Buffer, u32)], theme: Theme) -> String {
    let palette = Palette::of(theme);
    let first = frames
        .first()
        .map_or((0.0, 0.0), |(buffer, _)| extent(buffer));
    let mut out = open(first.0, first.1, &palette);
    let whole: u32 = frames.iter().map(|(_, ms)| ms).sum::<u32>().max(1);
    let rows = frames.first().map_or(0, |(buffer, _)| buffer.area.height);
    for y in 0..rows {
        // A row is drawn once for as long as it stays the same.
        let mut spells: Vec<(String, u32, u32)> = Vec::new();
        let mut begin = 0;
        for (buffer, ms) in frames {
            let row = row(buffer, &palette, buffer.area.y + y);
            match spells.last_mut() {
                Some((last, _, end)) if *last == row => *end = begin + ms,
                _ => spells.push((row, begin, begin + ms)),
            }
            begin += ms;
        }
        for (row, begin, end) in &spells {
            out += &spell(row, *begin, *end, whole);
        }
    }
    out + "</svg>\n"
}

/// What is shown from `begin` to `end` of each round of `whole` ms. Without animation the first stays.
fn spell(content: &str, begin: u32, end: u32, whole: u32) -> String {
    if begin == 0 && end == whole {
        return content.to_owned();
    }
    let at = |ms: u32| f64::from(ms) / f64::from(whole);
    let (values, times) = match (begin, end == whole) {
        (0, _) => ("inline;none", format!("0;{:.5}", at(end))),
        (_, true) => ("none;inline", format!("0;{:.5}", at(begin))),
        _ => (
            "none;inline;none",
            format!("0;{:.5};{:.5}", at(begin), at(end)),
        ),
    };
    let display = if begin == 0 { "inline" } else { "none" };
    format!(
        "<g display=\"{display}\"><animate attributeName=\"display\" values=\"{values}\" \
         keyTimes=\"{times}\" dur=\"{whole}ms\" calcMode=\"discrete\" \
         repeatCount=\"indefinite\"/>{content}</g>\n"
    )
}

/// The path view of a whole run as a picture: at least [`PATH`] in size.
pub fn path_svg(summary: &Summary, lang: Lang, theme: Theme) -> String {
    let look = Look {
        lang,
        theme,
        ascii: false,
        own: None,
    };
    svg(&path_buffer(summary, look, path_size(summary)), theme)
}

/// The path view of a whole run, in a frame, as a screen of `size`.
pub fn path_buffer(summary: &Summary, look: Look, size: (u16, u16)) -> Buffer {
    let area = Rect::new(0, 0, size.0, size.1);
    let mut buffer = Buffer::empty(area);
    view::draw_run(summary, look, area, "", None, &mut buffer);
    buffer
}

/// Cells in which all arrows of a run have room for their bytes.
fn path_size(summary: &Summary) -> (u16, u16) {
    let (arrows, _) = of_rows(&summary.hops);
    let more = arrows.len().saturating_sub(5).min(6) as u16;
    (PATH.0 + 14 * more, PATH.1)
}

fn extent(buffer: &Buffer) -> (f32, f32) {
    let area = buffer.area;
    let (w, h) = (f32::from(area.width), f32::from(area.height));
    (w * CELL.0 + 2.0 * MARGIN, h * CELL.1 + 2.0 * MARGIN)
}

fn open(w: f32, h: f32, palette: &Palette) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.1} {h:.1}\" \
         width=\"{w:.0}\" height=\"{h:.0}\" role=\"img\" font-size=\"14\" font-family=\"ui-monospace, \
         'DejaVu Sans Mono', Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n",
        palette.back
    )
}

/// A cell's look that matters to the picture.
#[derive(Clone, Debug, PartialEq)]
struct Ink {
    fore: &'static str,
    back: Option<&'static str>,
    bold: bool,
    dim: bool,
}

/// Cells of one row that look the same and are one run of text.
struct Run {
    text: String,
    x: u16,
    cells: u16,
    ink: Ink,
    wide: bool,
}

fn group(buffer: &Buffer, palette: &Palette) -> String {
    let rows = buffer.area.y..buffer.area.bottom();
    rows.map(|y| row(buffer, palette, y)).collect()
}

fn row(buffer: &Buffer, palette: &Palette, y: u16) -> String {
    let area = buffer.area;
    let mut out = backgrounds(buffer, palette, y);
    let mut run: Option<Run> = None;
    let mut shapes: Option<(Ink, String)> = None;
    let mut x = area.x;
    while x < area.right() {
        let Some(cell) = buffer.cell((x, y)) else {
            break;
        };
        let ink = palette.ink(cell.style());
        let symbol = cell.symbol();
        let mut cells = (width(symbol) as u16).max(1);
        let (left, top) = corner(x - area.x, y - area.y);
        let drawn = symbol
            .chars()
            .next()
            .filter(|c| shape(*c, left, top, 1).is_some());
        let blank = symbol == " ";
        let fits = run.as_ref().is_some_and(|run| {
            run.ink == ink && run.wide == (cells > 1) && !blank && drawn.is_none()
        });
        if !fits {
            out += &run
                .take()
                .map_or(String::new(), |run| words(&run, y - area.y));
        }
        if let Some(c) = drawn {
            // A line that goes on is one shape.
            while STRETCH.contains(c) && x + cells < area.right() {
                let next = buffer.cell((x + cells, y));
                let same =
                    |cell: &Cell| cell.symbol() == symbol && palette.ink(cell.style()) == ink;
                if !next.is_some_and(same) {
                    break;
                }
                cells += 1;
            }
            let shape = shape(c, left, top, cells).unwrap_or_default();
            match &mut shapes {
                Some((known, all)) if *known == ink => *all += &shape,
                _ => {
                    out += &shapes.take().map_or(String::new(), painted);
                    shapes = Some((ink, shape));
                }
            }
        } else if !blank {
            let run = run.get_or_insert_with(|| Run {
                text: String::new(),
                x: x - area.x,
                cells: 0,
                ink,
                wide: cells > 1,
            });
            run.text.push_str(symbol);
            run.cells += cells;
        }
        x += cells;
    }
    out += &run
        .take()
        .map_or(String::new(), |run| words(&run, y - area.y));
    out += &shapes.take().map_or(String::new(), painted);
    out.push('\n');
    out
}

/// Characters that a row of them continues.
const STRETCH: &str = "─━═█▁▂▃▄▅▆▇░";

fn painted((ink, shapes): (Ink, String)) -> String {
    let opacity = if ink.dim { " opacity=\"0.6\"" } else { "" };
    format!(
        "<g fill=\"{0}\" stroke=\"{0}\"{opacity}>{shapes}</g>",
        ink.fore
    )
}

/// Cells of one background are one rectangle: no seams.
fn backgrounds(buffer: &Buffer, palette: &Palette, y: u16) -> String {
    let area = buffer.area;
    let back = |x: u16| palette.ink(buffer.cell((x, y))?.style()).back;
    let mut out = String::new();
    let mut x = area.x;
    while x < area.right() {
        let from = x;
        let color = back(x);
        while x < area.right() && back(x) == color {
            x += 1;
        }
        if let Some(color) = color {
            let (left, top) = corner(from - area.x, y - area.y);
            let (w, h) = (f32::from(x - from) * CELL.0, CELL.1);
            let _ = write!(
                out,
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" fill=\"{color}\"/>"
            );
        }
    }
    out
}

fn corner(x: u16, y: u16) -> (f32, f32) {
    (
        MARGIN + f32::from(x) * CELL.0,
        MARGIN + f32::from(y) * CELL.1,
    )
}

/// Text is stretched to its cells, whatever the font's width.
fn words(run: &Run, y: u16) -> String {
    let (x, top) = corner(run.x, y);
    let w = f32::from(run.cells) * CELL.0;
    let mut text = String::new();
    for c in run.text.chars() {
        match c {
            '&' => text += "&amp;",
            '<' => text += "&lt;",
            '>' => text += "&gt;",
            c => text.push(c),
        }
    }
    let bold = if run.ink.bold {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let dim = if run.ink.dim { " opacity=\"0.6\"" } else { "" };
    format!(
        "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{w:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{bold}{dim}>{text}</text>",
        top + CELL.1 * 0.73,
        run.ink.fore
    )
}

/// A line's arms: up, right, down, left; 0 none, 1 light, 2 heavy, 3 double.
const ARMS: &[(char, [u8; 4])] = &[
    ('─', [0, 1, 0, 1]),
    ('│', [1, 0, 1, 0]),
    ('┌', [0, 1, 1, 0]),
    ('┐', [0, 0, 1, 1]),
    ('└', [1, 1, 0, 0]),
    ('┘', [1, 0, 0, 1]),
    ('├', [1, 1, 1, 0]),
    ('┤', [1, 0, 1, 1]),
    ('┬', [0, 1, 1, 1]),
    ('┴', [1, 1, 0, 1]),
    ('┼', [1, 1, 1, 1]),
    ('━', [0, 2, 0, 2]),
    ('┃', [2, 0, 2, 0]),
    ('┏', [0, 2, 2, 0]),
    ('┓', [0, 0, 2, 2]),
    ('┗', [2, 2, 0, 0]),
    ('┛', [2, 0, 0, 2]),
    ('┸', [2, 1, 0, 1]),
    ('┰', [0, 1, 2, 1]),
    ('┥', [1, 0, 1, 2]),
    ('┝', [1, 2, 1, 0]),
    ('═', [0, 3, 0, 3]),
    ('║', [3, 0, 3, 0]),
    ('╔', [0, 3, 3, 0]),
    ('╗', [0, 0, 3, 3]),
    ('╚', [3, 3, 0, 0]),
    ('╝', [3, 0, 0, 3]),
    ('╨', [3, 1, 0, 1]),
    ('╥', [0, 1, 3, 1]),
    ('╡', [1, 0, 1, 3]),
    ('╞', [1, 3, 1, 0]),
];

/// Broken lines: across, heavy, and the dashes in a cell.
const DASHES: &[(char, bool, f32, u8)] = &[
    ('╍', true, 2.4, 2),
    ('╏', false, 2.4, 2),
    ('╌', true, 1.2, 2),
    ('╎', false, 1.2, 2),
    ('┈', true, 1.2, 4),
    ('┊', false, 1.2, 4),
];

/// Polygons in tenths of a cell.
const POLYGONS: &[(char, &[(f32, f32)])] = &[
    ('▲', &[(0.5, 0.2), (1.0, 0.75), (0.0, 0.75)]),
    ('▼', &[(0.5, 0.8), (1.0, 0.25), (0.0, 0.25)]),
    ('◀', &[(0.0, 0.5), (0.95, 0.25), (0.95, 0.75)]),
    ('▶', &[(1.0, 0.5), (0.05, 0.25), (0.05, 0.75)]),
    ('▸', &[(0.85, 0.5), (0.2, 0.3), (0.2, 0.7)]),
    ('▹', &[(0.85, 0.5), (0.2, 0.3), (0.2, 0.7)]),
    ('▾', &[(0.1, 0.38), (0.9, 0.38), (0.5, 0.68)]),
];

/// A character that is drawn, over so many cells, as shapes without colour; `None`: it is text.
fn shape(c: char, x: f32, y: f32, cells: u16) -> Option<String> {
    let (w, h) = (CELL.0 * f32::from(cells), CELL.1);
    let (mx, my) = (x + w / 2.0, y + h / 2.0);
    if let Some((_, arms)) = ARMS.iter().find(|(known, _)| *known == c) {
        return Some(lines(*arms, x, y, w));
    }
    if let Some(&(_, across, thick, parts)) = DASHES.iter().find(|(known, ..)| *known == c) {
        let mut out = String::new();
        for i in 0..parts {
            let part = |length: f32| (length / f32::from(parts), length / f32::from(parts) * 0.55);
            let (dx, dy, lw, lh) = if across {
                let (step, len) = part(w);
                (f32::from(i) * step, h / 2.0 - thick / 2.0, len, thick)
            } else {
                let (step, len) = part(h);
                (w / 2.0 - thick / 2.0, f32::from(i) * step, thick, len)
            };
            out += &rect(x + dx, y + dy, lw, lh, 1.0);
        }
        return Some(out);
    }
    if let Some((_, corners)) = POLYGONS.iter().find(|(known, _)| *known == c) {
        let points = corners
            .iter()
            .map(|(dx, dy)| format!("{:.1},{:.1}", x + dx * w, y + dy * h));
        let points: Vec<_> = points.collect();
        let hollow = if c == '▹' { " fill=\"none\"" } else { "" };
        return Some(format!(
            "<polygon points=\"{}\"{hollow} stroke-width=\"0.8\"/>",
            points.join(" ")
        ));
    }
    let eighths = "▁▂▃▄▅▆▇█".chars().position(|known| known == c);
    if let Some(n) = eighths {
        let tall = h * (n + 1) as f32 / 8.0;
        return Some(rect(x, y + h - tall, w + 0.2, tall, 1.0));
    }
    let parts = "▏▎▍▌▋▊▉".chars().position(|known| known == c);
    if let Some(n) = parts {
        return Some(rect(x, y, w * (n + 1) as f32 / 8.0, h, 1.0));
    }
    match c {
        '░' => Some(rect(x, y, w + 0.2, h, 0.3)),
        '▒' => Some(rect(x, y, w + 0.2, h, 0.5)),
        '▓' => Some(rect(x, y, w + 0.2, h, 0.75)),
        '●' => Some(format!(
            "<circle cx=\"{mx:.1}\" cy=\"{my:.1}\" r=\"3.6\" stroke=\"none\"/>"
        )),
        _ => None,
    }
}

fn rect(x: f32, y: f32, w: f32, h: f32, opacity: f32) -> String {
    let opacity = match opacity {
        1.0 => String::new(),
        opacity => format!(" opacity=\"{opacity}\""),
    };
    format!(
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" stroke=\"none\"{opacity}/>"
    )
}

/// How thick a line of this weight is, and how far its strokes are from the middle.
fn pen(weight: u8) -> (f32, &'static [f32]) {
    match weight {
        1 => (1.2, &[0.0]),
        2 => (2.8, &[0.0]),
        _ => (1.2, &[-1.7, 1.7]),
    }
}

fn lines(arms: [u8; 4], x: f32, y: f32, w: f32) -> String {
    let h = CELL.1;
    let (mx, my) = (x + w / 2.0, y + h / 2.0);
    let ends = [(mx, y), (x + w, my), (mx, y + h), (x, my)];
    let mut out = String::new();
    // Straight through is one line.
    if let [0, a, 0, b] = arms
        && a == b
    {
        let (thick, offsets) = pen(a);
        for offset in offsets {
            let y = my + offset;
            let _ = write!(
                out,
                "<path d=\"M{x:.1} {y:.1}H{:.1}\" stroke-width=\"{thick}\"/>",
                x + w
            );
        }
        return out;
    }
    for (i, (weight, (ex, ey))) in arms.into_iter().zip(ends).enumerate() {
        if weight == 0 {
            continue;
        }
        let (thick, offsets) = pen(weight);
        let upright = i % 2 == 0;
        for offset in offsets {
            let (ox, oy) = if upright {
                (*offset, 0.0)
            } else {
                (0.0, *offset)
            };
            // From a little beyond the middle, so that corners close.
            let beyond = thick / 2.0 + if weight == 3 { 1.7 } else { 0.0 };
            let (sx, sy) = (
                mx + (mx - ex).signum() * beyond,
                my + (my - ey).signum() * beyond,
            );
            let (sx, sy) = if upright { (mx, sy) } else { (sx, my) };
            let _ = write!(
                out,
                "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" stroke-width=\"{thick}\"/>",
                sx + ox,
                sy + oy,
                ex + ox,
                ey + oy
            );
        }
    }
    out
}

/// The colours of a theme as a terminal of today has them.
struct Palette {
    back: &'static str,
    fore: &'static str,
    /// The sixteen colours of terminals, in their order.
    colors: [&'static str; 16],
}

impl Palette {
    fn of(theme: Theme) -> Self {
        match theme {
            Theme::Own(own) => Self::of(own.base),
            Theme::Light => Self {
                back: "#ffffff",
                fore: "#24292f",
                colors: [
                    "#24292f", "#b3261e", "#116329", "#7d4e00", "#0550ae", "#7a3e9d", "#0b6b78",
                    "#8c959f", "#6e7781", "#b3261e", "#116329", "#7d4e00", "#0550ae", "#7a3e9d",
                    "#0b6b78", "#24292f",
                ],
            },
            Theme::Dark => Self {
                back: "#161b22",
                fore: "#e6edf3",
                colors: [
                    "#161b22", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf",
                    "#b1bac4", "#6e7681", "#ff938a", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff",
                    "#56d4dd", "#ffffff",
                ],
            },
            Theme::Contrast => Self {
                back: "#000000",
                fore: "#ffffff",
                colors: [
                    "#000000", "#ff6060", "#40ff40", "#ffff40", "#80b0ff", "#ff80ff", "#40ffff",
                    "#ffffff", "#c0c0c0", "#ff6060", "#40ff40", "#ffff40", "#80b0ff", "#ff80ff",
                    "#40ffff", "#ffffff",
                ],
            },
            Theme::Plain => Self {
                back: "#ffffff",
                fore: "#000000",
                colors: ["#000000"; 16],
            },
        }
    }

    fn color(&self, color: Color, default: &'static str) -> &'static str {
        let index = match color {
            Color::Black => 0,
            Color::Red => 1,
            Color::Green => 2,
            Color::Yellow => 3,
            Color::Blue => 4,
            Color::Magenta => 5,
            Color::Cyan => 6,
            Color::Gray => 7,
            Color::DarkGray => 8,
            Color::LightRed => 9,
            Color::LightGreen => 10,
            Color::LightYellow => 11,
            Color::LightBlue => 12,
            Color::LightMagenta => 13,
            Color::LightCyan => 14,
            Color::White => 15,
            // Themes use no others.
            Color::Reset | Color::Rgb(..) | Color::Indexed(_) => return default,
        };
        self.colors.get(index).copied().unwrap_or(default)
    }

    fn ink(&self, style: Style) -> Ink {
        let fore = self.color(style.fg.unwrap_or(Color::Reset), self.fore);
        let back = self.color(style.bg.unwrap_or(Color::Reset), self.back);
        let has = |modifier| style.add_modifier.contains(modifier);
        let (fore, back) = match has(Modifier::REVERSED) {
            true => (back, Some(fore)),
            false => (fore, (back != self.back).then_some(back)),
        };
        Ink {
            fore,
            back,
            bold: has(Modifier::BOLD),
            dim: has(Modifier::DIM),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_shapes() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 2));
        buffer.set_string(0, 0, "a<b 页", Style::new().fg(Color::LightRed));
        buffer.set_string(0, 1, "┌─━═▶█", Style::new());
        let picture = svg(&buffer, Theme::Dark);
        assert!(picture.contains(">a&lt;b</text>") && picture.contains(">页</text>"));
        assert!(picture.contains("#ff938a"));
        // Lines are shapes: they stand in no text.
        assert!(!picture.contains('━') && !picture.contains('▶'));
        assert_eq!(picture.matches("<text").count(), 2);
    }

    #[test]
    fn frames_take_turns() {
        let frame = |text| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
            buffer.set_string(0, 0, text, Style::new());
            buffer
        };
        let moving = animation(&[(frame("one"), 100), (frame("two"), 300)], Theme::Light);
        assert_eq!(moving.matches("<animate ").count(), 2);
        assert!(moving.contains("keyTimes=\"0;0.25000\"") && moving.contains("dur=\"400ms\""));
    }
}
