//! Recordings, whole, cut and damaged.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::format::*;
use super::*;
use crate::decode::encode;
use crate::event::{Event, Head, Meta, Start, Switch};

const NAME: &str = "test.bhop";

/// A record of `n`, with time `1000 + n`; lengths differ.
fn record(n: u64) -> Vec<u8> {
    let head = Head {
        ts: 1000 + n,
        seq: n as u32,
        ..Head::default()
    };
    let mut bytes = Vec::new();
    encode(
        &Event::Switch(Switch {
            head,
            off: n.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            ..Switch::default()
        }),
        &mut bytes,
    );
    bytes.resize(bytes.len() + (n % 3) as usize, n as u8);
    bytes
}

/// A finished recording of `blocks` blocks of `per_block` records, and where each block begins
/// (the end mark included).
fn recording(format: Format, blocks: u64, per_block: u64) -> (Vec<u8>, Vec<usize>) {
    let mut file = Vec::new();
    let mut starts = Vec::new();
    let mut writer = Writer::of_format(&mut file, Path::new(NAME), format).unwrap();
    for block in 0..blocks {
        starts.push(writer.stats().bytes as usize);
        for n in 0..per_block {
            writer.record(&record(block * per_block + n)).unwrap();
        }
        writer.flush().unwrap();
    }
    starts.push(writer.stats().bytes as usize);
    writer.finish().unwrap();
    (file, starts)
}

/// All records and warnings of `file`.
fn read(file: &[u8]) -> Result<(Vec<Vec<u8>>, Vec<Warning>), RecordError> {
    let mut reader = Reader::new(file, Path::new(NAME))?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record() {
        records.push(record.to_vec());
    }
    assert_eq!(reader.next_record(), None);
    Ok((records, reader.warnings().to_vec()))
}

fn encoded(header: &BlockHeader) -> Vec<u8> {
    let mut bytes = Vec::new();
    header.encode(&mut bytes);
    bytes
}

fn records(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    range.map(record).collect()
}

#[test]
fn what_is_written_is_read() {
    for format in Format::ALL {
        let (file, _) = recording(format, 5, 7);
        assert_eq!(read(&file).unwrap(), (records(0..35), vec![]));
        assert_eq!(read(&recording(format, 0, 0).0).unwrap(), (vec![], vec![]));
    }
}

#[test]
fn large_traces_and_large_records_take_their_blocks() {
    for format in Format::ALL {
        let mut file = Vec::new();
        let mut writer = Writer::of_format(&mut file, Path::new(NAME), format).unwrap();
        for n in 0..60_000 {
            writer.record(&record(n)).unwrap();
        }
        let mut noise = 1u32;
        let big: Vec<u8> = (0..3 * BLOCK_RAW)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            })
            .collect();
        writer.record(&big).unwrap();
        let start = Meta::Start(Start {
            command: vec!["x".repeat(5 << 20)],
            ..Start::default()
        });
        writer.meta(&start).unwrap();
        let too_long = writer.record(&vec![1; MAX_RECORD + 1]).unwrap_err();
        assert!(matches!(too_long, RecordError::TooLong { .. }));
        writer.record(&vec![0; MAX_RECORD]).unwrap();
        let stats = writer.finish().unwrap();
        assert_eq!(
            (stats.records, stats.blocks, stats.bytes),
            (60_003, 3 + 3, file.len() as u64)
        );

        let (read, warnings) = read(&file).unwrap();
        assert_eq!((read.len(), warnings), (60_003, vec![]));
        assert_eq!(read[..60_000], records(0..60_000));
        assert_eq!(read[60_000], big);
        assert_eq!(
            crate::decode::decode(&read[60_001]).unwrap(),
            Event::Meta(start)
        );
        assert_eq!(read[60_002].len(), MAX_RECORD);
    }
}

