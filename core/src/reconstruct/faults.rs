//! Page faults: the rules applied to them.

use tracer_ebpf::{Fault, NETWORK, Syscall, flag, moved, rss};

use super::found::Found;
use super::io::Context;
use super::lengths::is_error;
use super::measured::{Expected, Outcome, kind_of};
use super::tally::{At, Key, Moved, Object};
use super::threads::{Inner, Open};
use super::{Call, Part, Reconstructor, Sink, What, hop};
use crate::model::{CallId, Evidence, HopKind, Place};
use crate::rules::fault::{self, FaultFacts};
use crate::rules::{Class, FileKind, Kinds, Shape};

/// A folio that a fault maps as a whole is no larger (`PMD_SIZE` with pages of 4 KiB).
const FOLIO_MAX: u64 = 2 << 20;

impl Reconstructor {
    pub(super) fn fault<S: Sink>(&mut self, fault: &Fault, sink: &mut S) {
        let head = &fault.head;
        if head.flags & flag::KERNEL != 0 {
            return self.fault_in_call(fault, sink);
        }
        let slot = self.thread(head.tid, head.tgid);
        let mut open = self.take_open(slot, head.seq, sink);
        let process = self.threads.at(slot).process;
        self.count_faults(slot, u64::from(fault.min_flt), u64::from(fault.maj_flt));
        self.sums.faults.user += 1;
        for region in self.regions.of(head.tid, head.seq) {
            self.names.region(*region).faults += 1;
        }
        self.sums.irqs_user += u64::from(fault.irqs_user);
        if let Some(process) = self.sums.processes.get(process) {
            process.row.user_faults += 1;
        }

        self.nearest(&mut open);
        self.dirtied_by_fault(slot, fault, &open);
        let mut moved = std::mem::take(&mut self.moved);
        moved.clear();
        let swap = fault.rss & rss::SWAP != 0;
        self.parts(&open, Context::of_fault(swap), &mut moved);
        let facts = FaultFacts::of(fault, self.setup.arch, self.setup.page, self.setup.faults);
        let mut mapped = u64::from(swap);
        for rule in fault::conclude(&facts) {
            let mut bytes = (rule.bytes)(&facts);
            let by = rule
                .probe
                .map_or(Evidence::Inferred(rule.id), Evidence::tracepoint);
            let (from, to) = (At::from(&rule.from), At::from(&rule.to));
            let expected = Expected {
                rule: rule.id,
                kind: rule.kind,
                between: (kind_of(from), kind_of(to)),
                at: (from, to),
                bytes: Some(bytes),
                fault: true,
                magic: 0,
            };
            let outcome = self.measure(&expected, &mut open.found, head.ts, &mut moved);
            match outcome {
                Outcome::Unmeasured => {}
                Outcome::Measured(found) => bytes = found,
                Outcome::Refuted => continue,
            }
            if to == At::User {
                mapped = mapped.saturating_add(bytes / self.setup.page);
            }
            if outcome == Outcome::Unmeasured {
                moved.push(Moved {
                    ts: head.ts,
                    ..hop(rule.kind, from, to, by, bytes)
                });
            }
        }
        self.unexpected(&open.found, None, false, head.ts, &mut moved);
        if fault.filemap & NETWORK != 0 {
            self.over_network(fault.cache_pages, head.ts, &mut moved);
        }
        let file = self.names.file(fault.dev, fault.ino);
        in_file(&mut moved, file);
        Self::woken(&open.sleeps, &mut moved);
        self.sums.faults.mapped_pages = self.sums.faults.mapped_pages.saturating_add(mapped);
        self.came_by_fault(fault, process);
        self.settle(head.ts, &open, sink);
        let id = CallId {
            tid: head.tid,
            seq: head.seq,
        };
        self.add_all::<S>(process, id, &moved);
        if S::WANTED {
            let named = fault.ino != 0;
            let call = Call {
                open: None,
                bytes: 0,
                regions: self.regions_of(head.tid, head.seq),
                id: CallId {
                    tid: head.tid,
                    seq: head.seq,
                },
                tgid: head.tgid,
                ts: head.ts,
                dur: 0,
                waited: open.waited,
                irqs: fault.irqs,
                what: What::Fault {
                    addr: fault.addr,
                    ip: fault.ip,
                    write: facts.write,
                    major: facts.major,
                    file: named.then_some((fault.dev, fault.ino, fault.pgoff)),
                },
            };
            sink.call(&call, &self.hops);
        }
        self.moved = moved;
        self.threads.put_back(open);
    }

    /// A fault that the kernel took in a call waits for the call, which also tells that it was counted.
    fn fault_in_call<S: Sink>(&mut self, fault: &Fault, sink: &mut S) {
        let mut facts = FaultFacts::of(fault, self.setup.arch, self.setup.page, self.setup.faults);
        // Functions that map tell it of the whole call: nothing has to be concluded in their place.
        facts.asked &= !self.measures(moved::MAP) && !self.measures(moved::MAP_PAGE);
        // The call has ended already: only a damaged trace says so.
        let Part::Open(slot) = self.part(&fault.head, sink) else {
            return;
        };
        let file = self.names.file(fault.dev, fault.ino);
        let process = self.threads.at(slot).process;
        self.came_by_fault(fault, process);
        let open = self.threads.open(slot);
        open.came_in_faults = open.came_in_faults.saturating_add(fault.cache_pages.into());
        let inner = &mut open.inner;
        for rule in fault::conclude(&facts) {
            let bytes = (rule.bytes)(&facts);
            match inner
                .iter_mut()
                .find(|known| known.rule.id == rule.id && known.file == file)
            {
                Some(known) => {
                    known.bytes = known.bytes.saturating_add(bytes);
                    known.count += 1;
                }
                None => inner.push(Inner {
                    rule,
                    bytes,
                    count: 1,
                    file,
                }),
            }
        }
    }

