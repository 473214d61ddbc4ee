//! Which box stands where, and where on its edges each arrow begins and may end.

use std::ops::RangeInclusive;

use bytehop_core::i18n::Lang;
use bytehop_core::model::Place;

use super::grid::{At, Way};
use super::wish::{PlaceBox, Wish};
use crate::arrows::{Arrow, Band, band};
use crate::text::width;
use crate::words;

/// Where an arrow leaves its box, and where it may arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub arrow: usize,
    pub start: At,
    pub way: Way,
    pub goals: Vec<At>,
    pub arrive: Way,
}

type Say = fn(Lang) -> &'static str;

pub struct Plan {
    pub boxes: Vec<PlaceBox>,
    pub borders: Vec<i32>,
    pub ports: Vec<Port>,
    /// Rows of bands without a box, and what to say there.
    pub empty: Vec<(RangeInclusive<i32>, Say)>,
    pub device_rows: RangeInclusive<i32>,
}

/// A column of the kernel band: a box, or room for arrows that pass it by.
struct Column {
    place: Option<Place>,
    /// Arrows to and from user mode, and to and from devices.
    up: Vec<usize>,
    down: Vec<usize>,
    left: i32,
    width: i32,
}

/// Cells that an upright arrow and its label have, and cells between boxes with an arrow between them:
/// from what they like to the least, in the order in which they are taken away.
const SIZES: [(i32, i32); 5] = [(20, 24), (14, 16), (8, 16), (8, 10), (2, 4)];

/// Cells of a box with a name, at most and at least.
const NAME: i32 = 40;
const NAME_MIN: i32 = 6;
/// Cells that an arrow from a place to itself takes.
const LOOP: i32 = 10;

/// Rows of the bands.
struct Rows {
    user: i32,
    kernel: i32,
    kernel_height: i32,
    devices: i32,
    borders: [i32; 2],
    end: i32,
}

impl Plan {
    pub fn new(wish: &Wish) -> Self {
        let arrows = &wish.arrows;
        let places = |wanted: Band| {
            let ends = arrows.iter().flat_map(|a| [&a.from, &a.to]);
            let mut places: Vec<Place> = ends.filter(|p| band(p) == wanted).cloned().collect();
            places.sort();
            places.dedup();
            places
        };
        let (user, kernel, devices) = (
            places(Band::User),
            order(places(Band::Kernel), arrows),
            places(Band::Devices),
        );
        let sides = |a: &Place, b: &Place| {
            let joins = |x: &Arrow| (&x.from, &x.to) == (a, b) || (&x.from, &x.to) == (b, a);
            arrows.iter().filter(|arrow| joins(arrow)).count() as i32
        };
        let most_sides = kernel.windows(2).map(|pair| match pair {
            [a, b] => sides(a, b),
            _ => 0,
        });
        let rows = Rows::new(
            i32::from(wish.height),
            !user.is_empty(),
            !kernel.is_empty(),
            !devices.is_empty(),
            most_sides.max().unwrap_or(0),
        );
        let columns = columns(wish, &kernel, &sides);

        let mut plan = Self {
            boxes: Vec::new(),
            borders: rows.borders.to_vec(),
            ports: Vec::new(),
            empty: Vec::new(),
            device_rows: rows.borders[1] + 1..=rows.end,
        };
        for column in &columns {
            if let Some(place) = &column.place {
                plan.add(
                    wish,
                    place,
                    column.left,
                    rows.kernel,
                    column.width,
                    rows.kernel_height,
                );
            }
        }
        plan.user_box(wish, &columns, &rows);
        plan.device_boxes(wish, &columns, &devices, &rows);
        plan.make_ports(wish, &columns);
        if user.is_empty() {
            plan.empty.push((0..=rows.borders[0] - 1, words::no_user));
        }
        if kernel.is_empty() {
            let band = rows.borders[0] + 1..=rows.borders[1] - 1;
            plan.empty.push((band, words::no_kernel));
        }
        if devices.is_empty() {
            plan.empty
                .push((plan.device_rows.clone(), words::no_devices));
        }
        plan
    }

    fn add(&mut self, wish: &Wish, place: &Place, left: i32, top: i32, width: i32, height: i32) {
        self.boxes.push(PlaceBox {
            text: name(wish, place),
            place: place.clone(),
            left,
            top,
            width,
            height,
        });
    }

