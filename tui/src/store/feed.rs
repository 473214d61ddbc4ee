//! Brings what is recorded into the store, as far as it is there and as long as there is time.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use bytehop_core::arch::Arch;
use bytehop_core::decode::{DecodeError, decode};
use bytehop_core::event::{Event, Only};
use bytehop_core::notice::Notice;
use bytehop_core::reconstruct::Reconstructor;
use bytehop_core::record::{
    Block, Index, Input, Log, Part, Place, Reader, RecordError, Wanted, Warning,
};

use super::call::NONE;
use super::detail::Details;
use super::trace::Store;

/// Reads a recording, finished or in the making, block by block.
pub struct Feed {
    source: Source,
    reader: Reader<Input>,
    /// What of a file is taken.
    part: Part,
    reconstructor: Reconstructor,
    /// Blocks that are there, live.
    queue: VecDeque<Block>,
    /// The block being read, and how many of its records have been.
    block: Option<(Block, u32)>,
    /// Records taken, and records known to be there.
    taken: u64,
    known: u64,
    /// What went wrong with the log of a live trace.
    complaints: Vec<Notice>,
    unknown: u64,
    malformed: u64,
    summed_up: Option<Instant>,
    over: bool,
}

enum Source {
    /// A file, and its size.
    File(Box<Index<Input>>, u64),
    Live(Receiver<Result<Block, String>>),
}

/// Records taken before the clock is looked at.
const BATCH: u32 = 512;
/// How old the sums may be while records come in.
const SUMS: Duration = Duration::from_millis(200);

impl Feed {
    /// A recording; nothing of it is read yet.
    ///
    /// # Errors
    /// If it cannot be opened or is no recording.
    pub fn of_file(path: &Path) -> Result<(Self, Store), RecordError> {
        let size = std::fs::metadata(path).map_or(0, |file| file.len());
        Self::open(path, size, || {
            let file = File::open(path).map_err(|source| RecordError::Open {
                path: path.to_owned(),
                source,
            })?;
            Ok(Box::new(file))
        })
    }

    /// The same, of which only this is taken.
    ///
    /// # Errors
    /// As [`Self::of_file`], and if what is wanted is not in it.
    pub fn of_part(path: &Path, only: &Only) -> Result<(Self, Store), RecordError> {
        let wanted = Wanted::of_recording(only, path, || Ok(Reader::open(path)?.look_through()))?;
        let (feed, store) = Self::of_file(path)?;
        let part = wanted.part();
        Ok((Self { part, ..feed }, store))
    }

    /// A recording in memory; `name` is what errors call it.
    ///
    /// # Errors
    /// If it is no recording.
    pub fn of_bytes(bytes: Arc<[u8]>, name: &str) -> Result<(Self, Store), RecordError> {
        let size = bytes.len() as u64;
        Self::open(Path::new(name), size, || {
            Ok(Box::new(Cursor::new(bytes.clone())))
        })
    }

    fn open(
        path: &Path,
        size: u64,
        input: impl Fn() -> Result<Input, RecordError>,
    ) -> Result<(Self, Store), RecordError> {
        let index = Index::new(input()?, path)?;
        let readers = [Reader::new(input()?, path)?, Reader::new(input()?, path)?];
        Ok(Self::new(Source::File(Box::new(index), size), readers))
    }

    /// A trace that goes on.
    pub fn live(log: Log) -> (Self, Store) {
        Self::new(Source::Live(log.blocks), log.readers)
    }

    fn new(source: Source, [reader, details]: [Reader<Input>; 2]) -> (Self, Store) {
        let feed = Self {
            source,
            reader,
            part: Part::default(),
            reconstructor: reconstructor(),
            queue: VecDeque::new(),
            block: None,
            taken: 0,
            known: 0,
            complaints: Vec::new(),
            unknown: 0,
            malformed: 0,
            summed_up: None,
            over: false,
        };
        let store = Store {
            details: Details::of(details),
            ..Store::default()
        };
        (feed, store)
    }

    /// Takes what is there, until a time at most; whether the store has changed.
    pub fn pull(&mut self, store: &mut Store, until: Option<Instant>) -> bool {
        let (mut changed, now) = (false, Instant::now());
        while self.take(store, u64::from(BATCH)) {
            changed = true;
            if until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
        }
        let due = self.summed_up.is_none_or(|then| now - then >= SUMS);
        if changed && due {
            self.summed_up = Some(now);
            self.sum_up(store);
        }
        changed
    }

    /// Takes what is there, at most so many records and a few more; whether the store has changed. Asks no
    /// clock, and leaves the sums as they are until the end ([`Self::sum_up`]).
    pub fn take(&mut self, store: &mut Store, most: u64) -> bool {
        if self.over {
            return false;
        }
        let (before, complaints) = (self.taken, self.complaints.len());
        self.look();
        while !self.over && self.taken - before < most && self.some(store) {}
        self.taken != before || self.over || self.complaints.len() != complaints
    }

    /// Brings the summary up to what was taken.
    pub fn sum_up(&mut self, store: &mut Store) {
        if !self.over {
            store.summary = self.reconstructor.summary();
            store.summary.warnings.extend_from_slice(&self.complaints);
            store.annotate();
        }
    }

