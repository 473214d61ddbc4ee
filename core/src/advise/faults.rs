//! What the rules find in page faults: mapped files, new memory, copies after a fork.

use std::collections::BTreeMap;

use super::Found;
use super::end::Id;
use super::facts::Facts;
use super::find::{MUCH, OFTEN, WORTH, names};
use crate::rules::FileKind;

pub fn mapped(facts: &Facts) -> Vec<Found> {
    let mut by_file: BTreeMap<(u32, Id), u64> = BTreeMap::new();
    for ((tgid, id, _), faults) in &facts.memory.mapped {
        *by_file.entry((*tgid, *id)).or_default() += faults.calls;
    }
    // The program's own code, its libraries and what lies beside them are not its data.
    let all = facts.memory.mapped.iter();
    let data = all.filter(|((tgid, id, _), _)| {
        let named = facts.files.name(*id).is_some();
        let own = facts.is_code(*id) || facts.files.is_beside_libraries(*id);
        by_file[&(*tgid, *id)] >= OFTEN && named && !own
    });
    let found = data.map(|((_, id, site), faults)| Found {
        calls: faults.calls,
        bytes: faults.bytes,
        ends: vec![FileKind::RegularFile],
        names: names(facts, &[*id], faults.bytes),
        saves_crossings: 2 * faults.calls,
        site: *site,
        ..Found::default()
    });
    found.collect()
}

pub fn zeroed(facts: &Facts) -> Vec<Found> {
    let dense = facts.memory.dense();
    let found = dense.iter().map(|(site, dense)| Found {
        calls: dense.faults.calls,
        bytes: dense.faults.bytes,
        saves_crossings: 2 * (dense.faults.calls - dense.huge_pages),
        site: *site,
        ..Found::default()
    });
    found.collect()
}

pub fn zeroed_again(facts: &Facts) -> Vec<Found> {
    let mut by_process: BTreeMap<u32, u64> = BTreeMap::new();
    for ((tgid, _), faults) in &facts.memory.again {
        *by_process.entry(*tgid).or_default() += faults.bytes;
    }
    let again = facts.memory.again.iter();
    let much = again.filter(|((tgid, _), _)| by_process[tgid] >= MUCH);
    let found = much.map(|((_, site), faults)| Found {
        calls: faults.calls,
        bytes: faults.bytes,
        saves_zeroed: faults.bytes,
        saves_crossings: 2 * (faults.calls + faults.around),
        site: *site,
        ..Found::default()
    });
    found.collect()
}

/// Copies after a fork; `saved`: of processes whose children wrote to files what they had been left.
fn copied_on_write(facts: &Facts, saved: bool) -> Vec<Found> {
    // A fork by itself costs a process some pages of its stack and heap.
    let mut by_process: BTreeMap<u32, u64> = BTreeMap::new();
    for ((tgid, ..), faults) in &facts.memory.cow {
        *by_process.entry(*tgid).or_default() += faults.bytes;
    }
    let much = |tgid: &u32| by_process.get(tgid).is_some_and(|bytes| *bytes >= MUCH);
    let snapshot = |tgid: &u32, child: bool| {
        let bytes = facts.memory.saved.get(tgid).copied();
        !child && bytes.unwrap_or_default() >= WORTH
    };
    let all = facts.memory.cow.iter();
    let found = all
        .filter(|((tgid, child, _), _)| much(tgid) && snapshot(tgid, *child) == saved)
        .map(|((tgid, child, site), faults)| Found {
            calls: faults.calls,
            bytes: faults.bytes,
            saved: facts.memory.saved.get(tgid).copied().unwrap_or_default(),
            saves_copied: faults.bytes,
            // What a child writes has to be there for it, one way or the other.
            saves_crossings: if *child { 0 } else { 2 * faults.calls },
            site: *site,
            ..Found::default()
        });
    found.collect()
}

pub fn cow(facts: &Facts) -> Vec<Found> {
    copied_on_write(facts, false)
}

