//! Each JSON that is written of a recording follows its schema in `docs/schema`.

mod common;

use std::fs::write;
use std::path::Path;

use bytehop_core::advise::{Facts, advise};
use bytehop_core::annotate::Annotator;
use bytehop_core::arch::Arch;
use bytehop_core::budget::{Budgets, Sizes, parse_list};
use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use bytehop_core::reconstruct::{NoSink, Sink, summarise};
use bytehop_core::record::open_events;
use bytehop_core::report::{self, Lines};
use common::recordings;
use common::schema::follows;

fn read(path: &Path, sink: &mut impl Sink) -> Summary {
    summarise(open_events(path).expect("a recording"), Arch::X86_64, sink)
}

fn lines(path: &Path) -> Vec<u8> {
    let mut lines = Lines::new(Arch::X86_64);
    let mut text = Vec::new();
    for event in open_events(path).expect("a recording") {
        text.extend_from_slice(lines.event(&event));
    }
    text.extend_from_slice(lines.finish());
    text
}

/// The summary with budgets that hold, that break, and that cannot be known.
fn judged(path: &Path) -> String {
    let budgets = "crossings >= 0\ncrossings < 2 and crossings < 1\ncrossings < size(gone)";
    let mut budgets = Budgets::new(parse_list(budgets).expect("budgets"));
    let summary = read(path, &mut budgets);
    let mut json = report::json(&summary);
    json["budgets"] = report::budgets_json(&budgets.judge(&summary, &Sizes::default()));
    json.to_string()
}

#[test]
fn what_is_written_of_a_recording_follows_its_schema() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut before: Option<Summary> = None;
    for (i, path) in recordings().iter().enumerate() {
        let put = |name: &str, end: &str, text: &[u8]| {
            write(dir.path().join(format!("{name}.{i}.{end}")), text).expect("written");
        };
        let mut annotator = Annotator::default();
        let summary = read(path, &mut annotator);
        let annotation = report::annotation_json(&annotator.finish(), None);
        let mut facts = Facts::default();
        assert_eq!(read(path, &mut facts), read(path, &mut NoSink));
        for lang in [Lang::En, Lang::Zh] {
            let advice = report::advice_json(&advise(&facts, lang));
            put(
                &format!("advise.{lang:?}"),
                "json",
                advice.to_string().as_bytes(),
            );
        }
        put("summary", "json", report::json_string(&summary).as_bytes());
        put("summary.judged", "json", judged(path).as_bytes());
        put("annotate", "json", annotation.to_string().as_bytes());
        put("jsonl", "jsonl", &lines(path));
        if let Some(before) = before {
            let diff = report::comparison_json(&before, &summary, ["a", "b"]);
            put("diff", "json", diff.to_string().as_bytes());
        }
        before = Some(summary);
    }

    follows(dir.path());
}
