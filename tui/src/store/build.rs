//! Takes what the reconstruction hands out.

use std::collections::HashMap;
use std::path::Path;

use tracer::arch::Arch;
use tracer::decode::{DecodeError, decode};
use tracer::event::Name;
use tracer::model::{self, CallId, Summary};
use tracer::reconstruct::{self, File, Reconstructor, Sink};
use tracer::record::{Reader, RecordError, Warning, index};

use super::intern::{Keys, Lists};
use super::sums::Prefix;
use super::{Call, Details, FileId, Hop, NONE, Sig, Store, What};

/// Paths by `(dev, ino)`.
pub type Names = HashMap<(u32, u64), Box<str>>;

/// Paths that are kept.
const NAMES_MAX: usize = 1 << 16;

/// A [`Store`] in the making.
#[derive(Default)]
pub struct Builder {
    calls: Vec<Call>,
    sigs: Vec<Sig>,
    known: HashMap<Sig, u32>,
    /// The last call's `sig`: the next is often the same.
    last: u32,
    keys: Keys,
    lists: Lists,
    prefix: Prefix,
    names: Names,
    /// Number of the record that is being pushed.
    record: u32,
    /// Calls by thread, in order.
    threads: HashMap<u32, Vec<u32>>,
    /// Later hops that have come since the last call, of this call.
    late: Option<(CallId, u64)>,
    hops: Vec<Hop>,
}

impl Builder {
    pub(super) fn from_recording(path: &Path) -> Result<Store, RecordError> {
        let (blocks, warnings) = index(path)?;
        let mut reader = Reader::open(path)?;
        let mut reconstructor = Reconstructor::new(Arch::host().unwrap_or(Arch::X86_64));
        let mut builder = Self::default();
        let (mut unknown, mut malformed) = (0, 0);
        for block in &blocks {
            let first = block.header.first_record;
            if reader.seek(block).is_err() {
                break;
            }
            for number in first..first + u64::from(block.header.records) {
                let Some(record) = reader.next_record() else {
                    break;
                };
                builder.record = u32::try_from(number).unwrap_or(NONE);
                match decode(record) {
                    Ok(event) => reconstructor.push(&event, &mut builder),
                    Err(DecodeError::UnknownKind(_)) => unknown += 1,
                    Err(_) => malformed += 1,
                }
            }
        }
        reconstructor.drain(&mut builder);
        let mut summary = reconstructor.finish();
        let undecodable = Warning::Undecodable { unknown, malformed };
        let undecodable = (unknown + malformed > 0).then_some(undecodable);
        let warnings = warnings.iter().chain(&undecodable);
        summary.warnings.extend(warnings.map(ToString::to_string));
        Ok(builder.finish(summary, Details::of(blocks, reader)))
    }

    pub(super) fn finish(mut self, summary: Summary, details: Details) -> Store {
        self.flush_late();
        self.calls.shrink_to_fit();
        self.lists.freeze();
        let times = self.calls.iter().map(|call| call.ts).filter(|ts| *ts > 0);
        let span = (
            times.clone().min().unwrap_or_default(),
            times.max().unwrap_or_default(),
        );
        Store {
            calls: self.calls,
            sigs: self.sigs,
            keys: self.keys,
            lists: self.lists,
            prefix: self.prefix,
            names: self.names,
            summary,
            span,
            details,
        }
    }

    fn sig(&mut self, sig: Sig) -> u32 {
        if self.sigs.get(self.last as usize) == Some(&sig) {
            return self.last;
        }
        self.last = match self.known.get(&sig) {
            Some(number) => *number,
            None => {
                let number = self.sigs.len() as u32;
                self.sigs.push(sig.clone());
                self.known.insert(sig, number);
                number
            }
        };
        self.last
    }

