//! Recordings opened: a part or all of one, with its progress on a terminal.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use bytehop_core::event::Only;
use bytehop_core::record::{Events, Reader, RecordError, Wanted};

/// What takes no longer than this shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two pictures of it.
const STEP: Duration = Duration::from_millis(100);
/// Cells of the bar.
const BAR: u64 = 30;

/// The events of a recording, or of a part of it.
pub fn events(path: &Path, only: &Only) -> Result<Events<Watched>, RecordError> {
    watched(path, only, io::stderr().is_terminal())
}

/// The same, where standard output shows them as they come: nothing else is written there.
pub fn shown_events(path: &Path, only: &Only) -> Result<Events<Watched>, RecordError> {
    watched(
        path,
        only,
        io::stderr().is_terminal() && !io::stdout().is_terminal(),
    )
}

fn watched(path: &Path, only: &Only, show: bool) -> Result<Events<Watched>, RecordError> {
    let wanted = learnt(path, only, show)?;
    opened(path, &wanted, show).map(Events::new)
}

/// What is wanted of a recording, learnt from it once, however often it is read.
pub fn wanted(path: &Path, only: &Only) -> Result<Wanted, RecordError> {
    learnt(path, only, io::stderr().is_terminal())
}

/// The records of a recording, or of a part of it.
pub fn reader(path: &Path, wanted: &Wanted) -> Result<Reader<Watched>, RecordError> {
    opened(path, wanted, io::stderr().is_terminal())
}

fn learnt(path: &Path, only: &Only, show: bool) -> Result<Wanted, RecordError> {
    Wanted::of_recording(only, path, || Ok(whole(path, show)?.look_through()))
}

fn opened(path: &Path, wanted: &Wanted, show: bool) -> Result<Reader<Watched>, RecordError> {
    let mut reader = whole(path, show)?;
    reader.only(wanted.part());
    Ok(reader)
}

fn whole(path: &Path, show: bool) -> Result<Reader<Watched>, RecordError> {
    let file = File::open(path).map_err(|source| RecordError::Open {
        path: path.to_owned(),
        source,
    })?;
    Reader::new(Watched::new(file, show), path)
}

/// A file that says how far it has been read.
pub struct Watched {
    file: File,
    size: u64,
    read: u64,
    began: Instant,
    /// When the bar was last drawn; `None`: it never was.
    drawn: Option<Instant>,
    show: bool,
}

impl Watched {
    fn new(file: File, show: bool) -> Self {
        let size = file.metadata().map_or(0, |file| file.len());
        Self {
            file,
            size,
            read: 0,
            began: Instant::now(),
            drawn: None,
            show: show && size > 0,
        }
    }

    fn draw(&mut self) {
        let now = Instant::now();
        let waited = match self.drawn {
            Some(then) => now - then >= STEP,
            None => now - self.began >= PATIENCE,
        };
        if self.show && waited {
            self.drawn = Some(now);
            let _ = write!(io::stderr(), "\r{}", bar(self.read, self.size));
        }
    }

    fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
        self.show = false;
    }
}

/// How much of it has been read.
fn bar(read: u64, size: u64) -> String {
    let part =
        |of: u64| (u128::from(read.min(size)) * u128::from(of) / u128::from(size.max(1))) as u64;
    let full = part(BAR) as usize;
    let rest = BAR as usize - full;
    format!("[{}{}] {} %", "#".repeat(full), " ".repeat(rest), part(100))
}

impl Read for Watched {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buf)?;
        self.read += n as u64;
        match n {
            0 => self.clear(),
            _ => self.draw(),
        }
        Ok(n)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = self.file.seek(to)?;
        self.read = at;
        Ok(at)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_one_width() {
        let empty = bar(0, 1000);
        assert_eq!(empty, format!("[{}] 0 %", " ".repeat(30)));
        assert_eq!(
            bar(500, 1000),
            format!("[{}{}] 50 %", "#".repeat(15), " ".repeat(15))
        );
        // A file that grew while it was read.
        assert_eq!(bar(2000, 1000), format!("[{}] 100 %", "#".repeat(30)));
        assert_eq!(bar(0, 0), bar(0, 1));
    }
}
