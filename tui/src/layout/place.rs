//! Where boxes, arrows and their labels stand. Depends on the arrows and the size alone, not on where
//! one is, so that nothing moves while stepping.

use bytehop_core::i18n::Lang;
use bytehop_core::terms;

use super::grid::{At, Cell, Grid, Path};
use super::plan::{Plan, Port};
use super::wish::{PlaceBox, Wish};
use crate::arrows::Later;
use crate::store::Amount;
use crate::text::{compact, width};

/// How much a label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Words {
    Letter,
    /// Mark, letter, bytes in four cells.
    Tight,
    /// Mark, letter, weight, bytes.
    Bytes,
    /// The same, how often, and whether later.
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    pub at: At,
    pub cells: usize,
    pub words: Words,
}

/// Plain text in a band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub at: At,
    pub text: String,
    /// The band's name.
    pub title: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub boxes: Vec<PlaceBox>,
    /// Rows of the borders between the bands.
    pub borders: Vec<i32>,
    /// The way of each arrow; empty if there was no room.
    pub paths: Vec<Path>,
    pub labels: Vec<Option<Label>>,
    pub notes: Vec<Note>,
}

/// Cells of a label of an arrow: mark, letter, weight, bytes.
pub const BYTES_CELLS: usize = 12;

/// Cells that an arrow's label takes.
pub fn label_cells(words: Words, amount: Amount, later: Later, lang: Lang) -> usize {
    let count = match amount.count {
        0 | 1 => 0,
        n => 2 + compact(n).len(),
    };
    let late = match later {
        Later::No => 0,
        _ => 1 + width(terms::later(lang)),
    };
    match words {
        Words::Letter => 2,
        Words::Tight => 7,
        Words::Bytes => BYTES_CELLS,
        Words::All => BYTES_CELLS + count + late,
    }
}

impl Layout {
    pub fn new(wish: &Wish) -> Self {
        let (w, h) = (i32::from(wish.width), i32::from(wish.height));
        let plan = Plan::new(wish);
        let mut grid = Grid::new(w, h);
        for row in &plan.borders {
            for x in 0..w {
                grid.set(At { x, y: *row }, Cell::Border);
            }
        }
        for b in &plan.boxes {
            for y in b.top..=b.bottom() {
                for x in b.left..=b.right() {
                    grid.set(At { x, y }, Cell::Box);
                }
            }
        }
        let mut layout = Self {
            paths: vec![Path::new(); wish.arrows.len()],
            labels: vec![None; wish.arrows.len()],
            borders: plan.borders.clone(),
            ..Self::default()
        };
        layout.route(&plan, &mut grid);
        layout.titles(wish, &mut grid);
        layout.label(wish, &mut grid);
        layout.notes(wish, &plan, &mut grid);
        layout.boxes = plan.boxes;
        layout
    }

    /// Straight lines first, so that the others go around them.
    fn route(&mut self, plan: &Plan, grid: &mut Grid) {
        for straight in [true, false] {
            for port in &plan.ports {
                let Some(path) = self.paths.get_mut(port.arrow) else {
                    continue;
                };
                if path.is_empty()
                    && let Some(found) = way_of(port, straight, grid)
                {
                    grid.draw(&found);
                    *path = found;
                }
            }
        }
    }

    /// The names of the bands, on their borders, where no line crosses.
    fn titles(&mut self, wish: &Wish, grid: &mut Grid) {
        let names = [crate::words::band_kernel, crate::words::band_devices];
        for (row, name) in self.borders.iter().zip(names) {
            let text = format!(" {} ", name(wish.lang));
            self.notes
                .extend(place(grid, *row..=*row, &text, true).map(|at| Note {
                    at,
                    text,
                    title: true,
                }));
        }
    }

    fn label(&mut self, wish: &Wish, grid: &mut Grid) {
        let mut order: Vec<usize> = (0..wish.arrows.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(wish.amounts.get(*i).map_or(0, |a| a.bytes)));
        // Everyone gets their bytes before anyone gets more.
        for words in [Words::Bytes, Words::Tight, Words::Letter] {
            for &i in &order {
                let (Some(arrow), Some(amount)) = (wish.arrows.get(i), wish.amounts.get(i)) else {
                    continue;
                };
                if self.labels.get(i).is_some_and(Option::is_some) {
                    continue;
                }
                let cells = label_cells(words, *amount, arrow.later, wish.lang);
                let path = self.paths.get(i).map_or(&[][..], |path| path);
                let Some(at) = beside(grid, path, cells) else {
                    continue;
                };
                grid.fill(at, cells, Cell::Full);
                if let Some(slot) = self.labels.get_mut(i) {
                    *slot = Some(Label { at, cells, words });
                }
            }
        }
        for &i in &order {
            let (Some(arrow), Some(amount)) = (wish.arrows.get(i), wish.amounts.get(i)) else {
                continue;
            };
            let Some(Some(label)) = self.labels.get_mut(i) else {
                continue;
            };
            let cells = label_cells(Words::All, *amount, arrow.later, wish.lang);
            let more = cells - label.cells.min(cells);
            let after = At {
                x: label.at.x + label.cells as i32,
                y: label.at.y,
            };
            // One cell more keeps it apart from what follows.
            if label.words == Words::Bytes && grid.has_room(after, more + 1, true) {
                grid.fill(after, more, Cell::Full);
                label.cells = cells;
                label.words = Words::All;
            }
        }
    }

