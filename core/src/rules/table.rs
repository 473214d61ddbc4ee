//! The rules for calls.

use super::Spot::{From, Kernel, To};
use super::{Does, Facts, Fs, Kinds, Move, Rule, Step};
use crate::catalogue::RuleId;
use crate::model::HopKind;

const COPY: Does = Does::Moves(&[Step(HopKind::Copy, From, To)]);
const SHARE: Does = Does::Moves(&[Step(HopKind::Share, From, To)]);
const MAP: Does = Does::Moves(&[Step(HopKind::Map, From, To)]);
const FILL: Does = Does::Moves(&[Step(HopKind::Fill, From, To)]);
/// Pages of the kernel's own, which a device has filled, are passed on.
const SHARE_KERNEL: Does = Does::Moves(&[Step(HopKind::Share, Kernel, To)]);
/// Pages of zeros are made, and copied.
const FILL_COPY: Does = Does::Moves(&[
    Step(HopKind::Fill, From, Kernel),
    Step(HopKind::Copy, Kernel, To),
]);

/// Pages of the kernel's own are filled by a copy, and passed on.
const COPY_SHARE: Does = Does::Moves(&[
    Step(HopKind::Copy, From, Kernel),
    Step(HopKind::Share, Kernel, To),
]);
/// The same, and they are dropped.
const COPY_DROP: Does = Does::Moves(&[Step(HopKind::Copy, From, Kernel)]);

/// The kernel copies into a page of its own, and from there on.
const COPY_TWICE: Does = Does::Moves(&[
    Step(HopKind::Copy, From, Kernel),
    Step(HopKind::Copy, Kernel, To),
]);

/// Of messages: the length is returned, however much of it the buffer took. Of streams: bytes are thrown away.
pub const MSG_TRUNC: u32 = 0x20;
const MSG_ERRQUEUE: u32 = 0x2000;
const MSG_ZEROCOPY: u32 = 0x400_0000;

fn always(_: &Facts) -> bool {
    true
}

/// `O_DIRECT` on a file system that would honour it, yet pages of the page cache were used and no
/// direct I/O happened: the file system fell back to buffered I/O.
fn fell_back(facts: &Facts) -> bool {
    let unused = facts
        .seen
        .is_some_and(|seen| seen.cached && !seen.direct_io);
    unused && (direct(facts) || to_direct(facts))
}

fn direct(facts: &Facts) -> bool {
    facts.from.direct
}

fn to_direct(facts: &Facts) -> bool {
    facts.to.direct
}

fn discards(facts: &Facts) -> bool {
    facts.msg_flags & MSG_TRUNC != 0
}

fn cut(facts: &Facts) -> bool {
    facts.cut
}

fn errors_only(facts: &Facts) -> bool {
    facts.msg_flags & MSG_ERRQUEUE != 0
}

fn zerocopy(facts: &Facts) -> bool {
    facts.msg_flags & MSG_ZEROCOPY != 0 && !facts.zerocopy_off
}

fn remote(facts: &Facts) -> bool {
    facts.from.is_remote() || facts.to.is_remote()
}

fn unasked(facts: &Facts) -> bool {
    facts.from.fs == Fs::Unasked || facts.to.fs == Fs::Unasked
}

fn remote_direct(facts: &Facts) -> bool {
    remote(facts) && (direct(facts) || to_direct(facts))
}

/// The file system can share extents, and the call touched no page of the page cache.
fn reflinked(facts: &Facts) -> bool {
    facts.to.fs == Fs::Reflink
        && facts
            .seen
            .is_some_and(|seen| !seen.cached && !seen.direct_io)
}

fn undecided(facts: &Facts) -> bool {
    facts.to.fs == Fs::Reflink && facts.seen.is_none()
}

fn encrypted(facts: &Facts) -> bool {
    facts.tls
}

fn in_ring(facts: &Facts) -> bool {
    facts.ring
}

fn private(facts: &Facts) -> bool {
    facts.private
}

