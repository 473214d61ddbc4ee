//! Takes what the reconstruction hands out.

use bytehop_core::event::{CalledFrom, Meta, Name};
use bytehop_core::model::{self, CallId};
use bytehop_core::reconstruct::{self, File, Sink};

use super::call::{Call, FileId, Hop, NONE, Sig, What};
use super::trace::{Building, Store};

/// Paths that are kept.
const NAMES_MAX: usize = 1 << 16;

impl Store {
    /// What the lines of the source did so far.
    pub(super) fn annotate(&mut self) {
        self.annotation = self.annotator.finish();
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self) {
        self.flush_late();
        self.annotate();
        self.lists.freeze();
        self.building = Building::default();
    }

    fn number(&mut self, sig: Sig) -> u32 {
        if self.sigs.get(self.building.last as usize) == Some(&sig) {
            return self.building.last;
        }
        self.building.last = match self.building.known.get(&sig) {
            Some(number) => *number,
            None => {
                let number = self.sigs.len() as u32;
                self.sigs.push(sig.clone());
                self.building.known.insert(sig, number);
                number
            }
        };
        self.building.last
    }

    /// The most bytes of one of the hops that have come.
    fn most(&self) -> u64 {
        let hops = self.building.hops.iter();
        hops.map(|hop| hop.bytes).max().unwrap_or(0)
    }

    /// Learns what regions are called.
    fn learn_regions(&mut self, regions: reconstruct::Within<'_>) {
        for &number in regions.numbers() {
            let at = number as usize;
            if self.regions.len() <= at {
                self.regions.resize(at + 1, "".into());
            }
            if self.regions[at].is_empty() {
                self.regions[at] = regions.name(number).into();
            }
        }
    }

    /// Takes a call with the hops that have come.
    fn push(&mut self, mut call: Call) {
        let hops = std::mem::take(&mut self.building.hops);
        call.list = self.lists.number(&hops);
        self.prefix
            .push(self.crosses(call.sig), hops.iter().copied());
        self.building.hops = hops;
        self.building.hops.clear();
        if call.ts > 0 {
            let (first, last) = &mut self.span;
            *first = match *first {
                0 => call.ts,
                first => first.min(call.ts),
            };
            *last = call.ts.max(*last);
        }
        self.calls.push(call);
    }

    fn take_hop(&mut self, hop: &model::Hop, begin: u64) {
        let key = self.keys.number(hop);
        let at = usize::from(key);
        if self.histograms.len() <= at {
            self.histograms.resize(at + 1, Default::default());
        }
        let [sizes, times] = &mut self.histograms[at];
        sizes.add(hop.bytes);
        if hop.dur > 0 {
            times.add(hop.dur);
        }
        self.building.hops.push(Hop {
            bytes: hop.bytes,
            count: fit(hop.count),
            after: match hop.ts {
                0 => 0,
                ts => fit(ts.saturating_sub(begin)),
            },
            dur: fit(hop.dur),
            key,
        });
    }

    /// Hops that came later become a call of their own.
    fn flush_late(&mut self) {
        let Some((id, ts)) = self.building.late.take() else {
            return;
        };
        let owner = self.owner(id);
        let caused = owner.and_then(|owner| Store::call(self, owner as usize));
        let caused = caused.and_then(|call| self.sig(&call)).cloned();
        let sig = self.number(Sig {
            tid: id.tid,
            tgid: caused.as_ref().map_or(0, |sig| sig.tgid),
            what: What::Later,
            file: caused.as_ref().and_then(|sig| sig.file),
            file2: caused.as_ref().and_then(|sig| sig.file2),
            regions: caused.map(|sig| sig.regions).unwrap_or_default(),
            open: None,
        });
        self.push(Call {
            ts,
            bytes: self.most(),
            dur: 0,
            waited: 0,
            seq: id.seq,
            sig,
            list: 0,
            record: owner.unwrap_or(NONE),
        });
    }

