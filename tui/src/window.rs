//! The part of the time that the timeline shows.

use crate::app::App;

/// The shortest window, ns.
pub const WINDOW_MIN: u64 = 200;

/// The time that is shown.
pub fn window(app: &App) -> (u64, u64) {
    let (first, last) = app.span;
    let whole = (first, last.max(first.saturating_add(WINDOW_MIN)));
    app.window.unwrap_or(whole)
}

/// Halves or doubles the time in sight, around a time (the current call's, if none is given).
pub fn zoom(app: &mut App, closer: bool, around: Option<u64>) {
    let (from, to) = window(app);
    let whole = app.store.span;
    let now = app.store.call(app.cursor.call).map(|call| call.ts);
    let middle = around.or(now.filter(|now| (from..=to).contains(now)));
    let middle = middle.unwrap_or(from + (to - from) / 2);
    let scale = |part: u64| {
        if closer {
            part / 2
        } else {
            part.saturating_mul(2)
        }
    };
    let (left, right) = (scale(middle - from), scale(to - middle));
    let (from, to) = (
        middle.saturating_sub(left).max(whole.0),
        middle.saturating_add(right).min(whole.1),
    );
    app.window = match to.saturating_sub(from) {
        length if length < WINDOW_MIN => app.window,
        length if length >= whole.1.saturating_sub(whole.0) => None,
        _ => Some((from, to)),
    };
}

/// Moves the window by a quarter of itself.
pub fn pan(app: &mut App, by: isize) {
    let (from, to) = window(app);
    let whole = app.store.span;
    let length = to - from;
    let step = (length / 4).max(1);
    let from = match by > 0 {
        true => from
            .saturating_add(step)
            .min(whole.1.saturating_sub(length).max(whole.0)),
        false => from.saturating_sub(step).max(whole.0),
    };
    if app.window.is_some() {
        app.window = Some((from, from.saturating_add(length)));
    }
}

/// Where the current call has left the window, the window follows.
pub fn follow(app: &mut App) {
    let Some((from, to)) = app.window else { return };
    let Some(call) = app.store.call(app.cursor.call) else {
        return;
    };
    if !(from..=to).contains(&call.ts) && call.ts > 0 {
        let length = to - from;
        let from = call.ts.saturating_sub(length / 4).max(app.store.span.0);
        app.window = Some((from, from.saturating_add(length)));
    }
}
