//! What signals are to us.

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To end; the signal of this number does.
    Quit(i32),
    Suspend,
    /// We were stopped behind our back, and continued.
    Resume,
    /// The terminal has a new size.
    Size,
}
