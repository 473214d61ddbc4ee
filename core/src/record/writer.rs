//! Writing a recording while the trace runs.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Seek, SeekFrom, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

use tracer_ebpf::kind;

use super::RecordError;
use super::blocks::Block;
use super::columns::Packer;
use super::format::{
    BLOCK_RAW, BlockHeader, CODEC_LZ4, FileHeader, Format, MAX_RAW, MAX_RECORD, kind_bit, put_frame,
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
/// Blocks are turned into columns, which are compressed with LZ4. After the columns little is left to gain
/// by a costlier compression: a call of a loop of `pread` takes 2.7 bytes with LZ4, 1.7 with deflate, which
/// takes forty times as long; one of a mixed load 13 to 25, and 10 to 20. lz4_flex is safe Rust that needs no
/// C compiler, and a reader of other people's files is better without C.
pub struct Writer<S: Sink> {
    sink: S,
    path: PathBuf,
    id: u64,
    format: Format,
    written: Stats,
    /// Frames of the block being filled, and what its header will say of them.
    raw: Vec<u8>,
    records: u32,
    min_ts: u64,
    max_ts: u64,
    calls: u32,
    faults: u32,
    kinds: u32,
    packer: Packer,
    /// The payload of the block, and the block as it goes to the file; kept for its memory.
    payload: Vec<u8>,
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
        Self::of_format(sink, path, Format::Two)
    }

    /// The same in a format of before.
    pub fn of_format(sink: S, path: &Path, format: Format) -> Result<Self, RecordError> {
        // The only use of randomness: a block left over from another recording is not ours.
        let id = RandomState::new().hash_one(std::process::id());
        let mut writer = Self {
            sink,
            path: path.to_owned(),
            id,
            format,
            written: Stats::default(),
            raw: Vec::with_capacity(BLOCK_RAW + 1024),
            records: 0,
            min_ts: u64::MAX,
            max_ts: 0,
            calls: 0,
            faults: 0,
            kinds: 0,
            packer: Packer::default(),
            payload: Vec::new(),
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
                version: format as u16,
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
        self.kinds |= kind_bit(record[0]);
        match record[0] {
            kind::SYSCALL | kind::SYSCALL_FILE => self.calls += 1,
            kind::FAULT => self.faults += 1,
            _ => {}
        }
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
        let header = self.pack();
        self.put_block(header);
        let records = u64::from(self.records);
        self.clear();
        let offset = self.written.bytes;
        self.write_out()?;
        self.last_block = Some(Block { offset, header });
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
        self.payload.clear();
        let header = self.header();
        self.put_block(header);
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

    /// Fills `payload`.
    fn pack(&mut self) -> BlockHeader {
        if self.format == Format::Two {
            let packed = self.packer.pack(&self.raw);
            if packed.len() <= MAX_RAW {
                compress(packed, &mut self.payload, &mut self.table);
                let header = BlockHeader {
                    packed_len: packed.len() as u32,
                    ..self.header()
                };
                if header.is_plausible() && self.payload.len() <= self.raw.len() {
                    return header;
                }
            }
        }
        compress(&self.raw, &mut self.payload, &mut self.table);
        self.header()
    }

    fn header(&self) -> BlockHeader {
        // The lengths fit: a block is BLOCK_RAW or one record of up to MAX_RECORD bytes.
        let header = BlockHeader {
            format: self.format,
            id: self.id,
            first_record: self.written.records,
            min_ts: self.min_ts,
            max_ts: self.max_ts,
            number: self.written.blocks,
            records: self.records,
            raw_len: self.raw.len() as u32,
            stored_len: self.payload.len() as u32,
            crc: crc32fast::hash(&self.payload),
            ..BlockHeader::default()
        };
        match self.format {
            Format::One => header,
            Format::Two => BlockHeader {
                calls: self.calls,
                faults: self.faults,
                threads: match self.records {
                    0 => 0,
                    _ => self.packer.threads(),
                },
                kinds: self.kinds,
                ..header
            },
        }
    }

    /// Puts the block together.
    fn put_block(&mut self, header: BlockHeader) {
        header.encode(&mut self.out);
        self.out.extend_from_slice(&self.payload);
    }

    fn clear(&mut self) {
        self.raw.clear();
        self.records = 0;
        (self.calls, self.faults, self.kinds) = (0, 0, 0);
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

/// Makes `out` what `bytes` are compressed, or `bytes` if that is no less.
fn compress(bytes: &[u8], out: &mut Vec<u8>, table: &mut CompressTable) {
    out.resize(get_maximum_output_size(bytes.len()), 0);
    match compress_into_with_table(bytes, out, table) {
        Ok(len) if len < bytes.len() => out.truncate(len),
        _ => {
            out.clear();
            out.extend_from_slice(bytes);
        }
    }
}

const _: () = assert!(BLOCK_RAW < MAX_RECORD);