    fn find(&self, place: &Place) -> Option<&PlaceBox> {
        self.boxes.iter().find(|b| b.place == *place)
    }

    /// User memory spans all arrows that touch it, so that they can be straight.
    fn user_box(&mut self, wish: &Wish, columns: &[Column], rows: &Rows) {
        let lanes = columns.iter().flat_map(|c| {
            let count = c.up.len();
            (0..count).map(move |i| c.lane(i, count))
        });
        let loops = wish.arrows.iter();
        let loops = loops.filter(|a| a.from == Place::User && a.to == Place::User);
        let loops = loops.count() as i32;
        let name_cells = width(&name(wish, &Place::User)) as i32 + 4;
        let (left, right) = (lanes.clone().min(), lanes.max());
        let touched = wish
            .arrows
            .iter()
            .any(|a| a.from == Place::User || a.to == Place::User);
        if !touched {
            return;
        }
        let left = left.map_or(2, |x| (x - 2).max(0));
        let right = right.map_or(left, |x| x + 2);
        let wide = (right - left + 1).max(name_cells) + loops * LOOP;
        let wide = wide.min(i32::from(wish.width));
        let left = left.min(i32::from(wish.width) - wide);
        self.add(wish, &Place::User, left, rows.user, wide, 3);
    }

    /// Devices stand below what they serve.
    fn device_boxes(&mut self, wish: &Wish, columns: &[Column], devices: &[Place], rows: &Rows) {
        let mut wanted: Vec<(i32, i32, &Place)> = devices
            .iter()
            .map(|place| {
                let lanes = columns.iter().flat_map(|c| {
                    let of = c.down.iter().enumerate();
                    let of = of.filter(|(_, i)| touches(wish.arrows.get(**i), place));
                    of.map(|(i, _)| c.lane(i, c.down.len()))
                });
                let (left, right) = (lanes.clone().min(), lanes.max());
                (left.unwrap_or(2), right.unwrap_or(2), place)
            })
            .collect();
        wanted.sort();
        let mut free = 0;
        for (left, right, place) in wanted {
            let cells = width(&name(wish, place)) as i32 + 4;
            let wide = (right - left + 5).max(cells).min(i32::from(wish.width));
            let middle = (left + right) / 2 - wide / 2;
            let most = i32::from(wish.width) - wide;
            let left = middle.min(left - 2).max(free).min(most.max(free));
            self.add(wish, place, left, rows.devices, wide, 3);
            free = left + wide + 1;
        }
    }

    fn make_ports(&mut self, wish: &Wish, columns: &[Column]) {
        for (i, arrow) in wish.arrows.iter().enumerate() {
            let (Some(from), Some(to)) = (self.find(&arrow.from), self.find(&arrow.to)) else {
                continue;
            };
            let (a, b) = (band(&arrow.from), band(&arrow.to));
            let port = if arrow.from == arrow.to {
                self_loop(i, from, &self.ports)
            } else if a == Band::Kernel && b == Band::Kernel {
                sideways(i, from, to, &self.ports)
            } else {
                let down = a < b;
                let lane = columns.iter().find_map(|column| {
                    let up = column.up.iter().position(|n| *n == i);
                    let low = column.down.iter().position(|n| *n == i);
                    up.map(|n| column.lane(n, column.up.len()))
                        .or_else(|| low.map(|n| column.lane(n, column.down.len())))
                });
                let Some(x) = lane else { continue };
                upright(i, from, to, x, down)
            };
            self.ports.push(port);
        }
    }
}

impl Column {
    /// Where the `i`th of `count` arrows stands.
    fn lane(&self, i: usize, count: usize) -> i32 {
        let slot = (self.width - 3).max(1) / (count.max(1) as i32);
        self.left + 2 + i as i32 * slot.max(1)
    }
}

fn touches(arrow: Option<&Arrow>, place: &Place) -> bool {
    arrow.is_some_and(|a| a.from == *place || a.to == *place)
}

