//! The only writer of the model.

use crate::action::{Action, Dir, Effect};
use crate::app::{App, Pane, Popup, SPEEDS, Scope, TICKS};
use crate::list::Row;
use crate::view;
use tracer::i18n::Lang;

/// Applies one action.
pub fn update(app: &mut App, action: Action) -> Option<Effect> {
    let effect = act(app, action);
    app.fetch();
    effect
}

fn act(app: &mut App, action: Action) -> Option<Effect> {
    match action {
        Action::Quit => return Some(Effect::Quit),
        Action::Suspend => return Some(Effect::Suspend),
        Action::Redraw => return Some(Effect::Redraw),
        Action::Resize(width, height) => app.size = (width, height),
        Action::Tick => tick(app),
        Action::Back => back(app),
        Action::Help => toggle(app, Popup::Help),
        Action::Explain => toggle(app, Popup::Explain),
        Action::Theme => app.look.theme = app.look.theme.next(),
        Action::Language => {
            app.look.lang = match app.look.lang {
                Lang::En => Lang::Zh,
                Lang::Zh => Lang::En,
            }
        }
        Action::Filter => app.input = Some(app.filter.clone()),
        Action::Type(c) => {
            if let Some(input) = app.input.as_mut().filter(|input| input.len() < 200) {
                input.extend((!c.is_control()).then_some(c));
            }
        }
        Action::Erase => {
            if let Some(input) = &mut app.input {
                input.pop();
            }
        }
        Action::Accept => {
            if let Some(input) = app.input.take() {
                app.filter = input.trim().to_owned();
                app.refilter();
            }
        }
        Action::NextPane | Action::PrevPane => {
            let next = action == Action::NextPane;
            app.focus = match (app.focus, next) {
                (Pane::Path, true) | (Pane::Totals, false) => Pane::Calls,
                (Pane::Calls, true) | (Pane::Path, false) => Pane::Totals,
                (Pane::Totals, true) | (Pane::Calls, false) => Pane::Path,
            }
        }
        Action::Zoom => app.zoom = !app.zoom,
        Action::Scope => {
            app.scope = match app.scope {
                Scope::Run => Scope::SoFar,
                Scope::SoFar => Scope::Call,
                Scope::Call => Scope::Run,
            }
        }
        Action::Move(dir) => arrow(app, dir),
        Action::Page(pages) => page(app, pages),
        Action::Click(x, y) => click(app, x, y),
        Action::Scroll(rows, x, y) => wheel(app, rows, x, y),
        Action::PlayPause => {
            app.playing = !app.playing && !app.list.is_empty();
            app.due = 0;
        }
        Action::Faster => app.speed = (app.speed + 1).min(SPEEDS.len() - 1),
        Action::Slower => app.speed = app.speed.saturating_sub(1),
        Action::NextHop => {
            next_hop(app);
        }
        Action::PrevHop => prev_hop(app),
        Action::NextCall => step_call(app, 1),
        Action::PrevCall => step_call(app, -1),
        Action::First => app.go(0, None),
        Action::Last => app.go(app.list.len().saturating_sub(1), None),
    }
    None
}

fn toggle(app: &mut App, popup: Popup) {
    app.popup = (app.popup != Some(popup)).then_some(popup);
    app.popup_scroll = 0;
}

fn back(app: &mut App) {
    if app.input.take().is_some() || app.popup.take().is_some() {
        return;
    }
    if !app.filter.is_empty() {
        app.filter.clear();
        app.refilter();
    } else if app.zoom {
        app.zoom = false;
    } else {
        app.playing = false;
    }
}

fn tick(app: &mut App) {
    app.ticks = app.ticks.saturating_add(1);
    if !app.playing {
        return;
    }
    app.due += SPEEDS.get(app.speed).copied().unwrap_or(1);
    while app.due >= TICKS {
        app.due -= TICKS;
        if !next_hop(app) {
            app.playing = false;
            app.due = 0;
        }
    }
}

/// Goes to the next hop, over calls that have none; false at the end.
fn next_hop(app: &mut App) -> bool {
    let position = app.list.position(app.cursor.call);
    let next = app.cursor.hop.map_or(0, |hop| hop + 1);
    if next < app.hops().len() {
        app.go(position, Some(next));
        return true;
    }
    let mut after = position + 1..app.list.len();
    let found = after.find(|position| has_hops(app, *position));
    if let Some(position) = found {
        app.go(position, Some(0));
    }
    found.is_some()
}

fn prev_hop(app: &mut App) {
    let position = app.list.position(app.cursor.call);
    if let Some(hop) = app.cursor.hop.filter(|hop| *hop > 0) {
        return app.go(position, Some(hop - 1));
    }
    let found = (0..position)
        .rev()
        .find(|position| has_hops(app, *position));
    match found {
        Some(position) => app.go(position, Some(usize::MAX)),
        None => app.go(position, None),
    }
}