/// SIGKILL, a full disk or a copy that was cut short: any prefix opens, gives the records of its
/// whole blocks, and says that it is not all.
#[test]
fn every_prefix_is_a_recording() {
    for format in Format::ALL {
        let (file, starts) = recording(format, 4, 5);
        for cut in 0..file.len() {
            let whole = starts.iter().skip(1).take_while(|&&end| end <= cut).count() as u64;
            let (got, warnings) = read(&file[..cut]).unwrap();
            assert_eq!(got, records(0..5 * whole), "cut at {cut}");
            let begin = starts.iter().copied().rfind(|&s| s <= cut).unwrap_or(0);
            let torn = cut - begin;
            let known = if whole < 4 && torn >= format.header() && begin > 0 {
                5
            } else {
                0
            };
            let warning = Warning::CutOff {
                offset: begin as u64,
                bytes: torn as u64,
                records: known,
            };
            assert_eq!(warnings, [warning], "cut at {cut}");
        }
    }
}

#[test]
fn a_damaged_block_costs_itself() {
    for format in Format::ALL {
        let (file, starts) = recording(format, 4, 5);
        for hit in starts[1]..starts[2] {
            let mut file = file.clone();
            file[hit] ^= 0x10;
            let (got, warnings) = read(&file).unwrap();
            assert_eq!(
                got,
                [records(0..5), records(10..20)].concat(),
                "hit at {hit}"
            );
            let gap = Warning::Gap {
                offset: starts[1] as u64,
                bytes: (starts[2] - starts[1]) as u64,
                blocks: 1,
                records: 5,
            };
            assert_eq!(warnings, [gap], "hit at {hit}");
        }
    }
}

#[test]
fn bytes_lost_or_added_in_the_middle() {
    for format in Format::ALL {
        let (file, starts) = recording(format, 6, 5);
        // A page that was never written, across two blocks.
        let mut holed = file.clone();
        holed[starts[1] + 70..starts[2] + 10].fill(0);
        let (got, warnings) = read(&holed).unwrap();
        assert_eq!(got, [records(0..5), records(15..30)].concat());
        let bytes = (starts[3] - starts[1]) as u64;
        assert_eq!(
            warnings,
            [Warning::Gap {
                offset: starts[1] as u64,
                bytes,
                blocks: 2,
                records: 10
            }]
        );
        // A block that is gone without a trace.
        let gone = [&file[..starts[2]], &file[starts[3]..]].concat();
        let (got, warnings) = read(&gone).unwrap();
        assert_eq!(got, [records(0..10), records(15..30)].concat());
        assert_eq!(
            warnings,
            [Warning::Gap {
                offset: starts[2] as u64,
                bytes: 0,
                blocks: 1,
                records: 5
            }]
        );
        // Something that does not belong there, with marks of its own.
        let added = [
            &file[..starts[2]],
            b"junk",
            &format.sync(),
            &file[starts[2]..],
        ]
        .concat();
        let (got, warnings) = read(&added).unwrap();
        assert_eq!(got, records(0..30));
        assert_eq!(
            warnings,
            [Warning::Gap {
                offset: starts[2] as u64,
                bytes: 12,
                blocks: 0,
                records: 0
            }]
        );
        // Half a payload cut out: the next block begins before the damaged one's length says.
        let short = [&file[..starts[2] + 80], &file[starts[2] + 100..]].concat();
        let (got, _) = read(&short).unwrap();
        assert_eq!(got, [records(0..10), records(15..30)].concat());
    }
}

#[test]
fn blocks_of_others_and_repeated_ones_are_not_read() {
    for format in Format::ALL {
        let (file, starts) = recording(format, 3, 5);
        let (other, others) = recording(format, 9, 5);
        let foreign = &other[others[5]..others[7]];
        let mixed = [
            &file[..starts[2]],
            foreign,
            &file[..starts[2]],
            &file[starts[2]..],
        ]
        .concat();
        let (got, warnings) = read(&mixed).unwrap();
        assert_eq!(got, records(0..15));
        assert_eq!(warnings.len(), 1);
        let two = [&file[..], &other].concat();
        let (got, warnings) = read(&two).unwrap();
        assert_eq!(got, records(0..15));
        let (offset, bytes) = (file.len() as u64, other.len() as u64);
        assert_eq!(warnings, [Warning::Trailing { offset, bytes }]);
    }
}