/// The text in a place's box.
fn name(wish: &Wish, place: &Place) -> String {
    let text = words::place(wish.lang, place);
    let engine = wish.arrows.iter().find(|a| touches(Some(a), place));
    match (band(place), engine.and_then(|a| a.engine)) {
        (Band::Devices, Some(engine)) => format!("{text} · {}", words::engine(wish.lang, engine)),
        _ => text,
    }
}

/// Kernel places from left to right: in their usual order, but neighbours if an arrow joins them.
fn order(places: Vec<Place>, arrows: &[Arrow]) -> Vec<Place> {
    let cost = |order: &[Place]| {
        let at = |place: &Place| order.iter().position(|p| p == place);
        let far = arrows.iter().filter_map(|a| {
            let apart = at(&a.from)?.abs_diff(at(&a.to)?);
            Some(apart.saturating_sub(1))
        });
        far.sum::<usize>()
    };
    let mut best = (cost(&places), places.clone());
    // Six kinds of kernel places: 720 orders at most.
    let mut order = places;
    let n = order.len();
    let mut counters = vec![0; n];
    let mut i = 0;
    while i < n && best.0 > 0 {
        if counters[i] < i {
            order.swap(if i.is_multiple_of(2) { 0 } else { counters[i] }, i);
            let now = cost(&order);
            if now < best.0 {
                best = (now, order.clone());
            }
            counters[i] += 1;
            i = 0;
        } else {
            counters[i] = 0;
            i += 1;
        }
    }
    best.1
}

fn columns(wish: &Wish, kernel: &[Place], sides: &dyn Fn(&Place, &Place) -> i32) -> Vec<Column> {
    let empty = |place| Column {
        place,
        up: Vec::new(),
        down: Vec::new(),
        left: 0,
        width: 0,
    };
    // Between user mode and devices: past the kernel, on the left.
    let mut columns = vec![empty(None)];
    columns.extend(kernel.iter().map(|place| empty(Some(place.clone()))));
    for (i, arrow) in wish.arrows.iter().enumerate() {
        let mut bands = [
            (band(&arrow.from), &arrow.from),
            (band(&arrow.to), &arrow.to),
        ];
        bands.sort_by_key(|(band, _)| *band);
        let [(high, upper), (low, lower)] = bands;
        let place = match (high, low) {
            (Band::User, Band::Devices) => None,
            (Band::User, Band::Kernel) => Some(lower),
            (Band::Kernel, Band::Devices) => Some(upper),
            _ => continue,
        };
        let column = columns.iter_mut().find(|c| c.place.as_ref() == place);
        let Some(column) = column else { continue };
        if high == Band::User {
            column.up.push(i);
        }
        if low == Band::Devices {
            column.down.push(i);
        }
    }
    columns.retain(|column| column.place.is_some() || !column.up.is_empty());

    // As wide as there is room for.
    let own = |a: &&Arrow| a.from == Place::User && a.to == Place::User;
    let loops = wish.arrows.iter().filter(own).count() as i32;
    let room = i32::from(wish.width) - loops * LOOP;
    let gap = |pair: (&Column, &Column), side: i32| match (&pair.0.place, &pair.1.place) {
        (Some(a), Some(b)) if sides(a, b) > 0 => side,
        _ => 2,
    };
    let cells = |column: &Column, slot: i32, most: i32| {
        let lanes = column.up.len().max(column.down.len()) as i32;
        let text = column
            .place
            .as_ref()
            .map_or(0, |place| width(&name(wish, place)) as i32 + 4);
        text.min(most).max(lanes * slot + 3)
    };
    let total = |slot: i32, side: i32, most: i32| {
        let boxes: i32 = columns.iter().map(|column| cells(column, slot, most)).sum();
        let gaps = columns.iter().zip(columns.iter().skip(1));
        boxes + gaps.map(|pair| gap(pair, side)).sum::<i32>()
    };
    let (mut slot, mut side) = SIZES[0];
    let mut most = NAME;
    for to in &SIZES[1..] {
        while total(slot, side, most) > room && (slot, side) != *to {
            slot = (slot - 1).max(to.0);
            side = (side - 1).max(to.1);
        }
    }
    // At last the names are cut.
    while total(slot, side, most) > room && most > NAME_MIN {
        most -= 1;
    }
    // What is left over stands between the boxes and around them.
    let spare = (room - total(slot, side, most)).max(0) / (columns.len() as i32 + 1);
    let mut left = spare.min(8);
    for i in 0..columns.len() {
        let wide = cells(&columns[i], slot, most);
        let after = columns
            .get(i + 1)
            .map_or(0, |next| gap((&columns[i], next), side));
        let column = &mut columns[i];
        (column.left, column.width) = (left, wide);
        left += wide + after + spare.min(12);
    }
    columns
}

