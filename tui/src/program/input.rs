//! Keys, clicks and pasted text as the bytes that an xterm sends for them.

use terminput::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
    ScrollDirection,
};
use vt100::{MouseProtocolEncoding, MouseProtocolMode, Screen};

/// The key that takes the keyboard away from the program, and gives it back. A terminal sends
/// Ctrl-], Ctrl-5 the same byte.
pub fn is_escape(key: &KeyEvent) -> bool {
    matches!(key.code, KeyCode::Char(']' | '5')) && key.modifiers.contains(KeyModifiers::CTRL)
}

/// Nothing for a key that sends nothing.
pub fn key(key: &KeyEvent, screen: &Screen) -> Vec<u8> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let with = key.modifiers;
    let alt = with.contains(KeyModifiers::ALT);
    let mut bytes = Vec::new();
    match key.code {
        KeyCode::Char(c) => {
            if alt {
                bytes.push(0x1b);
            }
            match with.contains(KeyModifiers::CTRL).then(|| control(c)) {
                Some(Some(byte)) => bytes.push(byte),
                _ => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        KeyCode::Tab if with.contains(KeyModifiers::SHIFT) => bytes.extend(b"\x1b[Z"),
        KeyCode::Enter | KeyCode::Tab | KeyCode::Backspace | KeyCode::Esc => {
            if alt {
                bytes.push(0x1b);
            }
            bytes.push(match key.code {
                KeyCode::Enter => b'\r',
                KeyCode::Tab => b'\t',
                KeyCode::Backspace => 0x7f,
                _ => 0x1b,
            });
        }
        KeyCode::Up => letter(b'A', with, screen.application_cursor(), &mut bytes),
        KeyCode::Down => letter(b'B', with, screen.application_cursor(), &mut bytes),
        KeyCode::Right => letter(b'C', with, screen.application_cursor(), &mut bytes),
        KeyCode::Left => letter(b'D', with, screen.application_cursor(), &mut bytes),
        KeyCode::End => letter(b'F', with, screen.application_cursor(), &mut bytes),
        KeyCode::Home => letter(b'H', with, screen.application_cursor(), &mut bytes),
        KeyCode::Insert => number(2, with, &mut bytes),
        KeyCode::Delete => number(3, with, &mut bytes),
        KeyCode::PageUp => number(5, with, &mut bytes),
        KeyCode::PageDown => number(6, with, &mut bytes),
        KeyCode::F(n @ 1..=4) => letter(b'P' + n - 1, with, true, &mut bytes),
        KeyCode::F(n @ 5..=12) => {
            let codes = [15, 17, 18, 19, 20, 21, 23, 24];
            number(codes[usize::from(n) - 5], with, &mut bytes);
        }
        _ => {}
    }
    bytes
}

/// The control character of a key.
fn control(c: char) -> Option<u8> {
    Some(match c.to_ascii_lowercase() {
        c @ 'a'..='z' => c as u8 - b'a' + 1,
        ' ' | '@' | '2' => 0,
        '[' | '3' => 0x1b,
        '\\' | '4' => 0x1c,
        ']' | '5' => 0x1d,
        '^' | '6' => 0x1e,
        '_' | '7' | '/' => 0x1f,
        '?' | '8' => 0x7f,
        _ => return None,
    })
}

/// xterm's number for modifiers; 1 is none.
fn modifiers(with: KeyModifiers) -> u8 {
    1 + u8::from(with.contains(KeyModifiers::SHIFT))
        + 2 * u8::from(with.contains(KeyModifiers::ALT))
        + 4 * u8::from(with.contains(KeyModifiers::CTRL))
}

fn letter(end: u8, with: KeyModifiers, application: bool, bytes: &mut Vec<u8>) {
    match (modifiers(with), application) {
        (1, true) => bytes.extend([0x1b, b'O', end]),
        (1, false) => bytes.extend([0x1b, b'[', end]),
        (n, _) => bytes.extend(format!("\x1b[1;{n}{}", char::from(end)).bytes()),
    }
}

fn number(code: u8, with: KeyModifiers, bytes: &mut Vec<u8>) {
    let text = match modifiers(with) {
        1 => format!("\x1b[{code}~"),
        n => format!("\x1b[{code};{n}~"),
    };
    bytes.extend(text.bytes());
}

/// Pasted text, marked as such for a program that wants it.
pub fn paste(text: &str, screen: &Screen) -> Vec<u8> {
    // Newlines come as Enter does; nothing in the text may end the mark.
    let text = text.replace("\r\n", "\r").replace('\n', "\r");
    match screen.bracketed_paste() {
        true => {
            let text = text.replace("\x1b[201~", "");
            format!("\x1b[200~{text}\x1b[201~").into_bytes()
        }
        false => text.into_bytes(),
    }
}

/// A mouse event at a cell of the program's screen; nothing if the program did not ask for it.
pub fn mouse(event: &MouseEvent, (x, y): (u16, u16), screen: &Screen) -> Vec<u8> {
    use MouseProtocolMode as Mode;
    let mode = screen.mouse_protocol_mode();
    let code = |button| match button {
        MouseButton::Left => Some(0),
        MouseButton::Middle => Some(1),
        MouseButton::Right => Some(2),
        MouseButton::Unknown => None,
    };
    let (number, release) = match event.kind {
        MouseEventKind::Down(button) => (code(button), false),
        MouseEventKind::Up(button) if mode != Mode::Press => (code(button), true),
        MouseEventKind::Drag(button) if matches!(mode, Mode::ButtonMotion | Mode::AnyMotion) => {
            (code(button).map(|code| code + 32), false)
        }
        MouseEventKind::Moved if mode == Mode::AnyMotion => (Some(35), false),
        MouseEventKind::Scroll(ScrollDirection::Up) => (Some(64), false),
        MouseEventKind::Scroll(ScrollDirection::Down) => (Some(65), false),
        _ => (None, false),
    };
    let Some(number) = number.filter(|_| mode != Mode::None) else {
        return Vec::new();
    };
    let number = number + 4 * (modifiers(event.modifiers) - 1);
    match screen.mouse_protocol_encoding() {
        MouseProtocolEncoding::Sgr => {
            let end = if release { 'm' } else { 'M' };
            format!("\x1b[<{number};{};{}{end}", x + 1, y + 1).into_bytes()
        }
        _ => {
            let number = if release { 3 } else { number };
            // One byte each: what lies further right or below cannot be said.
            let place = |n: u16| u8::try_from(n + 33).unwrap_or(255);
            vec![0x1b, b'[', b'M', 32 + number, place(x), place(y)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Program;

    fn sent(code: KeyCode, with: KeyModifiers, setup: &[u8]) -> Vec<u8> {
        let mut program = Program::new((80, 24));
        program.output(setup);
        key(&KeyEvent::new(code).modifiers(with), program.screen())
    }

    #[test]
    fn keys_as_xterm_sends_them() {
        let (none, ctrl, alt) = (KeyModifiers::NONE, KeyModifiers::CTRL, KeyModifiers::ALT);
        #[rustfmt::skip] // a table
        let cases: &[(KeyCode, KeyModifiers, &[u8])] = &[
            (KeyCode::Char('a'), none, b"a"), (KeyCode::Char('缺'), none, "缺".as_bytes()),
            (KeyCode::Char('c'), ctrl, b"\x03"), (KeyCode::Char(' '), ctrl, b"\0"),
            (KeyCode::Char('x'), alt, b"\x1bx"), (KeyCode::Enter, none, b"\r"),
            (KeyCode::Backspace, none, b"\x7f"), (KeyCode::Tab, KeyModifiers::SHIFT, b"\x1b[Z"),
            (KeyCode::Up, none, b"\x1b[A"), (KeyCode::Up, ctrl, b"\x1b[1;5A"),
            (KeyCode::Home, none, b"\x1b[H"), (KeyCode::Delete, none, b"\x1b[3~"),
            (KeyCode::PageDown, KeyModifiers::SHIFT, b"\x1b[6;2~"), (KeyCode::F(1), none, b"\x1bOP"),
            (KeyCode::F(5), none, b"\x1b[15~"), (KeyCode::F(12), none, b"\x1b[24~"),
            (KeyCode::CapsLock, none, b""),
        ];
        for (code, with, bytes) in cases {
            assert_eq!(sent(*code, *with, b""), *bytes, "{code:?} {with:?}");
        }
        assert_eq!(sent(KeyCode::Up, none, b"\x1b[?1h"), b"\x1bOA");
    }

    #[test]
    fn pasted_and_clicked() {
        let mut program = Program::new((80, 24));
        assert_eq!(paste("a\nb", program.screen()), b"a\rb");
        let click = MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: 0,
            row: 0,
            modifiers: KeyModifiers::NONE,
        };
        assert_eq!(mouse(&click, (4, 2), program.screen()), b"");
        program.output(b"\x1b[?2004h\x1b[?1000h\x1b[?1006h");
        assert_eq!(paste("a", program.screen()), b"\x1b[200~a\x1b[201~");
        assert_eq!(mouse(&click, (4, 2), program.screen()), b"\x1b[<0;5;3M");
    }
}
