//! The traced program's own terminal: what it writes, as a screen, and what is typed for it.

pub mod input;

use std::num::NonZeroU16;

use vt100::{Callbacks, Parser, Screen};

/// Rows kept of what has left the screen.
const SCROLLBACK: usize = 5000;

/// The program's screen. Takes any bytes.
pub struct Program {
    parser: Parser<Replies>,
    /// Keys go to the program.
    pub typing: bool,
    /// Rows that one has scrolled up.
    scroll: usize,
}

/// Answers to what the program asks its terminal.
#[derive(Default)]
struct Replies(Vec<u8>);

impl Callbacks for Replies {
    fn unhandled_csi(
        &mut self,
        screen: &mut Screen,
        first: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        c: char,
    ) {
        let param = params.first().and_then(|p| p.first()).copied().unwrap_or(0);
        match (first, c, param) {
            // What are you? A VT102, as the Linux console says.
            (None, 'c', 0) => self.0.extend(b"\x1b[?6c"),
            (Some(b'>'), 'c', 0) => self.0.extend(b"\x1b[>0;0;0c"),
            // Are you well?
            (None, 'n', 5) => self.0.extend(b"\x1b[0n"),
            // Where is the cursor?
            (None, 'n', 6) => {
                let (row, col) = screen.cursor_position();
                self.0
                    .extend(format!("\x1b[{};{}R", row + 1, col + 1).bytes());
            }
            _ => {}
        }
    }
}

impl Program {
    /// With a screen of so many columns and rows; keys go to the program at first.
    pub fn new(size: (u16, u16)) -> Self {
        let (columns, rows) = size_of(size);
        Self {
            parser: Parser::new_with_callbacks(rows, columns, SCROLLBACK, Replies::default()),
            typing: true,
            scroll: 0,
        }
    }

    /// Takes what the program wrote; what its terminal answers.
    pub fn output(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.parser.process(bytes);
        std::mem::take(&mut self.parser.callbacks_mut().0)
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let (rows, columns) = self.screen().size();
        (columns.get(), rows.get())
    }

    pub fn resize(&mut self, size: (u16, u16)) {
        if size != self.size() {
            let (columns, rows) = size_of(size);
            self.parser.set_size(rows, columns);
        }
    }

    pub fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    /// Scrolls up (negative) or down over what the program wrote before.
    pub fn scroll(&mut self, rows: isize) {
        let screen = self.parser.screen_mut();
        self.scroll = self
            .scroll
            .saturating_add_signed(-rows)
            .min(screen.scrollback_len());
        screen.set_scrollback(self.scroll);
    }

    /// What the program wrote, as lines that a terminal can show; nothing of its full screens.
    pub fn transcript(&mut self) -> Vec<String> {
        let (columns, rows) = self.size();
        let screen = self.parser.screen_mut();
        let rows = usize::from(rows);
        let mut lines = Vec::new();
        let mut left = if screen.alternate_screen() {
            return lines;
        } else {
            screen.scrollback_len()
        };
        loop {
            screen.set_scrollback(left);
            let new = if left == 0 { rows } else { left.min(rows) };
            lines.extend(screen.rows_formatted(0, columns).take(new));
            if left == 0 {
                break;
            }
            left -= new;
        }
        screen.set_scrollback(self.scroll);
        let blank = |line: &String| line.trim().is_empty();
        lines.truncate(lines.len() - lines.iter().rev().take_while(|line| blank(line)).count());
        lines
    }

    pub fn scrolled(&self) -> usize {
        self.scroll
    }

    /// The first row that is shown where only so many fit: those at the cursor.
    pub fn top(&self, height: u16) -> u16 {
        let (_, rows) = self.size();
        let (row, _) = self.screen().cursor_position();
        let most = rows.saturating_sub(height);
        (row + 1).saturating_sub(height).min(most)
    }
}

fn size_of((columns, rows): (u16, u16)) -> (NonZeroU16, NonZeroU16) {
    let at_least = |n: u16| NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN);
    (at_least(columns), at_least(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_answers() {
        let mut program = Program::new((20, 5));
        assert_eq!(program.output(b"ab\r\ncd\x1b[6n"), b"\x1b[2;3R");
        assert_eq!(program.output(b"\x1b[c\x1b[5n"), b"\x1b[?6c\x1b[0n");
        assert_eq!(program.output(b"plain"), b"");
    }

    #[test]
    fn what_it_wrote_can_be_told_again() {
        let mut program = Program::new((10, 2));
        program.output(b"1\r\n2\r\n\r\n4\r\n5 \x1b[1mx\x1b[m\r\n");
        let lines = program.transcript();
        assert_eq!(lines[..4], ["1", "2", "", "4"]);
        assert!(lines[4].starts_with("5 ") && lines.len() == 5);
        program.output(b"\x1b[?1049h");
        assert_eq!(program.transcript(), [""; 0]);
    }

    #[test]
    fn scrolls_no_further_than_there_is() {
        let mut program = Program::new((10, 2));
        program.output(b"1\r\n2\r\n3\r\n4");
        program.scroll(-100);
        assert_eq!(program.scrolled(), 2);
        assert!(program.screen().contents().starts_with('1'));
        program.scroll(100);
        assert!(program.screen().contents().starts_with('3'));
    }
}
