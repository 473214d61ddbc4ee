//! Windows over the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::frame;
use super::text::put_line;
use crate::look::Look;
use crate::text::widest;
use crate::theme::Paint;

/// Draws a window with these lines, as large as they need and the screen allows; `scroll` lines down.
pub fn popup(
    look: &Look,
    scroll: usize,
    title: &str,
    lines: &[Vec<(String, Paint)>],
    buf: &mut Buffer,
) {
    let screen = buf.area;
    let texts: Vec<String> = lines
        .iter()
        .map(|line| line.iter().map(|(text, _)| text.as_str()).collect())
        .collect();
    let width = widest(texts.iter().map(String::as_str)) as u16 + 4;
    let width = width.clamp(30, 110).min(screen.width);
    let height = (lines.len() as u16 + 2).min(screen.height.saturating_sub(2).max(3));
    let height = height.min(screen.height);
    let area = Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    };
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    // A wide character that the window cuts in two is gone.
    if area.x > screen.x {
        for y in area.y..area.bottom() {
            let cell = buf.cell_mut((area.x - 1, y));
            if let Some(cell) = cell.filter(|cell| crate::text::width(cell.symbol()) > 1) {
                cell.reset();
            }
        }
    }
    let inner = usize::from(height.saturating_sub(2));
    let most = lines.len().saturating_sub(inner);
    let from = scroll.min(most);
    let more = if most > 0 {
        format!("{}-{}/{}", from + 1, from + inner, lines.len())
    } else {
        "Esc".to_owned()
    };
    frame(buf, area, look, true, false, [title, &more]);
    for (y, line) in (area.y + 1..area.bottom().saturating_sub(1)).zip(lines.iter().skip(from)) {
        let area = Rect::new(area.x + 2, y, area.width.saturating_sub(3), 1);
        put_line(look, area, buf, line);
    }
}
