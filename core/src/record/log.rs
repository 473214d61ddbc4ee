//! A recording that is read while it is written: what stands between tracing and the terminal UI.
//!
//! It is a file without a name, so that nothing of it outlives us, and the one who reads can never
//! hold up the one who writes: whatever has not been read waits on the disk. Each block is announced
//! once it is in the file.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::{Block, Input, Reader, RecordError, Writer};
use crate::event::Meta;

/// What is recorded can be read after this time.
const FLUSH_AFTER: Duration = Duration::from_millis(20);

/// What errors call it.
const NAME: &str = "the log of this trace";

/// The end that is written. Dropped, it ends the log.
pub struct LogWriter {
    writer: Writer<File>,
    blocks: Sender<Result<Block, String>>,
    told: u32,
    /// Bytes that it may take up.
    limit: u64,
}

/// The end that is read.
pub struct Log {
    /// Announces blocks, and what could not be recorded; disconnected at the end of the log.
    pub blocks: Receiver<Result<Block, String>>,
    /// Two readers of the blocks, each with a place of its own.
    pub readers: [Reader<Input>; 2],
}

/// Makes a log in the directory for temporary files; `room` tells how many bytes are free where a file lies.
///
/// # Errors
/// If no file can be made or written there.
pub fn log(room: impl FnOnce(&File) -> u64) -> Result<(LogWriter, Log), RecordError> {
    let path = Path::new(NAME);
    let failed = |source: io::Error| RecordError::Create {
        path: path.to_owned(),
        source,
    };
    let file = tempfile::NamedTempFile::new().map_err(failed)?;
    // Opened anew: each has a position of its own.
    let again = [file.reopen(), file.reopen()].map(|file| file.map_err(failed));
    let limit = room(file.as_file()) / 2;
    let writer = Writer::new(file.into_file(), path)?.flush_after(FLUSH_AFTER);
    let [one, two] = again.map(|file| Reader::new(Box::new(file?) as Input, path));
    let readers = [one?, two?];
    let (sender, blocks) = channel();
    let writer = LogWriter {
        writer,
        blocks: sender,
        told: 0,
        limit,
    };
    Ok((writer, Log { blocks, readers }))
}

impl LogWriter {
    /// # Errors
    /// If it cannot be written, or has taken up half of the room that there was: others need the disk,
    /// too. What comes after that is not in the log.
    pub fn record(&mut self, record: &[u8]) -> Result<(), RecordError> {
        if self.writer.stats().bytes > self.limit {
            return Err(self.full());
        }
        let result = self.writer.record(record);
        self.tell();
        result
    }

    pub fn meta(&mut self, meta: &Meta) -> Result<(), RecordError> {
        let result = self.writer.meta(meta);
        self.tell();
        result
    }

    /// To be called often, also when there are no records.
    pub fn tick(&mut self, now: Instant) -> Result<(), RecordError> {
        let result = self.writer.tick(now);
        self.tell();
        result
    }

    /// Tells the reader that something went wrong.
    pub fn complain(&self, error: &RecordError) {
        let _ = self.blocks.send(Err(error.to_string()));
    }

    fn full(&self) -> RecordError {
        RecordError::Write {
            path: NAME.into(),
            records: self.writer.stats().records,
            source: io::ErrorKind::StorageFull.into(),
        }
    }

    fn tell(&mut self) {
        let blocks = self.writer.stats().blocks;
        // At most one block is written at a time.
        if blocks != self.told
            && let Some(block) = self.writer.last_block()
        {
            self.told = blocks;
            // Nobody may be reading any more.
            let _ = self.blocks.send(Ok(block));
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        let _ = self.writer.flush();
        self.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::End;

    #[test]
    fn leaves_room_for_others() {
        let (mut writer, log) = log(|_| u64::MAX).unwrap();
        writer.limit = 1 << 16;
        let mut errors = 0;
        for n in 0..200_000u32 {
            // Not to be compressed.
            let record = [
                1u32,
                n,
                n.wrapping_mul(2_654_435_761),
                !n.wrapping_mul(40_503),
            ];
            let record: Vec<u8> = record.iter().flat_map(|n| n.to_le_bytes()).collect();
            errors += u32::from(writer.record(&record).is_err());
        }
        assert!(errors > 0);
        drop(writer);
        let bytes: u64 = log
            .blocks
            .iter()
            .map(|b| u64::from(b.unwrap().header.stored_len))
            .sum();
        assert!(bytes < 3 << 19, "{bytes}");
    }

    #[test]
    fn every_block_can_be_read_once_it_is_announced() {
        let (mut writer, log) = log(|_| u64::MAX).unwrap();
        let [mut reader, _] = log.readers;
        let begin = Instant::now();
        let mut seen = 0;
        for round in 0..50u32 {
            // Now a block that time ends, now several that their size ends.
            let many = if round % 10 == 0 { 9_000 } else { 3 };
            for n in 0..many {
                writer
                    .record(&[1, round as u8, n as u8, 7].repeat(10))
                    .unwrap();
            }
            writer.tick(begin + FLUSH_AFTER * round).unwrap();
            for block in log.blocks.try_iter().map(Result::unwrap) {
                assert_eq!(block.header.first_record, seen);
                reader.seek(&block).unwrap();
                for _ in 0..block.header.records {
                    assert_eq!(reader.next_record().map(<[u8]>::len), Some(40));
                }
                seen += u64::from(block.header.records);
            }
        }
        writer.meta(&Meta::End(End::default())).unwrap();
        drop(writer);
        seen += log
            .blocks
            .iter()
            .map(|b| u64::from(b.unwrap().header.records))
            .sum::<u64>();
        assert_eq!(seen, 5 * 9_000 + 45 * 3 + 1);
    }
}