    /// What `mmap` with `MAP_POPULATE` filled: bytes, operations. Its faults tell, where they tell all; these are
    /// taken out, and the call's own rule stands for them.
    pub(super) fn populated(
        &self,
        call: &Syscall,
        file: Option<Class>,
        open: &mut Open,
    ) -> Option<(u64, u64)> {
        let class = file.filter(|file| Kinds::PAGES.has(file.kind))?;
        let copies = Shape::populates_copies(&call.args);
        let kind = if copies { HopKind::Copy } else { HopKind::Map };
        let extra = open.extra.as_ref();
        let faults = extra.map_or(0, |extra| {
            u64::from(extra.min_flt) + u64::from(extra.maj_flt)
        });
        if is_error(call.ret) || faults == 0 {
            return None;
        }
        let (mut told, mut maps) = (0u64, 0u64);
        open.inner.retain(|one| {
            let own = one.rule.kind == kind && one.rule.to == Place::User;
            if own {
                told = told.saturating_add(one.bytes);
                if !copies {
                    maps = maps.saturating_add(one.count);
                }
            }
            !own
        });
        let asked = call.args[1]
            .checked_next_multiple_of(self.setup.page)
            .unwrap_or(0);
        // Of a page that is in shared memory already no event tells. A fault may map all of a large folio, but
        // where that is not enough, the file has an end.
        let at_most = told.saturating_add(maps.saturating_mul(FOLIO_MAX));
        let untold = class.kind == FileKind::Shmem && !copies;
        let bytes = match told == 0 || untold || maps > 0 && at_most >= asked {
            true => asked,
            false => told.min(asked),
        };
        Some((bytes, 1))
    }

    /// The hops of the faults that the kernel took in a call.
    pub(super) fn inner_faults(&mut self, open: &mut Open, ts: u64) -> Vec<Moved> {
        let mut moved = Vec::new();
        let inner = std::mem::take(&mut open.inner);
        let mut copying = inner.iter().filter(|one| copies(one)).count();
        for one in inner {
            let before = moved.len();
            let Inner {
                rule,
                bytes,
                count,
                file,
            } = one;
            let (from, to) = (At::from(&rule.from), At::from(&rule.to));
            let expected = Expected {
                rule: rule.id,
                kind: rule.kind,
                between: (kind_of(from), kind_of(to)),
                at: (from, to),
                bytes: Some(bytes),
                fault: true,
                magic: 0,
            };
            copying -= usize::from(copies(&one));
            // One sum of all copies on write: each rule gets its own, the last one what is left.
            let outcome = match copies(&one) && copying > 0 {
                true => {
                    let mut share = share(&mut open.found, bytes);
                    self.measure(&expected, share.as_mut_slice(), ts, &mut moved)
                }
                false => self.measure(&expected, &mut open.found, ts, &mut moved),
            };
            if outcome == Outcome::Unmeasured {
                let by = rule
                    .probe
                    .map_or(Evidence::Inferred(rule.id), Evidence::tracepoint);
                let one = hop(rule.kind, from, to, by, bytes);
                moved.push(Moved { count, ts, ..one });
            }
            in_file(&mut moved[before..], file);
        }
        moved
    }

    /// Faults that the kernel counted for a thread: in user mode, or inside a call.
    pub(super) fn count_faults(&mut self, slot: usize, min: u64, maj: u64) {
        self.sums.faults.minor += min;
        self.sums.faults.major += maj;
        let thread = self.threads.at(slot);
        thread.min_flt += min;
        thread.maj_flt += maj;
    }
}

/// Pages of a file that hops begin or end in are this file's.
fn in_file(moved: &mut [Moved], file: Object) {
    for hop in moved {
        let Key { from, to, .. } = hop.key;
        for (of, at) in hop.of.iter_mut().zip([from, to]) {
            if *of == Object::NONE && matches!(at, At::PageCache | At::Shmem) {
                *of = file;
            }
        }
    }
}

fn copies(inner: &Inner) -> bool {
    inner.rule.kind == HopKind::Copy
}

/// Takes so many bytes out of what was found to be copied on write.
fn share(found: &mut [Found], bytes: u64) -> Option<Found> {
    let all = found
        .iter_mut()
        .find(|found| matches!(found.what, moved::COW | moved::COW_PAGE) && !found.used)?;
    let share = bytes.min(all.bytes);
    // Each is a page.
    let count = match all.bytes {
        0 => 0,
        sum => (u128::from(all.count) * u128::from(share) / u128::from(sum)) as u64,
    };
    all.bytes -= share;
    all.count -= count;
    Some(Found {
        bytes: share,
        count,
        ..*all
    })
}
