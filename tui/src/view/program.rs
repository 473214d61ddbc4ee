//! The traced program's own terminal, in a pane.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use vt100::Cell;

use crate::app::App;

/// Draws the rows that fit; those at the cursor if not all do.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer) {
    let Some(program) = &app.program else {
        return;
    };
    let screen = program.screen();
    let top = program.top(area.height);
    for y in 0..area.height {
        for x in 0..area.width {
            let at = (area.x + x, area.y + y);
            let Some(cell) = screen.cell(top + y, x) else {
                break;
            };
            if let Some(to) = buf.cell_mut(at).filter(|_| !cell.is_wide_continuation()) {
                // Half of a wide character does not fit.
                let wide = cell.is_wide() && x + 1 == area.width;
                match cell.has_contents() && !wide {
                    true => to.set_symbol(cell.contents()),
                    false => to.set_char(' '),
                };
                to.set_style(style(cell));
            }
        }
    }
    let (row, col) = screen.cursor_position();
    let there = app.is_typing() && !screen.hide_cursor() && program.scrolled() == 0;
    let row = row
        .checked_sub(top)
        .filter(|row| *row < area.height && there);
    if let Some(row) = row
        && col < area.width
        && let Some(cell) = buf.cell_mut((area.x + col, area.y + row))
    {
        cell.set_style(Style::new().add_modifier(Modifier::REVERSED));
    }
}

fn style(cell: &Cell) -> Style {
    let color = |color| match color {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(n) => Color::Indexed(n),
        vt100::Color::Rgb(r, g, b) => Color::Rgb(r, g, b),
    };
    let mut style = Style::new()
        .fg(color(cell.fgcolor()))
        .bg(color(cell.bgcolor()));
    let modifiers = [
        (cell.bold(), Modifier::BOLD),
        (cell.dim(), Modifier::DIM),
        (cell.italic(), Modifier::ITALIC),
        (cell.underline(), Modifier::UNDERLINED),
        (cell.inverse(), Modifier::REVERSED),
    ];
    for (_, modifier) in modifiers.into_iter().filter(|(has, _)| *has) {
        style = style.add_modifier(modifier);
    }
    style
}