impl Rows {
    fn new(height: i32, user: bool, kernel: bool, devices: bool, sides: i32) -> Self {
        let rows = |has: bool| if has { 3 } else { 1 };
        let kernel_height = if kernel { 2 + sides.clamp(1, 3) } else { 1 };
        let fixed = rows(user) + kernel_height + rows(devices) + 2;
        let mut spare = (height - fixed).max(0);
        // Above and below each border; empty bands need no room.
        let mut gaps = [0; 4];
        let wants = [user, kernel, kernel && devices, devices];
        for most in 1..=4 {
            for i in [0, 2, 1, 3] {
                let wanted = wants.get(i).copied().unwrap_or(false);
                if spare > 0 && wanted && gaps[i] < most {
                    gaps[i] += 1;
                    spare -= 1;
                }
            }
        }
        let first = rows(user) + gaps[0];
        let kernel = first + 1 + gaps[1];
        let second = kernel + kernel_height + gaps[2];
        Self {
            user: 0,
            kernel,
            kernel_height,
            devices: second + 1 + gaps[3],
            borders: [first, second],
            end: height - 1,
        }
    }
}

/// Between two bands: down from, or up to, the lane `x`.
fn upright(arrow: usize, from: &PlaceBox, to: &PlaceBox, x: i32, down: bool) -> Port {
    let way = if down { Way::Down } else { Way::Up };
    let edge = |b: &PlaceBox, top: bool| if top { b.top } else { b.bottom() };
    let inside = |b: &PlaceBox, x: i32| x.clamp(b.left + 1, (b.right() - 1).max(b.left + 1));
    let start = At {
        x: inside(from, x),
        y: edge(from, !down),
    };
    let goal_row = edge(to, down);
    let goals = if (to.left + 1..to.right()).contains(&x) {
        vec![At { x, y: goal_row }]
    } else {
        let free = to.left + 1..to.right();
        free.map(|x| At { x, y: goal_row }).collect()
    };
    Port {
        arrow,
        start,
        way,
        goals,
        arrive: way,
    }
}

/// Between two boxes of the kernel band.
fn sideways(arrow: usize, from: &PlaceBox, to: &PlaceBox, taken: &[Port]) -> Port {
    let right = from.left < to.left;
    let way = if right { Way::Right } else { Way::Left };
    let x = if right { from.right() } else { from.left };
    // Each row of the box's side takes one arrow.
    let used = |y: i32| {
        taken.iter().any(|port| {
            let start = port.start.y == y && port.start.x == x;
            start || port.goals.contains(&At { x, y }) && port.goals.len() == 1
        })
    };
    let mut rows = from.top + 1..from.bottom();
    let y = rows.find(|y| !used(*y)).unwrap_or(from.top + 1);
    let goal = if right { to.left } else { to.right() };
    let goals = match y {
        _ if (to.top + 1..to.bottom()).contains(&y) => vec![At { x: goal, y }],
        _ => (to.top + 1..to.bottom())
            .map(|y| At { x: goal, y })
            .collect(),
    };
    Port {
        arrow,
        start: At { x, y },
        way,
        goals,
        arrive: way,
    }
}

/// From a place to itself: out of the lower edge and back, right of what else is there.
fn self_loop(arrow: usize, b: &PlaceBox, taken: &[Port]) -> Port {
    let y = b.bottom();
    let loops = taken
        .iter()
        .filter(|port| port.way == Way::Down && port.arrive == Way::Up);
    let before = loops
        .filter(|port| port.start.y == y && port.start.x > b.left)
        .count() as i32;
    let end = (b.right() - 1 - before * LOOP).max(b.left + 3);
    Port {
        arrow,
        start: At {
            x: (end - 5).max(b.left + 1),
            y,
        },
        way: Way::Down,
        goals: vec![At { x: end, y }],
        arrive: Way::Up,
    }
}
