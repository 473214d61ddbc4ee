//! The bytes of a recording: file header, block header, and the frames of records in a block.
//!
//! All integers are little-endian. `docs/recording.md` says the same in words.

use std::iter;

/// First bytes of every recording. The first has its high bit set and a line end follows, so that
/// a copy made in text mode is told apart at once.
pub const MAGIC: [u8; 8] = *b"\x89BHOP\r\n\x1a";
/// Format written; higher ones are refused.
pub const VERSION: u16 = Format::Two as u16;
/// Compression of blocks: LZ4 block format.
pub const CODEC_LZ4: u16 = 1;
/// First bytes of every block of format 1.
pub const SYNC: [u8; 8] = [0xb7, 0x42, 0x4c, 0x4b, 0xe1, 0x93, 0x5d, 0xca];
/// First bytes of every block of format 2.
pub const SYNC_2: [u8; 8] = [0xb7, 0x42, 0x4c, 0x4b, 0xe1, 0x93, 0x5d, 0xcb];

/// Length of the file header, in every version.
pub const FILE_HEADER: usize = 32;
/// Length of a block header of format 1: the shortest of all.
pub const BLOCK_HEADER: usize = 64;
/// Length of a block header of format 2: the longest of all.
pub const BLOCK_HEADER_2: usize = 128;

/// Raw size at which a block is written out.
pub const BLOCK_RAW: usize = 1 << 20;
/// Longest raw block that a reader accepts: the limit of its memory, whatever a file claims.
pub const MAX_RAW: usize = 16 << 20;
/// Longest record. (Kernel records have a few hundred bytes; a command line is a few megabytes.)
pub const MAX_RECORD: usize = MAX_RAW - 4;

/// A byte of a payload stands for at most so many once it is unpacked: the limit of LZ4, and of all forms.
pub const MOST_BYTES: usize = 255;
/// A byte of columns stands for at most so many records.
pub const MOST_RECORDS: usize = 4;

/// The versions of the format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u16)]
pub enum Format {
    /// Payloads are frames.
    #[default]
    One = 1,
    /// Payloads are columns, and headers tell more of them.
    Two = 2,
}

impl Format {
    /// Those that are read.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// Of a file header.
    pub fn of(version: u16, codec: u16) -> Option<Self> {
        let known = |format: &Self| *format as u16 == version && codec == CODEC_LZ4;
        Self::ALL.into_iter().find(known)
    }

    /// Length of a block header.
    pub fn header(self) -> usize {
        match self {
            Self::One => BLOCK_HEADER,
            Self::Two => BLOCK_HEADER_2,
        }
    }

    /// What a block begins with.
    pub fn sync(self) -> [u8; 8] {
        match self {
            Self::One => SYNC,
            Self::Two => SYNC_2,
        }
    }
}

/// The start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeader {
    pub version: u16,
    pub codec: u16,
    /// Random; every block of this recording repeats it.
    pub id: u64,
}

impl FileHeader {
    pub fn encode(&self) -> [u8; FILE_HEADER] {
        let mut b = [0; FILE_HEADER];
        b[..8].copy_from_slice(&MAGIC);
        b[8..10].copy_from_slice(&self.version.to_le_bytes());
        b[10..12].copy_from_slice(&self.codec.to_le_bytes());
        b[16..24].copy_from_slice(&self.id.to_le_bytes());
        seal(&mut b);
        b
    }

    /// `None` if the checksum is wrong. The magic is not looked at.
    pub fn decode(b: &[u8; FILE_HEADER]) -> Option<Self> {
        sealed(b).then(|| Self {
            version: u16::from_le_bytes([b[8], b[9]]),
            codec: u16::from_le_bytes([b[10], b[11]]),
            id: u64_at(b, 16),
        })
    }
}

/// The start of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockHeader {
    pub format: Format,
    /// The recording's [`FileHeader::id`].
    pub id: u64,
    /// Number of the first record in the block, counted from 0 over the whole recording. In the end
    /// mark: number of records.
    pub first_record: u64,
    /// Earliest and latest [`Head::ts`](tracer_ebpf::Head::ts) in the block; `u64::MAX` and 0 if no
    /// record in it has one.
    pub min_ts: u64,
    pub max_ts: u64,
    /// Number of the block, counted from 0. In the end mark: number of blocks.
    pub number: u32,
    /// Records in the block, 0 in the end mark.
    pub records: u32,
    /// Bytes of frames.
    pub raw_len: u32,
    /// Bytes that follow this header. Equal to `raw_len` (to `packed_len`, of columns): not compressed.
    pub stored_len: u32,
    /// CRC-32 of those bytes.
    pub crc: u32,
    /// Bytes of columns; 0 if the payload is frames. This and what follows is 0 in format 1.
    pub packed_len: u32,
    /// System calls in the block that have ended.
    pub calls: u32,
    /// Page faults in the block.
    pub faults: u32,
    /// Threads that its records are of.
    pub threads: u32,
    /// A bit for each kind of record in the block; the highest: metadata, the lowest: any kind that has no bit.
    pub kinds: u32,
}

