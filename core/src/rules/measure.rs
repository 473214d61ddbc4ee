//! What the functions of level F and the primitives of level B measure, and which conclusions of the rules they cover.
//!
//! Where a row covers a step of a rule and its probe is attached, the measurement is the hop, and the
//! rule's number is only compared with it.

use tracer_ebpf::moved;

use super::{FileKind, Kinds};
use crate::model::{HopKind, Place};
use crate::primitives::{self, Primitive};

/// One kind of [`moved`].
#[derive(Debug)]
pub struct Measure {
    /// One of [`moved`].
    pub what: u16,
    /// The probe, as evidence names it.
    pub label: &'static str,
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
    pub subject: &'static str,
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

use Alone::{Hop, Nothing, Quiet};
use HopKind::{Copy, Map, Share};
use Kinds as K;
use Place::{Kernel, PageCache, Pipe, Shmem, Socket, User};

const INSIDE: K = K::PAGES.or(K::PIPE).or(K::KERNEL).or(K::SOCKET);

const READ: &str = "bytes read from files";
const WRITTEN: &str = "bytes written to files";
const PIPES: &str = "bytes through pipes";
const SENT: &str = "bytes sent";
const MAPPED: &str = "bytes of file pages mapped";
const RECEIVED: &str = "bytes received";
const BY_REFERENCE: &str = "bytes passed by reference";

macro_rules! row {
    ($what:ident $label:literal $kind:ident $from:expr => $to:expr, $source:expr => $target:expr, $alone:expr, $proves:expr, $subject:expr) => {
        Measure {
            what: moved::$what,
            label: $label,
            kind: $kind,
            from: $from,
            to: $to,
            at: ($source, $target),
            alone: $alone,
            proves: $proves,
            subject: $subject,
        }
    };
}

/// What can be measured.
#[rustfmt::skip] // a table
pub static MEASURES: &[Measure] = &[
    row!(FILE_READ "fexit:filemap_read" Copy K::FILE => K::USER, PageCache => User, Hop, Proves::On(&[EXT4, XFS, BTRFS]), READ),
    row!(FILE_READ_KERNEL "fexit:filemap_read" Copy K::FILE => K::KERNEL, PageCache => Kernel, Quiet, Proves::Never, READ),
    row!(FILE_READ_PIPE "fexit:filemap_read" Share K::FILE => K::PIPE, PageCache => Pipe, Nothing, Proves::Never, BY_REFERENCE),
    row!(SHMEM_READ "fexit:shmem_file_read_iter" Copy K::SHMEM => K::USER, Shmem => User, Hop, Proves::On(&[TMPFS]), READ),
    row!(SHMEM_READ_KERNEL "fexit:shmem_file_read_iter" Copy K::SHMEM => K::KERNEL, Shmem => Kernel, Quiet, Proves::Never, READ),
    row!(SHMEM_READ_PIPE "fexit:shmem_file_read_iter" Share K::SHMEM => K::PIPE, Shmem => Pipe, Nothing, Proves::Never, BY_REFERENCE),
    row!(WRITE "fexit:generic_perform_write" Copy K::USER => K::FILE, User => PageCache, Hop, Proves::On(&[EXT4]), WRITTEN),
    row!(WRITE_KERNEL "fexit:generic_perform_write" Copy INSIDE => K::FILE, Kernel => PageCache, Hop, Proves::On(&[EXT4]), WRITTEN),
    row!(SHMEM_WRITE "fexit:generic_perform_write" Copy K::USER => K::SHMEM, User => Shmem, Hop, Proves::On(&[TMPFS]), WRITTEN),
    row!(SHMEM_WRITE_KERNEL "fexit:generic_perform_write" Copy INSIDE => K::SHMEM, Kernel => Shmem, Hop, Proves::On(&[TMPFS]), WRITTEN),
    row!(IOMAP_WRITE "fexit:iomap_file_buffered_write" Copy K::USER => K::FILE, User => PageCache, Hop, Proves::On(&[XFS]), WRITTEN),
    row!(IOMAP_WRITE_KERNEL "fexit:iomap_file_buffered_write" Copy INSIDE => K::FILE, Kernel => PageCache, Hop, Proves::On(&[XFS]), WRITTEN),
    row!(BTRFS_WRITE "fexit:btrfs_buffered_write" Copy K::USER => K::FILE, User => PageCache, Hop, Proves::On(&[BTRFS]), WRITTEN),
    row!(BTRFS_WRITE_KERNEL "fexit:btrfs_buffered_write" Copy INSIDE => K::FILE, Kernel => PageCache, Hop, Proves::On(&[BTRFS]), WRITTEN),
    row!(PIPE_READ "fexit:pipe_read" Copy K::PIPE => K::USER, Pipe => User, Hop, Proves::Always, PIPES),
    row!(PIPE_WRITE "fexit:pipe_write" Copy K::USER => K::PIPE, User => Pipe, Hop, Proves::Always, PIPES),
    row!(PIPE_TO_USER "fexit:pipe_to_user" Copy K::PIPE => K::USER, Pipe => User, Hop, Proves::Never, PIPES),
    row!(TCP_SEND "fexit:tcp_sendmsg_locked" Copy K::USER => K::TCP, User => Socket, Hop, Proves::Never, SENT),
    row!(UDP_SEND "fexit:ip_generic_getfrag" Copy K::USER => K::UDP, User => Socket, Hop, Proves::Always, SENT),
    row!(UNIX_SEND "fexit:skb_copy_datagram_from_iter" Copy K::USER => K::UNIX, User => Socket, Hop, Proves::Always, SENT),
    row!(UDP_RECEIVE "fexit:udp_recvmsg" Copy K::UDP => K::USER, Socket => User, Hop, Proves::Never, RECEIVED),
    row!(SPLICE_FOLIO "fexit:splice_folio_into_pipe" Share K::PAGES => K::PIPE, PageCache => Pipe, Nothing, Proves::On(&[EXT4, XFS, BTRFS]), BY_REFERENCE),
    row!(SKB_SPLICE "fexit:skb_splice_from_iter" Share INSIDE => K::TCP.or(K::UNIX), Kernel => Socket, Hop, Proves::Never, BY_REFERENCE),
    row!(TCP_SENDPAGE "fexit:tcp_sendpage" Share INSIDE => K::TCP, Kernel => Socket, Hop, Proves::Always, BY_REFERENCE),
    row!(UNIX_SENDPAGE "fexit:unix_stream_sendpage" Share INSIDE => K::UNIX, Kernel => Socket, Hop, Proves::Never, BY_REFERENCE),
    row!(ZEROCOPY_SEND "fexit:skb_zerocopy_iter_stream" Share K::USER => K::TCP, User => Socket, Hop, Proves::Never, BY_REFERENCE),
    row!(SPLICE_TO_PIPE "fexit:splice_to_pipe" Share K::STREAM => K::PIPE, Socket => Pipe, Nothing, Proves::Never, BY_REFERENCE),
    row!(ZEROCOPY_RECEIVE "fexit:tcp_zerocopy_receive" Share K::TCP => K::USER, Socket => User, Hop, Proves::Always, "bytes received by reference"),
    row!(ADD_TO_PIPE "fexit:add_to_pipe" Share K::USER => K::PIPE, User => Pipe, Nothing, Proves::Never, BY_REFERENCE),
    row!(TEE "fexit:do_tee" Share K::PIPE => K::PIPE, Pipe => Pipe, Hop, Proves::Never, BY_REFERENCE),
    row!(COPY_RANGE "fexit:vfs_copy_file_range" Share K::FILE => K::FILE, PageCache => PageCache, Hop, Proves::Always, "bytes of files shared"),
    row!(CLONE "fexit:vfs_clone_file_range" Share K::FILE => K::FILE, PageCache => PageCache, Hop, Proves::Never, "bytes of files shared"),
    row!(PROCESS_VM "fexit:process_vm_rw" Copy K::USER => K::USER, User => User, Hop, Proves::Always, "bytes between processes"),
    row!(LATE_COPY "fentry:skb_copy_ubufs" Copy K::USER => K::NONE, User => Socket, Quiet, Proves::Never, "bytes sent by reference and copied late"),
    row!(BOUNCE "tp:swiotlb_bounced" Copy K::NONE => K::NONE, Kernel => Kernel, Quiet, Proves::Never, "bytes through bounce buffers"),
    row!(COW "fentry:copy_mc_to_kernel" Copy K::PAGES.or(K::USER) => K::USER, User => User, Quiet, Proves::Faults, "bytes copied on write"),
    row!(MAP "fentry:set_pte_range" Map K::PAGES => K::USER, PageCache => User, Quiet, Proves::Faults, MAPPED),
    row!(MAP_PAGE "fentry:do_set_pte" Map K::FILE => K::USER, PageCache => User, Quiet, Proves::Faults, MAPPED),
    row!(MAP_SHMEM_PAGE "fentry:do_set_pte" Map K::SHMEM => K::USER, Shmem => User, Quiet, Proves::Faults, MAPPED),
    // What primitives copied outside of all these functions. Silence proves nothing: bytes may be copied
    // in other ways.
    row!(TO_USER "bp:_copy_to_iter" Copy K::ALL => K::USER, Kernel => User, Quiet, Proves::Never, "bytes copied to the program"),
    row!(PACKET_READ "bp:_copy_to_iter" Copy K::STREAM => K::USER, Socket => User, Quiet, Proves::Never, RECEIVED),
    row!(TO_KERNEL "bp:_copy_to_iter" Copy K::ALL => K::KERNEL, Kernel => Kernel, Quiet, Proves::Never, "bytes copied inside the kernel"),
    row!(FROM_USER "bp:_copy_from_iter" Copy K::USER => K::ALL, User => Kernel, Quiet, Proves::Never, "bytes copied from the program"),
    row!(FROM_KERNEL "bp:_copy_from_iter" Copy INSIDE => K::ALL, Kernel => Kernel, Quiet, Proves::Never, "bytes copied inside the kernel"),
    row!(INTO_PAGES "bp:copy_folio_from_iter_atomic" Copy K::USER => K::PAGES, User => PageCache, Quiet, Proves::Never, WRITTEN),
    row!(INTO_PAGES_KERNEL "bp:copy_folio_from_iter_atomic" Copy INSIDE => K::PAGES, Kernel => PageCache, Quiet, Proves::Never, WRITTEN),
];

/// The row of a kind of [`moved`]; `None` if a later version made it.
pub fn of(what: u16) -> Option<&'static Measure> {
    MEASURES.iter().find(|row| row.what == what)
}

