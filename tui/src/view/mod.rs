//! The screen as a function of the model and its size. No I/O, no clock; any size from 1×1 up.

mod areas;
mod calls;
pub mod compare;
mod describe;
mod explain;
mod help;
mod lines;
mod path;
pub(crate) mod popup;
mod program;
mod sight;
mod source;
mod status;
mod timeline;
mod totals;

use bytehop_core::model::Summary;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use self::areas::inside;
pub use self::areas::{Areas, MIN, areas, program_cell, program_size};
pub use self::path::{Layout, Wish};
pub use self::sight::{
    Hit, calls_in_sight, hit, lanes_wish, page_rows, source_in_sight, totals_rows, wish,
};
pub use self::timeline::{Lanes, LanesWish, WINDOW_MIN, call_at, window};
use crate::app::{App, Look, Pane, Popup};
use crate::arrows::of_rows;
use crate::text::{fit, width};
use crate::theme::Paint;
use crate::words;
pub(crate) use lines::frame;

/// Draws the model on all of `buf`.
pub fn draw(app: &App, buf: &mut Buffer) {
    let Some(areas) = areas(app).filter(|_| (buf.area.width, buf.area.height) == app.size) else {
        too_small(app, buf);
        return plain(app, buf);
    };
    let look = &app.look;
    let lang = look.lang;
    status::title(app, areas.title, buf);
    if let Some(area) = areas.path {
        let scope = status::scope(app);
        let titles = [words::band_user(lang), scope.as_str()];
        frame(buf, area, look, app.focus == Pane::Path, false, titles);
        path::draw(app, inside(area), buf);
    }
    if let Some(area) = areas.calls {
        let focus = app.focus == Pane::Calls;
        let filter = match app.filter.as_str() {
            "" => String::new(),
            filter => words::filter_is(lang, filter),
        };
        let titles = [words::calls(lang), filter.as_str()];
        frame(buf, area, look, focus, areas.joined, titles);
        calls::draw(app, inside(area), buf);
    }
    if let Some(area) = areas.source {
        let focus = app.focus == Pane::Source;
        let title = source::title(app);
        let titles = [words::source(lang), title.as_str()];
        frame(buf, area, look, focus, areas.joined, titles);
        source::draw(app, inside(area), buf);
    }
    if let Some(area) = areas.timeline {
        let focus = app.focus == Pane::Timeline;
        let titles = [words::timeline(lang), words::timeline_keys(lang)];
        frame(buf, area, look, focus, areas.joined, titles);
        timeline::draw(app, area, buf);
    }
    if let Some(area) = areas.totals {
        let focus = app.focus == Pane::Totals;
        let titles = [words::totals(lang), ""];
        frame(buf, area, look, focus, areas.joined, titles);
        totals::draw(app, inside(area), buf);
    }
    if let Some(area) = areas.program {
        let focus = app.focus == Pane::Program;
        let hint = status::program(app);
        let titles = [words::program(lang), hint.as_str()];
        frame(buf, area, look, focus, areas.joined, titles);
        program::draw(app, inside(area), buf);
    }
    status::slider(app, areas.slider, buf);
    status::sums(app, areas.sums, buf);
    status::keys(app, areas.keys, buf);
    match app.popup {
        Some(Popup::Help) => help::draw(app, buf),
        Some(Popup::Explain) => explain::draw(app, buf),
        Some(Popup::Compare) => draw_compare(app, buf),
        Some(Popup::Quit) => status::quit(app, buf),
        None => {}
    }
    plain(app, buf);
}

/// The run beside the other one, on the whole screen but the line of keys.
fn draw_compare(app: &App, buf: &mut Buffer) {
    let Some(other) = &app.other else { return };
    let area = Rect {
        height: buf.area.height.saturating_sub(1),
        ..buf.area
    };
    let look = app.look;
    let names = other.names.each_ref().map(String::as_str);
    let runs = [&other.summary, &app.store.summary];
    let more = compare::draw(runs, names, look, area, app.popup_scroll, buf);
    let room = usize::from(area.width);
    let hint = compare::hint(look.lang, more, room, look.ascii);
    let blank = " ".repeat(room);
    put(buf, 0, area.bottom(), area.right(), &blank, Style::new());
    put(
        buf,
        0,
        area.bottom(),
        area.right(),
        &hint,
        look.theme.style(Paint::Key),
    );
}

/// Draws the path view of a whole run in a frame of its own, with a title at its right end. Arrows of
/// less than a `least`th of the largest one's bytes are left out, and the title says so.
pub fn draw_path(
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
    let scene = path::Scene {
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

/// In ASCII mode nothing but ASCII and words is left.
fn plain(app: &App, buf: &mut Buffer) {
    plain_of(&app.look, buf);
}

pub(crate) fn plain_of(look: &Look, buf: &mut Buffer) {
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

fn too_small(app: &App, buf: &mut Buffer) {
    let area = buf.area;
    let text = words::too_small(app.look.lang, area.width, area.height, MIN.0, MIN.1);
    let lines = crate::text::wrap(&text, usize::from(area.width));
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        put(buf, area.x, y, area.right(), &line, Style::new());
    }
}

/// Writes text from `x` on, not beyond `end`; gives where it ended.
pub(crate) fn put(buf: &mut Buffer, x: u16, y: u16, end: u16, text: &str, style: Style) -> u16 {
    let end = end.min(buf.area.right());
    if x >= end || y < buf.area.y || y >= buf.area.bottom() || x < buf.area.x {
        return x;
    }
    buf.set_stringn(x, y, text, usize::from(end - x), style).0
}

/// Writes pieces of text one after the other, cut at the end of `area`.
fn put_line(app: &App, area: Rect, buf: &mut Buffer, pieces: &[(String, Paint)]) {
    put_pieces(&app.look, area, buf, pieces);
}

pub(crate) fn put_pieces(look: &Look, area: Rect, buf: &mut Buffer, pieces: &[(String, Paint)]) {
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

/// A count in few cells: `4096`, `12k`, `3.1M`.
pub(crate) fn compact(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{}k", n / 1000),
        1_000_000..10_000_000 => format!("{}.{}M", n / 1_000_000, n / 100_000 % 10),
        10_000_000..1_000_000_000 => format!("{}M", n / 1_000_000),
        _ => format!("{}G", n / 1_000_000_000),
    }
}

/// Cells of the widest text.
fn widest<'a>(texts: impl IntoIterator<Item = &'a str>) -> usize {
    texts.into_iter().map(width).max().unwrap_or(0)
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