#[test]
fn a_damaged_file_header_is_passed_over_but_a_foreign_file_is_not() {
    for format in Format::ALL {
        let (file, _) = recording(format, 3, 5);
        for hit in MAGIC.len()..FILE_HEADER {
            let mut file = file.clone();
            file[hit] ^= 1;
            assert_eq!(
                read(&file).unwrap(),
                (records(0..15), vec![Warning::Header])
            );
        }
        for foreign in [&b"\x7fELF"[..], b"x", b"\x89BHOP\n", &[0; 100]] {
            let error = read(foreign).unwrap_err();
            assert_eq!(error.to_string(), "test.bhop is not a bytehop recording");
            assert_eq!(error.exit_code(), Some(4));
        }
        let header = FileHeader {
            version: VERSION + 1,
            codec: CODEC_LZ4,
            id: 1,
        };
        let error = read(&header.encode()).unwrap_err();
        assert_eq!(error.exit_code(), Some(4));
        assert!(
            error.to_string().contains("has recording format 3"),
            "{error}"
        );
        let error = Reader::open(Path::new("/nowhere/x.bhop")).err().unwrap();
        assert!(
            error
                .to_string()
                .starts_with("cannot open /nowhere/x.bhop: "),
            "{error}"
        );
        let error = Reader::open(Path::new("/")).err().unwrap();
        assert!(error.to_string().starts_with("cannot open /: "), "{error}");
    }
}

/// Headers that lie although their checksum is right: no panic, no memory, no record.
#[test]
fn hostile_headers_are_refused() {
    for format in Format::ALL {
        let (file, starts) = recording(format, 1, 5);
        let id = FileHeader::decode(file[..FILE_HEADER].try_into().unwrap())
            .unwrap()
            .id;
        let payload = &file[starts[0] + format.header()..starts[1]];
        let good = BlockHeader::decode(&file[starts[0]..]).unwrap();
        let check = |change: &dyn Fn(&mut BlockHeader), payload: &[u8], expected: u64| {
            let mut header = BlockHeader {
                crc: crc32fast::hash(payload),
                ..good
            };
            change(&mut header);
            let bytes = [&file[..FILE_HEADER], &encoded(&header), payload].concat();
            let (got, warnings) = read(&bytes).unwrap();
            assert_eq!(got, records(0..expected), "{header:?}");
            assert!(!warnings.is_empty());
        };
        check(&|_| (), payload, 5);
        check(&|h| h.raw_len = u32::MAX, payload, 0);
        check(&|h| h.raw_len = MAX_RAW as u32, payload, 0);
        check(&|h| h.raw_len -= 1, payload, 0);
        check(&|h| h.stored_len = h.raw_len, payload, 0);
        check(&|h| h.stored_len = u32::MAX, payload, 0);
        check(&|h| h.records = 4, payload, 0);
        check(&|h| h.records = 6, payload, 0);
        check(&|h| h.records = u32::MAX, payload, 0);
        check(&|h| h.first_record = u64::MAX, payload, 0);
        check(&|h| h.number = u32::MAX, payload, 5);
        check(&|h| h.id = id ^ 1, payload, 0);
        // A bomb: 64 KiB that claim to be 16 MiB of records, and frames that end nowhere.
        let mut bomb = vec![0x1f, 0, 1, 0];
        bomb.resize(64 << 10, 0xff);
        check(
            &|h| (h.raw_len, h.stored_len) = (MAX_RAW as u32, 64 << 10),
            &bomb,
            0,
        );
        for frames in [
            &[0x80; 9][..],
            &[0; 9],
            &[1, 1, 9, 1],
            &[0xff, 0xff, 0xff, 0x7f, 1],
        ] {
            let len = frames.len() as u32;
            check(
                &|h| (h.raw_len, h.stored_len, h.records) = (len, len, 2),
                frames,
                0,
            );
        }
    }
}

