//! A recording as a table of Parquet: many recordings are one table for DuckDB, Spark and their like.
//!
//! Every row names its run, so that files can be read together. What a row is of stands in `row`: `total`, `hop`,
//! `call`, `named` (a hop as far as it is one thing's), `line` (of the program's source).

mod file;
mod thrift;

use serde::Serialize;

use self::file::Cells;
use super::csv::word;
use crate::annotate::{Annotation, Line};
use crate::model::{HopKind, HopRow, Known, Summary, Thing};

/// A row; what it has no value for is absent.
#[derive(Default)]
struct Row {
    row: &'static str,
    name: Option<String>,
    thing: Option<&'static str>,
    line: Option<u64>,
    kind: Option<String>,
    from: Option<String>,
    to: Option<String>,
    end: Option<String>,
    count: Option<u64>,
    bytes: Option<u64>,
    evidence: Option<String>,
    by: Option<String>,
    deferred: Option<bool>,
    engine: Option<String>,
    errors: Option<u64>,
    time_ns: Option<u64>,
    crossings: Option<u64>,
}

/// The file; `recording`: how this one is called among others.
pub fn parquet(recording: &str, summary: &Summary, annotation: &Annotation) -> Vec<u8> {
    let rows = rows(summary, annotation);
    let texts = |of: &dyn Fn(&Row) -> Option<String>| Cells::Texts(rows.iter().map(of).collect());
    let numbers = |of: fn(&Row) -> Option<u64>| Cells::Numbers(rows.iter().map(of).collect());
    let run = |value: &str| {
        let value = value.to_owned();
        texts(&move |_| Some(value.clone()))
    };
    let columns = [
        ("recording", run(recording)),
        ("command", run(&summary.command.join(" "))),
        ("bytehop", run(&summary.bytehop)),
        ("kernel", run(&summary.kernel)),
        ("arch", run(&summary.arch)),
        ("level", run(&summary.level)),
        ("row", texts(&|row| Some(row.row.to_owned()))),
        ("name", texts(&|row| row.name.clone())),
        ("thing", texts(&|row| row.thing.map(str::to_owned))),
        ("line", numbers(|row| row.line)),
        ("kind", texts(&|row| row.kind.clone())),
        ("from", texts(&|row| row.from.clone())),
        ("to", texts(&|row| row.to.clone())),
        ("end", texts(&|row| row.end.clone())),
        ("count", numbers(|row| row.count)),
        ("bytes", numbers(|row| row.bytes)),
        ("evidence", texts(&|row| row.evidence.clone())),
        ("by", texts(&|row| row.by.clone())),
        (
            "deferred",
            Cells::Flags(rows.iter().map(|row| row.deferred).collect()),
        ),
        ("engine", texts(&|row| row.engine.clone())),
        ("errors", numbers(|row| row.errors)),
        ("time_ns", numbers(|row| row.time_ns)),
        ("crossings", numbers(|row| row.crossings)),
    ];
    file::write(&columns, rows.len())
}

fn rows(summary: &Summary, annotation: &Annotation) -> Vec<Row> {
    let mut rows = totals(summary);
    rows.extend(summary.hops.iter().map(hop));
    rows.extend(summary.syscalls.iter().map(|call| Row {
        row: "call",
        name: Some(call.name.clone()),
        count: Some(call.calls),
        bytes: Some(call.bytes),
        errors: Some(call.errors),
        time_ns: Some(call.time_ns),
        evidence: text(&call.time_evidence),
        ..Row::default()
    }));
    let by_name = &summary.by_name;
    for (thing, table) in [
        ("file", &by_name.files),
        ("socket", &by_name.sockets),
        ("device", &by_name.devices),
        ("process", &by_name.processes),
        ("thread", &by_name.threads),
        ("cgroup", &by_name.cgroups),
    ] {
        for named in table {
            rows.extend(named.hops.iter().map(|part| Row {
                row: "named",
                name: name(&named.thing),
                thing: Some(thing),
                end: part.end.as_ref().and_then(text),
                ..hop(&part.hop)
            }));
        }
    }
    for file in &annotation.files {
        let lines = file.lines.iter();
        rows.extend(lines.map(|(at, line)| source(&file.path, Some((*at).into()), line)));
    }
    rows.push(source("elsewhere", None, &annotation.elsewhere));
    rows.push(source("unknown", None, &annotation.unknown));
    rows
}

