//! Writing a recording while the trace runs.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Seek, SeekFrom, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

use super::RecordError;
use super::blocks::Block;
use super::format::{
    BLOCK_HEADER, BLOCK_RAW, BlockHeader, CODEC_LZ4, FILE_HEADER, FileHeader, MAX_RECORD, VERSION,
    put_frame,
};
use crate::decode::encode_meta;
use crate::event::{META, Meta};

/// Records are in the file after this time and one more interval between two `tick`s.
const FLUSH_AFTER: Duration = Duration::from_millis(500);

/// Where a recording is written to.
pub trait Sink: Write {
    /// Cuts what was written to its first `len` bytes and goes on from there.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

impl Sink for File {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)?;
        self.seek(SeekFrom::Start(len)).map(drop)
    }
}

impl Sink for Vec<u8> {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        Vec::truncate(self, usize::try_from(len).unwrap_or(usize::MAX));
        Ok(())
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        (**self).truncate(len)
    }
}

/// What a recording holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records that are in the file for certain.
    pub records: u64,
    pub blocks: u32,
    /// Size of the file, bytes.
    pub bytes: u64,
}

/// Writes a recording, block by block.
///
/// The first error is returned once. It leaves a recording of all blocks before it (without the end
/// mark: a reader will say that something is missing), and whatever is recorded after it is
/// dropped, so that a trace may go on without its recording.
///
/// Blocks are compressed with LZ4. Of varied system calls and faults, one core of the development
/// machine took in 750 to 930 MB/s with lz4_flex (to a quarter of the size) and 550 to 650 MB/s with
/// zstd level 1 (to a sixth). Either keeps up with 130 MB/s on less than a quarter of a core. lz4_flex
/// is safe Rust that needs no C compiler, and a reader of other people's files is better without C.
pub struct Writer<S: Sink> {
    sink: S,
    path: PathBuf,
    id: u64,
    written: Stats,
    /// Frames of the block being filled, and what its header will say of them.
    raw: Vec<u8>,
    records: u32,
    min_ts: u64,
    max_ts: u64,
    /// The block as it goes to the file; kept for its memory.
    out: Vec<u8>,
    table: CompressTable,
    meta: Vec<u8>,
    last_flush: Option<Instant>,
    flush_after: Duration,
    last_block: Option<Block>,
    closed: bool,
}

impl Writer<File> {
    /// Creates or replaces the file.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let file = File::create(path).map_err(|source| RecordError::Create {
            path: path.to_owned(),
            source,
        })?;
        Self::new(file, path)
    }
}

impl<S: Sink> Writer<S> {
    /// Begins a recording in `sink`; `path` is what errors call it.
    pub fn new(sink: S, path: &Path) -> Result<Self, RecordError> {
        // The only use of randomness: a block left over from another recording is not ours.
        let id = RandomState::new().hash_one(std::process::id());
        let mut writer = Self {
            sink,
            path: path.to_owned(),
            id,
            written: Stats::default(),
            raw: Vec::with_capacity(BLOCK_RAW + 1024),
            records: 0,
            min_ts: u64::MAX,
            max_ts: 0,
            out: Vec::new(),
            table: CompressTable::large(),
            meta: Vec::new(),
            last_flush: None,
            flush_after: FLUSH_AFTER,
            last_block: None,
            closed: false,
        };
        writer.out.extend(
            FileHeader {
                version: VERSION,
                codec: CODEC_LZ4,
                id,
            }
            .encode(),
        );
        writer.write_out().map(|()| writer)
    }

    /// Records wait for this long at most, and for one more interval between two `tick`s.
    pub fn flush_after(mut self, wait: Duration) -> Self {
        self.flush_after = wait;
        self
    }

    /// Adds one record: its bytes as they came from the ring buffer.
    #[inline]
    pub fn record(&mut self, record: &[u8]) -> Result<(), RecordError> {
        if record.is_empty() {
            return Ok(());
        }
        if record.len() > MAX_RECORD {
            return Err(RecordError::TooLong {
                path: self.path.clone(),
                len: record.len(),
            });
        }
        if self.raw.len() + record.len() > BLOCK_RAW {
            self.flush()?;
        }
        put_frame(&mut self.raw, record);
        self.records += 1;
        if record[0] < META
            && let Some(ts) = record.get(16..).and_then(<[u8]>::first_chunk)
        {
            let ts = u64::from_le_bytes(*ts);
            self.min_ts = self.min_ts.min(ts);
            self.max_ts = self.max_ts.max(ts);
        }
        Ok(())
    }