    /// Waits for what is still to come, and takes it.
    pub fn finish(&mut self, store: &mut Store) {
        while !self.over {
            self.pull(store, None);
            if let (Source::Live(blocks), false) = (&self.source, self.over) {
                match blocks.recv_timeout(SUMS) {
                    Ok(block) => self.enqueue(block),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => self.end(store),
                }
            }
        }
    }

    /// Whether all has been taken, and nothing more will come.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Records that are there and were not taken yet, as far as is known.
    pub fn behind(&self) -> u64 {
        self.known - self.taken
    }

    /// How much of a file has been read, in hundredths; `None` for a live trace.
    pub fn percent(&self) -> Option<u8> {
        match (&self.source, self.over, &self.block) {
            (Source::Live(_), ..) => None,
            (Source::File(..), true, _) => Some(100),
            (Source::File(_, size), false, block) => {
                let at = block.map_or(0, |(block, _)| block.offset);
                Some((u128::from(at) * 100 / u128::from((*size).max(1))).min(99) as u8)
            }
        }
    }

    /// Takes a few records; false if there are none.
    fn some(&mut self, store: &mut Store) -> bool {
        let Some((block, done)) = self.block else {
            return self.next_block(store);
        };
        let until = block.header.records.min(done + BATCH);
        for n in done..until {
            let Some(record) = self.reader.next_record() else {
                // What the file holds there has changed.
                self.malformed += u64::from(block.header.records - n);
                self.taken += u64::from(block.header.records - n);
                self.block = None;
                return true;
            };
            self.taken += 1;
            let number = block.header.first_record + u64::from(n);
            store.building.record = u32::try_from(number).unwrap_or(NONE);
            let mut push = |record: &[u8]| match decode(record) {
                Ok(event) => self.reconstructor.push(&event, store),
                Err(DecodeError::UnknownKind(_)) => self.unknown += 1,
                Err(_) => self.malformed += 1,
            };
            match self.part.next(record) {
                Place::Inside | Place::Context => push(record),
                Place::Outside => {}
                Place::Instead(records) => records.iter().for_each(|record| push(record)),
            }
        }
        self.block = (until < block.header.records).then_some((block, until));
        true
    }

    fn next_block(&mut self, store: &mut Store) -> bool {
        let next = match &mut self.source {
            Source::File(index, _) => index.find(|block| self.part.needs(&block.header)),
            Source::Live(blocks) => match (self.queue.pop_front(), blocks.try_recv()) {
                (Some(block), more) => {
                    more.into_iter().for_each(|more| self.enqueue(more));
                    Some(block)
                }
                (None, Ok(block)) => {
                    self.enqueue(block);
                    return true;
                }
                (None, Err(TryRecvError::Empty)) => return false,
                (None, Err(TryRecvError::Disconnected)) => None,
            },
        };
        match next {
            Some(block) => self.announce(store, block),
            None => self.end(store),
        }
        true
    }

    /// Learns how much there is.
    fn look(&mut self) {
        while let Source::Live(blocks) = &self.source
            && let Ok(block) = blocks.try_recv()
        {
            self.enqueue(block);
        }
    }

    fn enqueue(&mut self, told: Result<Block, String>) {
        match told {
            Ok(block) => {
                self.known += u64::from(block.header.records);
                self.queue.push_back(block);
            }
            Err(complaint) => {
                self.complaints.push(Notice::Foreign(complaint));
                self.summed_up = None;
            }
        }
    }

    fn announce(&mut self, store: &mut Store, block: Block) {
        store.details.learn(&block);
        if let Source::File(..) = self.source {
            self.known += u64::from(block.header.records);
        }
        // A block that cannot be read gives no records.
        let _ = self.reader.seek(&block);
        self.block = Some((block, 0));
    }

    fn end(&mut self, store: &mut Store) {
        self.over = true;
        self.reconstructor.drain(store);
        let done = std::mem::replace(&mut self.reconstructor, reconstructor());
        let mut summary = done.finish();
        let (unknown, malformed) = (self.unknown, self.malformed);
        let undecodable = Warning::Undecodable { unknown, malformed };
        let undecodable = (unknown + malformed > 0).then_some(undecodable);
        let warnings = match &self.source {
            Source::File(index, _) => index.warnings(),
            Source::Live(_) => &[],
        };
        let warnings = warnings.iter().chain(&undecodable);
        warnings.for_each(|warning| summary.warn(warning.into()));
        summary.warnings.append(&mut self.complaints);
        store.summary = summary;
        store.finish();
    }
}

impl Store {
    /// Reads a recording from beginning to end.
    ///
    /// # Errors
    /// If the file cannot be opened or is no recording; damage further on becomes a warning in the
    /// summary.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Self::open_only(path, &Only::default())
    }

    /// Reads what happened in a part of a recording.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_only(path: &Path, only: &Only) -> Result<Self, RecordError> {
        let (mut feed, mut store) = Feed::of_part(path, only)?;
        feed.take(&mut store, u64::MAX);
        Ok(store)
    }

    /// Takes events that are in no recording: arguments of calls are not known then.
    pub fn of_events<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut reconstructor = reconstructor();
        let mut store = Self::default();
        for event in events {
            reconstructor.push(event, &mut store);
        }
        reconstructor.drain(&mut store);
        store.summary = reconstructor.finish();
        store.finish();
        store
    }
}

fn reconstructor() -> Reconstructor {
    Reconstructor::new(Arch::host().unwrap_or(Arch::X86_64))
}
