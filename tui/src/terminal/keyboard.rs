//! What is typed, clicked and pasted: read from the terminal, and taken apart into events.
//!
//! crossterm's own reader is not used. Up to 0.29 it asks mio, which tells of news only once, and
//! returns at the first: a key that comes with a new size, or is more than one read takes, lies there
//! until the next one. It waits in `read` for the rest of a sequence, and on a terminal that has hung
//! up it reads nothing for ever (crossterm-rs/crossterm #793; its other reader, `use-dev-tty`, does not
//! answer a poll that does not wait, #839). Here one poll(2), which tells as long as there is something,
//! is followed by one read.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
use terminput::{Event, KeyCode, KeyEvent};

/// What is read at once.
const CHUNK: usize = 1024;
/// How long the rest of a sequence may take, where its beginning could be a key of its own.
const REST: Duration = Duration::from_millis(100);

/// The terminal on standard input.
#[derive(Default)]
pub struct Keyboard {
    parser: Parser,
    /// When what has only begun was read.
    since: Option<Instant>,
}

impl Keyboard {
    /// Waits until something is typed or one of `others` is ready, at most for `wait`; not at all if
    /// there is something left of before. `false` if the terminal is gone.
    ///
    /// # Errors
    /// If the system cannot wait or read.
    pub fn wait(&mut self, others: &[PollFd<'_>], wait: Duration) -> io::Result<bool> {
        let wait = match (self.parser.events.is_empty(), self.since) {
            (false, _) => Duration::ZERO,
            (true, Some(_)) => wait.min(REST),
            (true, None) => wait,
        };
        let stdin = io::stdin();
        let mut fds = vec![PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        fds.extend_from_slice(others);
        // Up to the next whole millisecond, so as not to wake too early and wait for nothing.
        let wait =
            PollTimeout::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX);
        match poll(&mut fds, wait) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(true),
            Err(e) => return Err(e.into()),
        }
        let ready = fds.first().and_then(PollFd::revents);
        let ready = ready.unwrap_or(PollFlags::empty());
        if ready.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL) {
            return Ok(false);
        }
        if !self.parser.events.is_empty() {
            return Ok(true);
        }
        if ready.contains(PollFlags::POLLIN) {
            return self.read();
        }
        if self.since.is_some_and(|since| since.elapsed() >= REST) {
            self.since = None;
            self.parser.no_more();
        }
        Ok(true)
    }

    /// The next event, `None` if there is none. Does not wait.
    pub fn event(&mut self) -> Option<Event> {
        self.parser.events.pop_front()
    }

    /// Takes what is there; `false` if the terminal is gone.
    fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; CHUNK];
        match read(io::stdin(), &mut buffer) {
            // Of a raw terminal there is always a byte, until it has hung up since we asked.
            Ok(0) | Err(Errno::EIO) => return Ok(false),
            Ok(n) => self.parser.take(&buffer[..n], n == CHUNK),
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(e) => return Err(e.into()),
        }
        self.since = self.parser.may_be_whole().then(Instant::now);
        Ok(true)
    }
}

const ESC: u8 = 0x1b;

/// Bytes into events.
#[derive(Default)]
struct Parser {
    /// The beginning of an event.
    begun: Vec<u8>,
    events: VecDeque<Event>,
}

impl Parser {
    /// `more`: the rest may follow at once.
    fn take(&mut self, bytes: &[u8], more: bool) {
        for (at, byte) in bytes.iter().enumerate() {
            // Two of them, or one before a sequence.
            if self.begun == [ESC] && *byte == ESC {
                self.no_more();
            }
            self.begun.push(*byte);
            if self.begun != [ESC] || !(more || at + 1 < bytes.len()) {
                self.parse();
            }
        }
    }

    fn parse(&mut self) {
        if is_nowhere(&self.begun) {
            return self.begun.clear();
        }
        match Event::parse_from(&self.begun) {
            Ok(Some(event)) => {
                self.begun.clear();
                self.events.push_back(event);
            }
            Ok(None) => {}
            // What is no text ends before the byte that shows it.
            Err(_) if self.begun.len() > 1 && self.begun[0] != ESC => {
                let last = self.begun.pop();
                self.begun.clear();
                self.begun.extend(last);
                self.parse();
            }
            Err(_) => self.begun.clear(),
        }
    }

    /// Whether what has begun can also be all of it: Esc, or Alt with a key by which sequences begin.
    fn may_be_whole(&self) -> bool {
        matches!(self.begun[..], [ESC] | [ESC, b'[' | b'O'])
    }

    /// What has begun is all of it.
    fn no_more(&mut self) {
        let begun = std::mem::take(&mut self.begun);
        let keys = begun.iter().map(|byte| match *byte {
            ESC => KeyCode::Esc,
            byte => KeyCode::Char(char::from(byte)),
        });
        self.events
            .extend(keys.map(|key| Event::Key(KeyEvent::new(key))));
    }
}

