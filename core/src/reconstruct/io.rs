//! What a block request moved: payload from where to where, or metadata.

use tracer_ebpf::bio;

use super::tally::At;
use super::threads::Io;
use crate::catalogue::RuleId;
use crate::model::{HopKind, IoTotals};
use crate::rules::{Class, FileKind, Move, Shape};

/// Bytes of a sector, as the block layer counts them.
pub(super) const SECTOR: u64 = 512;
/// Drivers that only hand requests on to other devices, which appear on their own.
pub(crate) const PASS_ON: [&str; 2] = ["device-mapper", "md"];

/// What is known of the call that a request belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Pages outside the page cache are the program's own memory.
    pub user_memory: bool,
    /// The call is on the block device itself: its pages are payload.
    pub raw: bool,
    /// The file that is written is open with `O_DIRECT`: the write is not left for later.
    pub direct_target: bool,
    /// It looks at bytes of a socket that stay there.
    pub peeks: bool,
}

impl Context {
    /// The context of a page fault: memory outside the page cache is read from swap.
    pub fn of_fault(swap: bool) -> Self {
        Self {
            user_memory: swap,
            ..Self::default()
        }
    }

    /// The context of a system call.
    pub fn of_call(
        shape: Option<Shape>,
        async_io: bool,
        one: Option<Class>,
        two: Option<Class>,
    ) -> Self {
        let any = |test: fn(&Class) -> bool| one.iter().chain(&two).any(test);
        let direct = any(|class| class.direct);
        Self {
            user_memory: match shape.map(|shape| shape.moves) {
                Some(Move::Read | Move::Write) => direct,
                Some(_) => false,
                None => async_io,
            },
            raw: any(|class| class.kind == FileKind::BlockDevice),
            direct_target: match shape.map(|shape| shape.moves) {
                Some(Move::Sendfile) => one.is_some_and(|class| class.direct),
                Some(Move::Splice | Move::CopyRange) => two.is_some_and(|class| class.direct),
                // Direct reads and writes first write back what is dirty: that was left for later.
                _ => false,
            },
            peeks: false,
        }
    }
}

/// What a request moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// Between the device and this place; `deferred`: left for later by whoever made the data.
    Payload { memory: At, deferred: bool },
    /// File-system metadata or journal.
    Metadata,
    /// No page to tell.
    Unknown,
}

/// Classifies a request by its [`bio`] bits.
pub fn classify(bits: u32, context: Context) -> Moves {
    let has = |bit| bits & bit != 0;
    let write = has(bio::WRITE);
    let payload = |memory, deferred| Moves::Payload { memory, deferred };
    if has(bio::SWAP) {
        payload(At::User, false)
    } else if has(bio::META) {
        Moves::Metadata
    } else if has(bio::BDEV) {
        match context.raw {
            true => payload(At::PageCache, write && !context.direct_target),
            false => Moves::Metadata,
        }
    } else if has(bio::FILE) {
        // Written data was left in the page cache by an earlier step, even if this call is the
        // fsync that waits for it.
        payload(At::PageCache, write && !context.direct_target)
    } else if has(bio::ANON) {
        payload(
            if context.user_memory {
                At::User
            } else {
                At::Kernel
            },
            false,
        )
    } else {
        Moves::Unknown
    }
}

/// What a device that is only software does with the bytes of a request.
pub(crate) fn software(driver: &str, by_reference: bool) -> (HopKind, RuleId) {
    match driver {
        _ if by_reference => (HopKind::Share, RuleId::LoopByReference),
        "zram" => (HopKind::Copy, RuleId::ZramCompressed),
        _ => (HopKind::Copy, RuleId::SoftwareDeviceCopied),
    }
}

pub(super) fn add(totals: &mut IoTotals, io: &Io) {
    let (requests, bytes) = match io.bio & bio::WRITE {
        0 => (&mut totals.read_requests, &mut totals.read_bytes),
        _ => (&mut totals.write_requests, &mut totals.write_bytes),
    };
    *requests = requests.saturating_add(io.count);
    *bytes = bytes.saturating_add(io.bytes);
}
