//! `annotate`, `diff` and `advise` over real recordings, as text in both languages and as JSON.

use std::path::{Path, PathBuf};

use bytehop_core::advise::{Facts, advise};
use bytehop_core::annotate::{Annotation, Annotator};
use bytehop_core::arch::Arch;
use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use bytehop_core::reconstruct::{NoSink, Reconstructor, Sink};
use bytehop_core::record::open_events;
use bytehop_core::report::{self, Style};

/// The recordings of the terminal UI's tests.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tui")
}

fn read(name: &str, sink: &mut impl Sink) -> Summary {
    let path = folder().join("tests/recordings").join(name);
    let events = open_events(&path.with_extension("bhop")).expect("a recording");
    let mut reconstructor = Reconstructor::new(Arch::X86_64);
    for event in events {
        reconstructor.push(&event, sink);
    }
    reconstructor.finish()
}

fn styles() -> [(&'static str, Style); 3] {
    let style = |lang, width, ascii| Style {
        lang,
        width,
        ascii,
        ..Style::default()
    };
    [
        ("en", style(Lang::En, 80, false)),
        ("zh", style(Lang::Zh, 100, false)),
        ("ascii", style(Lang::En, 60, true)),
    ]
}

fn annotated() -> Annotation {
    let mut annotator = Annotator::default();
    read("source", &mut annotator);
    annotator.finish()
}

#[test]
fn annotations() {
    let annotation = annotated();
    // The recording names the source by its path from the package that it is in.
    let source = |path: &str| std::fs::read_to_string(folder().join(path)).ok();
    for (name, style) in styles() {
        let text = report::annotation(&annotation, None, &source, &style);
        insta::assert_snapshot!(format!("annotate-{name}"), text);
        assert!(name != "ascii" || text.is_ascii());
    }
    let style = Style::default();
    let whole = report::annotation(&annotation, Some("source.rs"), &source, &style);
    assert_eq!(whole.matches("use std::").count(), 2);
    let gone = report::annotation(&annotation, None, &|_| None, &style);
    insta::assert_snapshot!("annotate-without-source", gone);
    let other = report::annotation(&annotation, Some("other.rs"), &source, &style);
    insta::assert_snapshot!("annotate-other-file", other);

    // A recording without stacks says what to do.
    let mut annotator = Annotator::default();
    read("copy", &mut annotator);
    let none = report::annotation(&annotator.finish(), None, &source, &style);
    assert!(none.contains("--stacks"), "{none}");
}

#[test]
fn annotations_as_json() {
    let json = report::annotation_json(&annotated(), None);
    let line = |number: u64| {
        let lines = json["files"][0]["lines"].as_array().expect("lines").iter();
        lines
            .clone()
            .find(|line| line["line"] == number)
            .expect("a line")
            .clone()
    };
    assert_eq!(line(7)["copied"], 256 << 10);
    assert_eq!(line(7)["dma"], 256 << 10);
    assert_eq!(line(11)["copied"], 256 << 10);
    assert_eq!(line(11)["syscalls"], 4);
}

#[test]
fn comparisons() {
    let (a, b) = (read("copy", &mut NoSink), read("sendfile", &mut NoSink));
    for (name, style) in styles() {
        let text = report::comparison(&a, &b, ["copy.bhop", "sendfile.bhop"], &style);
        insta::assert_snapshot!(format!("diff-{name}"), text);
        assert!(name != "ascii" || text.is_ascii());
    }
}

#[test]
fn advice() {
    for recording in ["copy", "cow", "uring"] {
        let mut facts = Facts::default();
        read(recording, &mut facts);
        for (name, style) in styles() {
            let text = report::advice(&advise(&facts, style.lang), &style);
            insta::assert_snapshot!(format!("advise-{recording}-{name}"), text);
            assert!(name != "ascii" || text.is_ascii());
        }
    }
}