/// Whether this is a click left of the first column or above the first row: they are counted from 1,
/// and terminput takes that away without a look.
fn is_nowhere(bytes: &[u8]) -> bool {
    let [ESC, b'[', b'<' | b'0'..=b'9', numbers @ .., b'M' | b'm'] = bytes else {
        return false;
    };
    let mut places = numbers.split(|byte| *byte == b';').skip(1);
    places.any(|place| !place.is_empty() && place.iter().all(|digit| *digit == b'0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use terminput::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

    use super::*;

    fn events(parts: &[&[u8]]) -> Vec<Event> {
        let mut parser = Parser::default();
        for part in parts {
            parser.take(part, false);
        }
        if parser.may_be_whole() {
            parser.no_more();
        }
        parser.events.into()
    }

    fn key(code: KeyCode, with: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(code).modifiers(with))
    }

    fn plain(code: KeyCode) -> Event {
        key(code, KeyModifiers::NONE)
    }

    fn ch(c: char) -> Event {
        plain(KeyCode::Char(c))
    }

    #[test]
    fn bytes_as_terminals_send_them() {
        let (ctrl, alt) = (KeyModifiers::CTRL, KeyModifiers::ALT);
        let esc = || plain(KeyCode::Esc);
        let click = MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: 4,
            row: 2,
            modifiers: KeyModifiers::NONE,
        };
        #[rustfmt::skip] // a table
        let cases: &[(&[&[u8]], Vec<Event>)] = &[
            (&[b"q"], vec![ch('q')]),
            (&[b"G"], vec![key(KeyCode::Char('G'), KeyModifiers::SHIFT)]),
            (&[b"\r\t\x7f"], vec![plain(KeyCode::Enter), plain(KeyCode::Tab), plain(KeyCode::Backspace)]),
            (&[b"\x03\x1d"], vec![key(KeyCode::Char('c'), ctrl), key(KeyCode::Char('5'), ctrl)]),
            (&["缺q".as_bytes()], vec![ch('缺'), ch('q')]),
            (&[b"\xe7\xbc", b"\xbaq"], vec![ch('缺'), ch('q')]),
            // No UTF-8: it costs no other key.
            (&[b"\xe9q"], vec![ch('q')]),
            (&[b"\xffq"], vec![ch('q')]),
            (&[b"\x1b[A\x1bOB\x1b[5~\x1b[Z"], vec![plain(KeyCode::Up), plain(KeyCode::Down), plain(KeyCode::PageUp), key(KeyCode::Tab, KeyModifiers::SHIFT)]),
            (&[b"\x1b[1;5C"], vec![key(KeyCode::Right, ctrl)]),
            (&[b"\x1b[", b"A"], vec![plain(KeyCode::Up)]),
            (&[b"\x1b"], vec![esc()]),
            (&[b"\x1bx"], vec![key(KeyCode::Char('x'), alt)]),
            (&[b"\x1b\x1b"], vec![esc(), esc()]),
            (&[b"\x1b\x1b[A"], vec![esc(), plain(KeyCode::Up)]),
            (&[b"\x1b["], vec![esc(), ch('[')]),
            (&[b"\x1bO"], vec![esc(), ch('O')]),
            (&[b"\x1b[<0;5;3M"], vec![Event::Mouse(click)]),
            (&[b"\x1b[<0;0;3Mq"], vec![ch('q')]),
            (&[b"\x1b[200~a\nb\x1b[A", b"c\x1b[201~q"], vec![Event::Paste("a\nb\x1b[Ac".to_owned()), ch('q')]),
        ];
        for (bytes, expected) in cases {
            assert_eq!(events(bytes), *expected, "{bytes:?}");
        }
    }

    #[test]
    fn an_escape_at_the_end_of_a_full_read_waits_for_the_rest() {
        let mut parser = Parser::default();
        parser.take(b"q\x1b", true);
        assert_eq!(Vec::from(parser.events.clone()), [ch('q')]);
        assert!(parser.may_be_whole());
        parser.take(b"[B", false);
        assert_eq!(Vec::from(parser.events), [ch('q'), plain(KeyCode::Down)]);
    }

    /// Mostly what sequences are made of.
    fn byte() -> impl Strategy<Value = u8> {
        let telling = b"\x1b\x1b[[<;;:?0123AMOZmqu~\xc3".to_vec();
        prop_oneof![9 => prop::sample::select(telling), 1 => any::<u8>()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]
        /// An event takes bytes, and what is kept are the last ones.
        #[test]
        fn any_bytes(parts in prop::collection::vec(prop::collection::vec(byte(), 0..12), 0..12)) {
            let mut parser = Parser::default();
            for part in &parts {
                parser.take(part, false);
            }
            let all = parts.concat();
            prop_assert!(all.ends_with(&parser.begun));
            prop_assert!(parser.events.len() + parser.begun.len() <= all.len());
        }
    }
}
