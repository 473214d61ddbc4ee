//! The maps, and the settings that user space fills in before load.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, LruHashMap, PerCpuArray, PerCpuHashMap, RingBuf};
use tracer_ebpf::{
    Awaited, Block, CELLS, Config, Count, CountKey, FileRef, Head, Name, Offsets, Proc, RANGES_MAX,
    Range, Regs, SYSCALLS_MAX, StatCell, StatKey, TASK_SLOTS, TOP_INODES, TOP_PROCESSES, TOP_ROWS,
    Task, TopCell, TopCountKey, TopKey, TopName, Uring, kind, primitive, sample, top_lost,
};

use crate::lane::Lane;

#[unsafe(no_mangle)]
pub static CONFIG: Config = Config {
    mode: 0,
    follow: 0,
    wakeup_bytes: 0,
    uring_complete_cqe: 0,
    exit_group_dead: 0,
    page_shift: 0,
    nr_execve: 0,
    nr_execveat: 0,
    nr_chdir: 0,
    nr_connect: 0,
    iter_iovec: 0,
    iter_ubuf: 0,
    iter_pipe: 0,
    iter_xarray: 0,
    iter_folioq: 0,
    swap_backed: 0,
    swap_cache: 0,
    req_multishot: 0,
    req_skips: 0,
    ourselves: 0,
    nr_sigreturn: 0,
    preemptible: 0,
    nr_sendmmsg: 0,
    nr_recvmmsg: 0,
    nr_ioctl: 0,
    nr_getsockopt: 0,
    nr_io_submit: 0,
    nr_io_getevents: 0,
    nr_io_pgetevents: 0,
};
#[unsafe(no_mangle)]
pub static OFFSETS: Offsets = Offsets::NONE;
#[unsafe(no_mangle)]
pub static REGS: Regs = Regs {
    args: [0; 6],
    ip: 0,
    compat_bit: 0,
    mode: 0,
    mode_bit: 0,
    sp: 0,
    fp: 0,
    lr: 0,
    function: [0; 4],
    result: 0,
    nr: 0,
    address_bits: 0,
};
#[unsafe(no_mangle)]
static SYSCALLS: [u16; SYSCALLS_MAX] = [0; SYSCALLS_MAX];

/// Reads a static that user space sets before load. Volatile, or the compiler would fold the
/// placeholder in; the verifier folds the real value.
#[inline(always)]
pub fn setting<T: Copy>(field: *const T) -> T {
    // SAFETY: only called by the macros below, on statics of this program.
    unsafe { core::ptr::read_volatile(field) }
}
/// A setting.
macro_rules! config {
    ($field:ident) => {
        crate::maps::setting(&raw const crate::maps::CONFIG.$field)
    };
}
/// A field offset, see `tracer_ebpf::Offsets`.
macro_rules! off {
    ($field:ident) => {
        crate::maps::setting(&raw const crate::maps::OFFSETS.$field)
    };
}
/// An offset in the user registers.
macro_rules! reg {
    ($($field:tt)*) => {
        crate::maps::setting(&raw const crate::maps::REGS.$($field)*)
    };
}
pub(crate) use {config, off, reg};

/// How the path needs call `nr`: bits of `tracer_ebpf::sysinfo`.
#[inline(always)]
pub fn sysinfo(nr: u32) -> u32 {
    if nr as usize >= SYSCALLS_MAX {
        return 0;
    }
    // For the verifier of older kernels (Linux 6.1), which forgets the limit when the compiler keeps the
    // number on the stack. As an instruction, or the compiler leaves out what changes nothing.
    const MASK: u64 = SYSCALLS_MAX as u64 - 1;
    const { assert!(SYSCALLS_MAX.is_power_of_two()) };
    let mut i = u64::from(nr);
    #[cfg(target_arch = "bpf")]
    // SAFETY: it changes this register alone.
    unsafe {
        core::arch::asm!("{i} &= {mask}", i = inout(reg) i, mask = const MASK, options(pure, nomem, nostack));
    }
    // For the lints, which look at this as a program of the machine.
    #[cfg(not(target_arch = "bpf"))]
    {
        i &= MASK;
    }
    // SAFETY: `nr` was checked against the table's length.
    unsafe { core::ptr::read_volatile((&raw const SYSCALLS).cast::<u16>().add(i as usize)) as u32 }
}

/// Size is set at load.
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(4096, 0);
/// Records that did not fit into `EVENTS`, by kind.
#[map]
pub static LOST: PerCpuArray<u64> = PerCpuArray::with_max_entries(kind::COUNT as u32, 0);
/// System calls whose record did not fit, by number.
#[map]
pub static LOST_CALLS: PerCpuArray<u64> = PerCpuArray::with_max_entries(SYSCALLS_MAX as u32, 0);