/// Programs that tell of the calls and requests that rules conclude from.
const OF_CALLS: [&str; 4] = [
    "sys_enter",
    "sys_exit",
    "io_uring_submit_req",
    "io_uring_complete",
];
/// The same of page faults.
const OF_FAULTS: [&str; 6] = [
    "page_fault_user",
    "page_fault_kernel",
    "rss_stat",
    "mm_page_alloc",
    "mm_filemap_fault",
    "mm_filemap_map_pages",
];

/// Whether a number of this disagreement (by what it is about) is of an eBPF program, or would be
/// another if the program had run more often.
pub fn rests_on(what: &str, program: &str) -> bool {
    let rows = || MEASURES.iter().filter(|row| what.starts_with(row.subject));
    // A function has up to two programs: `f`, and `f_in` at its beginning.
    let function = program.strip_suffix("_in").unwrap_or(program);
    let own = |row: &Measure| {
        row.label
            .split_once(':')
            .is_some_and(|(_, f)| f == function)
    };
    let in_faults = rows().any(Measure::in_faults) || what.contains("faults");
    rows().any(own)
        || match in_faults {
            true => OF_FAULTS.contains(&program),
            false => {
                let copies = |primitive: &Primitive| primitive.program == program;
                OF_CALLS.contains(&program) || primitives::TABLE.iter().any(copies)
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
    use crate::functions;

    #[test]
    fn every_row_has_a_probe_and_every_probe_a_row() {
        let rows: HashSet<_> = MEASURES.iter().map(|row| row.label).collect();
        let functions = functions::TABLE.iter().map(|row| row.label);
        let primitives = primitives::TABLE.iter().map(|row| row.names[0].1);
        let tracepoints = ["tp:swiotlb_bounced"];
        let probes: HashSet<_> = functions.chain(primitives).chain(tracepoints).collect();
        // IPv6 measures what IPv4 does.
        let same = HashSet::from(["fexit:udpv6_recvmsg"]);
        assert_eq!(&rows | &same, probes);
        let kinds: HashSet<_> = MEASURES.iter().map(|row| row.what).collect();
        assert_eq!(kinds.len(), MEASURES.len());
    }

    #[test]
    fn what_a_skipped_program_may_explain() {
        // Seen on 7.2.
        assert!(rests_on("bytes copied on write", "copy_mc_to_kernel"));
        assert!(!rests_on("bytes copied on write", "sys_exit"));
        assert!(rests_on("bytes read from files", "sys_exit"));
        assert!(rests_on(
            "bytes read from files by io_uring",
            "copy_to_iter"
        ));
        assert!(rests_on(
            "bytes sent by reference and copied late",
            "skb_copy_ubufs_in"
        ));
        assert!(!rests_on("bytes read from files", "block_bio_queue"));
    }
}
