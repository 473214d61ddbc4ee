//! What the functions of level F and the primitives of level B measure, and which conclusions of the rules they cover.
//!
//! Where a row covers a step of a rule and its probe is attached, the measurement is the hop, and the
//! rule's number is only compared with it.

use tracer_ebpf::moved;

use super::{FileKind, Kinds};
use crate::catalogue::primitives::Primitive;
use crate::catalogue::probes::Group;
use crate::catalogue::{FunctionId, PrimitiveId, ProbeId, Subject, Tracepoint, primitives, probes};
use crate::model::{HopKind, Place};

/// One kind of [`moved`].
#[derive(Debug)]
pub struct Measure {
    /// One of [`moved`].
    pub what: u16,
    pub probe: ProbeId,
    pub kind: HopKind,
    /// What the steps that it covers come from and go to.
    pub from: Kinds,
    pub to: Kinds,
    /// Where the bytes were if no rule tells.
    pub at: (Place, Place),
    /// What it means where no rule concluded such a thing.
    pub alone: Alone,
    /// Where nothing was measured although a rule says so, the rule is wrong.
    pub proves: Proves,
    /// As a disagreement names it.
    pub subject: Subject,
}

/// What a measurement means where no rule concluded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alone {
    /// A hop, and a disagreement where a rule should have known.
    Hop,
    /// A hop that no rule is there for.
    Quiet,
    /// Nothing: a pipe inside the kernel got references.
    Nothing,
}

/// Where silence proves that nothing was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proves {
    Always,
    /// On file systems whose data are known to pass here: by the low 32 bits of `s_magic`.
    On(&'static [u32]),
    /// In page faults, on kernels that tell the counters.
    Faults,
    Never,
}

const EXT4: u32 = 0xEF53;
const XFS: u32 = 0x5846_5342;
const BTRFS: u32 = 0x9123_683E;
const TMPFS: u32 = 0x0102_1994;
/// File systems of which it is known where their data pass; overlayfs passes them on to one of these.
const KNOWN: [u32; 4] = [EXT4, XFS, BTRFS, TMPFS];

/// File systems whose direct reads fill zeros in where the file has no blocks, or none that were written: both by
/// `iomap_dio_rw` (Linux 6.1 … 7.2). Others may read through the page cache instead.
pub const FILL_HOLES: [u32; 2] = [EXT4, XFS];

use Alone::{Hop, Nothing, Quiet};
use HopKind::{Copy, Map, Share};
use Kinds as K;
use Place::{Kernel, PageCache, Pipe, Shmem, Socket, User};

const INSIDE: K = K::PAGES.or(K::PIPE).or(K::KERNEL).or(K::SOCKET);

const READ: Subject = Subject::Read;
const WRITTEN: Subject = Subject::Written;
const PIPES: Subject = Subject::Pipes;
const SENT: Subject = Subject::Sent;
const MAPPED: Subject = Subject::Mapped;
const RECEIVED: Subject = Subject::Received;
const BY_REFERENCE: Subject = Subject::ByReference;

macro_rules! row {
    ($what:ident $by:ident($probe:ident) $kind:ident $from:expr => $to:expr, $source:expr => $target:expr, $alone:expr, $proves:expr, $subject:expr) => {
        Measure {
            what: moved::$what,
            probe: row!(@probe $by $probe),
            kind: $kind,
            from: $from,
            to: $to,
            at: ($source, $target),
            alone: $alone,
            proves: $proves,
            subject: $subject,
        }
    };
    (@probe function $probe:ident) => { ProbeId::Function(FunctionId::$probe) };
    (@probe primitive $probe:ident) => { ProbeId::Primitive(PrimitiveId::$probe) };
    (@probe tracepoint $probe:ident) => { ProbeId::Tracepoint(Tracepoint::$probe) };
}

