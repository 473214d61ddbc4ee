//! Frames.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::put;
use crate::look::Look;
use crate::text::{fit, width};
use crate::theme::Paint;

/// The characters of a frame.
pub struct Lines {
    pub across: char,
    pub upright: char,
    /// Top left, top right, bottom left, bottom right.
    pub corners: [char; 4],
    /// Where a line from the right meets the left side, and the other way round.
    pub left: char,
    pub right: char,
}

impl Lines {
    pub fn of(ascii: bool) -> Self {
        if ascii {
            Self {
                across: '-',
                upright: '|',
                corners: ['+'; 4],
                left: '+',
                right: '+',
            }
        } else {
            Self {
                across: '─',
                upright: '│',
                corners: ['┌', '┐', '└', '┘'],
                left: '├',
                right: '┤',
            }
        }
    }
}

/// Draws a frame with titles on its upper side, left and right. A frame that stands below another
/// (`joined`) shares its upper side with it.
pub fn frame(
    buf: &mut Buffer,
    area: Rect,
    look: &Look,
    focus: bool,
    joined: bool,
    titles: [&str; 2],
) {
    let area = area.intersection(buf.area);
    if area.width < 2 || area.height < 2 {
        return;
    }
    let lines = Lines::of(look.ascii);
    let style = look.theme.style(Paint::Border);
    let mut set = |x: u16, y: u16, c: char| {
        if let Some(cell) = buf.cell_mut((x, y)) {
            cell.set_char(c).set_style(style);
        }
    };
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    for x in area.x..=right {
        set(x, area.y, lines.across);
        set(x, bottom, lines.across);
    }
    for y in area.y..=bottom {
        set(area.x, y, lines.upright);
        set(right, y, lines.upright);
    }
    let upper = if joined {
        [lines.left, lines.right]
    } else {
        [lines.corners[0], lines.corners[1]]
    };
    set(area.x, area.y, upper[0]);
    set(right, area.y, upper[1]);
    set(area.x, bottom, lines.corners[2]);
    set(right, bottom, lines.corners[3]);

    let paint = if focus { Paint::Focus } else { Paint::Strong };
    let style = look.theme.style(paint);
    let room = usize::from(area.width).saturating_sub(4);
    let [first, second] = titles;
    if !first.is_empty() {
        let mark = match (focus, look.ascii) {
            (true, false) => "▌",
            (true, true) => "*",
            (false, _) => " ",
        };
        let text = fit(&format!("{mark}{first} "), room, look.ascii);
        put(buf, area.x + 1, area.y, right, &text, style);
    }
    let rest = room.saturating_sub(width(first) + 3);
    if !second.is_empty() && rest > 4 {
        let text = fit(&format!(" {second} "), rest, look.ascii);
        let x = right - width(&text) as u16 - 1;
        put(buf, x, area.y, right, &text, look.theme.style(Paint::Text));
    }
}