/// Traced threads: slot `tid % TASK_SLOTS`; the rest, on collision, in `TASKS_MORE`.
#[map]
pub static TASKS: Array<Task> = Array::with_max_entries(TASK_SLOTS as u32, 0);
/// Who has a slot of `TASKS`.
#[map]
pub static SLOTS: HashMap<u32, u32> = HashMap::with_max_entries(TASK_SLOTS as u32, 0);
/// The command about to be started.
#[map]
pub static AWAITED: Array<Awaited> = Array::with_max_entries(1, 0);
#[map]
pub static TASKS_MORE: HashMap<u32, Task> = HashMap::with_max_entries(4096, 1);
/// How many threads there are in `TASKS_MORE`, ever: 0 saves every look-up there.
#[map]
pub static COLLISIONS: Array<u64> = Array::with_max_entries(1, 0);
/// What goes into `TASKS_MORE` to be filled in there (a `Task` is larger than the stack); nobody writes to it.
#[map]
pub static BLANK_TASK: Array<Task> = Array::with_max_entries(1, 0);
/// By [`Lane`].
#[map]
pub static SCRATCH_NAME: PerCpuArray<Name> = PerCpuArray::with_max_entries(Lane::COUNT, 0);

/// Bios that the program caused, while they are under way. Key: address of the bio. An entry that does
/// not go with a completion is sent as [`tracer_ebpf::bio::UNSEEN`], when the address is used again or at the end.
#[map]
pub static BIOS: HashMap<u64, Block> = HashMap::with_max_entries(16384, 0);

/// Of a task that issues block requests: what it has mapped for DMA, or the request that it issued and
/// has not mapped.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Mapping {
    /// For which `struct device`.
    pub dev: u64,
    pub bytes: u64,
    /// First bio of the request, 0 if there is none.
    pub bio: u64,
    /// Bytes of the request.
    pub wanted: u64,
    pub tid: u32,
    pub pad: u32,
}
#[map]
pub static MAPPINGS: PerCpuArray<Mapping> = PerCpuArray::with_max_entries(1, 0);

/// Inodes that the program made dirty.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct InodeKey {
    pub ino: u64,
    pub dev: u32,
    pub pad: u32,
}
/// The file that a loop device keeps its bytes in.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Backing {
    /// Where in the file the device begins.
    pub offset: u64,
    /// The device, as in `Block::disk`.
    pub disk: u32,
    pub pad: u32,
}
/// Files behind the loop devices that the program's I/O met.
#[map]
pub static BACKED: HashMap<InodeKey, Backing> = HashMap::with_max_entries(1024, 0);
/// Devices whose drivers take bios, and which the program's I/O met: they may hand them on.
#[map]
pub static REMAPPED: HashMap<u32, u32> = HashMap::with_max_entries(1024, 0);
/// Whether there is anything in `BACKED` (0) and in `REMAPPED` (1).
#[map]
pub static STACKED: Array<u64> = Array::with_max_entries(2, 0);
/// What a bio serves that is about to be queued.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Served {
    pub sector: u64,
    pub disk: u32,
    /// 1 if its pages are those of a file behind a loop device.
    pub backing: u32,
}
impl Served {
    pub const NOTHING: Self = Self {
        sector: 0,
        disk: 0,
        backing: 0,
    };
}
/// By address of the bio.
#[map]
pub static SERVED: LruHashMap<u64, Served> = LruHashMap::with_max_entries(1024, 0);

/// Value: process that did it last.
#[map]
pub static DIRTIED: HashMap<InodeKey, u32> = HashMap::with_max_entries(16384, 0);

/// The program's sockets: address of the `struct sock` → who used it last.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SockOwner {
    pub ino: u64,
    pub tid: u32,
    pub tgid: u32,
    /// `top`: when the process began ([`Proc::start`]).
    pub start: u32,
    pub pad: u32,
}
#[map]
pub static SOCKS: LruHashMap<u64, SockOwner> = LruHashMap::with_max_entries(8192, 0);

/// What a processor is at: values as in [`tracer_ebpf::interrupt`], 0 is none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Interrupts {
    /// The handler that runs.
    pub hard: u32,
    /// The soft interrupt that runs.
    pub soft: u32,
    /// Soft interrupts that handlers raised and that have not run yet, by kind.
    pub raised: [u32; SOFT_KINDS],
}
/// There are ten (`include/linux/interrupt.h`). A power of two.
pub const SOFT_KINDS: usize = 16;
#[map]
pub static INTERRUPTS: PerCpuArray<Interrupts> = PerCpuArray::with_max_entries(1, 0);

/// The program's sockets of UDP that have sent something: by local port, the address of the `struct sock`.
#[map]
pub static PORTS: LruHashMap<u32, u64> = LruHashMap::with_max_entries(4096, 0);

/// io_uring requests under way that have no slot of `URING_SLOTS`: address of the `struct io_kiocb`.
#[map]
pub static URINGS: HashMap<u64, Uring> = HashMap::with_max_entries(16384, 0);
/// How many there were in `URINGS`, ever: 0 saves every look-up there.
#[map]
pub static URINGS_MORE: Array<u64> = Array::with_max_entries(1, 0);