/// What can be measured.
#[rustfmt::skip] // a table
pub static MEASURES: &[Measure] = &[
    row!(FILE_READ function(filemap_read) Copy K::FILE => K::USER, PageCache => User, Hop, Proves::On(&[EXT4, XFS, BTRFS]), READ),
    row!(FILE_READ_KERNEL function(filemap_read) Copy K::FILE => K::KERNEL, PageCache => Kernel, Quiet, Proves::Never, READ),
    row!(FILE_READ_PIPE function(filemap_read) Share K::FILE => K::PIPE, PageCache => Pipe, Nothing, Proves::Never, BY_REFERENCE),
    row!(SHMEM_READ function(shmem_file_read_iter) Copy K::SHMEM => K::USER, Shmem => User, Hop, Proves::On(&[TMPFS]), READ),
    row!(SHMEM_READ_KERNEL function(shmem_file_read_iter) Copy K::SHMEM => K::KERNEL, Shmem => Kernel, Quiet, Proves::Never, READ),
    row!(SHMEM_READ_PIPE function(shmem_file_read_iter) Share K::SHMEM => K::PIPE, Shmem => Pipe, Nothing, Proves::Never, BY_REFERENCE),
    row!(WRITE function(generic_perform_write) Copy K::USER => K::FILE, User => PageCache, Hop, Proves::On(&[EXT4]), WRITTEN),
    row!(WRITE_KERNEL function(generic_perform_write) Copy INSIDE => K::FILE, Kernel => PageCache, Hop, Proves::On(&[EXT4]), WRITTEN),
    row!(SHMEM_WRITE function(generic_perform_write) Copy K::USER => K::SHMEM, User => Shmem, Hop, Proves::On(&[TMPFS]), WRITTEN),
    row!(SHMEM_WRITE_KERNEL function(generic_perform_write) Copy INSIDE => K::SHMEM, Kernel => Shmem, Hop, Proves::On(&[TMPFS]), WRITTEN),
    row!(IOMAP_WRITE function(iomap_file_buffered_write) Copy K::USER => K::FILE, User => PageCache, Hop, Proves::On(&[XFS]), WRITTEN),
    row!(DUMPED function(generic_perform_write) Copy K::NONE => K::NONE, User => PageCache, Quiet, Proves::Never, WRITTEN),
    row!(IOMAP_DUMPED function(iomap_file_buffered_write) Copy K::NONE => K::NONE, User => PageCache, Quiet, Proves::Never, WRITTEN),
    row!(BTRFS_DUMPED function(btrfs_buffered_write) Copy K::NONE => K::NONE, User => PageCache, Quiet, Proves::Never, WRITTEN),
    row!(IOMAP_WRITE_KERNEL function(iomap_file_buffered_write) Copy INSIDE => K::FILE, Kernel => PageCache, Hop, Proves::On(&[XFS]), WRITTEN),
    row!(BTRFS_WRITE function(btrfs_buffered_write) Copy K::USER => K::FILE, User => PageCache, Hop, Proves::On(&[BTRFS]), WRITTEN),
    row!(BTRFS_WRITE_KERNEL function(btrfs_buffered_write) Copy INSIDE => K::FILE, Kernel => PageCache, Hop, Proves::On(&[BTRFS]), WRITTEN),
    row!(PIPE_READ function(pipe_read) Copy K::PIPE => K::USER, Pipe => User, Hop, Proves::Always, PIPES),
    row!(PIPE_WRITE function(pipe_write) Copy K::USER => K::PIPE, User => Pipe, Hop, Proves::Always, PIPES),
    row!(PIPE_TO_USER function(pipe_to_user) Copy K::PIPE => K::USER, Pipe => User, Hop, Proves::Never, PIPES),
    row!(TCP_SEND function(tcp_sendmsg_locked) Copy K::USER => K::TCP, User => Socket, Hop, Proves::Never, SENT),
    row!(UDP_SEND function(ip_generic_getfrag) Copy K::USER => K::UDP, User => Socket, Hop, Proves::Always, SENT),
    row!(UNIX_SEND function(skb_copy_datagram_from_iter) Copy K::USER => K::UNIX, User => Socket, Hop, Proves::Always, SENT),
    row!(UDP_RECEIVE function(udp_recvmsg) Copy K::UDP => K::USER, Socket => User, Hop, Proves::Never, RECEIVED),
    row!(SPLICE_FOLIO function(splice_folio_into_pipe) Share K::PAGES => K::PIPE, PageCache => Pipe, Nothing, Proves::On(&[EXT4, XFS, BTRFS]), BY_REFERENCE),
    row!(SKB_SPLICE function(skb_splice_from_iter) Share INSIDE => K::TCP.or(K::UNIX), Kernel => Socket, Hop, Proves::Never, BY_REFERENCE),
    row!(TCP_SENDPAGE function(tcp_sendpage) Share INSIDE => K::TCP, Kernel => Socket, Hop, Proves::Always, BY_REFERENCE),
    row!(UNIX_SENDPAGE function(unix_stream_sendpage) Share INSIDE => K::UNIX, Kernel => Socket, Hop, Proves::Never, BY_REFERENCE),
    row!(ZEROCOPY_SEND function(skb_zerocopy_iter_stream) Share K::USER => K::TCP, User => Socket, Hop, Proves::Never, BY_REFERENCE),
    row!(SPLICE_TO_PIPE function(splice_to_pipe) Share K::STREAM => K::PIPE, Socket => Pipe, Nothing, Proves::Never, BY_REFERENCE),
    row!(ZEROCOPY_RECEIVE function(tcp_zerocopy_receive) Share K::TCP => K::USER, Socket => User, Hop, Proves::Always, Subject::ReceivedByReference),
    row!(ADD_TO_PIPE function(add_to_pipe) Share K::USER => K::PIPE, User => Pipe, Nothing, Proves::Never, BY_REFERENCE),
    row!(TEE function(do_tee) Share K::PIPE => K::PIPE, Pipe => Pipe, Hop, Proves::Never, BY_REFERENCE),
    row!(COPY_RANGE function(vfs_copy_file_range) Share K::FILE => K::FILE, PageCache => PageCache, Hop, Proves::Always, Subject::FilesShared),
    row!(CLONE function(vfs_clone_file_range) Share K::FILE => K::FILE, PageCache => PageCache, Hop, Proves::Never, Subject::FilesShared),
    row!(PROCESS_VM function(process_vm_rw) Copy K::USER => K::USER, User => User, Hop, Proves::Always, Subject::BetweenProcesses),
    row!(FUSE_READ function(fuse_direct_io) Copy K::SERVED => K::USER, User => User, Hop, Proves::Always, READ),
    row!(FUSE_WRITE function(fuse_direct_io) Copy K::USER => K::SERVED, User => User, Hop, Proves::Always, WRITTEN),
    row!(LATE_COPY function(skb_copy_ubufs) Copy K::USER => K::NONE, User => Socket, Quiet, Proves::Never, Subject::LateCopies),
    row!(BOUNCE tracepoint(swiotlb_bounced) Copy K::NONE => K::NONE, Kernel => Kernel, Quiet, Proves::Never, Subject::Bounced),
    row!(COW function(copy_mc_to_kernel) Copy K::PAGES.or(K::USER) => K::USER, User => User, Quiet, Proves::Faults, Subject::CopiedOnWrite),
    row!(COW_PAGE function(copy_user_highpage) Copy K::PAGES.or(K::USER) => K::USER, User => User, Quiet, Proves::Faults, Subject::CopiedOnWrite),
    row!(MAP function(set_pte_range) Map K::PAGES => K::USER, PageCache => User, Quiet, Proves::Faults, MAPPED),
    row!(MAP_PAGE function(do_set_pte) Map K::FILE => K::USER, PageCache => User, Quiet, Proves::Faults, MAPPED),
    row!(MAP_SHMEM_PAGE function(do_set_pte) Map K::SHMEM => K::USER, Shmem => User, Quiet, Proves::Faults, MAPPED),
    // What primitives copied outside of all these functions. Silence proves nothing: bytes may be copied
    // in other ways.
    row!(TO_USER primitive(_copy_to_iter) Copy K::ALL => K::USER, Kernel => User, Quiet, Proves::Never, Subject::ToProgram),
    row!(PACKET_READ primitive(_copy_to_iter) Copy K::STREAM => K::USER, Socket => User, Quiet, Proves::Never, RECEIVED),
    row!(TO_KERNEL primitive(_copy_to_iter) Copy K::ALL => K::KERNEL, Kernel => Kernel, Quiet, Proves::Never, Subject::InsideKernel),
    row!(INTO_CACHE primitive(_copy_to_iter) Copy K::NONE => K::NONE, Kernel => PageCache, Quiet, Proves::Never, Subject::InsideKernel),
    row!(FROM_USER primitive(_copy_from_iter) Copy K::USER => K::ALL, User => Kernel, Quiet, Proves::Never, Subject::FromProgram),
    row!(FROM_KERNEL primitive(_copy_from_iter) Copy INSIDE => K::ALL, Kernel => Kernel, Quiet, Proves::Never, Subject::InsideKernel),
    row!(INTO_PAGES primitive(copy_folio_from_iter_atomic) Copy K::USER => K::PAGES, User => PageCache, Quiet, Proves::Never, WRITTEN),
    row!(INTO_PAGES_KERNEL primitive(copy_folio_from_iter_atomic) Copy INSIDE => K::PAGES, Kernel => PageCache, Quiet, Proves::Never, WRITTEN),
];

