//! The summary as JSON, schema 1.
//!
//! The shape is that of [`Summary`] and its parts, where each field is described. Fields may be added,
//! none is renamed. Quantities are plain numbers in the units of the field's description.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::catalogue::Method;
use crate::i18n::Lang;
use crate::model::{Disagreement, Evidence, HopKind, HopRow, Known, Summary};

/// Number of the schema. Grows when a field changes its meaning, not when one is added.
const SCHEMA: u32 = 1;

/// Numbers of faults taken in user mode, or that have them in.
const USER_FAULTS: [(&str, &str); 3] = [
    ("crossings", "total"),
    ("crossings", "page_fault"),
    ("page_faults", "user"),
];

/// The summary as a JSON object.
pub fn json(summary: &Summary) -> Value {
    // Nothing in a summary can fail to serialise: no map has keys other than strings.
    let mut value = serde_json::to_value(summary).unwrap_or_default();
    if let Some(schema) = value.get_mut("schema") {
        *schema = SCHEMA.into();
    }
    if !summary.knows_user_faults() {
        for (object, field) in USER_FAULTS {
            value[object][field] = Value::Null;
        }
    }
    value
}

/// [`json`] as text for people to read and programs to parse, with a newline at its end.
pub fn json_string(summary: &Summary) -> String {
    format!("{:#}\n", json(summary))
}

// -------------------------------------------------------------------------------------------------
// Ids as text: here and nowhere else.

impl Serialize for Known {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.word())
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl Serialize for HopRow {
    /// A row names what it is known by, and a device's engine where that is what matters.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut row = s.serialize_map(None)?;
        row.serialize_entry("kind", &self.kind)?;
        row.serialize_entry("from", &self.from)?;
        row.serialize_entry("to", &self.to)?;
        row.serialize_entry("count", &self.count)?;
        row.serialize_entry("bytes", &self.bytes)?;
        row.serialize_entry("evidence", self.evidence.known().word())?;
        let by = match self.evidence {
            Evidence::Measured(_) => "probe",
            Evidence::Inferred(_) | Evidence::Estimated(_) => "rule",
        };
        row.serialize_entry(by, self.evidence.by())?;
        row.serialize_entry("deferred", &self.deferred)?;
        if let Some(engine) = self.engine.filter(|_| self.kind == HopKind::Dma) {
            row.serialize_entry("engine", &engine)?;
        }
        if let Some(ns) = self.cpu_ns {
            row.serialize_entry("cpu_ns", &ns)?;
        }
        for (name, histogram) in [("sizes", &self.sizes), ("times", &self.times)] {
            if !histogram.is_empty() {
                row.serialize_entry(name, histogram)?;
            }
        }
        row.end()
    }
}

impl Serialize for Disagreement {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut row = s.serialize_map(None)?;
        row.serialize_entry("what", &self.words(Lang::En))?;
        row.serialize_entry("expected", &self.expected)?;
        row.serialize_entry("found", &self.found)?;
        row.serialize_entry("rule", self.claim.name())?;
        if !self.skipped.is_empty() {
            row.serialize_entry("skipped", &self.skipped)?;
        }
        row.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Crossings, PageFaults};

    #[test]
    fn faults_of_which_nothing_is_known_are_no_number() {
        let of = |arch: &str, missing: &str| {
            let summary = Summary {
                arch: arch.to_owned(),
                missing_probes: vec![(missing.to_owned(), String::new())],
                crossings: Crossings {
                    total: 2,
                    syscall: 2,
                    ..Crossings::default()
                },
                page_faults: PageFaults {
                    minor: 7,
                    ..PageFaults::default()
                },
                ..Summary::default()
            };
            let value = json(&summary);
            let numbers = USER_FAULTS.map(|(object, field)| value[object][field].as_u64());
            assert_eq!(value["crossings"]["syscall"], 2);
            assert_eq!(value["page_faults"]["minor"], 7);
            numbers
        };
        let known = [Some(2), Some(0), Some(0)];
        assert_eq!(of("x86_64", "tp:page_fault_user"), [None; 3]);
        assert_eq!(of("x86_64", "tp:swiotlb_bounced"), known);
        assert_eq!(of("aarch64", "perf:page-faults"), [None; 3]);
        assert_eq!(of("aarch64", "fentry:copy_user_highpage"), known);
    }
}
