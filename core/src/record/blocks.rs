//! Walks the blocks of a recording in order, past whatever is damaged.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::checks::Checks;
use super::format::{
    BLOCK_HEADER, BLOCK_HEADER_2, BlockHeader, FILE_HEADER, FileHeader, Format, MAGIC,
};
use super::{RecordError, Warning};

/// Warnings kept one by one; further gaps are added to the last.
const MAX_WARNINGS: usize = 100;

/// A good block, and where it is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Of the block's header, bytes from the start of the file.
    pub offset: u64,
    pub header: BlockHeader,
}

pub(super) struct Blocks<R> {
    window: Window<R>,
    /// Unknown if the file header is damaged: then the first good block tells.
    id: Option<u64>,
    /// The same.
    format: Option<Format>,
    /// Bytes of the current block, still in the window, and of its header.
    current: usize,
    header: usize,
    /// What the next block has to begin with, at least.
    number: u64,
    record: u64,
    damage: Option<Damage>,
    pub(super) checks: Checks,
    pub warnings: Vec<Warning>,
    done: bool,
}

/// Damage that has been entered and not yet left.
struct Damage {
    offset: u64,
    /// Records that readable headers claimed for it.
    records: u64,
}

impl<R: Read> Blocks<R> {
    pub fn new(input: R, path: &Path) -> Result<Self, RecordError> {
        let mut blocks = Self {
            window: Window::new(input),
            id: None,
            format: None,
            current: 0,
            header: 0,
            number: 0,
            record: 0,
            damage: None,
            checks: Checks::default(),
            warnings: Vec::new(),
            done: false,
        };
        let start = blocks.window.fill(FILE_HEADER);
        if start.iter().zip(&MAGIC).any(|(a, b)| a != b) {
            return Err(RecordError::Foreign {
                path: path.to_owned(),
            });
        }
        match start.first_chunk().map(FileHeader::decode) {
            // Cut off within the header: the end is met, and said, at once.
            None => {}
            Some(None) => {
                blocks.current = FILE_HEADER;
                blocks.warnings.push(Warning::Header);
            }
            Some(Some(FileHeader { version, codec, id })) => {
                let Some(format) = Format::of(version, codec) else {
                    return Err(RecordError::Newer {
                        path: path.to_owned(),
                        version,
                    });
                };
                blocks.format = Some(format);
                blocks.current = FILE_HEADER;
                blocks.id = Some(id);
            }
        }
        match blocks.window.error.take() {
            Some(source) => Err(RecordError::open(path)(source)),
            None => Ok(blocks),
        }
    }

    /// Goes to the next good block. `None` at the end; then the warnings are complete.
    pub fn advance(&mut self) -> Option<Block> {
        if self.done {
            return None;
        }
        self.window.consume(self.current);
        self.current = 0;
        loop {
            let least = self.least();
            let start = self.window.fill(BLOCK_HEADER_2);
            if start.len() < least {
                self.end();
                return None;
            }
            let header = BlockHeader::decode(start);
            match header.filter(|h| self.is_next(h)) {
                Some(header) if header.is_end() => {
                    self.leave_damage(&header);
                    self.window.consume(header.format.header());
                    self.done = true;
                    self.trailing();
                    return None;
                }
                Some(header) if self.is_whole(&header) => {
                    self.leave_damage(&header);
                    self.id = Some(header.id);
                    self.format = Some(header.format);
                    self.header = header.format.header();
                    self.current = self.header + header.stored_len as usize;
                    self.number = u64::from(header.number) + 1;
                    self.record = header.first_record + u64::from(header.records);
                    return Some(Block {
                        offset: self.window.offset,
                        header,
                    });
                }
                header => self.skip(header.map_or(0, |h| h.records)),
            }
        }
    }

    /// What the current block stores.
    pub fn payload(&self) -> &[u8] {
        self.window
            .bytes()
            .get(self.header..self.current)
            .unwrap_or_default()
    }

    /// Declares the current block damaged after all.
    pub fn reject(&mut self, block: &Block) {
        self.warn(Warning::Gap {
            offset: block.offset,
            bytes: self.current as u64,
            blocks: 1,
            records: u64::from(block.header.records),
        });
    }

    /// Of this recording, and neither repeated nor out of order.
    fn is_next(&self, header: &BlockHeader) -> bool {
        self.id.is_none_or(|id| id == header.id)
            && self.format.is_none_or(|format| format == header.format)
            && u64::from(header.number) >= self.number
            && header.first_record >= self.record
            && header
                .first_record
                .checked_add(u64::from(header.records))
                .is_some()
    }

    /// Bytes that a block has at least.
    fn least(&self) -> usize {
        self.format.map_or(BLOCK_HEADER, Format::header)
    }

    fn is_whole(&mut self, header: &BlockHeader) -> bool {
        let begin = header.format.header();
        let end = begin + header.stored_len as usize;
        let at = self.window.offset + begin as u64;
        let stored = self.window.fill(end).get(begin..end);
        stored.is_some_and(|stored| self.checks.hold(at, stored, header.crc))
    }

