//! `bytehop stat`: reads the kernel's counters; [`counters`](mod@bytehop_core::counters) concludes from them.

use std::collections::HashMap;

use aya::maps::{HashMap as BpfHashMap, PerCpuArray, PerCpuHashMap};
use bytehop_core::counters::{Calls, Counters, conclude_all, msg_flags};
use bytehop_core::event::{End, Start};
use bytehop_core::model::Summary;
use tracer_ebpf::{
    AIO, CELL_FIRST, CELLS, Count, CountKey, FileRef, OPERATION, StatCell, StatKey, count,
};

use crate::device::{Hardware, Sysfs};
use crate::load::{LoadError, Probes, wire};

wire! {
    WireCell(StatCell);
    WireKey(StatKey);
    WireFile(FileRef);
    WireCountKey(CountKey);
    WireCount(Count);
}

/// Reads the maps of `stat`'s programs.
///
/// # Errors
/// If a map cannot be read.
pub fn read(probes: &Probes) -> Result<Counters, LoadError> {
    let files = classes(probes)?;
    let cells: PerCpuArray<_, WireCell> = probes.map("STAT")?.try_into()?;
    let mut calls = Vec::new();
    // Each of the programs that may be at a call's end has cells of its own.
    let lanes = cells.len() / CELLS as u32;
    let mut take = |cell: u32, key: StatKey| -> Result<(), LoadError> {
        let mut sum = StatCell::default();
        for lane in 0..lanes {
            for WireCell(c) in cells.get(&(cell + lane * CELLS as u32), 0)?.iter() {
                sum.calls += c.calls;
                sum.errors += c.errors;
                sum.bytes += c.bytes;
                sum.time += c.time;
                sum.timed += c.timed;
            }
        }
        if sum.calls > 0 {
            let file = |class: u16| files.get(&class).copied();
            calls.push(Calls {
                nr: key.call() as u16,
                file: file(key.class),
                file2: file(key.class2),
                msg_flags: msg_flags(key.how()),
                cell: sum,
            });
        }
        Ok(())
    };
    for nr in 0..CELL_FIRST {
        take(
            nr,
            StatKey {
                nr,
                class: 0,
                class2: 0,
            },
        )?;
    }
    let ids: BpfHashMap<_, WireKey, u32> = probes.map("CELL_IDS")?.try_into()?;
    for entry in ids.iter() {
        let (WireKey(key), cell) = entry?;
        take(cell, key)?;
    }
    let counts: PerCpuHashMap<_, WireCountKey, WireCount> = probes.map("COUNTS")?.try_into()?;
    let mut all = Vec::new();
    for entry in counts.iter() {
        let (WireCountKey(key), values) = entry?;
        let mut sum = Count::default();
        for WireCount(c) in values.iter() {
            sum += *c;
        }
        all.push((key, sum));
    }
    let switches: PerCpuArray<_, WireCount> = probes.map("SWITCHES")?.try_into()?;
    for flags in 0..2 {
        let mut sum = Count::default();
        for WireCount(c) in switches.get(&flags, 0)?.iter() {
            sum += *c;
        }
        if sum.count > 0 {
            let key = CountKey {
                what: count::SWITCH,
                flags: flags as u16,
                id: 0,
            };
            all.push((key, sum));
        }
    }
    for block in probes.unfinished()? {
        if let Some(key) = block.counter() {
            let c = Count {
                count: block.requests(),
                bytes: u64::from(block.bytes),
            };
            all.push((key, c));
        }
    }
    for request in probes.unfetched()? {
        calls.push(Calls {
            nr: OPERATION | AIO | u16::from(request.opcode),
            file: Some(request.file),
            cell: StatCell {
                calls: 1,
                bytes: u64::try_from(request.res).unwrap_or(0),
                ..StatCell::default()
            },
            ..Calls::default()
        });
        let key = CountKey {
            what: count::UNTOLD,
            ..CountKey::default()
        };
        all.push((key, Count { count: 1, bytes: 0 }));
    }
    Ok(Counters {
        calls,
        counts: all,
        lost: probes.lost()?,
        skipped: probes.skipped(),
        cost: probes.cost(),
    })
}

/// Kinds of files, by the class that the kernel side gave them.
pub(crate) fn classes(probes: &Probes) -> Result<HashMap<u16, FileRef>, LoadError> {
    let classes: BpfHashMap<_, WireFile, u32> = probes.map("CLASSES")?.try_into()?;
    let mut files = HashMap::new();
    for entry in classes.iter() {
        let (WireFile(file), class) = entry?;
        files.insert(class as u16, file);
    }
    Ok(files)
}

/// The summary of a run that was only counted.
///
/// # Errors
/// If a map cannot be read.
pub fn summary(probes: &Probes, start: &Start, end: &End) -> Result<Summary, LoadError> {
    let counters = read(probes)?;
    Ok(conclude_all(
        &counters,
        start,
        end,
        &mut Hardware::new(Sysfs::host()),
    ))
}