/// The bit of a kind of record in [`BlockHeader::kinds`].
pub fn kind_bit(kind: u8) -> u32 {
    match kind {
        crate::event::META => 1 << 31,
        1..31 => 1 << kind,
        _ => 1,
    }
}

impl BlockHeader {
    /// Appends the header to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend(self.format.sync());
        for v in [self.id, self.first_record, self.min_ts, self.max_ts] {
            out.extend(v.to_le_bytes());
        }
        let words = [
            self.number,
            self.records,
            self.raw_len,
            self.stored_len,
            self.crc,
            self.packed_len,
            self.calls,
            self.faults,
            self.threads,
            self.kinds,
        ];
        let words = match self.format {
            Format::One => &words[..5],
            Format::Two => &words,
        };
        for v in words {
            out.extend(v.to_le_bytes());
        }
        out.resize(start + self.format.header(), 0);
        seal(&mut out[start..]);
    }

    /// What `b` begins with. `None` unless mark and checksum are right and the lengths within the limits.
    pub fn decode(b: &[u8]) -> Option<Self> {
        let sync = b.first_chunk()?;
        let format = Format::ALL
            .into_iter()
            .find(|format| format.sync() == *sync)?;
        let b = b.get(..format.header()).filter(|b| sealed(b))?;
        let two = |at: usize| match format {
            Format::One => 0,
            Format::Two => u32_at(b, at),
        };
        let header = Self {
            format,
            id: u64_at(b, 8),
            first_record: u64_at(b, 16),
            min_ts: u64_at(b, 24),
            max_ts: u64_at(b, 32),
            number: u32_at(b, 40),
            records: u32_at(b, 44),
            raw_len: u32_at(b, 48),
            stored_len: u32_at(b, 52),
            crc: u32_at(b, 56),
            packed_len: two(60),
            calls: two(64),
            faults: two(68),
            threads: two(72),
            kinds: two(76),
        };
        header.is_possible().then_some(header)
    }

    fn is_possible(&self) -> bool {
        let limit = match self.packed_len {
            0 => self.raw_len,
            packed => packed,
        };
        let lengths = self.stored_len <= limit && self.raw_len.max(limit) as usize <= MAX_RAW;
        // A frame has at least two bytes; only the end mark is empty.
        let records =
            self.records <= self.raw_len / 2 && (self.records == 0) == (self.raw_len == 0);
        lengths && records
    }

    /// Whether so little can be so much, and is worth a try. What claims more costs no memory and no time.
    pub fn is_plausible(&self) -> bool {
        let stored = self.stored_len as usize;
        let columns = self.packed_len > 0;
        self.raw_len.max(self.packed_len) as usize / MOST_BYTES <= stored
            && !(columns && self.records as usize / MOST_RECORDS > stored)
    }

    /// Whether this is the mark of an orderly end.
    pub fn is_end(&self) -> bool {
        self.records == 0
    }
}

/// Puts the CRC-32 of all before the last four bytes there.
fn seal(b: &mut [u8]) {
    if let Some((body, crc)) = b.split_last_chunk_mut::<4>() {
        *crc = crc32fast::hash(body).to_le_bytes();
    }
}

fn sealed(b: &[u8]) -> bool {
    b.split_last_chunk::<4>()
        .is_some_and(|(body, crc)| crc32fast::hash(body).to_le_bytes() == *crc)
}

fn u64_at(b: &[u8], at: usize) -> u64 {
    b.get(at..)
        .and_then(<[u8]>::first_chunk)
        .map_or(0, |b| u64::from_le_bytes(*b))
}

fn u32_at(b: &[u8], at: usize) -> u32 {
    b.get(at..)
        .and_then(<[u8]>::first_chunk)
        .map_or(0, |b| u32::from_le_bytes(*b))
}

/// Appends one record to the frames of a block: its length, seven bits a byte, lowest first, the
/// high bit set on all but the last; then its bytes. The length must not exceed [`MAX_RECORD`].
pub fn put_frame(raw: &mut Vec<u8>, record: &[u8]) {
    let mut len = record.len();
    while len >= 0x80 {
        raw.push(len as u8 | 0x80);
        len >>= 7;
    }
    raw.push(len as u8);
    raw.extend_from_slice(record);
}

/// Splits the first record off the frames of a block: where it begins and ends. `None` at the end,
/// and if there is no whole record.
#[inline]
pub fn next_frame(raw: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut len = 0;
    // Four bytes of seven bits are enough for any record.
    for (i, byte) in raw.get(at..)?.iter().take(4).enumerate() {
        len |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            let start = at + i + 1;
            let end = start + len;
            return (len > 0 && end <= raw.len()).then_some((start, end));
        }
    }
    None
}

/// Whether `raw` is exactly `records` frames.
pub fn are_frames(raw: &[u8], records: u32) -> bool {
    let mut ends = iter::successors(Some(0), |&at| next_frame(raw, at).map(|(_, end)| end));
    ends.nth(records as usize) == Some(raw.len())
}
