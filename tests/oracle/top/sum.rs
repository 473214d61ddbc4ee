//! What all tables together say about one process.

use std::collections::BTreeMap;

use serde_json::Value;

/// Everything that tables say about one process.
#[derive(Debug, Default)]
pub struct Sum {
    pub names: Vec<String>,
    pub ended: bool,
    pub crossings: BTreeMap<&'static str, u64>,
    pub copied: u64,
    pub dma: u64,
    pub shared: u64,
    pub filled: u64,
    /// Calls and bytes by name.
    pub calls: BTreeMap<String, (u64, u64)>,
    pub hops: Vec<Value>,
}

pub fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

impl Sum {
    pub fn of(lines: &[Value], pid: u32) -> Self {
        let mut sum = Self::default();
        let rows = lines
            .iter()
            .flat_map(|line| line["processes"].as_array().expect("rows"));
        for row in rows.filter(|row| row["pid"] == pid) {
            sum.names
                .push(row["comm"].as_str().expect("a name").to_owned());
            sum.ended |= row["ended"] == true;
            for key in ["total", "syscall", "page_fault"] {
                *sum.crossings.entry(key).or_default() += number(&row["crossings"][key]);
            }
            sum.copied += number(&row["copied"]["bytes"]);
            sum.dma += number(&row["dma"]["bytes"]);
            sum.shared += number(&row["shared"]["bytes"]);
            sum.filled += number(&row["filled"]["bytes"]);
            for call in row["syscalls"].as_array().expect("calls") {
                let name = call["name"].as_str().expect("a name").to_owned();
                let known = sum.calls.entry(name).or_default();
                known.0 += number(&call["calls"]);
                known.1 += number(&call["bytes"]);
            }
            sum.hops
                .extend(row["hops"].as_array().expect("hops").iter().cloned());
        }
        assert!(!sum.names.is_empty(), "no row of {pid}");
        sum
    }

    /// Bytes that it read of files.
    pub fn read(&self) -> u64 {
        let bytes = |name| self.calls.get(name).map_or(0, |(_, bytes)| *bytes);
        bytes("read") + bytes("pread64")
    }

    /// Calls of a name and their bytes, without those that the loader makes.
    pub fn of_payload(&self, name: &str, loader: &Self) -> (u64, u64) {
        let (calls, bytes) = self.calls[name];
        let (by_loader, of_it) = loader.calls.get(name).copied().unwrap_or_default();
        (calls - by_loader, bytes - of_it)
    }

    /// Bytes of the hops of a kind between two places.
    pub fn moved(&self, kind: &str, from: &str, to: &str) -> u64 {
        let is = |hop: &&Value| hop["kind"] == kind && hop["from"] == from && hop["to"] == to;
        self.hops
            .iter()
            .filter(is)
            .map(|hop| number(&hop["bytes"]))
            .sum()
    }
}
