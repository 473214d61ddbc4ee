//! The path view laid out: where boxes, arrows and their labels stand, as a function of the arrows and
//! the size alone.

mod grid;
mod place;
mod plan;
mod wish;

pub use grid::{At, Way};
pub use place::{BYTES_CELLS, Label, Layout, Note, Words, label_cells};
pub use wish::{PlaceBox, Wish};
