//! One table as one line of JSON. Numbers are those of the interval, not rates: `interval_ns` is beside
//! them. Fields may be added, none is renamed (docs/top.md).

use serde_json::{Value, json};

use crate::event::Start;
use crate::top::{Amount, Frame, More, Row, Who};

/// A table as a JSON object; `rows`: those that are wanted, in order.
pub fn line(frame: &Frame, rows: &[&Row], start: &Start) -> Value {
    json!({
        "schema": 1,
        "bytehop": start.bytehop,
        "kernel": start.kernel,
        "arch": start.arch,
        "level": start.level,
        "round": frame.round,
        "realtime_ns": frame.realtime_ns,
        "interval_ns": frame.interval.as_nanos() as u64,
        "total": frame.total,
        "lost": frame.lost,
        "missing_probes": start.missing,
        "processes": rows.iter().map(|row| process(row)).collect::<Vec<_>>(),
    })
}

fn process(row: &Row) -> Value {
    let (what, count) = match row.who {
        Who::Process(_) => ("process", 1),
        Who::Kernel => ("kernel", 0),
        Who::Ended(n) => ("ended", n),
        Who::Others(n) => ("others", n),
    };
    json!({
        "what": what,
        "processes": count,
        "pid": row.who.pid(),
        "comm": row.name,
        "command": row.command,
        "ended": row.ended,
        "crossings": {
            "total": row.crossings(),
            "syscall": 2 * row.calls,
            "page_fault": row.faults.map(|n| 2 * n),
        },
        "copied": amount(&row.copied),
        "dma": amount(&row.dma),
        "shared": amount(&row.shared),
        "filled": amount(&row.filled),
        "hops": row.hops,
        "syscalls": row.syscalls,
        "unknown": row.unknown,
        "ledger": row.ledger,
        "at_least": row.at_least,
        "metadata_io": row.metadata_io,
    })
}

/// `at_most`: what there can have been at most; null: nobody knows.
fn amount(amount: &Amount) -> Value {
    let at_most = match amount.more {
        More::Nothing => Some(amount.bytes),
        More::UpTo(more) => Some(amount.bytes.saturating_add(more)),
        More::Unbounded => None,
    };
    json!({
        "bytes": amount.bytes,
        "inferred_bytes": amount.inferred,
        "at_most": at_most,
    })
}
