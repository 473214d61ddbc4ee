//! What is in sight: what lies under the mouse, and what has to be made or read for the screen.

use ratatui::layout::Rect;

use super::{calls, path, source, timeline, totals};
use crate::app::{App, Pane};
use crate::areas::{areas, inside};
use crate::lanes::LanesWish;
use crate::layout::Wish;
use crate::list::Row;

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
