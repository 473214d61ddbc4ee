//! What `annotate` shows by line, with what it says is elsewhere and not known, is what the summary has: in every
//! column, of every recording in the tree.

mod common;

use bytehop_core::annotate::{Annotator, Line};
use bytehop_core::arch::Arch;
use bytehop_core::reconstruct::summarise;
use bytehop_core::record::open_events;

/// Bytes by column, and crossings.
fn columns(lines: impl IntoIterator<Item = Line>) -> [u64; 7] {
    let mut sums = [0; 7];
    for line in lines {
        let columns = [
            line.copied,
            line.zeroed,
            line.dma,
            line.dma_deferred,
            line.shared,
            line.mapped,
            line.crossings,
        ];
        for (sum, column) in sums.iter_mut().zip(columns) {
            *sum += column;
        }
    }
    sums
}

#[test]
fn every_column_closes() {
    let mut with_lines = 0;
    for path in common::recordings() {
        let mut annotator = Annotator::default();
        let events = open_events(&path).expect("a recording");
        let summary = summarise(events, Arch::X86_64, &mut annotator);
        let annotation = annotator.finish();
        let lines = annotation.files.iter().flat_map(|file| file.lines.values());
        let rest = [annotation.elsewhere, annotation.unknown];
        let shown = columns(lines.copied().chain(rest));

        let mut whole = Line::default();
        for hop in &summary.hops {
            let known = hop.evidence.known();
            whole.moved(hop.kind, hop.engine, hop.deferred, known, hop.bytes);
        }
        whole.crossings = summary.crossings.total;
        assert_eq!(shown, columns([whole]), "{}", path.display());
        with_lines += usize::from(!annotation.files.is_empty());
    }
    assert!(with_lines >= 4, "{with_lines} recordings with lines");
}
