//! Text on cells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::look::Look;
use crate::text::{fit, width};
use crate::theme::Paint;

/// Writes text from `x` on, not beyond `end`; gives where it ended.
pub fn put(buf: &mut Buffer, x: u16, y: u16, end: u16, text: &str, style: Style) -> u16 {
    let end = end.min(buf.area.right());
    if x >= end || y < buf.area.y || y >= buf.area.bottom() || x < buf.area.x {
        return x;
    }
    buf.set_stringn(x, y, text, usize::from(end - x), style).0
}

/// Writes pieces of text one after the other, cut at the end of `area`.
pub fn put_line(look: &Look, area: Rect, buf: &mut Buffer, pieces: &[(String, Paint)]) {
    let mut x = area.x;
    for (text, paint) in pieces {
        let room = usize::from(area.right().saturating_sub(x));
        if room == 0 {
            break;
        }
        let text = fit(text, room, look.ascii);
        x = put(
            buf,
            x,
            area.y,
            area.right(),
            &text,
            look.theme.style(*paint),
        );
    }
}

/// In ASCII mode nothing but ASCII and words is left.
pub fn plain(look: &Look, buf: &mut Buffer) {
    if !look.ascii {
        return;
    }
    for cell in &mut buf.content {
        let c = match cell.symbol() {
            "×" => 'x',
            "·" | "─" | "━" | "═" | "┈" | "—" => '-',
            "→" | "⇢" | "▶" | "▸" => '>',
            "←" | "◀" => '<',
            "↑" | "▲" => '^',
            "↓" | "▼" => 'v',
            "µ" => 'u',
            "…" => '.',
            "░" => '%',
            "▁" | "▂" | "▃" | "▄" | "▅" | "▆" | "▇" | "█" | "▌" => '#',
            "│" => '|',
            "●" => 'o',
            _ => continue,
        };
        cell.set_char(c);
    }
}

/// What a buffer shows, as lines of text without trailing spaces.
pub fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in buf.area.y..buf.area.bottom() {
        let mut line = String::new();
        let mut x = buf.area.x;
        while x < buf.area.right() {
            let symbol = buf.cell((x, y)).map_or(" ", |cell| cell.symbol());
            line.push_str(symbol);
            // The second half of a wide character holds nothing of its own.
            x += (width(symbol) as u16).max(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
