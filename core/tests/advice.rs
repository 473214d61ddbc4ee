//! Advice for real programs, read by hand: what was said of them then is said of their recordings now.

use std::path::Path;

use bytehop_core::advise::{Facts, advise};
use bytehop_core::arch::Arch;
use bytehop_core::i18n::Lang;
use bytehop_core::reconstruct::Reconstructor;
use bytehop_core::record::open_events;
use bytehop_core::report::{self, Style};

/// The programs, and the rules that have something to say of them. Debian 12, level T, without lines.
const PROGRAMS: [(&str, &[&str]); 8] = [
    // dd, cat and tar; cp has nothing to improve.
    (
        "cp",
        &[
            "file-to-file",
            "through-a-pipe",
            "file-to-file",
            "through-a-pipe",
        ],
    ),
    // Two ways that its library copies by itself; copy_file_range, sendfile and splice are in it, too.
    ("go", &["file-to-file", "socket-relay"]),
    ("nginx", &["file-to-socket"]),
    ("nginx-ssl", &[]),
    // With BGSAVE.
    ("redis", &[]),
    ("rsync", &[]),
    // A transaction for each row.
    ("sqlite", &["sync-per-write"]),
    ("fio", &["mapped-faults"]),
];

fn facts(name: &str) -> Facts {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/advice");
    let events = open_events(&path.join(name).with_extension("bhop")).expect("a recording");
    let (mut facts, mut reconstructor) = (Facts::default(), Reconstructor::new(Arch::X86_64));
    for event in events {
        reconstructor.push(&event, &mut facts);
    }
    reconstructor.finish();
    facts
}

#[test]
fn of_real_programs() {
    for (program, rules) in PROGRAMS {
        let facts = facts(program);
        for (name, lang, width) in [("en", Lang::En, 80), ("zh", Lang::Zh, 100)] {
            let advised = advise(&facts, lang);
            let found: Vec<_> = advised.advice.iter().map(|advice| advice.rule).collect();
            assert_eq!(found, rules, "{program}");
            let style = Style {
                lang,
                width,
                ..Style::default()
            };
            let text = report::advice(&advised, &style);
            insta::assert_snapshot!(format!("{program}-{name}"), text);
        }
    }
}
