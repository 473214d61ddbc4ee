//! What the store keeps is what the reconstruction found.

mod common;

use std::collections::BTreeMap;

use bytehop_core::event::Event;
use bytehop_core::record::open_events;
use common::{RECORDINGS, store};
use tui::store::{Call, Detail, Hop, Store, What};

#[test]
fn small() {
    assert_eq!(size_of::<Call>(), 40);
    assert_eq!(size_of::<Hop>(), 24);
}

#[test]
fn sums_are_those_of_the_summary() {
    for name in RECORDINGS {
        let store = store(name);
        let sums = store.sums();
        let mut mine = BTreeMap::new();
        for (i, key) in store.keys().iter().enumerate() {
            let row = format!(
                "{:?} {} {} {} {}",
                key.kind,
                key.from,
                key.to,
                key.evidence.by(),
                key.deferred
            );
            let slot = mine.entry(row).or_insert((0, 0));
            slot.0 += sums.of(i).bytes;
            slot.1 += sums.of(i).count;
        }
        let theirs: BTreeMap<_, _> = store
            .summary
            .hops
            .iter()
            .map(|hop| {
                let by = hop.evidence.by();
                let row = format!(
                    "{:?} {} {} {by} {}",
                    hop.kind, hop.from, hop.to, hop.deferred
                );
                (row, (hop.bytes, hop.count))
            })
            .collect();
        assert_eq!(mine, theirs, "{name}");
        assert_eq!(sums.crossings(), store.summary.crossings.total, "{name}");
    }
}

#[test]
fn sums_until_a_call_add_up() {
    let store = store("copy");
    for until in [0, 1, store.len() / 2, store.len() - 1] {
        assert_eq!(store.sums_until(until), store.sums_of(0..=until));
    }
}

#[test]
fn details_are_read_again() {
    for name in RECORDINGS {
        let mut store = store(name);
        let mut order: Vec<usize> = (0..store.len()).collect();
        // Backwards as well: that is what scrolling up does.
        order.extend((0..store.len()).rev());
        for index in order {
            let call = store.call(index).expect("a call");
            let what = store.sig(&call).expect("a signature").what.clone();
            let detail = store.details.read(&call, &what);
            let fits = matches!(
                (&what, detail),
                (What::Syscall { .. }, Some(Detail::Syscall { .. }))
                    | (What::Fault { .. }, Some(Detail::Fault { .. }))
                    | (What::Later, None)
            );
            assert!(fits, "{name} #{index}: {what:?} {detail:?}");
        }
    }
}

#[test]
fn later_hops_know_their_cause() {
    let store = store("copy");
    let later = (0..store.len()).filter_map(|i| {
        let call = store.call(i)?;
        (store.sig(&call)?.what == What::Later).then_some((i, call))
    });
    let later: Vec<_> = later.collect();
    assert!(!later.is_empty());
    for (index, call) in later {
        let cause = store.call(call.record as usize).expect("a cause");
        assert!((call.record as usize) < index && cause.seq == call.seq);
        let sig = store.sig(&cause).expect("a signature");
        assert!(matches!(&sig.what, What::Syscall { name, .. } if **name == *"read"));
    }
}

/// The same from events alone, as a live trace will have it.
#[test]
fn events_alone_give_the_same_sums() {
    for name in RECORDINGS {
        let events: Vec<Event> = open_events(&common::path(name))
            .expect("a recording")
            .collect();
        let live = Store::of_events(&events);
        let read = store(name);
        assert_eq!(
            (live.len(), live.sums()),
            (read.len(), read.sums()),
            "{name}"
        );
    }
}