/// The row of a kind of [`moved`]; `None` if a later version made it.
pub fn of(what: u16) -> Option<&'static Measure> {
    MEASURES.iter().find(|row| row.what == what)
}

/// Whether a number of a disagreement on this subject is of an eBPF program, or would be another if the
/// program had run more often.
pub fn rests_on(what: Subject, program: &str) -> bool {
    let rows = || MEASURES.iter().filter(|row| row.subject == what);
    // A function has up to two programs: `f`, and `f_in` at its beginning.
    let function = program.strip_suffix("_in").unwrap_or(program);
    let own = |row: &Measure| match row.probe {
        ProbeId::Tracepoint(id) => id.row().program == function,
        ProbeId::Function(id) | ProbeId::Kprobe(id) => id.row().program == function,
        ProbeId::Primitive(id) => id.function() == function,
    };
    let counts = matches!(what, Subject::MinorFaults | Subject::MajorFaults);
    let in_faults = rows().any(Measure::in_faults) || counts;
    let group = probes::of_program(program).map(|row| row.group);
    rows().any(own)
        || match in_faults {
            true => group == Some(Group::Faults),
            false => {
                let copies = |primitive: &Primitive| primitive.program == program;
                matches!(group, Some(Group::Calls | Group::Uring))
                    || primitives::TABLE.iter().any(copies)
            }
        }
}

