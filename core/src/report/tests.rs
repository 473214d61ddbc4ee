//! The reports as a whole: snapshots of what runs read like, and what holds for any run.

use serde_json::{Value, json as value};

use super::layout::width;
use super::random::Random;
use super::{Detail, Format, Style, json, json_string, samples, text};
use crate::i18n::Lang;
use crate::model::Summary;
use crate::notice::Notice;

/// Every sample in a report of its own, below its name.
fn all(style: &Style) -> String {
    let samples = [
        ("cat of a cold file", samples::cat_cold()),
        ("sendfile server on loopback", samples::sendfile_loopback()),
        ("write and fsync", samples::write_fsync()),
        ("pipeline", samples::pipeline()),
        ("events lost", samples::lossy()),
        ("true", samples::empty()),
    ];
    let reports =
        samples.map(|(name, summary)| format!("=== {name} ===\n{}", text(&summary, style)));
    reports.join("\n")
}

#[test]
fn english_80() {
    insta::assert_snapshot!(all(&Style::default()));
}

#[test]
fn english_120() {
    insta::assert_snapshot!(all(&Style {
        width: 120,
        ..Style::default()
    }));
}

#[test]
fn chinese_80() {
    insta::assert_snapshot!(all(&Style {
        lang: Lang::Zh,
        ..Style::default()
    }));
}

#[test]
fn chinese_120() {
    insta::assert_snapshot!(all(&Style {
        lang: Lang::Zh,
        width: 120,
        ..Style::default()
    }));
}

#[test]
fn verbose_100() {
    insta::assert_snapshot!(all(&Style {
        detail: Detail::Verbose,
        width: 100,
        ..Style::default()
    }));
}

#[test]
fn quiet_80() {
    insta::assert_snapshot!(all(&Style {
        detail: Detail::Quiet,
        ..Style::default()
    }));
}

/// Escape sequences are shown as `‹…›`.
#[test]
fn colour_80() {
    let text = text(
        &samples::cat_cold(),
        &Style {
            color: true,
            ..Style::default()
        },
    );
    insta::assert_snapshot!(text.replace("\x1b[", "‹").replace("‹0m", "›"));
}

#[test]
fn ascii_is_ascii() {
    for detail in [Detail::Quiet, Detail::Normal, Detail::Verbose] {
        let text = all(&Style {
            ascii: true,
            detail,
            ..Style::default()
        });
        assert!(text.is_ascii(), "{text}");
    }
}

#[test]
fn json_cat_cold() {
    insta::assert_snapshot!(json_string(&samples::cat_cold()));
}

/// The fields that `contract.md` names, in a row each.
#[test]
fn json_keeps_the_contract() {
    let value = json(&samples::cat_cold());
    let keys = [
        "schema",
        "bytehop",
        "kernel",
        "arch",
        "level",
        "command",
        "exit_status",
        "duration_ns",
        "lost_events",
        "crossings",
        "context_switches",
        "syscalls",
        "page_faults",
        "hops",
        "disagreements",
        "by_process",
    ];
    for key in keys {
        assert!(value.get(key).is_some(), "{key}");
    }
    assert_eq!(value["schema"], value!(1));
    assert_eq!(
        value["crossings"],
        value!({"total": 218, "syscall": 94, "page_fault": 124, "interrupt": 6})
    );
    assert_eq!(
        value["hops"][5],
        value!({"kind": "dma", "from": "device:vda", "to": "page_cache", "count": 9, "bytes": 1_179_648,
            "evidence": "measured", "probe": "tp:block_rq_complete", "deferred": false, "engine": "paravirtual",
            "sizes": [{"from": 131_072, "count": 9}], "times": [{"from": 65_536, "count": 9}]})
    );
    assert_eq!(
        value["hops"][3],
        value!({"kind": "copy", "from": "page_cache", "to": "user", "count": 8, "bytes": 1_048_576,
            "evidence": "inferred", "rule": "read-returns-copied", "deferred": false,
            "sizes": [{"from": 131_072, "count": 8}]})
    );
}

