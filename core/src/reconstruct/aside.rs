//! Copies of files that no data call makes: an overlay copies a file up before a call changes it, a dying thread
//! writes the program's memory into a core file. What functions measured of them stands; else the pages tell that
//! they made dirty.

use tracer_ebpf::{Exit, Fault};

use super::measured::{Expected, Outcome};
use super::tally::{At, Moved};
use super::threads::Open;
use super::{Reconstructor, Sink, hop};
use crate::catalogue::RuleId;
use crate::model::{CallId, Evidence, HopKind};
use crate::rules::FileKind;

/// In a wait status: a core file was written.
const CORE: u32 = 0x80;

impl Reconstructor {
    /// A call that changes a file's name, size or attributes made pages of a file dirty.
    pub(super) fn copied_up(
        &mut self,
        pages: u64,
        open: &mut Open,
        ts: u64,
        moved: &mut Vec<Moved>,
    ) {
        if pages == 0 {
            return;
        }
        let bytes = pages.saturating_mul(self.setup.page);
        let expected = Expected {
            rule: RuleId::CopiedUp,
            kind: HopKind::Copy,
            between: (FileKind::RegularFile, FileKind::RegularFile),
            at: (At::PageCache, At::PageCache),
            // The last page is rarely full.
            bytes: None,
            fault: false,
            magic: 0,
        };
        if self.measure(&expected, &mut open.found, ts, moved) == Outcome::Unmeasured {
            let by = Evidence::Inferred(RuleId::CopiedUp);
            let one = hop(HopKind::Copy, At::PageCache, At::PageCache, by, bytes);
            moved.push(Moved { ts, ..one });
        }
    }

    /// Pages that a fault made dirty: of its own file, or it was the thread's last.
    pub(super) fn dirtied_by_fault(&mut self, slot: usize, fault: &Fault, open: &Open) {
        let own = (fault.dev, fault.ino);
        let others = open.inodes.iter().any(|inode| *inode != own);
        self.threads.at(slot).dirtied = if others { open.dirtied } else { 0 };
    }

    /// A thread has ended; maybe it wrote a core file.
    pub(super) fn core_dumped<S: Sink>(&mut self, slot: usize, exit: &Exit, sink: &mut S) {
        let thread = self.threads.at(slot);
        if exit.exit_code & CORE == 0 || thread.dumped || thread.dirtied == 0 {
            return;
        }
        let bytes = thread.dirtied.saturating_mul(self.setup.page);
        let (tid, process) = (thread.tid, thread.process);
        let by = Evidence::Inferred(RuleId::CoreDumped);
        let one = hop(HopKind::Copy, At::User, At::PageCache, by, bytes);
        let one = Moved {
            ts: exit.head.ts,
            ..one
        };
        self.late(CallId { tid, seq: 0 }, process, &one, sink);
    }
}
