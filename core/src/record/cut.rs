//! A part of a recording as a recording of its own.
//!
//! What [`Part`](super::Part) takes is written as it is. Of what only tells what something is, two things are left
//! out that would be most of a small part: stacks that no call in it came from, and where a thread's calls came from
//! before those that are in it.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use tracer_ebpf::kind;

use super::{Reader, RecordError, Sink, Stats, Warning, Writer};
use crate::decode::decode;
use crate::event::{Event, META, Meta, Only};

/// What is not in a recording: a process, or a region, of those there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotThere {
    Process(u32),
    Region(String, Vec<String>),
}

/// What a part of a recording would be.
#[derive(Debug, Default)]
pub struct Look {
    /// Stacks that calls in it came from.
    stacks: HashSet<u64>,
    /// Whether the process was met that is asked for.
    pid: bool,
    regions: Option<Vec<String>>,
    /// What of the whole could not be read.
    pub warnings: Vec<Warning>,
}

impl Look {
    /// Reads what is wanted, as the reader was told, from beginning to end.
    pub fn at<R: Read>(reader: &mut Reader<R>, only: &Only) -> Self {
        let mut look = Self::default();
        let mut called = CalledFrom::default();
        while let Some(record) = reader.next_record() {
            let record = record.to_vec();
            let context = reader.is_context();
            look.meet(&record, only);
            called.next(&record, context, |record| {
                if let Ok(Event::CalledFrom(from)) = decode(record) {
                    look.stacks.insert(from.id);
                }
            });
        }
        let named = |name: &str| {
            let (_, regions) = reader.part().regions()?;
            let all = regions.all().iter().map(|region| region.name.clone());
            regions.find(name).is_none().then(|| all.collect())
        };
        look.regions = only.region.as_deref().and_then(named);
        look.warnings = reader.warnings().to_vec();
        look
    }

    fn meet(&mut self, record: &[u8], only: &Only) {
        let Some(pid) = only.pid.filter(|_| !self.pid) else {
            return;
        };
        let tgid = record.get(8..).and_then(|bytes| bytes.first_chunk());
        self.pid = match record.first() {
            Some(&META) => match decode(record) {
                Ok(Event::Meta(Meta::Start(start))) if start.attached => {
                    let children = start.children.iter().map(|child| child.0);
                    children.chain([start.pid]).any(|known| known == pid)
                }
                _ => false,
            },
            Some(&kind::FORK) => match decode(record) {
                Ok(Event::Fork(fork)) => fork.head.tgid == pid || fork.child_tgid == pid,
                _ => false,
            },
            _ => tgid.is_some_and(|tgid| u32::from_le_bytes(*tgid) == pid),
        };
    }

    /// What was asked for in vain.
    pub fn not_there(&self, only: &Only) -> Option<NotThere> {
        let pid = only.pid.filter(|_| !self.pid).map(NotThere::Process);
        let region = self.regions.clone().zip(only.region.clone());
        pid.or(region.map(|(all, name)| NotThere::Region(name, all)))
    }

    /// Whether some of the whole is missing.
    fn is_damaged(&self) -> bool {
        let harmless =
            |warning: &Warning| matches!(warning, Warning::Header | Warning::Trailing { .. });
        !self.warnings.iter().all(harmless)
    }

    /// Writes it: what is read must be the same again. Where some of the whole is missing, the end mark is too, so
    /// that readers say so.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write<R: Read, S: Sink>(
        &self,
        reader: &mut Reader<R>,
        mut writer: Writer<S>,
    ) -> Result<Stats, RecordError> {
        let mut called = CalledFrom::default();
        let mut written = Ok(());
        while let Some(record) = reader.next_record() {
            if !self.keeps(record) {
                continue;
            }
            let record = record.to_vec();
            called.next(&record, reader.is_context(), |record| {
                if written.is_ok() {
                    written = writer.record(record);
                }
            });
            std::mem::replace(&mut written, Ok(()))?;
        }
        match self.is_damaged() {
            true => writer.flush().map(|()| writer.stats()),
            false => writer.finish(),
        }
    }

    /// Whether a stack is one of those that are needed; other records are.
    fn keeps(&self, record: &[u8]) -> bool {
        match record.first() {
            Some(&kind::STACK) => match decode(record) {
                Ok(Event::Stack(stack)) => self.stacks.contains(&stack.id),
                _ => true,
            },
            Some(&META) => match decode(record) {
                Ok(Event::Meta(Meta::Source(source))) => self.stacks.contains(&source.id),
                _ => true,
            },
            _ => true,
        }
    }
}

/// Where threads' calls came from that are not in the part: told once a call of theirs is.
#[derive(Default)]
struct CalledFrom(HashMap<u32, Vec<u8>>);

impl CalledFrom {
    fn next(&mut self, record: &[u8], context: bool, mut hand_on: impl FnMut(&[u8])) {
        let tid = record.get(4..).and_then(|bytes| bytes.first_chunk());
        match (record.first(), tid) {
            (Some(&kind::CALLED_FROM), Some(tid)) if context => {
                self.0.insert(u32::from_le_bytes(*tid), record.to_vec());
                return;
            }
            (Some(&kind), Some(tid)) if !context && kind < META => {
                if let Some(from) = self.0.remove(&u32::from_le_bytes(*tid))
                    && kind != kind::CALLED_FROM
                {
                    hand_on(&from);
                }
            }
            _ => {}
        }
        hand_on(record);
    }
}
