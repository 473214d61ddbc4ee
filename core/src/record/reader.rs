//! Reading a recording, record by record.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use lz4_flex::block::decompress_into;

use super::blocks::{Block, Blocks};
use super::columns::Unpacker;
use super::format::{are_frames, next_frame};
use super::part::{Found, InMain, Part, Place};
use super::{RecordError, Warning};

/// What a recording can be read from more than once: a file, or bytes in memory.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// Any of them.
pub type Input = Box<dyn ReadSeek>;

/// Reads the records of a recording in the order in which they were written.
///
/// Memory stays within a few times [`MAX_RAW`](super::format::MAX_RAW), whatever the file claims.
pub struct Reader<R> {
    pub(super) blocks: Blocks<R>,
    /// The frames of the current block, checked, and how far they are read.
    raw: Vec<u8>,
    at: usize,
    /// Its columns, kept for the memory.
    packed: Vec<u8>,
    unpacker: Unpacker,
    part: Part,
    /// Records that stand for one of the recording's, and the one that was handed out.
    instead: VecDeque<Vec<u8>>,
    made: Vec<u8>,
    /// The last record is not of the part.
    context: bool,
}

impl Reader<File> {
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Self::new(File::open(path).map_err(RecordError::open(path))?, path)
    }
}

impl<R: Read> Reader<R> {
    /// Reads a recording from `input` (it does its own buffering); `path` is what errors call it.
    pub fn new(input: R, path: &Path) -> Result<Self, RecordError> {
        Ok(Self {
            blocks: Blocks::new(input, path)?,
            raw: Vec::new(),
            at: 0,
            packed: Vec::new(),
            unpacker: Unpacker::default(),
            part: Part::default(),
            instead: VecDeque::new(),
            made: Vec::new(),
            context: false,
        })
    }

    /// Reads only what is wanted, and what tells what things are. To be called first of all.
    pub fn only(&mut self, part: Part) {
        self.part = part;
    }

    /// Reads it all to learn which calls came from a program's `main`.
    pub fn look_through(mut self) -> InMain {
        let mut found = Found::default();
        while let Some(record) = self.next_record() {
            found.take(record);
        }
        found.finish()
    }

    /// What is read of the recording.
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// Whether the last record is not of the part that is read, and only tells what something is.
    pub fn is_context(&self) -> bool {
        self.context
    }

    /// The next record: the bytes given to [`Writer::record`](super::Writer::record). `None` at the
    /// end of what can be read.
    pub fn next_record(&mut self) -> Option<&[u8]> {
        loop {
            if self.part.is_partial()
                && let Some(record) = self.instead.pop_front()
            {
                self.context = false;
                self.made = record;
                return Some(&self.made);
            }
            if let Some((start, end)) = next_frame(&self.raw, self.at) {
                self.at = end;
                if !self.part.is_partial() {
                    return self.raw.get(start..end);
                }
                match self.part.next(&self.raw[start..end]) {
                    Place::Inside => self.context = false,
                    Place::Context => self.context = true,
                    Place::Outside => continue,
                    Place::Instead(records) => {
                        self.instead.extend(records);
                        continue;
                    }
                }
                return self.raw.get(start..end);
            }
            let block = self.blocks.advance()?;
            if !self.part.needs(&block.header) {
                continue;
            }
            self.at = 0;
            if !self.unpack(&block) {
                self.at = self.raw.len();
                self.blocks.reject(&block);
            }
        }
    }

    /// Bytes of memory for blocks once they are decompressed.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.raw.capacity() + self.packed.capacity()
    }

    /// What is missing, as far as it was read; complete once [`Self::next_record`] gave `None`.
    pub fn warnings(&self) -> &[Warning] {
        &self.blocks.warnings
    }

    /// Fills `raw`; false if what the block holds is not what its header says.
    fn unpack(&mut self, block: &Block) -> bool {
        let stored = self.blocks.payload();
        let header = &block.header;
        if !header.is_plausible() {
            return false;
        }
        // The header's limits were checked: at most MAX_RAW. What is there is written over.
        self.raw.resize(header.raw_len as usize, 0);
        if header.packed_len == 0 {
            return decompress(stored, &mut self.raw) && are_frames(&self.raw, header.records);
        }
        self.packed.resize(header.packed_len as usize, 0);
        decompress(stored, &mut self.packed)
            && self
                .unpacker
                .unpack(&self.packed, header.records, &mut self.raw)
                .is_some()
    }
}

/// Whether `stored` fills `out`, exactly.
fn decompress(stored: &[u8], out: &mut [u8]) -> bool {
    if stored.len() == out.len() {
        out.copy_from_slice(stored);
        return true;
    }
    decompress_into(stored, out).is_ok_and(|n| n == out.len())
}

impl<R: Read + Seek> Reader<R> {
    /// Goes on with the first record of a block that [`index`] listed.
    pub fn seek(&mut self, block: &Block) -> io::Result<()> {
        self.raw.clear();
        self.at = 0;
        self.blocks.seek(block)
    }
}

/// The good blocks of a recording, in order, for [`Reader::seek`]. Every byte is read and every
/// checksum checked, nothing is decompressed: this takes as long as reading the file.
pub fn index(path: &Path) -> Result<(Vec<Block>, Vec<Warning>), RecordError> {
    let mut index = Index::open(path)?;
    let list = index.by_ref().collect();
    Ok((list, index.blocks.warnings))
}

/// The same, block by block.
pub struct Index<R = File> {
    blocks: Blocks<R>,
}

impl Index {
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Self::new(File::open(path).map_err(RecordError::open(path))?, path)
    }
}

impl<R: Read> Index<R> {
    /// Of a recording that is not in a file of its own; `path` is what errors call it.
    pub fn new(input: R, path: &Path) -> Result<Self, RecordError> {
        let blocks = Blocks::new(input, path)?;
        Ok(Self { blocks })
    }

    /// What is missing, as far as it was read; complete once the iterator has ended.
    pub fn warnings(&self) -> &[Warning] {
        &self.blocks.warnings
    }
}

impl<R: Read> Iterator for Index<R> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        self.blocks.advance()
    }
}
