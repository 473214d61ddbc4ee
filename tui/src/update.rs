//! The only writer of the model.

use bytehop_core::i18n::Say;

use crate::action::{Action, Dir, Effect};
use crate::app::{App, Pane, Popup, SPEEDS, Scope, Source, TICKS, Target};
use crate::filter::Filter;
use crate::list::Row;
use crate::{lanes, view, window, words};

/// Applies one action.
pub fn update(app: &mut App, action: Action) -> Option<Effect> {
    let before = app.cursor;
    if !matches!(action, Action::Tick | Action::Resize(..) | Action::Redraw) {
        app.note = None;
    }
    let effect = act(app, action);
    if app.cursor != before {
        window::follow(app);
    }
    app.fit_program();
    app.fetch();
    effect
}

fn act(app: &mut App, action: Action) -> Option<Effect> {
    match action {
        Action::Quit => {
            if app.source != Source::Live(Target::Command) || app.popup == Some(Popup::Quit) {
                return Some(Effect::Quit);
            }
            app.popup = Some(Popup::Quit);
            app.popup_scroll = 0;
        }
        Action::Suspend => return Some(Effect::Suspend),
        Action::Redraw => return Some(Effect::Redraw),
        Action::Resize(width, height) => app.size = (width, height),
        Action::Tick => tick(app),
        Action::Back => back(app),
        Action::Help => toggle(app, Popup::Help),
        Action::Explain => toggle(app, Popup::Explain),
        Action::Histogram => toggle(app, Popup::Histogram),
        Action::Compare => {
            if app.other.is_some() {
                toggle(app, Popup::Compare);
            }
        }
        Action::Theme => app.look.next_theme(),
        Action::Language => {
            app.look.lang = app.look.lang.other();
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
            if let Some(input) = &app.input {
                match Filter::parse(input) {
                    Ok(_) => {
                        app.filter = input.trim().to_owned();
                        app.input = None;
                        app.refilter();
                    }
                    // It can be put right.
                    Err(error) => app.note = Some(error.say(app.look.lang)),
                }
            }
        }
        Action::Copy => return view::copied(app).map(Effect::Copy),
        Action::Edit => match app.store.line(app.cursor.call) {
            Some(frame) => return Some(Effect::Edit(frame.file.clone(), frame.line)),
            None => app.note = Some(words::no_line(app.look.lang).to_owned()),
        },
        Action::NextPane => next_pane(app, 1),
        Action::PrevPane => next_pane(app, -1),
        Action::Program => to_program(app),
        Action::Animation => app.animation = !app.animation,
        Action::Follow => {
            app.follow = !app.follow && app.is_live();
            if app.follow {
                app.go(app.list.len().saturating_sub(1), None);
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
            // What runs along by itself is stopped first.
            app.playing = !app.playing && !app.follow && !app.list.is_empty();
            app.follow = false;
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
        Action::First => {
            app.follow = false;
            app.go(0, None);
        }
        Action::Last => {
            app.follow = app.is_live();
            app.go(app.list.len().saturating_sub(1), None);
        }
    }
    None
}

/// Says that what was asked for is not possible where there is no terminal.
pub fn cannot(app: &mut App, effect: &Effect) {
    let lang = app.look.lang;
    app.note = match effect {
        Effect::Copy(_) => Some(words::page_copies_not(lang).to_owned()),
        Effect::Edit(file, line) => Some(words::page_edits_not(lang, file, line)),
        Effect::Quit | Effect::Suspend | Effect::Redraw => None,
    };
}

fn next_pane(app: &mut App, by: isize) {
    const PANES: [Pane; 6] = [
        Pane::Path,
        Pane::Calls,
        Pane::Source,
        Pane::Timeline,
        Pane::Totals,
        Pane::Program,
    ];
    let count = PANES.len() - usize::from(app.program.is_none());
    let at = PANES.iter().position(|pane| *pane == app.focus);
    let next = at.unwrap_or(0) as isize + by;
    app.focus = PANES[next.rem_euclid(count as isize) as usize];
    if let Some(program) = &mut app.program {
        program.typing = false;
    }
}

/// Gives the keyboard to the program, or takes it back.
fn to_program(app: &mut App) {
    let (typing, live) = (app.is_typing(), app.is_live());
    if let Some(program) = &mut app.program {
        program.typing = !typing && live;
        app.popup = None;
        app.input = None;
        app.focus = match typing {
            true => Pane::Path,
            false => Pane::Program,
        };
        if program.typing {
            program.scroll(isize::MAX);
        }
    }
}

/// Takes what the program wrote to its terminal; what the terminal answers.
pub fn output(app: &mut App, bytes: &[u8]) -> Vec<u8> {
    let program = app.program.as_mut();
    program.map_or_else(Vec::new, |program| program.output(bytes))
}

/// Takes what has come to the store, and how far that is.
pub fn fed(app: &mut App, source: Source, behind: u64) {
    let ended = app.is_live() && matches!(source, Source::Ended(_));
    app.source = source;
    app.behind = behind;
    app.grow();
    if ended {
        app.follow = false;
        if let Some(program) = &mut app.program {
            program.typing = false;
        }
        if app.focus == Pane::Program {
            app.focus = Pane::Path;
        }
        if app.popup == Some(Popup::Quit) {
            app.popup = None;
        }
    }
    app.fetch();
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
    app.flow.tick();
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
    app.follow = false;
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
    app.follow = false;
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
    app.follow = false;
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
        (Pane::Program, Dir::Up | Dir::Down) => scroll_program(app, by),
        (Pane::Program, _) => {}
        (Pane::Path, Dir::Right) => {
            next_hop(app);
        }
        (Pane::Path, Dir::Left) => prev_hop(app),
        (Pane::Path, _) => step_call(app, by),
        (Pane::Calls, Dir::Up | Dir::Down) => move_rows(app, by),
        (Pane::Calls, Dir::Right) => open(app, true),
        (Pane::Calls, Dir::Left) => open(app, false),
        (Pane::Source, Dir::Up | Dir::Down) => scroll_source(app, by),
        // To the next place where calls come from.
        (Pane::Source, _) => step_call(app, by),
        (Pane::Timeline, Dir::Up) => window::zoom(app, true, None),
        (Pane::Timeline, Dir::Down) => window::zoom(app, false, None),
        (Pane::Timeline, _) => window::pan(app, by),
        (Pane::Totals, _) => scroll_totals(app, by),
    }
}

fn scroll_source(app: &mut App, by: isize) {
    app.source_scroll = (app.source_scroll + by).clamp(-100_000, 100_000);
}

/// Goes to the next hop that an arrow stands for, from the current one on, and round to the first.
fn go_arrow(app: &mut App, number: usize) {
    let Some(arrow) = app.arrows.get(number).cloned() else {
        return;
    };
    let here = app.list.position(app.cursor.call);
    let len = app.list.len();
    for step in 0..=len {
        let position = (here + step) % len.max(1);
        let Some(call) = app.list.call(position) else {
            return;
        };
        // In the current call only what comes after the current hop.
        let skip = match step {
            0 => app.cursor.hop.map_or(0, |hop| hop + 1),
            _ => 0,
        };
        let hops = app.store.hops(call);
        let mut hops = hops.iter().enumerate().skip(skip);
        if let Some((hop, _)) = hops.find(|(_, hop)| arrow.is_of(hop)) {
            return app.go(position, Some(hop));
        }
    }
}

fn scroll_program(app: &mut App, by: isize) {
    if let Some(program) = &mut app.program {
        program.scroll(by);
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
    app.follow = false;
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
        (None, Pane::Source) => scroll_source(app, by),
        (None, Pane::Timeline) => window::pan(app, 4 * isize::from(pages)),
        (None, Pane::Totals) => scroll_totals(app, by),
        (None, Pane::Program) => scroll_program(app, by),
    }
}

fn click(app: &mut App, x: u16, y: u16) {
    if app.popup.take().is_some() {
        return;
    }
    let hit = view::hit(app, x, y);
    let live = app.is_live();
    if let Some(program) = &mut app.program {
        program.typing = live && hit == Some(view::Hit::Program);
    }
    match hit {
        Some(view::Hit::Program) => app.focus = Pane::Program,
        Some(view::Hit::Path) => app.focus = Pane::Path,
        Some(view::Hit::Arrow(arrow)) => {
            app.focus = Pane::Path;
            go_arrow(app, arrow);
        }
        Some(view::Hit::Source) => app.focus = Pane::Source,
        Some(view::Hit::Timeline(time)) => {
            app.focus = Pane::Timeline;
            if let Some(time) = time {
                let call = lanes::call_at(&app.store, time);
                let position = app.list.position(call);
                app.go(position, None);
            }
        }
        Some(view::Hit::Totals) => app.focus = Pane::Totals,
        Some(view::Hit::Calls(row)) => {
            app.focus = Pane::Calls;
            app.follow = false;
            if row < app.list.rows(app.hops().len()) {
                go_row(app, row, false);
            }
        }
        Some(view::Hit::Slider(part, whole)) => {
            app.follow = false;
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
        Some(view::Hit::Source) => scroll_source(app, by),
        Some(view::Hit::Timeline(time)) => window::zoom(app, by < 0, time),
        Some(view::Hit::Program) => scroll_program(app, by),
        Some(view::Hit::Totals) => scroll_totals(app, by),
        Some(view::Hit::Calls(_)) => move_rows(app, by),
        Some(view::Hit::Path | view::Hit::Arrow(_) | view::Hit::Slider(..)) if by > 0 => {
            next_hop(app);
        }
        Some(view::Hit::Path | view::Hit::Arrow(_) | view::Hit::Slider(..)) => prev_hop(app),
        None => {}
    }
}
