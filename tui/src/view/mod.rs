//! The screen as a function of the model and its size. No I/O, no clock; any size from 1×1 up.

mod calls;
pub mod compare;
mod copied;
mod describe;
mod explain;
mod help;
mod histogram;
mod path;
mod program;
mod sight;
mod source;
mod status;
mod timeline;
mod totals;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

pub use self::copied::copied;
pub use self::path::draw_run;
pub use self::sight::{
    Hit, calls_in_sight, hit, lanes_wish, page_rows, source_in_sight, totals_rows, wish,
};
use crate::app::{App, Pane, Popup};
use crate::areas::{MIN, areas, inside};
use crate::draw::{frame, plain, put};
use crate::theme::Paint;
use crate::words;

/// Draws the model on all of `buf`.
pub fn draw(app: &App, buf: &mut Buffer) {
    let Some(areas) = areas(app).filter(|_| (buf.area.width, buf.area.height) == app.size) else {
        too_small(app, buf);
        return plain(&app.look, buf);
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
        Some(Popup::Histogram) => histogram::draw(app, buf),
        Some(Popup::Compare) => draw_compare(app, buf),
        Some(Popup::Quit) => status::quit(app, buf),
        None => {}
    }
    plain(&app.look, buf);
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

fn too_small(app: &App, buf: &mut Buffer) {
    let area = buf.area;
    let text = words::too_small(app.look.lang, area.width, area.height, MIN.0, MIN.1);
    let lines = crate::text::wrap(&text, usize::from(area.width));
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        put(buf, area.x, y, area.right(), &line, Style::new());
    }
}
