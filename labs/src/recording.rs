//! The summary of a recording: a file's, or one in memory as the bundled ones are.

use std::io::{Cursor, Read, Seek};
use std::path::Path;

use bytehop_core::arch::Arch;
use bytehop_core::model::Summary;
use bytehop_core::reconstruct::{self, NoSink};
use bytehop_core::record::{Events, Reader, RecordError, open_events};

/// The summary of a recording in a file.
///
/// # Errors
/// If it cannot be opened.
pub fn summarise(path: &Path) -> Result<Summary, RecordError> {
    Ok(summary(open_events(path)?))
}

/// The summary of a recording in memory.
///
/// # Errors
/// If it is none.
pub fn summary_of(bytes: &[u8]) -> Result<Summary, RecordError> {
    let reader = Reader::new(Cursor::new(bytes), Path::new("a bundled recording"))?;
    Ok(summary(Events::new(reader)))
}

fn summary<R: Read + Seek>(events: Events<R>) -> Summary {
    let host = Arch::host().unwrap_or(Arch::X86_64);
    reconstruct::summarise(events, host, &mut NoSink)
}
