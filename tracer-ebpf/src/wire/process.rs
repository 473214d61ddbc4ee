//! What `top` counts of every process.

use super::counters::CountKey;

/// `top`: which process. The number alone is used again; with the time it is what `/proc/PID/stat` tells.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proc {
    /// Process id in the initial PID namespace; 0 for all kernel threads.
    pub tgid: u32,
    /// When it began, in hundredths of a second since boot (modulo 2³²).
    pub start: u32,
}

impl Proc {
    /// What kernel threads do for nobody that is known.
    pub const KERNEL: Self = Self { tgid: 0, start: 0 };
    /// Nanoseconds of one unit of [`Self::start`] (`USER_HZ` is 100 on every architecture that we know).
    pub const UNIT: u64 = 10_000_000;
}

/// Key of the `TOP_CALLS` map: which calls of which process.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TopKey {
    pub proc: Proc,
    /// Number of the call, or [`OPERATION`] and an operation of io_uring.
    pub nr: u16,
    /// Bits of [`how`].
    pub how: u16,
    /// Index of the first and second descriptor's class; 0 for none, and where no bytes were moved.
    pub class: u16,
    pub class2: u16,
}

impl TopKey {
    pub const NONE: Self = Self {
        proc: Proc::KERNEL,
        nr: 0,
        how: 0,
        class: 0,
        class2: 0,
    };
}

/// In [`TopKey::nr`]: an operation of io_uring, by its opcode.
pub const OPERATION: u16 = 1 << 15;

/// Beside [`OPERATION`]: one of Linux AIO, by its `IOCB_CMD_*`.
pub const AIO: u16 = 1 << 14;

/// Bits of [`TopKey::how`].
pub mod how {
    /// `MSG_TRUNC`, `MSG_ERRQUEUE`, `MSG_ZEROCOPY`.
    pub const TRUNC: u16 = 1;
    pub const ERRQUEUE: u16 = 2;
    pub const ZEROCOPY: u16 = 4;
    /// A 32-bit call: its number is of another table.
    pub const COMPAT: u16 = 8;
}

/// `MSG_*` flags of a socket call that decide which way its bytes take, as bits of [`how`]
/// (include/linux/socket.h).
pub const MSG_FLAGS: [(u32, u16); 3] = [
    (0x20, how::TRUNC),
    (0x2000, how::ERRQUEUE),
    (0x400_0000, how::ZEROCOPY),
];

/// Value of the `TOP_CALLS` map.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopCell {
    pub calls: u64,
    pub errors: u64,
    /// Sum of the return values that are sizes.
    pub bytes: u64,
}

impl core::ops::AddAssign for TopCell {
    fn add_assign(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.errors = self.errors.saturating_add(other.errors);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Key of the `TOP_COUNTS` map; value: [`crate::Count`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TopCountKey {
    pub proc: Proc,
    pub key: CountKey,
}

/// Value of the `TOP_NAMES` map: `comm` of a process, NUL padded.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopName {
    pub comm: [u8; 16],
}

/// `top`: most rows of `TOP_CALLS`; of `TOP_COUNTS` there are half as many. Most processes in `TOP_NAMES`.
pub const TOP_ROWS: u32 = 1 << 15;

pub const TOP_PROCESSES: u32 = 1 << 14;

/// `top`: of so many inodes it is known who made them dirty.
pub const TOP_INODES: u32 = 1 << 14;

/// Indices of the `TOP_LOST` map: what found no room in the maps above.
pub mod top_lost {
    /// Calls, and bytes that they returned.
    pub const CALLS: u32 = 0;
    pub const BYTES: u32 = 1;
    /// Of everything else: times that it was to be counted.
    pub const COUNTS: u32 = 2;
    /// Descriptors whose kind found no room in `CLASSES`.
    pub const CLASSES: u32 = 3;
    pub const COUNT: usize = 4;
}