    /// The index of a call.
    fn owner(&self, id: CallId) -> Option<u32> {
        let (from, to) = self.threads.stretch(id.tid, id.seq)?;
        let of_thread = |call: &Call| self.sig(call).is_some_and(|sig| sig.tid == id.tid);
        let is = |index: &u32| {
            self.call(*index as usize)
                .is_some_and(|call| call.seq == id.seq && of_thread(&call) && !self.is_later(&call))
        };
        (from..to.min(self.len() as u32)).find(is)
    }

    fn is_later(&self, call: &Call) -> bool {
        !self.crosses(call.sig)
    }
}

/// As much as 32 bits hold.
fn fit(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn file(file: Option<File>) -> Option<FileId> {
    file.map(|File { at, class }| FileId {
        dev: at.dev,
        ino: at.ino,
        class,
    })
}

impl Sink for Store {
    fn call(&mut self, call: &reconstruct::Call<'_>, hops: &[model::Hop]) {
        self.flush_late();
        self.annotator.call(call, hops);
        let (tid, tgid) = (call.id.tid, call.tgid);
        let regions = call.regions.numbers();
        self.learn_regions(call.regions);
        let sig = match call.what {
            reconstruct::What::Syscall {
                name,
                ret,
                file: one,
                file2: two,
                ..
            } => {
                let error = match ret {
                    -4095..0 => ret.unsigned_abs() as u16,
                    _ => 0,
                };
                let same = |sig: &&Sig| {
                    let what = matches!(&sig.what, What::Syscall { name: n, error: e } if **n == *name && *e == error);
                    what && (sig.tid, sig.tgid) == (tid, tgid)
                        && (sig.file, sig.file2, sig.open) == (file(one), file(two), call.open)
                        && *sig.regions == *regions
                };
                // Spares the name's allocation for the usual case.
                match self.sigs.get(self.building.last as usize).filter(same) {
                    Some(_) => self.building.last,
                    None => self.number(Sig {
                        tid,
                        tgid,
                        what: What::Syscall {
                            name: name.into(),
                            error,
                        },
                        file: file(one),
                        file2: file(two),
                        regions: regions.into(),
                        open: call.open,
                    }),
                }
            }
            reconstruct::What::Fault {
                write, major, file, ..
            } => {
                let class =
                    bytehop_core::rules::Class::plain(bytehop_core::rules::FileKind::RegularFile);
                let file = file.map(|(dev, ino, _)| FileId { dev, ino, class });
                self.number(Sig {
                    tid,
                    tgid,
                    what: What::Fault { write, major },
                    file,
                    file2: None,
                    regions: regions.into(),
                    open: None,
                })
            }
        };
        self.building.hops.clear();
        for hop in hops {
            self.take_hop(hop, call.ts);
        }
        let index = self.calls.len() as u32;
        self.threads.push(tid, call.id.seq, index);
        let bytes = match call.bytes {
            0 => self.most(),
            bytes => bytes,
        };
        self.push(Call {
            ts: call.ts,
            bytes,
            dur: fit(call.dur),
            waited: fit(call.waited),
            seq: call.id.seq,
            sig,
            list: 0,
            record: self.building.record,
        });
    }

    fn late_hop(&mut self, id: CallId, hop: &model::Hop) {
        self.annotator.late_hop(id, hop);
        if self.building.late.is_some_and(|(late, _)| late != id) {
            self.flush_late();
        }
        let (_, begin) = *self.building.late.get_or_insert((id, hop.ts));
        self.take_hop(hop, begin);
    }

    fn called_from(&mut self, from: &CalledFrom) {
        self.annotator.called_from(from);
    }

    fn meta(&mut self, meta: &Meta) {
        self.annotator.meta(meta);
    }

    fn name(&mut self, name: &Name) {
        let file = (name.dev, name.ino);
        if self.names.len() < NAMES_MAX || self.names.contains_key(&file) {
            self.names.insert(file, name.path.as_str().into());
        }
    }
}