fn has_hops(app: &App, position: usize) -> bool {
    let call = app.list.call(position);
    call.is_some_and(|call| app.store.has_hops(call))
}

fn step_call(app: &mut App, by: isize) {
    let position = app.list.position(app.cursor.call);
    let last = app.list.len().saturating_sub(1);
    app.go(position.saturating_add_signed(by).min(last), None);
}

/// An arrow key means what the pane makes of it.
fn arrow(app: &mut App, dir: Dir) {
    let by = if matches!(dir, Dir::Down | Dir::Right) {
        1
    } else {
        -1
    };
    if app.popup.is_some() {
        app.popup_scroll = app.popup_scroll.saturating_add_signed(by).min(500);
        return;
    }
    match (app.focus, dir) {
        (Pane::Path, Dir::Right) => {
            next_hop(app);
        }
        (Pane::Path, Dir::Left) => prev_hop(app),
        (Pane::Path, _) => step_call(app, by),
        (Pane::Calls, Dir::Up | Dir::Down) => move_rows(app, by),
        (Pane::Calls, Dir::Right) => open(app, true),
        (Pane::Calls, Dir::Left) => open(app, false),
        (Pane::Totals, _) => scroll_totals(app, by),
    }
}

fn scroll_totals(app: &mut App, by: isize) {
    let most = view::totals_rows(app).saturating_sub(1);
    app.totals_scroll = app.totals_scroll.saturating_add_signed(by).min(most);
}

/// Opens or closes the run of calls under the cursor.
fn open(app: &mut App, open: bool) {
    let position = app.list.position(app.cursor.call);
    let entry = app.list.entry_of(position);
    let was = app.list.is_open(entry);
    app.list.set_open(entry, open);
    if !open && !was {
        // Nothing to close: up from the hop to its call.
        app.go(position, None);
    } else if open && was == app.list.is_open(entry) {
        next_hop(app);
    }
}

/// Moves the cursor over rows of the list of calls.
fn move_rows(app: &mut App, by: isize) {
    let hops = app.hops().len();
    let rows = app.list.rows(hops);
    let row = app.list.row_of(app.cursor).saturating_add_signed(by);
    if rows > 0 {
        go_row(app, row.min(rows - 1), by < 0);
    }
}

/// Puts the cursor on a row.
fn go_row(app: &mut App, row: usize, up: bool) {
    let hops = app.hops().len();
    match app.list.row(row, app.cursor, hops) {
        Some(Row::Hop(hop)) => app.go(app.list.position(app.cursor.call), Some(hop)),
        Some(Row::Member(position)) => app.go(position, None),
        Some(Row::Entry(number)) => {
            let Some(entry) = app.list.entry(number) else {
                return;
            };
            // The header of an open run is no call of its own: pass over it.
            let first = entry.first as usize;
            match (app.list.is_open(number), up) {
                (true, true) if first > 0 => app.go(first - 1, None),
                _ => app.go(first, None),
            }
        }
        None => {}
    }
}

fn page(app: &mut App, pages: i8) {
    let height = isize::from(view::page_rows(app) as i16).max(1);
    let by = height * isize::from(pages);
    match (app.popup, app.focus) {
        (Some(_), _) => {
            app.popup_scroll = app.popup_scroll.saturating_add_signed(by).min(500);
        }
        (None, Pane::Calls) => move_rows(app, by),
        (None, Pane::Path) => step_call(app, 10 * isize::from(pages)),
        (None, Pane::Totals) => scroll_totals(app, by),
    }
}

fn click(app: &mut App, x: u16, y: u16) {
    if app.popup.take().is_some() {
        return;
    }
    match view::hit(app, x, y) {
        Some(view::Hit::Path) => app.focus = Pane::Path,
        Some(view::Hit::Totals) => app.focus = Pane::Totals,
        Some(view::Hit::Calls(row)) => {
            app.focus = Pane::Calls;
            if row < app.list.rows(app.hops().len()) {
                go_row(app, row, false);
            }
        }
        Some(view::Hit::Slider(part, whole)) => {
            let calls = app.list.len() as u64;
            let position = calls.saturating_sub(1) * u64::from(part) / u64::from(whole.max(1));
            app.go(position as usize, None);
        }
        None => {}
    }
}

fn wheel(app: &mut App, rows: i8, x: u16, y: u16) {
    let by = isize::from(rows);
    if app.popup.is_some() {
        app.popup_scroll = app.popup_scroll.saturating_add_signed(by).min(500);
        return;
    }
    match view::hit(app, x, y) {
        Some(view::Hit::Totals) => scroll_totals(app, by),
        Some(view::Hit::Calls(_)) => move_rows(app, by),
        Some(view::Hit::Path | view::Hit::Slider(..)) if by > 0 => {
            next_hop(app);
        }
        Some(view::Hit::Path | view::Hit::Slider(..)) => prev_hop(app),
        None => {}
    }
}
