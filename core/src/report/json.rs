//! The summary as JSON, schema 1.
//!
//! The shape is that of [`Summary`] and its parts, where each field is described. Fields may be added,
//! none is renamed. Quantities are plain numbers in the units of the field's description.

use serde_json::Value;

use crate::model::Summary;

/// Number of the schema. Grows when a field changes its meaning, not when one is added.
const SCHEMA: u32 = 1;

/// The summary as a JSON object.
pub fn json(summary: &Summary) -> Value {
    // Nothing in a summary can fail to serialise: no map has keys other than strings.
    let mut value = serde_json::to_value(summary).unwrap_or_default();
    if let Some(schema) = value.get_mut("schema") {
        *schema = SCHEMA.into();
    }
    let rows = value.get_mut("hops").and_then(Value::as_array_mut);
    rows.into_iter().flatten().for_each(hop);
    value
}

/// A row of hops names what it is known by, and a device's engine where that is what matters.
pub(super) fn hop(row: &mut Value) {
    let is =
        |row: &Value, key: &str, wanted: &str| row.get(key).and_then(Value::as_str) == Some(wanted);
    let not_dma = !is(row, "kind", "dma");
    let by_other = if is(row, "evidence", "inferred") {
        "probe"
    } else {
        "rule"
    };
    if let Some(row) = row.as_object_mut() {
        row.shift_remove(by_other);
        if not_dma {
            row.shift_remove("engine");
        }
    }
}

/// [`json`] as text for people to read and programs to parse, with a newline at its end.
pub fn json_string(summary: &Summary) -> String {
    format!("{:#}\n", json(summary))
}