/// Snapshots by fork: the copies are what they are for.
pub fn snapshot(facts: &Facts) -> Vec<Found> {
    copied_on_write(facts, true)
}

#[cfg(test)]
mod tests {
    use super::super::end::Site;
    use super::super::memory::Memory;
    use super::super::{Facts, advise};
    use crate::catalogue::RuleId;
    use crate::i18n::Lang;
    use crate::model::{Evidence, Hop, HopKind, Place as At};

    const PAGE: u64 = 4096;
    const START: u64 = 0x7000_0000_0000;

    fn fault(memory: &mut Memory, tgid: u32, addr: u64, kind: HopKind) {
        let hop = Hop {
            kind,
            from: if kind == HopKind::Fill {
                At::Zero
            } else {
                At::User
            },
            to: At::User,
            bytes: PAGE,
            count: 1,
            evidence: Evidence::Inferred(RuleId::FirstTouchZeroed),
            deferred: false,
            engine: None,
            interrupt: None,
            ts: 0,
            dur: 0,
        };
        memory.fault(tgid, (addr, 1), None, &[hop], Site::default());
    }

    fn touch(memory: &mut Memory, tgid: u32, pages: u64) {
        for page in 0..pages {
            fault(memory, tgid, START + page * PAGE, HopKind::Fill);
        }
    }

    fn rules(memory: Memory) -> (Vec<(&'static str, u64)>, usize) {
        let facts = Facts::of(memory);
        let advised = advise(&facts, Lang::En);
        let all = advised.advice.iter();
        (
            all.map(|a| (a.rule, a.saves_crossings)).collect(),
            advised.left_out.len(),
        )
    }

    #[test]
    fn huge_pages_are_for_one_process_that_wants_them() {
        let mut one = Memory::default();
        touch(&mut one, 7, 4096);
        assert_eq!(rules(one).0, [("zero-fill", 2 * (4096 - 8))]);
        let mut several = Memory::default();
        for tgid in 0..8 {
            touch(&mut several, tgid, 1024);
        }
        assert_eq!(rules(several).0, []);
        for (name, args) in [
            ("prctl", [41, 1, 0, 0, 0, 0]),
            ("madvise", [START, PAGE, 15, 0, 0, 0]),
        ] {
            let mut refused = Memory::default();
            refused.called(7, name, &args, 0);
            refused.forked(7, 8);
            refused.exec(8);
            touch(&mut refused, 8, 4096);
            assert_eq!(rules(refused).0, [], "{name}");
        }
    }

    #[test]
    fn memory_that_was_given_back_costs_its_calls_too() {
        let mut memory = Memory::default();
        for round in 0..4 {
            touch(&mut memory, 7, 256);
            // Half of the rounds keep the mapping.
            match round % 2 {
                0 => memory.called(7, "munmap", &[START, 256 * PAGE, 0, 0, 0, 0], 0),
                _ => memory.called(7, "madvise", &[START, 256 * PAGE, 4, 0, 0, 0], 0),
            }
        }
        let crossings = 2 * (3 * 256 + 2 + 1 + 2);
        assert_eq!(rules(memory).0, [("zero-fill-again", crossings)]);
    }

    #[test]
    fn a_snapshot_by_fork_is_what_its_copies_are_for() {
        for (saved, becomes, rule, left_out) in [
            (0, false, &[("copy-on-write", 2 * 512)][..], 0),
            (1 << 20, false, &[], 1),
            (1 << 20, true, &[("copy-on-write", 2 * 512)], 0),
        ] {
            let mut memory = Memory::default();
            memory.forked(7, 8);
            if becomes {
                memory.exec(8);
            }
            memory.wrote(8, saved);
            for page in 0..512 {
                fault(&mut memory, 7, START + page * PAGE, HopKind::Copy);
            }
            assert_eq!(
                rules(memory),
                (rule.to_vec(), left_out),
                "{saved} {becomes}"
            );
        }
    }
}
