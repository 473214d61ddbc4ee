//! What `/` finds: sizes, times, errors, files, regions, against what the recording says by other ways.

mod common;

use std::path::Path;

use tui::action::Action;
use tui::app::App;
use tui::store::{Detail, Store, What};
use tui::update::update;

use common::{PLAIN, app, press};

fn found(app: &mut App, filter: &str) -> Vec<usize> {
    press(app, "/");
    for c in filter.chars() {
        update(app, Action::Type(c));
    }
    press(app, "<Enter>");
    let found = app.list.calls().collect();
    press(app, "<Esc>");
    found
}

fn name(app: &App, call: usize) -> Option<String> {
    let call = app.store.call(call)?;
    match &app.store.sig(&call)?.what {
        What::Syscall { name, .. } => Some(name.to_string()),
        _ => None,
    }
}

/// By size and time as many as the summary's histograms have.
#[test]
fn sizes_and_times_are_those_of_the_histograms() {
    for recording in ["copy", "b-copy", "sendfile", "write-fsync"] {
        let mut app = app(recording, PLAIN, (80, 24));
        let rows = app.store.summary.syscalls.clone();
        let mut some = 0;
        for (filter, from) in [(">= 4K", 4096), (">=65536", 65536), (">= 1M", 1 << 20)] {
            let calls = found(&mut app, filter);
            for row in rows.iter().filter(|row| !row.sizes.is_empty()) {
                let of_name = |call: &&usize| name(&app, **call).as_deref() == Some(&row.name);
                let buckets = row.sizes.buckets().filter(|(least, _)| *least >= from);
                let expected: u64 = buckets.map(|(_, n)| n).sum();
                let n = calls.iter().filter(of_name).count() as u64;
                assert_eq!(n, expected, "{recording} {filter} {}", row.name);
                some += n;
            }
        }
        assert!(some > 0, "{recording}");
        // 2^16 ns.
        let calls = found(&mut app, "< 65536ns");
        for row in &rows {
            let of_name = |call: &&usize| name(&app, **call).as_deref() == Some(&row.name);
            let buckets = row.times.buckets().filter(|(least, _)| *least < 65536);
            let expected: u64 = buckets.map(|(_, n)| n).sum();
            let n = calls.iter().filter(of_name).count() as u64;
            assert_eq!(n, expected, "{recording} {}", row.name);
        }
    }
}

#[test]
fn one_size_alone_and_words_with_it() {
    let mut app = app("copy", PLAIN, (80, 24));
    let all = found(&mut app, "= 65536");
    let reads = found(&mut app, "read src = 64 KiB");
    assert!(!reads.is_empty() && reads.len() < all.len());
    for call in reads {
        assert_eq!(name(&app, call).as_deref(), Some("read"));
        let call = app.store.call(call).expect("a call");
        assert_eq!(call.bytes, 65536);
    }
}

/// By the name of its error: those whose records say that they returned it.
#[test]
fn errors() {
    let mut app = app("copy", PLAIN, (80, 24));
    let calls = found(&mut app, "enoent");
    let mut expected = Vec::new();
    for index in 0..app.store.len() {
        let call = app.store.call(index).expect("a call");
        let what = app.store.sig(&call).expect("what it was").what.clone();
        let detail = app.store.details.read(&call, &what);
        if let Some(Detail::Syscall { ret: -2, .. }) = detail {
            expected.push(index);
        }
    }
    assert!(!expected.is_empty());
    assert_eq!(calls, expected);
    assert_eq!(found(&mut app, "ENOENT"), expected);
    assert!(found(&mut app, "EAGAIN").is_empty());
}

/// The program marks them: each write of it lies in `store`, which lies in `load`.
#[test]
fn regions() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/regions/c.bhop");
    let store = Store::open(&file).expect("a recording");
    let mut app = App::new(store, PLAIN, (80, 24));
    let names = |app: &mut App, filter: &str| -> Vec<String> {
        let calls = found(app, filter);
        calls.iter().filter_map(|call| name(app, *call)).collect()
    };
    assert_eq!(names(&mut app, "store"), ["write"; 12]);
    let all = names(&mut app, "load");
    let many = |name: &str| all.iter().filter(|one| *one == name).count();
    assert_eq!((many("read"), many("write"), many("close")), (12, 12, 3));
    assert_eq!(names(&mut app, "load = 64K read").len(), 12);
}

/// What cannot be read is said, and stays to be put right.
#[test]
fn a_filter_that_is_none() {
    let mut app = app("copy", PLAIN, (80, 24));
    press(&mut app, "/>= many<Enter>");
    let note = app.note.clone().expect("a word about it");
    assert!(note.starts_with("'>= many'"), "{note}");
    assert_eq!(app.input.as_deref(), Some(">= many"));
    assert!(!app.list.is_filtered());
    press(
        &mut app,
        "<Backspace><Backspace><Backspace><Backspace>1M<Enter>",
    );
    assert_eq!((app.note.as_deref(), app.filter.as_str()), (None, ">= 1M"));
    assert!(app.list.is_filtered());
}

/// Each hop once, in the buckets of its size; together as many and as much as the store has.
#[test]
fn histograms_of_hops_have_every_hop() {
    for recording in ["copy", "b-sendfile", "write-fsync"] {
        let app = app(recording, PLAIN, (80, 24));
        let store = &app.store;
        let mut hops: Vec<tui::store::Hop> = Vec::new();
        for call in 0..store.len() {
            hops.extend(store.hops(call));
        }
        assert!(!hops.is_empty());
        for hop in &hops {
            let like = hops.iter().filter(|other| other.key == hop.key);
            let [sizes, times] = store.histograms(hop);
            let counted = |from: u64, of: fn(&tui::store::Hop) -> u64, zero: bool| {
                let inside = |n: u64| match from {
                    0 => n == 0,
                    from => n >= from && (n - from) < from,
                };
                let values = like.clone().map(of).filter(|n| zero || *n > 0);
                values.filter(|n| inside(*n)).count() as u64
            };
            for (from, n) in sizes.buckets() {
                assert_eq!(
                    n,
                    counted(from, |hop| hop.bytes, true),
                    "{recording} {from}"
                );
            }
            for (from, n) in times.buckets() {
                let of = |hop: &tui::store::Hop| u64::from(hop.dur);
                assert_eq!(n, counted(from, of, false), "{recording} {from}");
            }
            let all: u64 = sizes.buckets().map(|(_, n)| n).sum();
            assert_eq!(all, like.count() as u64);
        }
    }
}
