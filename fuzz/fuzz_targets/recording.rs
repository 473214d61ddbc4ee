//! Any bytes as a recording, and as the parts of one whose checksums are right.
//!
//! Checksums stop nearly all random files at the first block, so the input is read twice: as a
//! whole file, and cut up into headers and payloads that are sealed properly, to reach what is
//! behind the checksums, in each format.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use bytehop_core::record::format::{BlockHeader, CODEC_LZ4, FileHeader, Format, MAX_RAW};
use bytehop_core::record::{Events, Reader};

fuzz_target!(|data: &[u8]| {
    read(data);
    let id = 0x1234;
    for format in Format::ALL {
        let mut file = FileHeader {
            version: format as u16,
            codec: CODEC_LZ4,
            id,
        }
        .encode()
        .to_vec();
        file.extend(blocks(data, id, format));
        read(&file);
    }
});

/// Every record, then every event, of `file`.
fn read(file: &[u8]) {
    let name = Path::new("fuzz");
    let Ok(mut reader) = Reader::new(Cursor::new(file), name) else {
        return;
    };
    let mut records = 0u64;
    while let Some(record) = reader.next_record() {
        assert!(!record.is_empty() && record.len() <= MAX_RAW);
        records += 1;
    }
    for warning in reader.warnings() {
        assert!(!warning.to_string().is_empty());
    }
    let Ok(reader) = Reader::new(file, name) else {
        unreachable!("it opened before")
    };
    let mut events = Events::new(reader);
    assert!(events.by_ref().count() as u64 <= records);
    let _ = events.warnings();
}

/// Blocks with headers from `data`: four bytes of lies, a length, and so many bytes of payload.
fn blocks(mut data: &[u8], id: u64, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut number, mut first_record) = (0u32, 0u64);
    while let Some((&[raw, raw_high, records, twist, len], rest)) = data.split_first_chunk() {
        let (payload, rest) = rest.split_at(usize::from(len).min(rest.len()));
        data = rest;
        let stored_len = payload.len() as u32;
        // Of format 2, mostly columns that are not compressed.
        let packed_len = match (format, twist & 24) {
            (Format::One, _) | (_, 0) => 0,
            (_, 8) => stored_len.saturating_add(u32::from(raw)),
            _ => stored_len,
        };
        let header = BlockHeader {
            format,
            id,
            first_record,
            min_ts: 0,
            max_ts: u64::MAX,
            number,
            records: u32::from(records),
            // Often not compressed; sometimes megabytes.
            raw_len: match twist & 3 {
                0 => stored_len,
                1 => u32::from(raw) << (raw_high & 31),
                _ => u32::from_le_bytes([raw, raw_high, 0, 0]),
            },
            stored_len,
            crc: crc32fast::hash(payload),
            packed_len,
            ..BlockHeader::default()
        };
        header.encode(&mut out);
        out.extend_from_slice(payload);
        if twist & 4 != 0 {
            out.extend_from_slice(&data[..data.len().min(3)]);
        }
        number = number.wrapping_add(1 + u32::from(twist >> 5));
        first_record = first_record.wrapping_add(u64::from(records) << (twist >> 6));
    }
    out
}
