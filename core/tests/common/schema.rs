//! What is written follows its schema in `docs/schema`.

use std::path::Path;

use super::python::python;

/// Checks every `NAME.*.json` and each line of every `NAME.*.jsonl` in `folder` against the schema `NAME`; a
/// member that no schema describes is an error, too.
pub fn follows(folder: &Path) {
    // Crates that include this file stand beside `core`.
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/schema.py");
    python(script, &["jsonschema"], folder);
}
