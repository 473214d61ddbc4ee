//! A table for spreadsheets and databases: one row for each row of the hop table, then one for each system call
//! by name (RFC 4180).

use serde::Serialize;

use crate::model::Summary;

/// `row` is `hop` or `call`; cells that a row has no value for are empty.
const COLUMNS: [&str; 14] = [
    "row",
    "name",
    "kind",
    "from",
    "to",
    "count",
    "bytes",
    "evidence",
    "by",
    "deferred",
    "engine",
    "errors",
    "time_ns",
    "time_evidence",
];

/// The hops and calls of a run.
pub fn csv(summary: &Summary) -> String {
    let mut out = line(COLUMNS.map(str::to_owned));
    for hop in &summary.hops {
        out += &line([
            "hop".to_owned(),
            String::new(),
            word(&hop.kind),
            hop.from.to_string(),
            hop.to.to_string(),
            hop.count.to_string(),
            hop.bytes.to_string(),
            word(&hop.evidence.known()),
            hop.evidence.by().to_owned(),
            hop.deferred.to_string(),
            hop.engine
                .filter(|_| hop.kind == crate::model::HopKind::Dma)
                .map_or_else(String::new, |engine| word(&engine)),
            String::new(),
            hop.cpu_ns.map_or_else(String::new, |ns| ns.to_string()),
            String::new(),
        ]);
    }
    for call in &summary.syscalls {
        let mut cells = [const { String::new() }; COLUMNS.len()];
        cells[0] = "call".to_owned();
        cells[1].clone_from(&call.name);
        cells[5] = call.calls.to_string();
        cells[6] = call.bytes.to_string();
        cells[11] = call.errors.to_string();
        cells[12] = call.time_ns.to_string();
        cells[13] = word(&call.time_evidence);
        out += &line(cells);
    }
    out
}

/// A name as the JSON has it.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn line(cells: [String; COLUMNS.len()]) -> String {
    let mut line = String::new();
    for (i, cell) in cells.iter().enumerate() {
        if i > 0 {
            line.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) {
            line.push('"');
            line += &cell.replace('"', "\"\"");
            line.push('"');
        } else {
            line += cell;
        }
    }
    line + "\r\n"
}
