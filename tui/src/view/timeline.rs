//! When it happened: lanes for user mode, the kernel on its behalf, waiting, deferred work and each
//! device; as high as the part of a column's time that they were busy.

use std::collections::HashMap;

use bytehop_core::event::Engine;
use bytehop_core::model::{HopKind, Place};
use bytehop_core::report::units;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{inside, put};
use crate::app::App;
use crate::store::{Store, What};
use crate::text::{fit, pad, width};
use crate::theme::Paint;
use crate::words;

/// Who is busy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    User,
    Kernel,
    Waiting,
    /// Hops that ran outside the call that caused them.
    Later,
    Device(String, Option<Engine>),
}

/// One lane: how busy in each column, in eighths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub who: Who,
    pub busy: Vec<u8>,
}

/// What lanes are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanesWish {
    /// The time shown, ns.
    pub window: (u64, u64),
    pub columns: u16,
    /// Calls that there were when the time was looked at.
    pub calls: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lanes {
    pub lanes: Vec<Lane>,
    /// Only every so many calls are drawn.
    pub step: usize,
    wish: Option<LanesWish>,
}

/// Calls looked at for one picture.
const CALLS_MAX: usize = 20_000;
/// Devices with a lane.
const DEVICES_MAX: usize = 8;
/// The shortest window, ns.
pub const WINDOW_MIN: u64 = 200;

impl Lanes {
    /// Makes the lanes anew if what is wanted has changed.
    pub fn fit(&mut self, store: &Store, wish: Option<LanesWish>) {
        if let Some(wish) = wish.filter(|wish| self.wish != Some(*wish)) {
            *self = Self::new(store, wish);
        }
    }

    fn new(store: &Store, wish: LanesWish) -> Self {
        let (from, to) = wish.window;
        let mut scale = Scale {
            from,
            column: (to.saturating_sub(from).max(1)) as f64 / f64::from(wish.columns.max(1)),
            columns: usize::from(wish.columns),
            lanes: HashMap::new(),
        };
        for who in [Who::User, Who::Kernel] {
            scale.add(who, 0, 0);
        }
        // Calls stand in the order of their ends: some before and after may reach into the window.
        const MARGIN: usize = 256;
        let first = first_at(store, from).saturating_sub(MARGIN);
        let last = (first_at(store, to) + MARGIN).min(store.len());
        let step = (last - first).div_ceil(CALLS_MAX).max(1);
        let mut ends: HashMap<u32, u64> = HashMap::new();
        for index in (first..last).step_by(step) {
            let Some(call) = store.call(index) else { break };
            let Some(sig) = store.sig(&call) else {
                continue;
            };
            let end = call.ts.saturating_add(u64::from(call.dur));
            if sig.what != What::Later {
                let waited = u64::from(call.waited).min(u64::from(call.dur));
                if step == 1
                    && let Some(before) = ends.insert(sig.tid, end)
                {
                    scale.add(Who::User, before, call.ts);
                }
                // When in the call it waited is not kept: shown at its end, where most calls do.
                scale.add(
                    Who::Kernel,
                    call.ts,
                    (end - waited).max(call.ts.saturating_add(1)),
                );
                if waited > 0 {
                    scale.add(Who::Waiting, end - waited, end);
                }
            }
            for hop in store.hops(index) {
                let Some(key) = store.key(&hop) else { continue };
                let begin = call.ts.saturating_add(u64::from(hop.after));
                let end = begin.saturating_add(u64::from(hop.dur).max(1));
                if key.deferred {
                    scale.add(Who::Later, begin, end);
                }
                for place in [&key.from, &key.to] {
                    if let Place::Device(name) | Place::Nic(name) = place {
                        scale.add(Who::Device(name.clone(), key.engine), begin, end);
                    }
                }
            }
        }
        let mut lanes: Vec<Lane> = scale.finish();
        lanes.sort_by(|a, b| a.who.cmp(&b.who));
        Self {
            lanes,
            step,
            wish: Some(wish),
        }
    }
}

/// The first call, in order, that began at or after a time.
fn first_at(store: &Store, time: u64) -> usize {
    let (mut low, mut high) = (0, store.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match store.call(middle) {
            Some(call) if call.ts < time => low = middle + 1,
            _ => high = middle,
        }
    }
    low
}

/// Adds up busy time by column.
struct Scale {
    from: u64,
    column: f64,
    columns: usize,
    lanes: HashMap<Who, Vec<f64>>,
}

impl std::hash::Hash for Who {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        if let Self::Device(name, _) = self {
            name.hash(state);
        }
    }
}

impl Scale {
    fn add(&mut self, who: Who, begin: u64, end: u64) {
        let known = self.lanes.contains_key(&who);
        if !known && matches!(who, Who::Device(..)) {
            let devices = self
                .lanes
                .keys()
                .filter(|who| matches!(who, Who::Device(..)));
            if devices.count() >= DEVICES_MAX {
                return;
            }
        }
        let columns = self.columns;
        let lane = self.lanes.entry(who).or_insert_with(|| vec![0.0; columns]);
        if end <= begin || end <= self.from {
            return;
        }
        let at = |time: u64| time.saturating_sub(self.from) as f64 / self.column;
        let (first, last) = (at(begin), at(end).min(columns as f64));
        let mut column = first as usize;
        while column < columns && (column as f64) < last {
            let left = first.max(column as f64);
            let right = last.min(column as f64 + 1.0);
            lane[column] += (right - left).max(0.0);
            column += 1;
        }
    }

    fn finish(self) -> Vec<Lane> {
        let eighths = |busy: f64| match busy {
            0.0 => 0,
            busy => ((busy * 8.0).round() as u8).clamp(1, 8),
        };
        let lanes = self.lanes.into_iter();
        let lanes = lanes.map(|(who, busy)| Lane {
            who,
            busy: busy.into_iter().map(eighths).collect(),
        });
        lanes.collect()
    }
}

/// The time that is shown.
pub fn window(app: &App) -> (u64, u64) {
    let (first, last) = app.span;
    let whole = (first, last.max(first.saturating_add(WINDOW_MIN)));
    app.window.unwrap_or(whole)
}

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

/// The call that began last at or before a time.
pub fn call_at(app: &App, time: u64) -> usize {
    first_at(&app.store, time.saturating_add(1)).saturating_sub(1)
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
