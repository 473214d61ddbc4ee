//! A recording as a stream of events.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Part, Reader, RecordError, Warning};
use crate::decode::{DecodeError, decode};
use crate::event::Event;

/// The events of a recording. Records that cannot be decoded are counted and left out.
pub struct Events<R> {
    reader: Reader<R>,
    unknown: u64,
    malformed: u64,
}

/// Opens a recording for whoever only wants its events.
pub fn open_events(path: &Path) -> Result<Events<File>, RecordError> {
    Reader::open(path).map(Events::new)
}

impl<R: Read> Events<R> {
    pub fn new(reader: Reader<R>) -> Self {
        Self {
            reader,
            unknown: 0,
            malformed: 0,
        }
    }

    /// Only what is wanted, and what tells what things are.
    pub fn only(mut self, part: Part) -> Self {
        self.reader.only(part);
        self
    }

    /// What is read of the recording.
    pub fn part(&self) -> &Part {
        self.reader.part()
    }

    /// Whether the last event is not of the part that is read, and only tells what something is.
    pub fn is_context(&self) -> bool {
        self.reader.is_context()
    }

    /// What is missing, as far as it was read; complete once the iterator has ended.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.reader.warnings().to_vec();
        if self.unknown + self.malformed > 0 {
            let (unknown, malformed) = (self.unknown, self.malformed);
            warnings.push(Warning::Undecodable { unknown, malformed });
        }
        warnings
    }
}

impl<R: Read> Iterator for Events<R> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            match decode(self.reader.next_record()?) {
                Ok(event) => return Some(event),
                Err(DecodeError::UnknownKind(_)) => self.unknown += 1,
                Err(_) => self.malformed += 1,
            }
        }
    }
}
