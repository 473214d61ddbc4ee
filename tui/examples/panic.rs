//! Takes the terminal and panics: the terminal has to be as before. For `tests/terminal.rs`.

fn main() -> std::io::Result<()> {
    let _screen = tui::terminal::Screen::enter(true)?;
    panic!("on purpose");
}
