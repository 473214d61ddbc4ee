//! The screen as a function of the model and its size. No I/O, no clock; any size from 1×1 up.

mod calls;
pub mod compare;
mod describe;
mod explain;
mod help;
mod lines;
mod path;
mod popup;
mod program;
mod source;
mod status;
mod timeline;
mod totals;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use tracer::model::Summary;

pub use self::path::{Layout, Wish};
pub use self::timeline::{Lanes, LanesWish, WINDOW_MIN, call_at, window};
use crate::app::{App, Look, Pane, Popup};
use crate::arrows::of_rows;
use crate::list::Row;
use crate::text::{fit, width};
use crate::theme::Paint;
use crate::words;
pub(crate) use lines::frame;

/// The smallest screen that everything fits on.
pub const MIN: (u16, u16) = (60, 20);

/// Where the parts of the screen are. Panes are with their frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    pub title: Rect,
    pub path: Option<Rect>,
    pub calls: Option<Rect>,
    pub source: Option<Rect>,
    pub timeline: Option<Rect>,
    pub totals: Option<Rect>,
    /// The program's own terminal.
    pub program: Option<Rect>,
    /// The slider lies on the lower side of a frame.
    pub slider: Rect,
    pub sums: Rect,
    pub keys: Rect,
    /// The lower frame shares its upper side with the one above.
    pub joined: bool,
}

/// Divides a screen; `None` if it is too small.
pub fn areas(app: &App) -> Option<Areas> {
    let (w, h) = app.size;
    if w < MIN.0 || h < MIN.1 {
        return None;
    }
    let row = |y: u16| Rect::new(0, y, w, 1);
    let bars = Areas {
        title: row(0),
        sums: row(h - 2),
        keys: row(h - 1),
        ..Areas::default()
    };
    let body = Rect::new(0, 1, w, h - 3);
    let slider = Rect::new(body.x + 1, body.bottom() - 1, body.width - 2, 1);
    let whole = Areas { slider, ..bars };
    if app.zoom {
        let body = Some(body);
        return Some(match app.focus {
            Pane::Path => Areas {
                path: body,
                ..whole
            },
            Pane::Calls => Areas {
                calls: body,
                ..whole
            },
            Pane::Source => Areas {
                source: body,
                ..whole
            },
            Pane::Timeline => Areas {
                timeline: body,
                ..whole
            },
            Pane::Totals => Areas {
                totals: body,
                ..whole
            },
            Pane::Program => Areas {
                program: body,
                ..bars
            },
        });
    }
    if is_large(app.size) {
        let right = (w * 2 / 5).clamp(56, 100);
        let left = Rect {
            width: w - right,
            ..body
        };
        let right = Rect::new(left.right(), body.y, right, body.height);
        // Below the path the program's terminal, else the timeline; between calls and totals the source.
        let has_program = app.program.is_some();
        let below = match (has_program, h) {
            (true, _) => left.height * 2 / 5,
            (false, 40..) => 10,
            (false, _) => 0,
        };
        let (left, below) = split(left, left.height - below);
        let lines = app.store.has_lines() || app.focus == Pane::Source;
        let (calls, rest) = split(right, right.height * if lines { 2 } else { 3 } / 5);
        let (source, totals) = split(rest, if lines { rest.height / 2 } else { 0 });
        let some = |area: Rect, wanted: bool| (wanted && area.height > 0).then_some(area);
        // Where the timeline has no room of its own, it takes that of the totals.
        let own = !has_program && below.height > 0;
        let instead = app.focus == Pane::Timeline && !own;
        return Some(Areas {
            path: Some(left),
            calls: Some(calls),
            source: some(source, true),
            timeline: some(below, own).or(some(totals, instead)),
            program: some(below, has_program),
            totals: some(totals, !instead),
            slider: Rect::new(left.x + 1, left.bottom() - 1, left.width - 2, 1),
            ..bars
        });
    }
    if app.focus == Pane::Program {
        return Some(Areas {
            program: Some(body),
            ..bars
        });
    }
    // Rows inside the two frames, which share a border.
    let inner = body.height - 3;
    let tall = matches!(app.focus, Pane::Source | Pane::Timeline);
    let path = match inner {
        // Three bands, and no more.
        ..=30 if tall => 11.min(inner - 3),
        ..=18 => inner - 3,
        _ => (15 + (inner - 18) / 2).min(26),
    };
    let upper = Rect {
        height: path + 2,
        ..body
    };
    let lower = Rect::new(0, upper.bottom() - 1, w, body.height - upper.height + 1);
    // Below the path view: while the program runs, what it says.
    let program = app.focus == Pane::Path && app.program.is_some() && app.is_live();
    let calls = matches!(app.focus, Pane::Path | Pane::Calls) && !program;
    Some(Areas {
        path: Some(upper),
        source: (app.focus == Pane::Source).then_some(lower),
        timeline: (app.focus == Pane::Timeline).then_some(lower),
        calls: calls.then_some(lower),
        totals: (app.focus == Pane::Totals).then_some(lower),
        program: program.then_some(lower),
        joined: true,
        ..whole
    })
}