impl Measure {
    /// Whether it measures such a step. In page faults only [`Proves::Faults`] rows do, and nowhere
    /// else but for what populates mappings.
    pub fn covers(&self, kind: HopKind, from: FileKind, to: FileKind) -> bool {
        self.kind == kind && self.from.has(from) && self.to.has(to)
    }

    /// Whether data of a file on this file system (by `s_magic`) may pass here.
    pub fn may_see(&self, magic: u32) -> bool {
        match self.proves {
            Proves::On(magics) => magics.contains(&magic) || !KNOWN.contains(&magic),
            _ => true,
        }
    }

    /// Whether it is one that page faults make.
    pub fn in_faults(&self) -> bool {
        self.proves == Proves::Faults
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::catalogue::functions;

    #[test]
    fn every_row_has_a_probe_and_every_probe_a_row() {
        let rows: HashSet<_> = MEASURES.iter().map(|row| row.probe).collect();
        let functions = functions::TABLE.iter().map(|row| ProbeId::Function(row.id));
        let primitives = primitives::TABLE
            .iter()
            .map(|row| ProbeId::Primitive(row.names[0]));
        let tracepoints = [ProbeId::Tracepoint(Tracepoint::swiotlb_bounced)];
        let probes: HashSet<_> = functions.chain(primitives).chain(tracepoints).collect();
        // IPv6 measures what IPv4 does.
        let same = HashSet::from([ProbeId::Function(FunctionId::udpv6_recvmsg)]);
        assert_eq!(&rows | &same, probes);
        let kinds: HashSet<_> = MEASURES.iter().map(|row| row.what).collect();
        assert_eq!(kinds.len(), MEASURES.len());
    }

    #[test]
    fn what_a_skipped_program_may_explain() {
        // Seen on 7.2.
        assert!(rests_on(Subject::CopiedOnWrite, "copy_mc_to_kernel"));
        assert!(!rests_on(Subject::CopiedOnWrite, "sys_exit"));
        assert!(rests_on(Subject::Read, "sys_exit"));
        assert!(rests_on(Subject::Read, "copy_to_iter"));
        assert!(rests_on(Subject::LateCopies, "skb_copy_ubufs_in"));
        assert!(!rests_on(Subject::Read, "block_bio_queue"));
    }
}
