//! What is read again from the recording when someone looks at a call.

use bytehop_core::decode::decode;
use bytehop_core::event::Event;
use bytehop_core::record::{Block, Input, Reader};

use super::call::{Call, What};

/// What a call was given and what it returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    Syscall {
        args: [u64; 6],
        ret: i64,
        dur: u64,
    },
    Fault {
        addr: u64,
        ip: u64,
    },
    /// The record cannot be read any more.
    Lost,
}

/// Reads records by number.
#[derive(Default)]
pub struct Details(Option<Source>);

struct Source {
    blocks: Vec<Block>,
    reader: Reader<Input>,
    /// The record that `reader` gives next.
    next: u64,
}

impl Details {
    pub(super) fn of(reader: Reader<Input>) -> Self {
        Self(Some(Source {
            blocks: Vec::new(),
            reader,
            next: u64::MAX,
        }))
    }

    /// Learns of the next block.
    pub(super) fn learn(&mut self, block: &Block) {
        if let Some(source) = &mut self.0 {
            source.blocks.push(*block);
        }
    }

    /// The details of `call`, which is what `what` says; `None` for what has none.
    pub fn read(&mut self, call: &Call, what: &What) -> Option<Detail> {
        if *what == What::Later {
            return None;
        }
        let source = self.0.as_mut()?;
        let event = source.record(u64::from(call.record));
        let same = |head: &bytehop_core::event::Head| head.seq == call.seq && head.ts == call.ts;
        Some(match event {
            Some(Event::Syscall { call, .. }) if same(&call.head) => Detail::Syscall {
                args: call.args,
                ret: call.ret,
                dur: call.dur,
            },
            Some(Event::Fault(fault)) if same(&fault.head) => Detail::Fault {
                addr: fault.addr,
                ip: fault.ip,
            },
            _ => Detail::Lost,
        })
    }
}

impl Source {
    fn record(&mut self, number: u64) -> Option<Event> {
        let at = self
            .blocks
            .partition_point(|block| block.header.first_record <= number);
        let block = *self.blocks.get(at.checked_sub(1)?)?;
        let first = block.header.first_record;
        if number >= first + u64::from(block.header.records) {
            return None;
        }
        // Forward in the same block needs no second unpacking.
        if self.next < first || self.next > number {
            self.next = u64::MAX;
            self.reader.seek(&block).ok()?;
            self.next = first;
        }
        while self.next < number {
            self.reader.next_record()?;
            self.next += 1;
        }
        let event = decode(self.reader.next_record()?).ok();
        self.next += 1;
        event
    }
}
