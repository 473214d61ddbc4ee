//! Line bodies: each kind of hop has its own, and a broken one for what is inferred.

use bytehop_core::model::HopKind;

use crate::layout::{At, Way};

/// A way of drawing lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pen {
    pub kind: HopKind,
    /// Some of it is concluded, not measured.
    pub broken: bool,
    pub ascii: bool,
}

/// Horizontal, vertical, and the corners ┌ ┐ └ ┘.
type Set = [char; 6];

const HEAVY: Set = ['━', '┃', '┏', '┓', '┗', '┛'];
const HEAVY_BROKEN: Set = ['╍', '╏', '┏', '┓', '┗', '┛'];
const DOUBLE: Set = ['═', '║', '╔', '╗', '╚', '╝'];
const LIGHT: Set = ['─', '│', '┌', '┐', '└', '┘'];
const LIGHT_BROKEN: Set = ['╌', '╎', '┌', '┐', '└', '┘'];
const DOTTED: Set = ['┈', '┊', '┌', '┐', '└', '┘'];
const SHADE: Set = ['░'; 6];

/// The direction of one step of a path.
pub fn way(from: At, to: At) -> Way {
    match (to.x - from.x, to.y - from.y) {
        (0, dy) if dy < 0 => Way::Up,
        (0, _) => Way::Down,
        (dx, _) if dx < 0 => Way::Left,
        _ => Way::Right,
    }
}

impl Pen {
    fn set(self) -> Set {
        if self.ascii {
            return match self.kind {
                HopKind::Copy => ['#', '#', '+', '+', '+', '+'],
                HopKind::Dma => ['=', 'H', '+', '+', '+', '+'],
                HopKind::Share => ['-', '|', '+', '+', '+', '+'],
                HopKind::Map => ['.', ':', '+', '+', '+', '+'],
                HopKind::Fill => ['%'; 6],
            };
        }
        match (self.kind, self.broken) {
            (HopKind::Copy, false) => HEAVY,
            (HopKind::Copy, true) => HEAVY_BROKEN,
            (HopKind::Dma, _) => DOUBLE,
            (HopKind::Share, false) => LIGHT,
            (HopKind::Share, true) => LIGHT_BROKEN,
            (HopKind::Map, _) => DOTTED,
            (HopKind::Fill, _) => SHADE,
        }
    }

    /// Whether a gap must show that the line is broken, because it has no broken glyphs.
    fn has_gaps(self) -> bool {
        let glyphs = !self.ascii && matches!(self.kind, HopKind::Copy | HopKind::Share);
        self.broken && !glyphs
    }

    /// The `i`th cell of a line that comes in going one way and leaves going another; `None`: a gap.
    pub fn body(self, i: usize, came: Way, goes: Way) -> Option<char> {
        let [across, upright, down_right, down_left, up_right, up_left] = self.set();
        if came == goes && self.has_gaps() && i % 3 == 2 {
            return None;
        }
        // The sides of the cell that the line touches.
        Some(match (came.back(), goes) {
            (a, b) if a.is_vertical() && b.is_vertical() => upright,
            (a, b) if !a.is_vertical() && !b.is_vertical() => across,
            (Way::Down, Way::Right) | (Way::Right, Way::Down) => down_right,
            (Way::Down, Way::Left) | (Way::Left, Way::Down) => down_left,
            (Way::Up, Way::Right) | (Way::Right, Way::Up) => up_right,
            _ => up_left,
        })
    }

    /// Where a line leaves a box.
    pub fn tail(self, goes: Way) -> char {
        if self.ascii {
            return '+';
        }
        let glyphs = match self.kind {
            HopKind::Copy => ['┸', '┰', '┥', '┝'],
            HopKind::Dma => ['╨', '╥', '╡', '╞'],
            HopKind::Share | HopKind::Map | HopKind::Fill => ['┴', '┬', '┤', '├'],
        };
        let [up, down, left, right] = glyphs;
        match goes {
            Way::Up => up,
            Way::Down => down,
            Way::Left => left,
            Way::Right => right,
        }
    }

    /// Where it arrives.
    pub fn head(self, came: Way) -> char {
        let [up, down, left, right] = if self.ascii {
            ['^', 'v', '<', '>']
        } else {
            ['▲', '▼', '◀', '▶']
        };
        match came {
            Way::Up => up,
            Way::Down => down,
            Way::Left => left,
            Way::Right => right,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_differ_in_each_direction() {
        let kinds = [
            HopKind::Copy,
            HopKind::Dma,
            HopKind::Share,
            HopKind::Map,
            HopKind::Fill,
        ];
        for ascii in [false, true] {
            for broken in [false, true] {
                for way in [Way::Up, Way::Right] {
                    let line = |kind| {
                        let pen = Pen {
                            kind,
                            broken,
                            ascii,
                        };
                        (0..6).map(|i| pen.body(i, way, way)).collect::<Vec<_>>()
                    };
                    for (i, a) in kinds.iter().enumerate() {
                        for b in &kinds[i + 1..] {
                            assert_ne!(line(*a), line(*b), "{a:?} {b:?} {ascii} {broken}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_inferred_looks_broken() {
        for kind in [
            HopKind::Copy,
            HopKind::Dma,
            HopKind::Share,
            HopKind::Map,
            HopKind::Fill,
        ] {
            for ascii in [false, true] {
                let line = |broken| {
                    let pen = Pen {
                        kind,
                        broken,
                        ascii,
                    };
                    (0..6)
                        .map(|i| pen.body(i, Way::Up, Way::Up))
                        .collect::<Vec<_>>()
                };
                assert_ne!(line(false), line(true), "{kind:?} {ascii}");
            }
        }
    }
}
