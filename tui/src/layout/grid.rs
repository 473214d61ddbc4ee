//! The cells of the path view while it is laid out: what is taken, and the way around it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A cell, from the top left corner of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    pub x: i32,
    pub y: i32,
}

impl At {
    pub fn step(self, way: Way) -> Self {
        let (dx, dy) = way.delta();
        Self {
            x: self.x + dx,
            y: self.y + dy,
        }
    }
}

/// A direction of travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    Up,
    Down,
    Left,
    Right,
}

impl Way {
    const ALL: [Self; 4] = [Self::Up, Self::Down, Self::Left, Self::Right];

    fn delta(self) -> (i32, i32) {
        match self {
            Self::Up => (0, -1),
            Self::Down => (0, 1),
            Self::Left => (-1, 0),
            Self::Right => (1, 0),
        }
    }

    pub fn back(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    pub fn is_vertical(self) -> bool {
        matches!(self, Self::Up | Self::Down)
    }
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cell {
    #[default]
    Free,
    /// The border between two bands: lines cross it, text avoids it.
    Border,
    Box,
    /// A line runs through it, up and down or from side to side.
    Vertical,
    Horizontal,
    /// A corner of a line, or text: nothing else may be here.
    Full,
}

pub struct Grid {
    pub width: i32,
    pub height: i32,
    cells: Vec<Cell>,
}

/// The way of an arrow: from a cell of a box's edge to one of another's, both ends included.
pub type Path = Vec<At>;

impl Grid {
    pub fn new(width: i32, height: i32) -> Self {
        let (width, height) = (width.max(0), height.max(0));
        Self {
            width,
            height,
            cells: vec![Cell::Free; (width * height) as usize],
        }
    }

    fn index(&self, at: At) -> Option<usize> {
        let inside = (0..self.width).contains(&at.x) && (0..self.height).contains(&at.y);
        inside.then_some((at.y * self.width + at.x) as usize)
    }

    /// What a cell holds; `None` outside.
    pub fn get(&self, at: At) -> Option<Cell> {
        self.cells.get(self.index(at)?).copied()
    }

    pub fn set(&mut self, at: At, cell: Cell) {
        if let Some(index) = self.index(at)
            && let Some(slot) = self.cells.get_mut(index)
        {
            *slot = cell;
        }
    }

    /// What it costs to enter a cell going `way`; `None` if it cannot be entered.
    fn cost(&self, at: At, way: Way) -> Option<u32> {
        match (self.get(at)?, way.is_vertical()) {
            (Cell::Free, _) | (Cell::Border, true) => Some(0),
            // Along the border a line could not be told from it.
            (Cell::Border, false) => Some(40),
            (Cell::Vertical, false) | (Cell::Horizontal, true) => Some(60),
            _ => None,
        }
    }

    /// Whether a line may turn in a cell.
    fn can_turn(&self, at: At) -> bool {
        matches!(self.get(at), Some(Cell::Free))
    }

    /// The cheapest way from `start`, a cell of a box's edge left going `way`, to one of `goals`:
    /// cells of another edge, entered going `arrive`.
    pub fn route(&self, start: At, way: Way, goals: &[At], arrive: Way) -> Option<Path> {
        const STEP: u32 = 10;
        const TURN: u32 = 35;
        let first = start.step(way);
        let entry = self.cost(first, way)?;
        let state = |at: At, way: Way| Some(self.index(at)? * 4 + way as usize);
        let mut best = vec![u32::MAX; self.cells.len() * 4];
        let mut from: Vec<Option<Way>> = vec![None; self.cells.len() * 4];
        let mut queue = BinaryHeap::new();
        *best.get_mut(state(first, way)?)? = entry;
        queue.push(Reverse((entry, first, way)));
        let goal = |at: At, way: Way| way == arrive && goals.contains(&at.step(way));
        while let Some(Reverse((cost, at, way))) = queue.pop() {
            let here = state(at, way)?;
            if best.get(here).is_some_and(|known| *known < cost) {
                continue;
            }
            if goal(at, way) {
                return Some(self.trace(&from, at, way, start));
            }
            for next in Way::ALL {
                if next == way.back() || (next != way && !self.can_turn(at)) {
                    continue;
                }
                let to = at.step(next);
                let Some(enter) = self.cost(to, next) else {
                    continue;
                };
                let turn = if next == way { 0 } else { TURN };
                let total = cost + STEP + turn + enter;
                let Some(slot) = state(to, next) else {
                    continue;
                };
                if best.get(slot).is_some_and(|known| total < *known) {
                    best[slot] = total;
                    from[slot] = Some(way);
                    queue.push(Reverse((total, to, next)));
                }
            }
            // A turn on the spot before the goal.
            if way != arrive && way != arrive.back() && self.can_turn(at) {
                let slot = state(at, arrive)?;
                if goals.contains(&at.step(arrive)) {
                    let total = cost + TURN;
                    if best.get(slot).is_some_and(|known| total < *known) {
                        best[slot] = total;
                        let mut path = self.trace(&from, at, way, start);
                        path.pop();
                        path.push(at.step(arrive));
                        return Some(path);
                    }
                }
            }
        }
        None
    }

    fn trace(&self, from: &[Option<Way>], last: At, way: Way, start: At) -> Path {
        let mut path = vec![last.step(way)];
        let (mut at, mut way) = (last, way);
        loop {
            path.push(at);
            let before = at.step(way.back());
            let state = self.index(at).map(|index| index * 4 + way as usize);
            match state.and_then(|state| from.get(state).copied().flatten()) {
                Some(earlier) if path.len() <= self.cells.len() => {
                    at = before;
                    way = earlier;
                }
                _ => break,
            }
        }
        path.push(start);
        path.reverse();
        path
    }

    /// Takes the cells of a path.
    pub fn draw(&mut self, path: &[At]) {
        for window in path.windows(3) {
            let &[before, at, after] = window else {
                continue;
            };
            let cell = match (before.x == after.x, before.y == after.y) {
                _ if matches!(self.get(at), Some(Cell::Vertical | Cell::Horizontal)) => Cell::Full,
                (true, _) => Cell::Vertical,
                (_, true) => Cell::Horizontal,
                _ => Cell::Full,
            };
            self.set(at, cell);
        }
    }

    /// Whether `cells` cells from `at` to the right can take text.
    pub fn has_room(&self, at: At, cells: usize, on_border: bool) -> bool {
        (0..cells as i32).all(|dx| {
            let cell = self.get(At {
                x: at.x + dx,
                y: at.y,
            });
            cell == Some(Cell::Free) || on_border && cell == Some(Cell::Border)
        })
    }

    pub fn fill(&mut self, at: At, cells: usize, cell: Cell) {
        for dx in 0..cells as i32 {
            self.set(
                At {
                    x: at.x + dx,
                    y: at.y,
                },
                cell,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: i32, y: i32) -> At {
        At { x, y }
    }

    #[test]
    fn straight_and_around() {
        let mut grid = Grid::new(10, 6);
        let up = grid.route(at(3, 5), Way::Up, &[at(3, 0)], Way::Up);
        assert_eq!(up.expect("a way").len(), 6);
        for x in 0..9 {
            grid.set(at(x, 3), Cell::Box);
        }
        let path = grid
            .route(at(3, 5), Way::Up, &[at(3, 0)], Way::Up)
            .expect("a way around");
        assert_eq!(
            (path.first(), path.last()),
            (Some(&at(3, 5)), Some(&at(3, 0)))
        );
        assert!(path.contains(&at(9, 3)));
        for pair in path.windows(2) {
            assert_eq!(
                (pair[0].x - pair[1].x).abs() + (pair[0].y - pair[1].y).abs(),
                1
            );
        }
        grid.set(at(9, 3), Cell::Box);
        assert_eq!(grid.route(at(3, 5), Way::Up, &[at(3, 0)], Way::Up), None);
    }

    #[test]
    fn lines_cross_but_do_not_run_together() {
        let mut grid = Grid::new(7, 7);
        let across = grid.route(at(0, 3), Way::Right, &[at(6, 3)], Way::Right);
        grid.draw(&across.expect("a way"));
        let up = grid
            .route(at(3, 6), Way::Up, &[at(3, 0)], Way::Up)
            .expect("a way");
        assert_eq!(up.len(), 7);
        assert_eq!(
            grid.route(at(0, 3), Way::Right, &[at(6, 3)], Way::Right),
            None
        );
    }

    #[test]
    fn a_loop_back_to_the_same_edge() {
        let grid = Grid::new(8, 3);
        let path = grid.route(at(1, 0), Way::Down, &[at(5, 0)], Way::Up);
        let path = path.expect("a way");
        assert_eq!(
            path,
            [
                at(1, 0),
                at(1, 1),
                at(2, 1),
                at(3, 1),
                at(4, 1),
                at(5, 1),
                at(5, 0)
            ]
        );
    }
}