/// The upper `high` rows, and the rest.
fn split(area: Rect, high: u16) -> (Rect, Rect) {
    let high = high.min(area.height);
    let upper = Rect {
        height: high,
        ..area
    };
    let lower = Rect {
        y: area.y + high,
        height: area.height - high,
        ..area
    };
    (upper, lower)
}

/// Whether there is room for all panes beside each other.
fn is_large((w, h): (u16, u16)) -> bool {
    w >= 130 && h >= 30
}

/// Columns and rows of the program's terminal. They do not change when a pane gets the focus: that
/// would turn the program's screen upside down.
pub fn program_size(app: &App) -> (u16, u16) {
    let (w, h) = app.size;
    let whole = (w.saturating_sub(2), h.saturating_sub(5));
    let zoomed = app.zoom && app.focus == Pane::Program;
    let area = match is_large(app.size) && !zoomed {
        true => areas(app).and_then(|areas| areas.program).map(inside),
        false => None,
    };
    let (w, h) = area.map_or(whole, |area| (area.width, area.height));
    (w.max(1), h.max(1))
}

/// The cell of the program's screen that lies at a cell of ours.
pub fn program_cell(app: &App, x: u16, y: u16) -> Option<(u16, u16)> {
    let area = areas(app)?.program.map(inside)?;
    let is_in = area.contains(ratatui::layout::Position { x, y });
    let top = program::top(app.program.as_ref()?, area.height);
    is_in.then(|| (x - area.x, y - area.y + top))
}

/// The inside of a frame.
fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}

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
        n => format!("{} · {title}", words::small_left_out(look.lang, n as u64)),
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
    if !app.look.ascii {
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
    let mut x = area.x;
    for (text, paint) in pieces {
        let room = usize::from(area.right().saturating_sub(x));
        if room == 0 {
            break;
        }
        let text = fit(text, room, app.look.ascii);
        x = put(
            buf,
            x,
            area.y,
            area.right(),
            &text,
            app.look.theme.style(*paint),
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

/// What lies under the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    Path,
    /// An arrow of the path view, by its number.
    Arrow(usize),
    /// A row of the list of calls.
    Calls(usize),
    Source,
    /// The timeline, and the time there, ns.
    Timeline(Option<u64>),
    Totals,
    Program,
    /// A part of the slider's whole.
    Slider(u16, u16),
}

pub fn hit(app: &App, x: u16, y: u16) -> Option<Hit> {
    let areas = areas(app)?;
    let at = ratatui::layout::Position { x, y };
    if areas.slider.contains(at) {
        return Some(Hit::Slider(x - areas.slider.x, areas.slider.width - 1));
    }
    if let Some(area) = areas.calls.map(inside).filter(|area| area.contains(at)) {
        let top = calls::top(app, area.height);
        return Some(Hit::Calls(top + usize::from(y - area.y)));
    }
    let is_in = |area: Option<Rect>| area.is_some_and(|area| area.contains(at));
    if let Some(pane) = areas.timeline.filter(|area| area.contains(at)) {
        return Some(Hit::Timeline(timeline::time_at(app, pane, x)));
    }
    if let Some(area) = areas.path.filter(|area| area.contains(at))
        && let Some(arrow) = path::arrow_at(app, inside(area), at)
    {
        return Some(Hit::Arrow(arrow));
    }
    if is_in(areas.totals) {
        Some(Hit::Totals)
    } else if is_in(areas.source) {
        Some(Hit::Source)
    } else if is_in(areas.program) {
        Some(Hit::Program)
    } else if is_in(areas.path) {
        Some(Hit::Path)
    } else {
        None
    }
}

/// Rows that a page of the pane with the focus has.
pub fn page_rows(app: &App) -> u16 {
    let areas = areas(app).unwrap_or_default();
    let area = match app.focus {
        Pane::Calls => areas.calls,
        Pane::Source => areas.source,
        Pane::Program => areas.program,
        _ => areas.totals,
    };
    area.map_or(10, |area| inside(area).height)
}

pub fn totals_rows(app: &App) -> usize {
    totals::lines(app).len()
}

/// Calls whose details the screen shows.
pub fn calls_in_sight(app: &App) -> Vec<usize> {
    let mut calls = vec![app.cursor.call];
    if let Some(area) = areas(app).and_then(|areas| areas.calls) {
        let area = inside(area);
        let hops = app.hops().len();
        let top = calls::top(app, area.height);
        for row in top..top + usize::from(area.height) {
            let position = match app.list.row(row, app.cursor, hops) {
                Some(Row::Member(position)) => Some(position),
                Some(Row::Entry(number)) => app.list.entry(number).map(|e| e.first as usize),
                _ => None,
            };
            calls.extend(position.and_then(|position| app.list.call(position)));
        }
    }
    calls
}

/// The lanes of the timeline as they should be; `None` if it is not on the screen.
pub fn lanes_wish(app: &App) -> Option<LanesWish> {
    Some(timeline::wish(app, areas(app)?.timeline?))
}

/// The source file that the screen shows.
pub fn source_in_sight(app: &App) -> Option<String> {
    areas(app)?.source?;
    source::file(app)
}

/// The path view as it should be laid out; `None` if it is not on the screen.
pub fn wish(app: &App) -> Option<Wish> {
    let area = inside(areas(app)?.path?);
    Some(path::wish(app, area))
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
