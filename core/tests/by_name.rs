//! Where the bytes went, by name: each table shares out the hop table, to the byte.

mod common;

use bytehop_core::arch::Arch;
use bytehop_core::model::{End, HopRow, NamedRow, Place, Summary};
use bytehop_core::reconstruct::{NoSink, summarise};
use bytehop_core::record::open_events;
use common::recordings;

type Is = fn(&Place) -> bool;

fn is_file(place: &Place) -> bool {
    matches!(place, Place::PageCache | Place::Shmem)
}

fn is_socket(place: &Place) -> bool {
    *place == Place::Socket
}

fn is_device(place: &Place) -> bool {
    matches!(place, Place::Device(_) | Place::Nic(_))
}

/// Bytes and operations of one kind of hop in a table.
fn sum(table: &[NamedRow], end: Option<End>, hop: &HopRow) -> (u64, u64) {
    let rows = table.iter().flat_map(|row| &row.hops);
    rows.filter(|named| named.end == end && named.hop.is_like(hop))
        .fold((0, 0), |sum, named| {
            (sum.0 + named.hop.bytes, sum.1 + named.hop.count)
        })
}

fn check(summary: &Summary, name: &str) {
    let by_name = &summary.by_name;
    let places: [(&str, &[NamedRow], Is); 3] = [
        ("files", &by_name.files, is_file),
        ("sockets", &by_name.sockets, is_socket),
        ("devices", &by_name.devices, is_device),
    ];
    for hop in &summary.hops {
        let all = (hop.bytes, hop.count);
        for (what, table, is) in places {
            for (end, place) in [(End::From, &hop.from), (End::To, &hop.to)] {
                let expected = if is(place) { all } else { (0, 0) };
                let found = sum(table, Some(end), hop);
                assert_eq!(found, expected, "{name}: {what}, {end:?} of {hop:?}");
            }
        }
        let whose = [
            ("processes", &by_name.processes),
            ("threads", &by_name.threads),
        ];
        for (what, table) in whose {
            assert_eq!(sum(table, None, hop), all, "{name}: {what} of {hop:?}");
        }
        if !by_name.cgroups.is_empty() {
            assert_eq!(sum(&by_name.cgroups, None, hop), all, "{name}: {hop:?}");
        }
    }
    let calls: u64 = summary.syscalls.iter().map(|row| row.calls).sum();
    let time: u64 = summary.syscalls.iter().map(|row| row.time_ns).sum();
    for table in [&by_name.processes, &by_name.threads] {
        assert_eq!(table.iter().map(|row| row.calls).sum::<u64>(), calls);
        assert_eq!(table.iter().map(|row| row.time_ns).sum::<u64>(), time);
    }
    for row in &summary.syscalls {
        let times: u64 = row.times.buckets().map(|(_, n)| n).sum();
        let sizes: u64 = row.sizes.buckets().map(|(_, n)| n).sum();
        assert_eq!(times, row.calls, "{name}: {}", row.name);
        assert!(sizes <= row.calls - row.errors, "{name}: {}", row.name);
        // A bucket's calls moved at least its bound each, and less than twice that.
        let least: u64 = row.sizes.buckets().map(|(from, n)| from * n).sum();
        assert!(
            least <= row.bytes && row.bytes < 2 * least.max(1),
            "{name}: {}",
            row.name
        );
    }
}

#[test]
fn names_share_out_the_hop_table() {
    let (mut files, mut sockets) = (0, 0);
    for path in recordings() {
        let events = open_events(&path).expect("a recording");
        let summary = summarise(events, Arch::X86_64, &mut NoSink);
        check(&summary, &path.display().to_string());
        files += summary.by_name.files.len();
        sockets += summary.by_name.sockets.len();
    }
    assert!(
        files > 100 && sockets > 10,
        "{files} files, {sockets} sockets"
    );
}