    fn push(&mut self, mut call: Call) {
        call.list = self.lists.number(&self.hops);
        let crosses = self
            .sigs
            .get(call.sig as usize)
            .is_some_and(|sig| sig.what != What::Later);
        self.prefix.push(crosses, &self.hops);
        self.calls.push(call);
    }

    fn take_hop(&mut self, hop: &model::Hop, begin: u64) {
        let key = self.keys.number(hop);
        self.hops.push(Hop {
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
        let Some((id, ts)) = self.late.take() else {
            return;
        };
        let owner = self.owner(id);
        let caused = owner.and_then(|owner| self.calls.get(owner as usize));
        let caused = caused
            .and_then(|call| self.sigs.get(call.sig as usize))
            .cloned();
        let sig = self.sig(Sig {
            tid: id.tid,
            tgid: caused.as_ref().map_or(0, |sig| sig.tgid),
            what: What::Later,
            file: caused.as_ref().and_then(|sig| sig.file),
            file2: caused.as_ref().and_then(|sig| sig.file2),
        });
        self.push(Call {
            ts,
            dur: 0,
            waited: 0,
            seq: id.seq,
            sig,
            list: 0,
            record: owner.unwrap_or(NONE),
        });
        self.hops.clear();
    }

    /// The index of a call.
    fn owner(&self, id: CallId) -> Option<u32> {
        let calls = self.threads.get(&id.tid)?;
        let seq = |index: &u32| self.calls.get(*index as usize).map_or(0, |call| call.seq);
        let at = calls.binary_search_by_key(&id.seq, seq).ok()?;
        calls.get(at).copied()
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

impl Sink for Builder {
    fn call(&mut self, call: &reconstruct::Call<'_>, hops: &[model::Hop]) {
        self.flush_late();
        let (tid, tgid) = (call.id.tid, call.tgid);
        let sig = match call.what {
            reconstruct::What::Syscall {
                name,
                ret,
                file: one,
                file2: two,
                ..
            } => {
                let failed = (-4095..0).contains(&ret);
                let same = |sig: &&Sig| {
                    let what = matches!(&sig.what, What::Syscall { name: n, failed: f } if **n == *name && *f == failed);
                    what && (sig.tid, sig.tgid) == (tid, tgid)
                        && (sig.file, sig.file2) == (file(one), file(two))
                };
                // Spares the name's allocation for the usual case.
                match self.sigs.get(self.last as usize).filter(same) {
                    Some(_) => self.last,
                    None => self.sig(Sig {
                        tid,
                        tgid,
                        what: What::Syscall {
                            name: name.into(),
                            failed,
                        },
                        file: file(one),
                        file2: file(two),
                    }),
                }
            }
            reconstruct::What::Fault {
                write, major, file, ..
            } => {
                let class = tracer::rules::Class::plain(tracer::rules::FileKind::RegularFile);
                let file = file.map(|(dev, ino, _)| FileId { dev, ino, class });
                self.sig(Sig {
                    tid,
                    tgid,
                    what: What::Fault { write, major },
                    file,
                    file2: None,
                })
            }
        };
        self.hops.clear();
        for hop in hops {
            self.take_hop(hop, call.ts);
        }
        let index = self.calls.len() as u32;
        self.threads.entry(tid).or_default().push(index);
        self.push(Call {
            ts: call.ts,
            dur: fit(call.dur),
            waited: fit(call.waited),
            seq: call.id.seq,
            sig,
            list: 0,
            record: self.record,
        });
        self.hops.clear();
    }

    fn late_hop(&mut self, id: CallId, hop: &model::Hop) {
        if self.late.is_some_and(|(late, _)| late != id) {
            self.flush_late();
        }
        let (_, begin) = *self.late.get_or_insert((id, hop.ts));
        self.take_hop(hop, begin);
    }

    fn name(&mut self, name: &Name) {
        let file = (name.dev, name.ino);
        if self.names.len() < NAMES_MAX || self.names.contains_key(&file) {
            self.names.insert(file, name.path.as_str().into());
        }
    }
}