/// A header every 64 bytes, each with the rest of the file behind it: each byte is summed up a few times, not
/// once for every header.
#[test]
fn claims_that_overlap_cost_no_more_than_the_file() {
    for format in Format::ALL {
        let (file, _) = recording(format, 0, 0);
        let id = FileHeader::decode(file[..FILE_HEADER].try_into().unwrap())
            .unwrap()
            .id;
        let claims = 1 << 14;
        let room = claims * format.header();
        let hostile = |stored_len: usize, payload: &[u8]| {
            let header = |n: usize| BlockHeader {
                format,
                id,
                number: n as u32,
                records: 1,
                raw_len: MAX_RAW as u32,
                stored_len: stored_len as u32,
                crc: crc32fast::hash(payload),
                ..BlockHeader::default()
            };
            let mut bytes = file[..FILE_HEADER].to_vec();
            for n in 0..claims {
                header(n).encode(&mut bytes);
                bytes.extend(payload);
            }
            bytes.resize(bytes.len() + room, 0);
            let mut reader = Reader::new(&bytes[..], Path::new(NAME)).unwrap();
            assert_eq!(reader.next_record(), None);
            assert!(reader.warnings().len() <= 102);
            assert!(reader.memory() <= 2 * bytes.len());
            reader.blocks.checks.work / bytes.len() as u64
        };
        assert!(hostile(room, &[]) <= 40);
        // What can't be true is not tried, although its checksum is right.
        assert!(hostile(1, &[0]) <= 1);
    }
}