/// Whatever the summary holds, a row of JSON has a probe or a rule, and an engine only if it is DMA.
#[test]
fn json_rows_are_consistent() {
    let mut random = Random(7);
    for _ in 0..200 {
        let value: Value = serde_json::from_str(&json_string(&random.summary())).expect("JSON");
        for row in value["hops"].as_array().expect("rows") {
            let has = |key| row.get(key).is_some();
            assert_eq!(has("probe"), row["evidence"] == "measured", "{row}");
            assert!(has("rule") != has("probe"), "{row}");
            assert_eq!(has("engine"), row["kind"] == "dma", "{row}");
        }
    }
}

/// No line is wider than asked for, nothing in a summary reaches the terminal raw, and colour
/// changes nothing but colour.
#[test]
fn any_summary_fits_any_width() {
    let mut random = Random(42);
    for i in 0..600 {
        let summary = random.summary();
        let style = Style {
            color: false,
            width: 40 + random.below(100) as usize,
            lang: if i % 2 == 0 { Lang::En } else { Lang::Zh },
            detail: [Detail::Quiet, Detail::Normal, Detail::Verbose][i % 3],
            ascii: i % 4 == 0,
        };
        let plain = text(&summary, &style);
        for line in plain.lines() {
            assert!(
                width(line) <= style.width,
                "{} > {}: {line}",
                width(line),
                style.width
            );
            assert!(!line.chars().any(char::is_control), "{line:?}");
            assert_eq!(line, line.trim_end());
        }
        let painted = text(
            &summary,
            &Style {
                color: true,
                ..style
            },
        );
        assert_eq!(unpainted(&painted), plain);
    }
}

/// Text without its colours.
fn unpainted(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        out + part.split_once('m').map_or("", |(_, rest)| rest)
    })
}

#[test]
fn formats_have_names() {
    assert_eq!("jsonl".parse(), Ok(Format::Jsonl));
    assert_eq!("json".parse(), Ok(Format::Json));
    assert_eq!("text".parse(), Ok(Format::Text));
    assert_eq!(
        "xml".parse::<Format>().unwrap_err().to_string(),
        "unknown format 'xml': text, json, jsonl, html, csv, folded, flamegraph, markdown, svg, perfetto or parquet"
    );
}

/// What must never be claimed.
#[test]
fn claims() {
    let style = Style {
        width: 200,
        ..Style::default()
    };
    let empty = text(&samples::empty(), &style);
    assert!(
        empty.contains("0 bytes copied by the kernel") && empty.contains("no DMA"),
        "{empty}"
    );
    assert!(!empty.contains("0 copies"));
    let mut metadata = samples::empty();
    metadata.metadata_io = samples::cat_cold().metadata_io;
    let metadata = text(&metadata, &style);
    assert!(
        metadata.contains("no DMA of the program's bytes"),
        "a device did work: {metadata}"
    );
    let cut = Summary {
        warnings: vec![Notice::NoEnd],
        ..samples::empty()
    };
    let cut = text(&cut, &style);
    assert!(
        !cut.contains("nothing lost") && !cut.contains("0 bytes copied"),
        "{cut}"
    );
    let lossy = text(&samples::lossy(), &style);
    assert!(
        !lossy.contains("0 bytes copied") && !lossy.contains("no DMA"),
        "{lossy}"
    );
    assert!(
        lossy.contains("Lost: system calls 1,234, block requests 7, context switches 2."),
        "{lossy}"
    );
    let loopback = text(&samples::sendfile_loopback(), &style);
    assert!(
        loopback.contains("lo is no device: no DMA, a CPU does the work"),
        "{loopback}"
    );
    assert!(
        loopback.contains("64.0 MiB moved by DMA"),
        "the packets to lo are no DMA: {loopback}"
    );
}