/// An io_uring request under way.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct UringSlot {
    /// How many want this slot: it belongs to the one that found itself alone.
    pub claims: u64,
    /// Address of the `struct io_kiocb`; 0: the slot is free, or is being filled in.
    pub req: u64,
    pub head: Head,
    pub ring: u64,
    pub opcode: u8,
    pub how: u8,
    pub pad: [u8; 6],
}
/// By the address of the request.
#[map]
pub static URING_SLOTS: Array<UringSlot> = Array::with_max_entries(URING_SLOTS_MAX, 0);
/// A power of two.
pub const URING_SLOTS_MAX: u32 = 8192;

/// What a completion says of a request that goes on.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GoesOn {
    /// Address of the `struct io_ring_ctx`.
    pub ring: u64,
    /// What the program gave the request to be known by.
    pub user_data: u64,
}
/// Those that a [`GoesOn`] stands for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Multishot {
    /// Address of the `struct io_kiocb`; 0: there were several.
    pub req: u64,
    pub count: u64,
}
/// io_uring requests that complete more than once.
#[map]
pub static MULTISHOTS: LruHashMap<GoesOn, Multishot> = LruHashMap::with_max_entries(4096, 0);

/// Which request of Linux AIO.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AioKey {
    /// Where the program has its `struct iocb`.
    pub at: u64,
    pub tgid: u32,
    pub pad: u32,
}
/// Requests of Linux AIO whose results were not fetched yet. What is there at the end, or when the address is
/// used again, is sent as [`tracer_ebpf::uring::UNTOLD`].
#[map]
pub static AIOS: HashMap<AioKey, Uring> = HashMap::with_max_entries(16384, 0);

/// Where one is put together: it is too large for the stack. By [`Lane`].
#[map]
pub static SCRATCH_URING: PerCpuArray<Uring> = PerCpuArray::with_max_entries(Lane::COUNT, 0);

/// 1 while breakpoints count (level B); user space sets it.
#[map]
pub static WATCH: Array<u32> = Array::with_max_entries(1, 0);
/// Hits of breakpoints, by `tracer_ebpf::primitive`, of whichever thread.
#[map]
pub static HITS: PerCpuArray<u64> = PerCpuArray::with_max_entries(primitive::COUNT as u32, 0);

/// Functions that copy or clear memory.
#[map]
pub static RANGES: Array<Range> = Array::with_max_entries(RANGES_MAX as u32, 0);
/// Samples of the CPU clock, by `tracer_ebpf::sample`.
#[map]
pub static SAMPLES: PerCpuArray<u64> =
    PerCpuArray::with_max_entries(sample::FIRST + RANGES_MAX as u32, 0);

// `stat`. Cells by [`Lane::cell`].
#[map]
pub static STAT: PerCpuArray<StatCell> =
    PerCpuArray::with_max_entries(CELLS as u32 * Lane::COUNT, 0);
#[map]
pub static CELL_IDS: HashMap<StatKey, u32> = HashMap::with_max_entries(CELLS as u32, 0);
/// Kinds of files met, with what is particular to one file (`ino`) left out.
#[map]
pub static CLASSES: HashMap<FileRef, u32> = HashMap::with_max_entries(1024, 0);
/// The next free index of `CELL_IDS` (0) and `CLASSES` (1).
#[map]
pub static NEXT: Array<u32> = Array::with_max_entries(2, 0);
/// [`tracer_ebpf::count::SWITCH`], by its `flags`: the commonest has an array.
#[map]
pub static SWITCHES: PerCpuArray<Count> = PerCpuArray::with_max_entries(2, 0);
#[map]
pub static COUNTS: PerCpuHashMap<CountKey, Count> = PerCpuHashMap::with_max_entries(1024, 0);

// `top`. Rows are there from the start: where they are made as they come, some kernels (Linux 7.2) have
// none at hand now and then. User space sets how many.
#[map]
pub static TOP_CALLS: PerCpuHashMap<TopKey, TopCell> = PerCpuHashMap::with_max_entries(TOP_ROWS, 0);
#[map]
pub static TOP_COUNTS: PerCpuHashMap<TopCountKey, Count> =
    PerCpuHashMap::with_max_entries(TOP_ROWS, 0);
/// Names of the processes that anything was counted of.
#[map]
pub static TOP_NAMES: HashMap<Proc, TopName> = HashMap::with_max_entries(TOP_PROCESSES, 0);
#[map]
pub static TOP_LOST: PerCpuArray<u64> = PerCpuArray::with_max_entries(top_lost::COUNT as u32, 0);
/// Inodes that were made dirty, and by whom last.
#[map]
pub static TOP_DIRTIED: LruHashMap<InodeKey, Proc> = LruHashMap::with_max_entries(TOP_INODES, 0);
