//! Which totals a hook, a record or a field feeds: tables.

use tracer_ebpf::kind;

use super::Tracepoint;
use crate::catalogue::ProbeId;
use crate::catalogue::functions::FunctionId;
use crate::model::{HopKind, HopRow, Place};
use crate::notice;
use crate::rules::measure::{Alone, MEASURES};
use crate::unknown::What;

use Ends::{Any, Cached, Disk, Kernel, Nic, Shmem, Socket, User, Zero};
use HopKind::{Copy, Dma, Fill, Map, Share};

/// Totals of a kind between these places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Feed(pub HopKind, pub Ends, pub Ends);

/// Where bytes come from, or go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    Any,
    User,
    /// The page cache.
    Cached,
    Shmem,
    Pipe,
    Socket,
    Kernel,
    Zero,
    Disk,
    Nic,
}

impl Ends {
    fn of(place: &Place) -> Self {
        match place {
            Place::User => Self::User,
            Place::PageCache => Self::Cached,
            Place::Shmem => Self::Shmem,
            Place::Pipe => Self::Pipe,
            Place::Socket => Self::Socket,
            Place::Kernel => Self::Kernel,
            Place::Device(_) => Self::Disk,
            Place::Nic(_) => Self::Nic,
            Place::Zero => Self::Zero,
        }
    }

    fn has(self, place: &Place) -> bool {
        self == Self::Any || self == Self::of(place)
    }

    /// The place, if it is one.
    fn place(self) -> Option<Place> {
        Some(match self {
            Self::User => Place::User,
            Self::Cached => Place::PageCache,
            Self::Shmem => Place::Shmem,
            Self::Pipe => Place::Pipe,
            Self::Socket => Place::Socket,
            Self::Kernel => Place::Kernel,
            Self::Zero => Place::Zero,
            Self::Any | Self::Disk | Self::Nic => return None,
        })
    }
}

impl Feed {
    pub fn fits(self, row: &HopRow) -> bool {
        let Self(kind, from, to) = self;
        row.kind == kind && from.has(&row.from) && to.has(&row.to)
    }

    /// Whether it is of any place.
    pub fn is_any(self) -> bool {
        (self.1, self.2) == (Any, Any)
    }

    /// The total's name where no hop has it: as much of it as is known.
    pub fn name(self) -> String {
        let Self(kind, from, to) = self;
        match from.place().zip(to.place()) {
            Some((from, to)) => format!("{} {from}->{to}", kind.word()),
            None => kind.word().to_owned(),
        }
    }
}

/// Anything that a call may do.
pub const ANY: &[Feed] = &[
    Feed(Copy, Any, Any),
    Feed(Dma, Any, Any),
    Feed(Share, Any, Any),
    Feed(Map, Any, Any),
    Feed(Fill, Any, Any),
];
const CALLS: &[Feed] = &[Feed(Copy, Any, Any), Feed(Share, Any, Any)];
/// What faults do; copies on write are of many origins.
const FAULTS: &[Feed] = &[
    Feed(Copy, User, User),
    Feed(Copy, Cached, User),
    Feed(Map, Any, User),
    Feed(Fill, Zero, User),
];
const COPIED_PAGES: &[Feed] = &[Feed(Copy, User, User), Feed(Copy, Cached, User)];
const MAPS: &[Feed] = &[Feed(Map, Any, User)];
const ZEROED: &[Feed] = &[Feed(Fill, Zero, User)];
const DISKS: &[Feed] = &[Feed(Dma, Disk, Any), Feed(Dma, Any, Disk)];
const WRITTEN_BACK: &[Feed] = &[Feed(Dma, Cached, Disk)];
const SENT: &[Feed] = &[Feed(Dma, Socket, Nic)];
const BROUGHT: &[Feed] = &[Feed(Dma, Nic, Socket)];
const RECEIVED: &[Feed] = &[Feed(Copy, Socket, User)];
const DETAILS: &[Feed] = &[
    Feed(Copy, Any, Any),
    Feed(Share, Any, Any),
    Feed(Fill, Zero, User),
];
const MEASURED: &[Feed] = &[
    Feed(Copy, Any, Any),
    Feed(Share, Any, Any),
    Feed(Map, Any, User),
];
const NOTHING: &[Feed] = &[];

/// Messages of which no size is known.
pub const MESSAGES: &[Feed] = &[Feed(Copy, User, Socket), Feed(Copy, Socket, User)];
/// The same of reflinks.
pub const REFLINKS: &[Feed] = &[Feed(Share, Cached, Cached)];

/// What is not in the numbers while a hook is absent: nothing where a rule stands in.
pub const fn absent(id: Tracepoint) -> &'static [Feed] {
    use Tracepoint as T;
    match id {
        // A rule concludes the copy instead.
        T::skb_copy_datagram_iovec => NOTHING,
        // Without it pages are told by other hooks.
        T::mm_filemap_add_to_page_cache | T::rss_stat => NOTHING,
        // A rule stands in.
        T::tcp_probe => NOTHING,
        id => missed(id),
    }
}

