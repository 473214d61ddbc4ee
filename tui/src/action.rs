//! What can happen to the model. Keys, the mouse, the clock and the terminal all become one of these.

/// A direction, as an arrow key has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    Up,
    Down,
    Left,
    Right,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    // Stepping.
    NextHop,
    PrevHop,
    NextCall,
    PrevCall,
    First,
    Last,
    PlayPause,
    Faster,
    Slower,
    // Looking.
    NextPane,
    PrevPane,
    Move(Dir),
    /// Pages up (negative) or down.
    Page(i8),
    Zoom,
    Scope,
    /// The run beside another.
    Compare,
    /// The last call is looked at, whatever comes; or no longer.
    Follow,
    /// The keyboard goes to the traced program, or comes back.
    Program,
    /// Whether bytes are shown moving.
    Animation,
    Explain,
    Histogram,
    Help,
    /// One level back: a popup, a filter, a zoom.
    Back,
    // The filter.
    Filter,
    Type(char),
    Erase,
    /// Takes the filter as it was typed.
    Accept,
    // What leaves the screen.
    /// The current call, hop or line goes to the clipboard.
    Copy,
    /// The source of the current call goes to an editor.
    Edit,
    // How it looks.
    Theme,
    Language,
    // The mouse: cells from the top left corner.
    Click(u16, u16),
    /// Rows up (negative) or down, at a cell.
    Scroll(i8, u16, u16),
    // The terminal and the clock.
    Resize(u16, u16),
    /// A thirtieth of a second has passed.
    Tick,
    Redraw,
    Suspend,
    Quit,
}

/// What the model cannot do itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Leave the UI; what is traced and ours is to end.
    Quit,
    /// Leave the terminal, stop as Ctrl-Z does, and come back.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Put a text into the clipboard.
    Copy(String),
    /// Open a file at a line in an editor.
    Edit(String, u32),
}
