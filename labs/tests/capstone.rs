//! What lab `web-server` asks for is what `bytehop advise` finds in its recording, too.

use std::io::Write;

use bytehop_core::advise::{self, Facts};
use bytehop_core::arch::Arch;
use bytehop_core::i18n::Lang;
use bytehop_core::reconstruct::Reconstructor;
use bytehop_core::record::open_events;
use labs::lab;

/// Names of the rules that have something to say about a recording.
fn advice(recording: &str) -> Vec<&'static str> {
    let (labs, _) = lab::bundled();
    let lab = labs.iter().find(|lab| lab.id == "web-server");
    let bytes = lab.and_then(|lab| lab.recording(recording));
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes.expect("a recording")).expect("write");

    let mut facts = Facts::default();
    let mut reconstructor = Reconstructor::new(Arch::X86_64);
    for event in open_events(file.path()).expect("a recording") {
        reconstructor.push(&event, &mut facts);
    }
    reconstructor.finish();
    let advised = advise::advise(&facts, Lang::En);
    advised.advice.iter().map(|advice| advice.rule).collect()
}

#[test]
fn advise_finds_what_the_exercise_asks_for() {
    assert_eq!(advice("read-write").first(), Some(&"file-to-socket"));
    for recording in ["sendfile", "splice", "solution"] {
        let rules = advice(recording);
        assert!(!rules.contains(&"file-to-socket"), "{recording}: {rules:?}");
    }
}
