use proptest::prelude::*;

use super::*;
use crate::decode::widths;
use crate::record::format::put_frame;

fn frames(records: &[Vec<u8>]) -> Vec<u8> {
    let mut frames = Vec::new();
    for record in records {
        put_frame(&mut frames, record);
    }
    frames
}

/// Packs each list of records, one after the other, and compares what comes back.
fn round_trip(blocks: &[Vec<Vec<u8>>]) {
    let (mut packer, mut unpacker) = (Packer::default(), Unpacker::default());
    for records in blocks {
        let frames = frames(records);
        let packed = packer.pack(&frames).to_vec();
        let mut out = vec![0xaa; frames.len()];
        let count = records.len() as u32;
        assert_eq!(unpacker.unpack(&packed, count, &mut out), Some(()));
        assert_eq!(out, frames);
        // Claims that are not so.
        for (count, len) in [(count + 1, 0), (count.wrapping_sub(1), 0), (count, 1)] {
            let mut out = vec![0; frames.len() + len];
            assert_eq!(unpacker.unpack(&packed, count, &mut out), None);
        }
    }
}

/// A record of a kind of the kernel: fields of few values, of a trend, and of noise.
fn kernel_record(kind: u8, noise: &[u64], n: u64) -> Vec<u8> {
    let mut record = vec![kind];
    for (field, width) in widths(kind)
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .skip(1)
    {
        let noise = noise[field % noise.len()];
        let value = match noise % 4 {
            0 => noise >> 62,
            1 => noise.wrapping_mul(n),
            2 => 7,
            _ => noise,
        };
        record.extend(&value.to_le_bytes()[..usize::from(width)]);
    }
    record
}

fn any_record() -> impl Strategy<Value = Vec<u8>> {
    let known = (
        0u8..20,
        prop::collection::vec(any::<u64>(), 1..40),
        0u64..5,
        0usize..4,
    );
    let known = known.prop_map(|(kind, noise, n, tail)| {
        let mut record = kernel_record(kind, &noise, n);
        record.extend(&[9; 3][..tail.min(3)]);
        record
    });
    prop_oneof![
        4 => known,
        1 => prop::collection::vec(any::<u8>(), 1..200),
        1 => Just(b"\x80{\"meta\":\"end\"}".to_vec()),
    ]
}

proptest! {
    #[test]
    fn any_records_come_back(
        blocks in prop::collection::vec(prop::collection::vec(any_record(), 1..80), 1..4)
    ) {
        round_trip(&blocks);
    }

    /// Whatever is changed, nothing panics, and what is filled is frames.
    #[test]
    fn damage_is_survived(
        records in prop::collection::vec(any_record(), 1..40),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let frames = frames(&records);
        let mut packed = Packer::default().pack(&frames).to_vec();
        for (at, byte) in damage {
            let at = at.index(packed.len());
            packed[at] = byte;
        }
        let mut unpacker = Unpacker::default();
        let count = records.len() as u32;
        for bytes in [&packed[..], &packed[..cut.index(packed.len())]] {
            let mut out = vec![0; frames.len()];
            if unpacker.unpack(bytes, count, &mut out).is_some() {
                prop_assert!(crate::record::format::are_frames(&out, count));
            }
        }
    }

    #[test]
    fn any_bytes_are_survived(packed in prop::collection::vec(any::<u8>(), 0..300), records in 0u32..9) {
        let mut out = vec![0; 256];
        if Unpacker::default().unpack(&packed, records, &mut out).is_some() {
            prop_assert!(crate::record::format::are_frames(&out, records));
        }
    }
}

/// Long runs, of every kind, with single others among them: what is sparse, and what crosses blocks.
#[test]
fn runs_come_back() {
    let noise = [1, 5, 4 << 60, 2, 9, 8, 1 << 63 | 1];
    let run = |kind: u8| -> Vec<Vec<u8>> {
        (0..3000)
            .map(|n: u64| {
                let mut noise = noise;
                if n % 97 == 5 {
                    noise[n as usize % noise.len()] = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                }
                kernel_record(kind, &noise, n)
            })
            .collect()
    };
    for kind in (1..18).filter(|kind| widths(*kind).is_some()) {
        round_trip(&[run(kind), run(kind), [run(kind), run(1), run(2)].concat()]);
    }
}

/// Of a loop of equal calls only what is noise takes room.
#[test]
fn loops_are_small() {
    let mut ts = 0u64;
    let records: Vec<Vec<u8>> = (0..8000u64)
        .map(|n| {
            let dur = 400 + n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 64;
            let mut record = kernel_record(2, &[7], 0);
            record[12..16].copy_from_slice(&(n as u32).to_le_bytes());
            record[16..24].copy_from_slice(&ts.to_le_bytes());
            record[24..32].copy_from_slice(&dur.to_le_bytes());
            record[64..72].copy_from_slice(&(4096 * n).to_le_bytes());
            ts += dur + 80;
            record
        })
        .collect();
    let len = Packer::default().pack(&frames(&records)).len();
    assert!(len < 3 * records.len(), "{len}");
}

#[test]
fn widths_are_the_layouts() {
    for kind in 1..18 {
        if let Some(widths) = widths(kind) {
            let head = [1, 1, 2, 4, 4, 4, 8];
            assert_eq!(widths[..7], head, "kind {kind}");
            assert_eq!(head.iter().map(|w| usize::from(*w)).sum::<usize>(), HEAD);
            assert!(widths.len() - head.len() <= MAX_COLUMNS);
        }
    }
}
