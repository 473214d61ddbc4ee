//! What every screen is drawn with.

mod frame;
mod popup;
mod text;

pub use frame::{Lines, frame};
pub use popup::popup;
pub use text::{plain, put, put_line, text};