/// What is not in the numbers where a hook is there and missed an event.
pub const fn missed(id: Tracepoint) -> &'static [Feed] {
    use Tracepoint as T;
    match id {
        T::sys_enter | T::sys_exit => DETAILS,
        // A child that is not followed.
        T::task_newtask => ANY,
        T::page_fault_user | T::page_fault_kernel | T::rss_stat => FAULTS,
        T::mm_page_alloc => ZEROED,
        T::mm_filemap_fault | T::mm_filemap_map_pages => MAPS,
        T::writeback_dirty_folio => WRITTEN_BACK,
        T::block_bio_queue
        | T::block_bio_remap
        | T::block_split
        | T::block_rq_issue
        | T::block_rq_complete
        | T::block_bio_complete => DISKS,
        T::swiotlb_bounced => &[Feed(Copy, Kernel, Kernel)],
        T::net_dev_start_xmit => SENT,
        T::skb_copy_datagram_iovec => RECEIVED,
        T::tcp_probe | T::netif_receive_skb => BROUGHT,
        T::io_uring_submit_req | T::io_uring_complete => CALLS,
        // Names, times, and whether something ran later: no bytes.
        T::sched_process_exec
        | T::sched_process_exit
        | T::mm_filemap_add_to_page_cache
        | T::dma_map_phys
        | T::dma_map_sg
        | T::io_uring_queue_async_work
        | T::sched_switch
        | T::irq_handler_entry
        | T::irq_handler_exit
        | T::softirq_raise
        | T::softirq_entry
        | T::softirq_exit
        | T::local_timer_entry
        | T::reschedule_entry
        | T::call_function_entry
        | T::call_function_single_entry => NOTHING,
    }
}

/// What lost records of a kind would have told; those of calls are told apart by the calls.
pub fn lost(of: u8) -> &'static [Feed] {
    match of {
        kind::SYSCALL | kind::SYSCALL_FILE | kind::URING => CALLS,
        kind::EXTRA => DETAILS,
        kind::FAULT => FAULTS,
        kind::BLOCK => DISKS,
        kind::XMIT => SENT,
        kind::ARRIVAL => BROUGHT,
        kind::DIRTY => WRITTEN_BACK,
        kind::COPY => MEASURED,
        kind::SWITCH
        | kind::FORK
        | kind::EXEC
        | kind::EXIT
        | kind::NAME
        | kind::STACK
        | kind::CALLED_FROM => NOTHING,
        _ => ANY,
    }
}

/// Kernel fields by the beginning of their names, and what is off without one. Others are needed at level F alone,
/// where a rule stands in.
const FIELDS: &[(&str, &[Feed])] = &[
    ("bio_", DISKS),
    ("bvec_", DISKS),
    ("bdev_", DISKS),
    ("rq_", DISKS),
    ("disk_", DISKS),
    ("skb_len", SENT),
    ("skb_sk", SENT),
    ("dev_ifindex", SENT),
    ("req_", CALLS),
    ("cqe_res", CALLS),
    ("zerocopy_length", &[Feed(Share, Socket, User)]),
];

/// What is not in the numbers where a kernel lacks a field, by its name as recordings have it.
pub fn field(hook: &str) -> &'static [Feed] {
    let Some(name) = hook.strip_prefix(&notice::field("")) else {
        return NOTHING;
    };
    let row = FIELDS.iter().find(|(begin, _)| name.starts_with(begin));
    row.map_or(NOTHING, |(_, feeds)| feeds)
}

/// Totals that counters cannot tell whole.
pub const fn unknown(what: What) -> &'static [Feed] {
    match what {
        What::FreshPages => COPIED_PAGES,
        What::LargePages => ZEROED,
        What::Messages => MESSAGES,
        What::UnknownFiles => &[Feed(Copy, Any, Any)],
        What::Undecided => &[Feed(Copy, Any, Any), Feed(Share, Any, Any)],
        What::ZeroCopySends => &[Feed(Copy, User, Socket)],
        What::OtherTable => CALLS,
        What::Received => &[Feed(Dma, Nic, Socket)],
        What::Requests => DISKS,
        What::Faults => &[
            Feed(Copy, User, User),
            Feed(Copy, Cached, User),
            Feed(Copy, Shmem, User),
            Feed(Map, Any, User),
        ],
        What::Arguments => &[Feed(Share, Cached, Cached), Feed(Share, Socket, User)],
    }
}

/// Whether a probe is a program on this function.
pub fn is_of(probe: ProbeId, function: FunctionId) -> bool {
    matches!(probe, ProbeId::Function(id) | ProbeId::Kprobe(id) if id == function)
}

/// What a function measures by itself.
pub fn of_function(function: FunctionId) -> impl Iterator<Item = Feed> {
    let rows = MEASURES.iter().filter(move |row| {
        // References that the kernel takes inside are no hops of their own.
        is_of(row.probe, function) && row.alone != Alone::Nothing
    });
    rows.map(|row| Feed(row.kind, Ends::of(&row.at.0), Ends::of(&row.at.1)))
}
