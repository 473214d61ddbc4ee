//! Regions that a program marks itself: what lies in them is known to the byte, live and on a recording.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::harness::{BYTEHOP, Scratch, command, compiled, not_run, output, serial};
use crate::summary::Summary;

/// What the program writes: in each of 3 passes 4 × 64 KiB in `store`, which lies in `load`; 64 KiB in a thread
/// that is started in `load`; 64 KiB outside.
const STORED: u64 = 12 * (64 << 10);
const LOADED: u64 = STORED + 3 * (64 << 10);

type Rows = BTreeMap<String, Vec<u64>>;

/// Calls by name, and hops by their way: all but times.
fn numbers(summary: &Summary) -> Rows {
    let mut rows = Rows::new();
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    for call in summary.list("/syscalls") {
        let counts = ["calls", "errors", "bytes"].map(|key| number(&call[key]));
        rows.insert(call["name"].to_string(), counts.to_vec());
    }
    for hop in summary.list("/hops") {
        let way = [
            "kind", "from", "to", "deferred", "evidence", "rule", "probe",
        ];
        let way: Vec<String> = way.iter().map(|key| hop[*key].to_string()).collect();
        let counts = ["bytes", "count"].map(|key| number(&hop[key]));
        rows.insert(way.join(" "), counts.to_vec());
    }
    rows
}

fn json(words: &[&str]) -> Summary {
    let mut line = vec![BYTEHOP];
    line.extend(words);
    let done = output(command(&line)).expect(0);
    Summary::parse(&done.stdout)
}

fn written(summary: &Summary) -> u64 {
    let hops = summary.list("/hops").iter();
    let copies = hops.filter(|hop| {
        let to_file = hop["to"] == "shmem" || hop["to"] == "page_cache";
        hop["kind"] == "copy" && hop["from"] == "user" && to_file
    });
    copies.filter_map(|hop| hop["bytes"].as_u64()).sum()
}

#[test]
#[ignore = "root"]
fn what_lies_in_a_region_is_known_live_and_afterwards() {
    let _serial = serial();
    let scratch = Scratch::in_memory();
    let source = include_str!("regions/regions.c");
    let Some(program) = compiled(&scratch, "regions", source) else {
        return not_run(
            "what_lies_in_a_region_is_known_live_and_afterwards",
            "no C compiler",
        );
    };
    let data = scratch.path("data");
    let whole = scratch.path("whole.bhop");
    let line = [BYTEHOP, "record", "-q", "-o", &whole, "--", &program, &data];
    output(command(&line)).expect(0);
    let all = json(&["report", "--json", &whole]);
    for (region, bytes, passes) in [("store", STORED, 12), ("load", LOADED, 3)] {
        let rows = all.list("/by_name/regions").iter();
        let row = rows.clone().find(|row| row["region"] == region);
        let row = row.unwrap_or_else(|| panic!("no region {region}"));
        assert_eq!(row["passes"], passes);
        let after = json(&["report", "--json", &whole, "--region", region]);
        assert_eq!(written(&after), bytes, "{region}");
        assert_eq!(row["calls"].as_u64(), Some(after.calls()), "{region}");
        assert_eq!(row["duration_ns"], after.0["duration_ns"], "{region}");
        // Cut out: the same in every number.
        let part = scratch.path("part.bhop");
        output(command(&[
            BYTEHOP, "cut", &whole, "-o", &part, "--region", region,
        ]))
        .expect(0);
        assert_eq!(json(&["report", "--json", &part]).0, after.0, "{region}");
        // Live, of a run of its own, and what that run recorded.
        let (live, kept) = (scratch.path("live.json"), scratch.path("kept.bhop"));
        let line = [
            BYTEHOP,
            "run",
            "--no-tui",
            "--json",
            "--summary",
            &live,
            "-o",
            &kept,
            "--region",
            region,
            "--",
            &program,
            &data,
        ];
        output(command(&line)).expect(0);
        let live = Summary::parse(&fs::read_to_string(&live).expect("a summary"));
        assert_eq!(written(&live), bytes, "{region}");
        assert_eq!(
            numbers(&live),
            numbers(&json(&["report", "--json", &kept])),
            "{region}"
        );
        if region == "store" {
            assert_eq!(live.calls(), after.calls());
        }
    }
    let none = output(command(&[BYTEHOP, "report", &whole, "--region", "nix"])).expect(2);
    let said = "no region nix in this recording; there are: load, store";
    assert!(none.stderr.contains(said), "{}", none.stderr);
}