    /// Goes to the next mark of a block, leaving at least one byte behind.
    fn skip(&mut self, records: u32) {
        let offset = self.window.offset;
        let damage = self.damage.get_or_insert(Damage { offset, records: 0 });
        damage.records = damage.records.saturating_add(u64::from(records));
        self.window.consume(1);
        let least = self.least();
        let marks = match self.format {
            Some(format) => [format.sync(); 2],
            None => Format::ALL.map(Format::sync),
        };
        loop {
            let bytes = self.window.fill(least);
            let is_mark = |w: &[u8]| marks.iter().any(|mark| w == mark);
            if let Some(at) = bytes.windows(marks[0].len()).position(is_mark) {
                return self.window.consume(at);
            }
            // The mark may begin in the last bytes, unless these are the last of all.
            let keep = marks[0].len() - 1;
            if bytes.len() < least {
                return;
            }
            let passed = bytes.len() - keep;
            self.window.consume(passed);
        }
    }

    /// Says what was missing before a good block.
    fn leave_damage(&mut self, header: &BlockHeader) {
        let blocks = u64::from(header.number) - self.number;
        let records = header.first_record - self.record;
        let here = self.window.offset;
        let damage = self.damage.take();
        if damage.is_some() || blocks > 0 || records > 0 {
            let offset = damage.map_or(here, |d| d.offset);
            self.warn(Warning::Gap {
                offset,
                bytes: here - offset,
                blocks,
                records,
            });
        }
    }

    /// The file ended without the mark.
    fn end(&mut self) {
        self.done = true;
        let rest = self.window.bytes().len();
        let here = self.window.offset;
        let damage = self.damage.take().unwrap_or(Damage {
            offset: here,
            records: 0,
        });
        let end = here + rest as u64;
        self.window.consume(rest);
        self.io_error();
        self.warn(Warning::CutOff {
            offset: damage.offset,
            bytes: end - damage.offset,
            records: damage.records,
        });
    }

    fn trailing(&mut self) {
        let offset = self.window.offset;
        loop {
            let n = self.window.fill(1).len();
            if n == 0 {
                break;
            }
            self.window.consume(n);
        }
        let bytes = self.window.offset - offset;
        if bytes > 0 {
            self.warn(Warning::Trailing { offset, bytes });
        }
        self.io_error();
    }

    fn io_error(&mut self) {
        if let Some(error) = self.window.error.take() {
            let offset = self.window.offset;
            self.warn(Warning::Io {
                offset,
                error: error.to_string(),
            });
        }
    }

    fn warn(&mut self, warning: Warning) {
        let full = self.warnings.len() >= MAX_WARNINGS;
        match (self.warnings.last_mut(), &warning) {
            (
                Some(Warning::Gap {
                    bytes,
                    blocks,
                    records,
                    ..
                }),
                Warning::Gap {
                    bytes: b,
                    blocks: n,
                    records: r,
                    ..
                },
            ) if full => {
                *bytes = bytes.saturating_add(*b);
                *blocks = blocks.saturating_add(*n);
                *records = records.saturating_add(*r);
            }
            _ => self.warnings.push(warning),
        }
    }
}

impl<R: Read + Seek> Blocks<R> {
    /// Makes `block` the next one.
    pub fn seek(&mut self, block: &Block) -> io::Result<()> {
        self.window.seek(block.offset)?;
        self.checks.restart();
        self.current = 0;
        self.number = u64::from(block.header.number);
        self.record = block.header.first_record;
        self.damage = None;
        self.done = false;
        Ok(())
    }
}

/// A stretch of the file in memory. It grows only as far as there is file.
struct Window<R> {
    input: R,
    buf: Vec<u8>,
    start: usize,
    /// Of `buf[start]` in the file.
    offset: u64,
    /// End of the file, or an error, was met.
    eof: bool,
    error: Option<io::Error>,
}

impl<R: Read> Window<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            buf: Vec::new(),
            start: 0,
            offset: 0,
            eof: false,
            error: None,
        }
    }

    fn bytes(&self) -> &[u8] {
        self.buf.get(self.start..).unwrap_or_default()
    }

    /// At least `len` bytes from here on, fewer at the end of the file.
    fn fill(&mut self, len: usize) -> &[u8] {
        const READ: u64 = 256 << 10;
        if self.bytes().len() < len && !self.eof {
            // Not before half of it is behind: what is kept would be moved for every few bytes.
            if self.start >= self.buf.len() / 2 {
                self.buf.drain(..self.start);
                self.start = 0;
            }
            let more = READ.max((len - self.bytes().len()) as u64);
            match self.input.by_ref().take(more).read_to_end(&mut self.buf) {
                Ok(n) => self.eof = (n as u64) < more,
                Err(error) => {
                    self.error = Some(error);
                    self.eof = true;
                }
            }
        }
        self.bytes()
    }

    fn consume(&mut self, len: usize) {
        let len = len.min(self.bytes().len());
        self.start += len;
        self.offset += len as u64;
    }
}

impl<R: Read + Seek> Window<R> {
    fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.input.seek(SeekFrom::Start(offset))?;
        self.buf.clear();
        self.start = 0;
        self.offset = offset;
        self.eof = false;
        Ok(())
    }
}
