//! The summary JSON, as a reader outside the project sees it.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::harness::Output;

/// Calls and errors by name.
pub type Counts = BTreeMap<String, (u64, u64)>;

/// What copies in page faults are known by: rules, and the function of level F.
const FAULTS: [&str; 3] = ["private-", "cow-", "copy_mc_to_kernel"];

/// A summary of schema 1 whose parts agree with each other.
pub struct Summary(pub Value);

impl Summary {
    #[track_caller]
    pub fn read(path: &str, output: &Output) -> Self {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|e| panic!("no summary ({e}); bytehop says: {}", output.stderr));
        Self::parse(&text)
    }

    /// Parses, and checks what holds for every run.
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        let value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e} in {text}"));
        let summary = Self(value);
        assert_eq!(summary.number("/schema"), 1);
        assert_eq!(summary.number("/crossings/syscall"), 2 * summary.calls());
        assert_eq!(
            summary.number("/crossings/page_fault"),
            2 * summary.number("/page_faults/user")
        );
        assert_eq!(
            summary.number("/crossings/total"),
            summary.number("/crossings/syscall") + summary.number("/crossings/page_fault")
        );
        for hop in summary.list("/hops") {
            let by = if hop["evidence"] == "inferred" {
                "rule"
            } else {
                "probe"
            };
            assert!(hop[by].is_string(), "a hop without its evidence: {hop}");
            assert_eq!(
                hop["kind"] == "dma",
                hop["engine"].is_string(),
                "an engine does dma: {hop}"
            );
        }
        summary
    }

    #[track_caller]
    pub fn number(&self, pointer: &str) -> u64 {
        let value = self.0.pointer(pointer).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("no number at {pointer} in {:#}", self.0))
    }

    pub fn text(&self, pointer: &str) -> &str {
        self.0
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    #[track_caller]
    pub fn list(&self, pointer: &str) -> &[Value] {
        let value = self.0.pointer(pointer).and_then(Value::as_array);
        value.unwrap_or_else(|| panic!("no list at {pointer} in {:#}", self.0))
    }

    /// Whether a probe was not attached.
    pub fn lacks(&self, probe: &str) -> bool {
        let missing = self.list("/missing_probes").iter();
        missing.into_iter().any(|row| row[0] == probe)
    }

    /// Calls that are known by name only.
    pub fn lost(&self, name: &str) -> u64 {
        let lost = self.0["lost_calls"].as_array().into_iter().flatten();
        let row = lost.into_iter().find(|row| row[0] == name);
        row.map_or(0, |row| row[1].as_u64().expect("a count"))
    }

    /// How often the kernel did not run a program, as a warning says.
    pub fn skipped(&self, program: &str) -> u64 {
        let start = format!("the kernel skipped probe {program} ");
        let warnings = self.list("/warnings").iter().filter_map(Value::as_str);
        let said = warnings.filter_map(|text| text.strip_prefix(&start));
        let mut counts = said.map(|text| text.split(' ').next().expect("a word").parse());
        counts.next().map_or(0, |count| count.expect("a count"))
    }

    pub fn counts(&self) -> Counts {
        let row = |row: &Value| {
            let number = |key: &str| row[key].as_u64().expect("a count");
            (
                row["name"].as_str().expect("a name").to_owned(),
                (number("calls"), number("errors")),
            )
        };
        self.list("/syscalls").iter().map(row).collect()
    }

    /// All calls that returned.
    pub fn calls(&self) -> u64 {
        self.counts().values().map(|(calls, _)| calls).sum()
    }

    /// Calls of one name.
    pub fn calls_of(&self, name: &str) -> u64 {
        self.counts().get(name).map_or(0, |(calls, _)| *calls)
    }

    /// Bytes of the calls of one name.
    pub fn bytes_of(&self, name: &str) -> u64 {
        let rows = self
            .list("/syscalls")
            .iter()
            .filter(|row| row["name"] == name);
        rows.map(|row| row["bytes"].as_u64().expect("bytes")).sum()
    }

    /// Hops of one kind; `from` and `to` may end in `*`.
    pub fn hops<'a>(&'a self, kind: &'a str, from: &'a str, to: &'a str) -> Vec<&'a Value> {
        let matches = |pattern: &str, place: &Value| {
            let place = place.as_str().expect("a place");
            match pattern.strip_suffix('*') {
                Some(start) => place.starts_with(start),
                None => place == pattern,
            }
        };
        let hops = self.list("/hops").iter().filter(|hop| hop["kind"] == kind);
        hops.filter(|hop| matches(from, &hop["from"]) && matches(to, &hop["to"]))
            .collect()
    }

    /// Bytes of these hops.
    pub fn bytes(&self, kind: &str, from: &str, to: &str) -> u64 {
        self.hops(kind, from, to)
            .iter()
            .map(|hop| hop["bytes"].as_u64().expect("bytes"))
            .sum()
    }

    /// Bytes copied from the page cache to the program by calls: not by page faults, whose number in
    /// the loader differs from run to run, and of which not every kernel tells what page was copied.
    pub fn read_bytes(&self) -> u64 {
        let hops = self.hops("copy", "page_cache", "user").into_iter();
        let by_call = hops.filter(|hop| {
            let by = hop["rule"].as_str().or(hop["probe"].as_str());
            by.is_some_and(|by| !FAULTS.iter().any(|fault| by.contains(fault)))
        });
        by_call
            .map(|hop| hop["bytes"].as_u64().expect("bytes"))
            .sum()
    }

    /// Fails, with the whole table, if [`Self::read_bytes`] are not `bytes`.
    #[track_caller]
    pub fn assert_read(&self, bytes: u64) {
        assert_eq!(self.read_bytes(), bytes, "read in {:#}", self.0["hops"]);
    }

    /// Fails, with the whole table, if there is such a hop.
    #[track_caller]
    pub fn assert_none(&self, kind: &str, from: &str, to: &str) {
        let hops = self.hops(kind, from, to);
        assert!(
            hops.is_empty(),
            "unexpected {kind} {from} → {to}: {hops:#?}"
        );
    }

    /// Fails, with the whole table, if these hops are not `bytes`.
    #[track_caller]
    pub fn assert_bytes(&self, kind: &str, from: &str, to: &str, bytes: u64) {
        let found = self.bytes(kind, from, to);
        assert_eq!(found, bytes, "{kind} {from} → {to} in {:#}", self.0["hops"]);
    }

    /// Fails, with the whole table, if these hops are not within `bytes`.
    #[track_caller]
    pub fn assert_within(
        &self,
        kind: &str,
        from: &str,
        to: &str,
        bytes: std::ops::RangeInclusive<u64>,
    ) {
        let found = self.bytes(kind, from, to);
        assert!(
            bytes.contains(&found),
            "{kind} {from} → {to}: {found}, not in {bytes:?}: {:#}",
            self.0["hops"]
        );
    }
}