    /// What there is to say about bands that are empty, and devices that are none.
    fn notes(&mut self, wish: &Wish, plan: &Plan, grid: &mut Grid) {
        let mut say = |rows: std::ops::RangeInclusive<i32>, text: String| {
            let padded = format!(" {text} ");
            if let Some(at) = place(grid, rows, &padded, false) {
                self.notes.push(Note {
                    at,
                    text: padded,
                    title: false,
                });
            }
        };
        for (rows, name) in plan.empty.iter() {
            say(rows.clone(), name(wish.lang).to_owned());
        }
        for name in &wish.software {
            say(
                plan.device_rows.clone(),
                crate::words::software_device(wish.lang, name),
            );
        }
        let hidden = self.paths.iter().filter(|path| path.is_empty()).count();
        if hidden > 0 {
            let text = crate::words::not_drawn(wish.lang, hidden as u64);
            say(0..=i32::from(wish.height), text);
        }
    }
}

/// The way of an arrow: a straight line if that is what is asked for, else any.
fn way_of(port: &Port, straight: bool, grid: &Grid) -> Option<Path> {
    if straight {
        let goal = port.goals.iter().find(|goal| {
            if port.way.is_vertical() {
                goal.x == port.start.x
            } else {
                goal.y == port.start.y
            }
        })?;
        let path = grid.route(port.start, port.way, &[*goal], port.arrive)?;
        let bends = path.iter().any(|at| {
            if port.way.is_vertical() {
                at.x != port.start.x
            } else {
                at.y != port.start.y
            }
        });
        return (!bends).then_some(path);
    }
    // Ports that are free: nothing runs in front of them.
    let free = |goal: &&At| {
        let before = goal.step(port.arrive.back());
        matches!(grid.get(before), Some(Cell::Free | Cell::Border))
    };
    let goals: Vec<At> = port.goals.iter().filter(free).copied().collect();
    grid.route(port.start, port.way, &goals, port.arrive)
}

/// The first room for text in some rows, from the left.
fn place(
    grid: &mut Grid,
    rows: std::ops::RangeInclusive<i32>,
    text: &str,
    on_border: bool,
) -> Option<At> {
    let cells = width(text);
    for y in rows {
        for x in 1..grid.width - cells as i32 {
            let at = At { x, y };
            if grid.has_room(at, cells, on_border) {
                grid.fill(at, cells, Cell::Full);
                return Some(at);
            }
        }
    }
    None
}

/// Room for a label beside a path: off the borders if possible, right of a line or above it.
fn beside(grid: &Grid, path: &[At], cells: usize) -> Option<At> {
    let inner = path
        .get(1..path.len().saturating_sub(1))
        .unwrap_or_default();
    let wide = cells as i32;
    // With a blank after it if possible.
    for (on_border, blank) in [(false, 1), (true, 1), (false, 0), (true, 0)] {
        for (i, at) in inner.iter().enumerate() {
            let before = path.get(i).copied().unwrap_or(*at);
            let after = path.get(i + 2).copied().unwrap_or(*at);
            let spots: &[At] = if before.x == after.x {
                &[
                    At {
                        x: at.x + 1,
                        y: at.y,
                    },
                    At {
                        x: at.x - wide,
                        y: at.y,
                    },
                ]
            } else if before.y == after.y {
                // In the middle of what is left of the run.
                let run = inner.iter().filter(|other| other.y == at.y).count() as i32;
                let first = inner.iter().filter(|other| other.y == at.y).map(|o| o.x);
                let middle = first.min().unwrap_or(at.x) + (run - wide) / 2;
                &[
                    At {
                        x: middle,
                        y: at.y - 1,
                    },
                    At {
                        x: middle,
                        y: at.y + 1,
                    },
                ]
            } else {
                &[]
            };
            for spot in spots {
                let apart = At {
                    x: spot.x + wide,
                    y: spot.y,
                };
                let touches = matches!(grid.get(apart), Some(Cell::Full));
                if !touches && grid.has_room(*spot, cells + blank, on_border) {
                    return Some(*spot);
                }
            }
        }
    }
    None
}