const READ: &[Move] = &[Move::Read];
const WRITE: &[Move] = &[Move::Write];
const RECV: &[Move] = &[Move::Recv, Move::Read];
const SEND: &[Move] = &[Move::Send, Move::Write];
const SENDFILE: &[Move] = &[Move::Sendfile];
const SPLICE: &[Move] = &[Move::Splice];
const SPLICES: &[Move] = &[Move::Sendfile, Move::Splice];
const TEE: &[Move] = &[Move::Tee];
const VMSPLICE: &[Move] = &[Move::Vmsplice];
const RANGE: &[Move] = &[Move::CopyRange];

use Kinds as K;

/// The rules for calls. The first row that fits decides.
#[rustfmt::skip] // a table: what a row says stands on its first line
pub static RULES: &[Rule] = &[
    Rule { id: RuleId::DirectRemoteNotSeen, moves: &[Move::Read, Move::Write], from: K::FILE.or(K::USER), to: K::FILE.or(K::USER), when: remote_direct, does: Does::CannotTell },

    // FUSE, where the server answers the call itself.
    Rule { id: RuleId::FuseNotAsked, moves: &[Move::Read, Move::Write, Move::Sendfile, Move::Splice], from: K::ALL, to: K::ALL, when: unasked, does: Does::CannotTell },
    Rule { id: RuleId::FuseReadCopied, moves: READ, from: K::SERVED, to: K::USER, when: always, does: COPY },
    Rule { id: RuleId::FuseWriteCopied, moves: WRITE, from: K::USER, to: K::SERVED, when: always, does: COPY },
    Rule { id: RuleId::FuseSplicedFrom, moves: SPLICES, from: K::SERVED, to: K::SINK, when: always, does: COPY_DROP },
    Rule { id: RuleId::FuseSplicedFrom, moves: SPLICES, from: K::SERVED, to: K::SOCKET.or(K::PIPE), when: always, does: COPY_SHARE },
    Rule { id: RuleId::FuseSplicedFrom, moves: SPLICES, from: K::SERVED, to: K::PAGES.or(K::KERNEL).or(K::SERVED), when: always, does: COPY_TWICE },
    Rule { id: RuleId::FuseSplicedTo, moves: SPLICES, from: K::ZERO, to: K::SERVED, when: always, does: FILL_COPY },
    Rule { id: RuleId::FuseSplicedTo, moves: SPLICES, from: K::PAGES.or(K::PIPE).or(K::KERNEL), to: K::SERVED, when: always, does: COPY },

    // read, pread64, readv …
    Rule { id: RuleId::DirectReadFellBack, moves: READ, from: K::FILE, to: K::USER, when: fell_back, does: COPY },
    Rule { id: RuleId::DirectReadNotCopied, moves: READ, from: K::FILE, to: K::USER, when: direct, does: Does::LeavesToDevice },
    Rule { id: RuleId::ReadReturnsCopied, moves: READ, from: K::FILE, to: K::USER, when: always, does: COPY },
    Rule { id: RuleId::ShmemReadCopied, moves: READ, from: K::SHMEM, to: K::USER, when: always, does: COPY },
    Rule { id: RuleId::PipeReadCopied, moves: READ, from: K::PIPE, to: K::USER, when: always, does: COPY },
    Rule { id: RuleId::ZerosFilled, moves: READ, from: K::ZERO, to: K::USER, when: always, does: FILL },
    Rule { id: RuleId::KernelReadCopied, moves: RECV, from: K::KERNEL, to: K::USER, when: always, does: COPY },

    Rule { id: RuleId::ProcessMemoryCopied, moves: READ, from: K::MEMORY, to: K::USER, when: always, does: COPY_TWICE },

    // Sockets of the kernel's cryptography.
    Rule { id: RuleId::CryptoNotTold, moves: &[Move::Recv, Move::Read, Move::Send, Move::Write, Move::Sendfile, Move::Splice], from: K::ALL, to: K::CRYPTO, when: always, does: Does::CannotTell },
    Rule { id: RuleId::CryptoNotTold, moves: RECV, from: K::CRYPTO, to: K::USER, when: always, does: Does::CannotTell },
    Rule { id: RuleId::HashedInPlace, moves: &[Move::Send, Move::Write, Move::Sendfile, Move::Splice], from: K::USER.or(K::PAGES).or(K::PIPE), to: K::HASH, when: always, does: SHARE },
    Rule { id: RuleId::HashRead, moves: RECV, from: K::HASH, to: K::USER, when: always, does: COPY },
    Rule { id: RuleId::Ciphered, moves: RECV, from: K::CIPHER, to: K::USER, when: always, does: COPY },

    // Sockets: recv*, and read; send*, and write.
    Rule { id: RuleId::ErrorQueueRead, moves: RECV, from: K::SOCKET, to: K::USER, when: errors_only, does: Does::Discards },
    Rule { id: RuleId::ReceiveDiscarded, moves: RECV, from: K::TCP, to: K::USER, when: discards, does: Does::Discards },
    Rule { id: RuleId::ReceiveCutUndecided, moves: RECV, from: K::SOCKET, to: K::USER, when: cut, does: Does::CannotTell },
    Rule { id: RuleId::ReceiveCopied, moves: RECV, from: K::SOCKET, to: K::USER, when: always, does: COPY },
    Rule { id: RuleId::ReceiveZerocopy, moves: &[Move::RecvZc], from: K::SOCKET, to: K::USER, when: always, does: SHARE },
    Rule { id: RuleId::TlsEncrypted, moves: &[Move::Sendfile, Move::Splice, Move::Send, Move::Write], from: K::USER.or(K::PAGES).or(K::PIPE), to: K::TCP, when: encrypted, does: COPY },
    Rule { id: RuleId::SendZerocopyShared, moves: SEND, from: K::USER, to: K::INET, when: zerocopy, does: SHARE },
    Rule { id: RuleId::SendZcShared, moves: &[Move::SendZc], from: K::USER, to: K::INET, when: always, does: SHARE },
    Rule { id: RuleId::RingShared, moves: SEND, from: K::USER, to: K::SOCKET, when: in_ring, does: SHARE },
    Rule { id: RuleId::SendCopied, moves: SEND, from: K::USER, to: K::SOCKET, when: always, does: COPY },

    // write, pwrite64, writev …
    Rule { id: RuleId::DirectWriteFellBack, moves: WRITE, from: K::USER, to: K::FILE, when: fell_back, does: COPY },
    Rule { id: RuleId::DirectWriteNotCopied, moves: WRITE, from: K::USER, to: K::FILE, when: to_direct, does: Does::LeavesToDevice },
    Rule { id: RuleId::WriteCopied, moves: WRITE, from: K::USER, to: K::FILE, when: always, does: COPY },
    Rule { id: RuleId::ShmemWriteCopied, moves: WRITE, from: K::USER, to: K::SHMEM, when: always, does: COPY },
    Rule { id: RuleId::PipeWriteCopied, moves: WRITE, from: K::USER, to: K::PIPE, when: always, does: COPY },
    Rule { id: RuleId::WriteDiscarded, moves: WRITE, from: K::USER, to: K::SINK, when: always, does: Does::Discards },
    Rule { id: RuleId::ProcessMemoryCopied, moves: WRITE, from: K::USER, to: K::MEMORY, when: always, does: COPY_TWICE },
    Rule { id: RuleId::KernelWriteCopied, moves: SEND, from: K::USER, to: K::KERNEL, when: always, does: COPY },

    // sendfile and splice. The pipe that sendfile uses inside the kernel is no place.
    Rule { id: RuleId::SpliceDiscarded, moves: SPLICES, from: K::PAGES.or(K::PIPE).or(K::KERNEL).or(K::ZERO), to: K::SINK, when: always, does: Does::Discards },
    Rule { id: RuleId::SpliceToDirectNotCopied, moves: SPLICES, from: K::PAGES.or(K::PIPE), to: K::FILE, when: to_direct, does: Does::LeavesToDevice },
    Rule { id: RuleId::SpliceFromDirectShared, moves: SPLICES, from: K::FILE, to: K::SOCKET.or(K::PIPE), when: direct, does: SHARE_KERNEL },
    Rule { id: RuleId::SendfileShared, moves: SENDFILE, from: K::PAGES, to: K::SOCKET.or(K::PIPE), when: always, does: SHARE },
    Rule { id: RuleId::SendfileCopied, moves: SENDFILE, from: K::PAGES, to: K::PAGES.or(K::KERNEL), when: always, does: COPY },
    Rule { id: RuleId::SpliceFileShared, moves: SPLICE, from: K::PAGES, to: K::PIPE, when: always, does: SHARE },
    Rule { id: RuleId::SplicePipeToSocketShared, moves: SPLICE, from: K::PIPE, to: K::SOCKET, when: always, does: SHARE },
    Rule { id: RuleId::SplicePipeToPipeShared, moves: SPLICE, from: K::PIPE, to: K::PIPE, when: always, does: SHARE },
    Rule { id: RuleId::SplicePipeToFileCopied, moves: SPLICE, from: K::PIPE, to: K::PAGES.or(K::KERNEL), when: always, does: COPY },
    Rule { id: RuleId::SpliceSocketShared, moves: SPLICES, from: K::STREAM, to: K::PIPE, when: always, does: SHARE },
    Rule { id: RuleId::SpliceSourceCopied, moves: SPLICES, from: K::SOCKET.or(K::KERNEL), to: K::PIPE.or(K::SOCKET).or(K::PAGES), when: always, does: COPY },
    Rule { id: RuleId::SpliceZerosFilled, moves: SPLICES, from: K::ZERO, to: K::PIPE.or(K::SOCKET), when: always, does: FILL },
    Rule { id: RuleId::SpliceZerosCopied, moves: SPLICES, from: K::ZERO, to: K::PAGES, when: always, does: FILL_COPY },
    Rule { id: RuleId::TeeShared, moves: TEE, from: K::PIPE, to: K::PIPE, when: always, does: SHARE },
    Rule { id: RuleId::VmspliceShared, moves: VMSPLICE, from: K::USER, to: K::PIPE, when: always, does: SHARE },
    Rule { id: RuleId::VmspliceCopied, moves: VMSPLICE, from: K::PIPE, to: K::USER, when: always, does: COPY },

    // copy_file_range and reflinks.
    Rule { id: RuleId::CopyRangeRemote, moves: RANGE, from: K::FILE, to: K::FILE, when: remote, does: Does::CannotTell },
    Rule { id: RuleId::CopyRangeReflinked, moves: RANGE, from: K::FILE, to: K::FILE, when: reflinked, does: SHARE },
    Rule { id: RuleId::CopyRangeUndecided, moves: RANGE, from: K::FILE, to: K::FILE, when: undecided, does: Does::CannotTell },
    Rule { id: RuleId::CopyRangeCopied, moves: RANGE, from: K::PAGES, to: K::PAGES, when: always, does: COPY },
    Rule { id: RuleId::ReflinkShared, moves: &[Move::Clone], from: K::FILE, to: K::FILE, when: always, does: SHARE },

    Rule { id: RuleId::ProcessVmCopied, moves: &[Move::ProcessVm], from: K::USER, to: K::USER, when: always, does: COPY },
    Rule { id: RuleId::ProcessMemoryCopied, moves: &[Move::Peek], from: K::USER, to: K::USER, when: always, does: COPY_TWICE },
    Rule { id: RuleId::ProcessWordPoked, moves: &[Move::Poke], from: K::KERNEL, to: K::USER, when: always, does: COPY },
    Rule { id: RuleId::UserfaultCopied, moves: &[Move::FaultCopy], from: K::USER, to: K::USER, when: always, does: COPY },
    Rule { id: RuleId::UserfaultZeroPageMapped, moves: &[Move::FaultZero], from: K::ZERO, to: K::USER, when: always, does: MAP },
    Rule { id: RuleId::PopulateCopied, moves: &[Move::Populate], from: K::PAGES, to: K::USER, when: private, does: COPY },
    Rule { id: RuleId::PopulateMapped, moves: &[Move::Populate], from: K::PAGES, to: K::USER, when: always, does: MAP },
];
