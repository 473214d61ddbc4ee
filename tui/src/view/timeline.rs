//! When it happened: lanes for user mode, the kernel on its behalf, waiting, deferred work and each
//! device; as high as the part of a column's time that they were busy.

use bytehop_core::event::Engine;
use bytehop_core::model::HopKind;
use bytehop_core::units;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::App;
use crate::areas::inside;
use crate::draw::put;
use crate::lanes::{LanesWish, Who};
use crate::text::{fit, pad, width};
use crate::theme::Paint;
use crate::window::window;
use crate::words;

/// Cells of the lanes' names.
const NAME: u16 = 14;

fn lanes_area(area: Rect) -> Rect {
    let name = NAME.min(area.width / 3);
    Rect {
        x: area.x + name,
        width: area.width.saturating_sub(name + 1),
        ..area
    }
}

/// What the lanes should be made for, in the pane's inside.
pub fn wish(app: &App, pane: Rect) -> LanesWish {
    LanesWish {
        window: window(app),
        columns: lanes_area(inside(pane)).width,
        calls: app.span_of,
    }
}

/// The time under a column of the screen, if lanes are there.
pub fn time_at(app: &App, pane: Rect, x: u16) -> Option<u64> {
    let area = lanes_area(inside(pane));
    let (from, to) = window(app);
    let inside = (area.x..area.right()).contains(&x);
    let part =
        u128::from(to - from) * u128::from(x.checked_sub(area.x)?) / u128::from(area.width.max(1));
    inside.then_some(from + part as u64)
}

pub fn draw(app: &App, pane: Rect, buf: &mut Buffer) {
    let all = inside(pane);
    let area = lanes_area(all);
    let lang = app.look.lang;
    let style = |paint| app.look.theme.style(paint);
    if app.store.is_empty() || area.height < 2 {
        return;
    }
    let (from, to) = window(app);
    let begin = app.store.span.0;
    ruler(app, area, [from, to], buf);
    let rows = (area.y + 1)..area.bottom().saturating_sub(1);
    for (y, lane) in rows.zip(&app.lanes.lanes) {
        let name = pad(
            &name(app, &lane.who),
            usize::from(area.x - all.x),
            app.look.ascii,
        );
        let kind = match lane.who {
            Who::Kernel => Paint::Kind(HopKind::Copy),
            Who::Device(..) => Paint::Kind(HopKind::Dma),
            Who::Later => Paint::Kind(HopKind::Share),
            Who::Waiting => Paint::Dim,
            Who::User => Paint::Text,
        };
        put(buf, all.x, y, area.x, &name, style(Paint::Strong));
        for (x, eighths) in (area.x..area.right()).zip(&lane.busy) {
            let glyph = bar(*eighths, &lane.who, app.look.ascii);
            put(buf, x, y, area.right(), glyph, style(kind));
        }
    }
    // Where one is.
    let y = area.bottom() - 1;
    let Some(call) = app.store.call(app.cursor.call) else {
        return;
    };
    let hop = app.hop().map_or(0, |hop| u64::from(hop.after));
    let at = call.ts.saturating_add(hop);
    let column = |time: u64| {
        let part = u128::from(time.saturating_sub(from)) * u128::from(area.width);
        area.x + (part / u128::from((to - from).max(1))).min(u128::from(area.width)) as u16
    };
    if (from..=to).contains(&at) {
        let x = column(at).min(area.right() - 1);
        let end =
            column(call.ts.saturating_add(u64::from(call.dur)).min(to)).clamp(x, area.right() - 1);
        for y in area.y + 1..y {
            let cells = Rect::new(x, y, end - x + 1, 1);
            buf.set_style(
                cells,
                ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::REVERSED),
            );
        }
        let mark = if app.look.ascii { "^" } else { "▲" };
        put(buf, x, y, area.right(), mark, style(Paint::Focus));
        let text = format!(" {} ", units::time(at.saturating_sub(begin)));
        let cells = width(&text) as u16;
        let left = if x + 1 + cells < area.right() {
            x + 1
        } else {
            x.saturating_sub(cells)
        };
        put(buf, left, y, area.right(), &text, style(Paint::Strong));
    }
    if app.lanes.step > 1 {
        let text = words::every_call(lang, app.lanes.step);
        let text = fit(&text, usize::from(area.x - all.x), app.look.ascii);
        put(buf, all.x, y, area.x, &text, style(Paint::Warning));
    }
}

/// Times along the top.
fn ruler(app: &App, area: Rect, [from, to]: [u64; 2], buf: &mut Buffer) {
    let begin = app.store.span.0;
    let style = app.look.theme.style(Paint::Dim);
    let marks = (area.width / 20).clamp(1, 8);
    for i in 0..marks {
        let x = area.x + area.width * i / marks;
        let time = from + (to - from) / u64::from(marks) * u64::from(i);
        let tick = if app.look.ascii { "|" } else { "│" };
        let text = format!("{tick}{}", units::time(time.saturating_sub(begin)));
        put(buf, x, area.y, area.right(), &text, style);
    }
}

fn bar(eighths: u8, who: &Who, ascii: bool) -> &'static str {
    const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    // Letters in place of heights, so that lanes differ.
    let letter = match who {
        Who::User => ["u", "U"],
        Who::Kernel => ["k", "K"],
        Who::Waiting => ["w", "W"],
        Who::Later => ["l", "L"],
        Who::Device(..) => ["d", "D"],
    };
    match (ascii, eighths) {
        (_, 0) => " ",
        (true, 1..=4) => letter[0],
        (true, _) => letter[1],
        (false, n) => BARS.get(usize::from(n)).copied().unwrap_or("█"),
    }
}

fn name(app: &App, who: &Who) -> String {
    let lang = app.look.lang;
    let text = match who {
        Who::User => words::band_user(lang).to_owned(),
        Who::Kernel => words::band_kernel(lang).to_owned(),
        Who::Waiting => words::lane_waiting(lang).to_owned(),
        Who::Later => words::lane_later(lang).to_owned(),
        Who::Device(name, Some(Engine::Software)) => words::lane_software(lang, name),
        Who::Device(name, _) => name.clone(),
    };
    format!(" {text}")
}
