//! Where the parts of the screen are.

use ratatui::layout::Rect;

use crate::app::{App, Pane};

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
pub(crate) fn is_large((w, h): (u16, u16)) -> bool {
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
    let top = app.program.as_ref()?.top(area.height);
    is_in.then(|| (x - area.x, y - area.y + top))
}

/// The inside of a frame.
pub fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}
