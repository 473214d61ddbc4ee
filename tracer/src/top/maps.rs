//! Reading the kernel's counters, and taking away those of processes that have ended.

use std::collections::HashMap;

use aya::maps::{HashMap as BpfHashMap, MapError, PerCpuHashMap};
use bytehop_core::top::Lost;
use bytehop_core::top::group::{CallKey, Group, Snapshot};
use tracer_ebpf::{
    AIO, Count, OPERATION, Proc, TopCell, TopCountKey, TopKey, TopName, Uring, top_lost,
};

use crate::load::{LoadError, Probes, wire};
use crate::stat::classes;

wire! {
    WireKey(TopKey);
    WireCell(TopCell);
    WireCountKey(TopCountKey);
    WireCount(Count);
    WireProc(Proc);
    WireName(TopName);
}

/// Reads all maps of `top`.
///
/// # Errors
/// If a map cannot be read.
pub fn read(probes: &Probes) -> Result<Snapshot, LoadError> {
    let mut groups: HashMap<Proc, Group> = HashMap::new();
    let calls: PerCpuHashMap<_, WireKey, WireCell> = probes.map("TOP_CALLS")?.try_into()?;
    for key in calls.keys() {
        let WireKey(key) = key?;
        let values = calls.get(&WireKey(key), 0)?;
        let group = groups.entry(key.proc).or_default();
        let sum = group.calls.entry(CallKey::of(&key)).or_default();
        values.iter().for_each(|WireCell(c)| *sum += *c);
    }
    let counts: PerCpuHashMap<_, WireCountKey, WireCount> = probes.map("TOP_COUNTS")?.try_into()?;
    for key in counts.keys() {
        let WireCountKey(TopCountKey { proc, key }) = key?;
        let values = counts.get(&WireCountKey(TopCountKey { proc, key }), 0)?;
        let group = groups.entry(proc).or_default();
        let sum = group.counts.entry(key).or_default();
        values.iter().for_each(|WireCount(c)| *sum += *c);
    }
    let known: BpfHashMap<_, WireProc, WireName> = probes.map("TOP_NAMES")?.try_into()?;
    let mut names = HashMap::new();
    for entry in known.iter() {
        let (WireProc(proc), WireName(name)) = entry?;
        let len = name.comm.iter().position(|b| *b == 0);
        let comm = &name.comm[..len.unwrap_or(name.comm.len())];
        names.insert(proc, String::from_utf8_lossy(comm).into_owned());
    }
    Ok(Snapshot {
        groups,
        files: classes(probes)?,
        names,
        lost: lost(probes)?,
    })
}

/// Counts the requests of Linux AIO that these processes left behind, as what was asked for, and forgets them.
///
/// # Errors
/// If the map cannot be used.
pub fn take_abandoned(
    probes: &mut Probes,
    ended: &[Proc],
    groups: &mut HashMap<Proc, Group>,
) -> Result<(), LoadError> {
    if ended.is_empty() {
        return Ok(());
    }
    let process = |request: &Uring| Proc {
        tgid: request.head.tgid,
        start: request.head.seq,
    };
    for request in probes.abandoned(|request| ended.contains(&process(request)))? {
        let key = CallKey {
            nr: OPERATION | AIO | u16::from(request.opcode),
            how: 0,
            class: 0,
            class2: 0,
        };
        let group = groups.entry(process(&request)).or_default();
        *group.calls.entry(key).or_default() += TopCell {
            calls: 1,
            errors: 0,
            bytes: u64::try_from(request.res).unwrap_or(0),
        };
    }
    Ok(())
}

fn lost(probes: &Probes) -> Result<Lost, LoadError> {
    let sum = |what| probes.total("TOP_LOST", what);
    Ok(Lost {
        calls: sum(top_lost::CALLS)?,
        bytes: sum(top_lost::BYTES)?,
        counts: sum(top_lost::COUNTS)?,
        descriptors: sum(top_lost::CLASSES)?,
        skipped: probes.skipped().iter().map(|(_, n)| n).sum(),
    })
}

/// Takes away what was counted of a process.
///
/// # Errors
/// If a map cannot be written.
pub fn forget(probes: &mut Probes, proc: Proc, group: &Group) -> Result<(), LoadError> {
    let mut calls: PerCpuHashMap<_, WireKey, WireCell> = probes.map_mut("TOP_CALLS")?.try_into()?;
    for key in group.calls.keys() {
        let CallKey {
            nr,
            how,
            class,
            class2,
        } = *key;
        let key = TopKey {
            proc,
            nr,
            how,
            class,
            class2,
        };
        gone(calls.remove(&WireKey(key)))?;
    }
    let mut counts: PerCpuHashMap<_, WireCountKey, WireCount> =
        probes.map_mut("TOP_COUNTS")?.try_into()?;
    for key in group.counts.keys() {
        gone(counts.remove(&WireCountKey(TopCountKey { proc, key: *key })))?;
    }
    let mut names: BpfHashMap<_, WireProc, WireName> = probes.map_mut("TOP_NAMES")?.try_into()?;
    gone(names.remove(&WireProc(proc)))
}

/// What is not there need not be taken away.
fn gone(result: Result<(), MapError>) -> Result<(), LoadError> {
    match result {
        Err(MapError::KeyNotFound | MapError::ElementNotFound) | Ok(()) => Ok(()),
        Err(MapError::SyscallError(e)) if e.io_error.raw_os_error() == Some(nix::libc::ENOENT) => {
            Ok(())
        }
        Err(e) => Err(e.into()),
    }
}
