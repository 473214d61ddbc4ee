//! The JSON summary of every recording in the tree, as it was: what other programs read does not change by
//! accident. A change that is meant is taken over with `BLESS=1 cargo test -p bytehop-core --test golden`.

mod common;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use bytehop_core::arch::Arch;
use bytehop_core::reconstruct::{NoSink, summarise};
use bytehop_core::record::open_events;
use bytehop_core::report;
use sha2::{Digest, Sha256};

/// `SHA-256  path`, as `sha256sum` writes it: of what `bytehop report --format json` prints.
const GOLDEN: &str = "tests/golden-json.sha256";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Those of real runs, and those of every layout there was.
fn all() -> Vec<PathBuf> {
    let mut found = common::recordings();
    common::find(&workspace().join("core"), &mut found);
    found.sort();
    found
}

fn json(path: &Path) -> String {
    let events = open_events(path).expect("a recording");
    let summary = summarise(events, Arch::X86_64, &mut NoSink);
    report::json_string(&summary) + "\n"
}

#[test]
fn json_of_every_recording_is_as_it_was() {
    let found = all();
    let mut lines = String::new();
    for path in &found {
        let hash = Sha256::digest(json(path));
        let hash = hash.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let name = path.strip_prefix(workspace()).expect("below it");
        let _ = writeln!(lines, "{hash}  {}", name.display());
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &lines).expect("a file that can be written");
    }
    let expected = std::fs::read_to_string(&golden).expect("the golden file");
    let changed: Vec<_> = lines
        .lines()
        .filter(|line| !expected.contains(line))
        .collect();
    assert!(changed.is_empty(), "changed:\n{}", changed.join("\n"));
    assert_eq!(lines.lines().count(), expected.lines().count());
    assert!(found.len() >= 100, "{} recordings", found.len());
}

/// What calls returned, and what hops account for: nothing stands open in any of them.
#[test]
fn the_account_of_every_recording_closes() {
    for path in all() {
        let summary: serde_json::Value = serde_json::from_str(&json(&path)).expect("JSON");
        let ledger = &summary["ledger"];
        let number = |key: &str| ledger[key].as_u64().expect("a number");
        assert_eq!(
            number("returned"),
            number("accounted"),
            "{ledger}: {path:?}"
        );
        assert_eq!(number("unaccounted"), 0, "{path:?}");
        assert_eq!(ledger["open"], serde_json::json!([]), "{path:?}");
    }
}