/// Twenty thousand damaged recordings: never a panic, never a record that was not written, and
/// everything before the first damage.
#[test]
fn mutations_are_survived() {
    for format in Format::ALL {
        let (file, starts) = recording(format, 5, 6);
        let written = records(0..30);
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        for round in 0..20_000 {
            let mut bytes = file.clone();
            let mut first = bytes.len();
            for _ in 0..=random(3) {
                let at = random(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
                first = first.min(at);
                match random(7) {
                    _ if bytes.is_empty() => {}
                    0 => bytes[at] ^= 1 << random(8),
                    1 => bytes[at] = random(256) as u8,
                    2 => bytes.truncate(at),
                    3 => drop(bytes.drain(at..(at + random(200)).min(bytes.len()))),
                    4 => {
                        let copy = bytes[random(at + 1)..=at].to_vec();
                        drop(bytes.splice(at..at, copy));
                    }
                    5 => {
                        let end = (at + random(100)).min(bytes.len());
                        bytes[at..end].fill(0);
                    }
                    // A length, a count or a number of some header.
                    _ => {
                        let field = starts[random(starts.len())] + 40 + random(20);
                        first = first.min(field);
                        if let Some(byte) = bytes.get_mut(field) {
                            *byte = random(256) as u8;
                        }
                    }
                }
            }
            let Ok((got, warnings)) = read(&bytes) else {
                assert!(first < MAGIC.len(), "round {round}");
                continue;
            };
            let mut rest = written.iter();
            assert!(
                got.iter().all(|r| rest.any(|w| w == r)),
                "round {round}: not written, or not in order"
            );
            let whole = starts
                .iter()
                .skip(1)
                .filter(|&&end| end <= first)
                .count()
                .min(5);
            assert!(
                got.starts_with(&written[..6 * whole]),
                "round {round}: records before the damage"
            );
            assert!(
                got.len() == 30 || !warnings.is_empty(),
                "round {round}: silent loss"
            );
            let missing: u64 = warnings
                .iter()
                .map(|w| match w {
                    Warning::Gap { records, .. } => *records,
                    _ => 0,
                })
                .sum();
            let cut = warnings.iter().any(|w| matches!(w, Warning::CutOff { .. }));
            assert!(
                cut || got.len() as u64 + missing == 30,
                "round {round}: {warnings:?}"
            );
        }
    }
}

/// A disk of a given size.
struct Disk {
    file: Vec<u8>,
    size: usize,
}

impl io::Write for Disk {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = buf.len().min(self.size - self.file.len());
        if n == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.extend_from_slice(&buf[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Disk {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        Sink::truncate(&mut self.file, len)
    }
}

#[test]
fn a_full_disk_leaves_the_blocks_before_it_and_one_error() {
    for format in Format::ALL {
        let (file, starts) = recording(format, 4, 5);
        for size in FILE_HEADER..file.len() {
            let mut disk = Disk {
                file: Vec::new(),
                size,
            };
            let mut writer = Writer::of_format(&mut disk, Path::new(NAME), format).unwrap();
            let mut errors = Vec::new();
            for n in 0..20 {
                errors.extend(writer.record(&record(n)).err());
                if n % 5 == 4 {
                    errors.extend(writer.flush().err());
                }
            }
            let whole = starts.iter().skip(1).filter(|&&end| end <= size).count() as u64;
            assert_eq!(writer.stats().records, 5 * whole);
            let last = writer.finish().unwrap_err();
            let error = errors.first().unwrap_or(&last);
            assert!(errors.len() <= 1 && (errors.len() == 1 || whole == 4));
            let expected = format!(
                "cannot write on to test.bhop: no storage space; it keeps the first {} records",
                5 * whole
            );
            assert_eq!(error.to_string(), expected);
            assert_eq!(disk.file.len(), starts[whole as usize]);
            let (got, warnings) = read(&disk.file).unwrap();
            assert_eq!((got, warnings.len()), (records(0..5 * whole), 1));
        }
    }
}

#[test]
fn ticks_and_drops_write_out() {
    for format in Format::ALL {
        let mut file = Vec::new();
        let mut writer = Writer::of_format(&mut file, Path::new(NAME), format).unwrap();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        writer.tick(at(0)).unwrap();
        writer.record(&record(0)).unwrap();
        writer.tick(at(400)).unwrap();
        assert_eq!(writer.stats().records, 0);
        writer.tick(at(500)).unwrap();
        assert_eq!(writer.stats().records, 1);
        writer.tick(at(1200)).unwrap();
        assert_eq!(writer.stats().blocks, 1);
        writer.record(&record(1)).unwrap();
        drop(writer);
        let (got, warnings) = read(&file).unwrap();
        assert_eq!(got, records(0..2));
        assert!(matches!(warnings[..], [Warning::CutOff { bytes: 0, .. }]));
    }
}

#[test]
fn blocks_can_be_read_in_any_order() {
    for format in Format::ALL {
        let dir = std::env::temp_dir().join(format!("bytehop-record-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join(DEFAULT_NAME);
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = Writer::of_format(file, &path, format).unwrap();
        for n in 0..30 {
            writer.record(&record(n)).unwrap();
            if n % 10 == 9 {
                writer.flush().unwrap();
            }
        }
        writer.finish().unwrap();
        let (blocks, warnings) = index(&path).unwrap();
        assert_eq!((blocks.len(), warnings), (3, vec![]));
        let mut reader = Reader::open(&path).unwrap();
        for i in [2, 0, 1] {
            let header = blocks[i].header;
            let first = 10 * i as u64;
            assert_eq!((header.first_record, header.records), (first, 10));
            assert_eq!((header.min_ts, header.max_ts), (1000 + first, 1009 + first));
            reader.seek(&blocks[i]).unwrap();
            for n in first..30 {
                assert_eq!(reader.next_record(), Some(&record(n)[..]));
            }
            assert_eq!(reader.next_record(), None);
        }
        assert_eq!(reader.warnings(), []);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}

#[test]
fn events_are_decoded_and_what_is_not_is_counted() {
    for format in Format::ALL {
        let mut file = Vec::new();
        let mut writer = Writer::of_format(&mut file, Path::new(NAME), format).unwrap();
        let start = Meta::Start(Start {
            pid: 7,
            ..Start::default()
        });
        writer.meta(&start).unwrap();
        writer.record(&[99, 0]).unwrap();
        writer.record(&record(3)).unwrap();
        writer.record(&record(4)[..39]).unwrap();
        writer.meta(&Meta::End(Default::default())).unwrap();
        writer.finish().unwrap();
        let mut events = Events::new(Reader::new(&file[..], Path::new(NAME)).unwrap());
        let got: Vec<Event> = events.by_ref().collect();
        assert_eq!(got.len(), 3);
        assert_eq!(got[0], Event::Meta(start));
        assert_eq!(got[1].head().unwrap().ts, 1003);
        let warnings = events.warnings();
        assert_eq!(
            warnings,
            [Warning::Undecodable {
                unknown: 1,
                malformed: 1
            }]
        );
        assert_eq!(
            warnings[0].to_string(),
            "1 records of kinds that this version does not know, ignored; 1 malformed records, ignored"
        );
    }
}