/// What stands once in a summary.
fn totals(summary: &Summary) -> Vec<Row> {
    let Summary {
        crossings,
        page_faults,
        ledger,
        ..
    } = summary;
    let known = [
        ("duration_ns", Some(summary.duration_ns)),
        ("lost_events", Some(summary.lost_events)),
        ("crossings", Some(crossings.total)),
        ("crossings_syscall", Some(crossings.syscall)),
        ("crossings_page_fault", Some(crossings.page_fault)),
        ("crossings_interrupt", crossings.interrupt),
        ("page_faults_minor", Some(page_faults.minor)),
        ("page_faults_major", Some(page_faults.major)),
        ("bytes_returned", Some(ledger.returned)),
        ("bytes_accounted", Some(ledger.accounted)),
    ];
    let total = |name: &str, count| Row {
        row: "total",
        name: Some(name.to_owned()),
        count,
        ..Row::default()
    };
    let mut rows: Vec<_> = known
        .into_iter()
        .map(|(name, count)| total(name, count))
        .collect();
    // Totals that may be too small.
    rows.extend(summary.at_least.iter().map(|name| Row {
        row: "at_least",
        ..total(name, None)
    }));
    rows
}

fn hop(row: &HopRow) -> Row {
    let engine = row.engine.filter(|_| row.kind == HopKind::Dma);
    Row {
        row: "hop",
        kind: text(&row.kind),
        from: Some(row.from.to_string()),
        to: Some(row.to.to_string()),
        count: Some(row.count),
        bytes: Some(row.bytes),
        evidence: text(&row.evidence.known()),
        by: Some(row.evidence.by().to_owned()),
        deferred: Some(row.deferred),
        engine: engine.as_ref().and_then(text),
        time_ns: row.cpu_ns,
        ..Row::default()
    }
}

/// A line with the bytes that the CPU copied for it; `count` is its calls and faults.
fn source(name: &str, at: Option<u64>, line: &Line) -> Row {
    let evidence = match line.inferred {
        true => Known::Inferred,
        false => Known::Measured,
    };
    Row {
        row: "line",
        name: Some(name.to_owned()),
        line: at,
        kind: Some("copy".to_owned()),
        count: Some(line.syscalls + line.page_faults),
        bytes: Some(line.copied),
        evidence: text(&evidence),
        time_ns: Some(line.time_ns),
        crossings: Some(line.crossings),
        ..Row::default()
    }
}

/// How people call it; absent for what no probe gave a name.
fn name(thing: &Thing) -> Option<String> {
    Some(match thing {
        Thing::File {
            path: Some(path), ..
        } => path.clone(),
        Thing::File {
            path: None,
            device,
            inode,
        } => format!("{device}:{inode}"),
        Thing::Socket {
            protocol,
            local,
            peer,
            inode,
        } => match (local, peer) {
            (None, None) => format!("{protocol}:{inode}"),
            (local, peer) => {
                let end = |end: &Option<String>| end.clone().unwrap_or_else(|| "?".to_owned());
                format!("{protocol} {} {}", end(local), end(peer))
            }
        },
        Thing::Device { device } => device.clone(),
        Thing::Process { pid, comm } => format!("{comm} ({pid})"),
        Thing::Thread { tid, comm, .. } => format!("{comm} ({tid})"),
        Thing::Cgroup { cgroup } => cgroup.clone(),
        Thing::Region { region, .. } => region.clone(),
        Thing::Unnamed { .. } => return None,
    })
}

/// A word as the JSON has it.
fn text(value: &impl Serialize) -> Option<String> {
    Some(word(value)).filter(|word| !word.is_empty())
}