    /// Adds a record made in user space.
    pub fn meta(&mut self, meta: &Meta) -> Result<(), RecordError> {
        let mut record = mem::take(&mut self.meta);
        record.clear();
        encode_meta(meta, &mut record);
        let result = self.record(&record);
        self.meta = record;
        result
    }

    /// To be called often, at least four times a second, also when there are no records: writes the
    /// block out if it has waited long enough.
    pub fn tick(&mut self, now: Instant) -> Result<(), RecordError> {
        let last = *self.last_flush.get_or_insert(now);
        if now.saturating_duration_since(last) < self.flush_after {
            return Ok(());
        }
        self.last_flush = Some(now);
        self.flush()
    }

    /// Writes out what there is, as a block.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        if self.records == 0 {
            return Ok(());
        }
        if self.closed {
            self.clear();
            return Ok(());
        }
        let raw_len = self.raw.len();
        self.out
            .resize(BLOCK_HEADER + get_maximum_output_size(raw_len), 0);
        let compressed =
            compress_into_with_table(&self.raw, &mut self.out[BLOCK_HEADER..], &mut self.table);
        let stored_len = match compressed {
            Ok(len) if len < raw_len => len,
            _ => {
                self.out[BLOCK_HEADER..][..raw_len].copy_from_slice(&self.raw);
                raw_len
            }
        };
        self.out.truncate(BLOCK_HEADER + stored_len);
        self.seal_block(raw_len);
        let records = u64::from(self.records);
        self.clear();
        let offset = self.written.bytes;
        let header = self.out.first_chunk().and_then(BlockHeader::decode);
        self.write_out()?;
        self.last_block = header.map(|header| Block { offset, header });
        self.written.records += records;
        self.written.blocks += 1;
        Ok(())
    }

    /// Writes out what there is and the mark of an orderly end. Fails if that cannot be written, or
    /// if writing had failed before.
    pub fn finish(mut self) -> Result<Stats, RecordError> {
        self.flush()?;
        if self.closed {
            let source = io::Error::other("writing had failed before");
            return Err(self.write_error(source));
        }
        self.out.resize(BLOCK_HEADER, 0);
        self.seal_block(0);
        self.write_out()?;
        self.sink.flush().map_err(|e| self.write_error(e))?;
        self.closed = true;
        Ok(self.written)
    }

    /// The last block that is in the file.
    pub fn last_block(&self) -> Option<Block> {
        self.last_block
    }

    /// What is in the file so far.
    pub fn stats(&self) -> Stats {
        self.written
    }

    /// Fills in the header of the block in `out`.
    fn seal_block(&mut self, raw_len: usize) {
        let (header, stored) = self.out.split_at_mut(BLOCK_HEADER);
        // The lengths fit: a block is BLOCK_RAW or one record of up to MAX_RECORD bytes.
        let fields = BlockHeader {
            id: self.id,
            first_record: self.written.records,
            min_ts: self.min_ts,
            max_ts: self.max_ts,
            number: self.written.blocks,
            records: self.records,
            raw_len: raw_len as u32,
            stored_len: stored.len() as u32,
            crc: crc32fast::hash(stored),
        };
        header.copy_from_slice(&fields.encode());
    }

    fn clear(&mut self) {
        self.raw.clear();
        self.records = 0;
        self.min_ts = u64::MAX;
        self.max_ts = 0;
    }

    /// Writes `out` as a whole or not at all. After an error nothing more is written.
    fn write_out(&mut self) -> Result<(), RecordError> {
        let written = self.sink.write_all(&self.out);
        if let Err(source) = written {
            self.closed = true;
            // Where it cannot be cut (a pipe), the reader skips the torn block.
            let _ = self.sink.truncate(self.written.bytes);
            return Err(self.write_error(source));
        }
        self.written.bytes += self.out.len() as u64;
        self.out.clear();
        Ok(())
    }

    fn write_error(&self, source: io::Error) -> RecordError {
        RecordError::Write {
            path: self.path.clone(),
            records: self.written.records,
            source,
        }
    }
}

impl<S: Sink> Drop for Writer<S> {
    /// Saves what there is; without [`Writer::finish`] there is no end mark.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

const _: () = assert!(FILE_HEADER < BLOCK_HEADER && BLOCK_RAW < MAX_RECORD);
