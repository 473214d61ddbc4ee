//! Samples of the CPU clock.

/// Samples of the CPU clock: the index into the `SAMPLES` map.
pub mod sample {
    /// In user mode.
    pub const USER: u32 = 0;
    /// In the kernel, in no range of interest.
    pub const KERNEL: u32 = 1;
    /// In the first range; the others follow.
    pub const FIRST: u32 = 2;
}

/// Ranges of kernel text whose samples are counted apart. A power of two.
pub const RANGES_MAX: usize = 64;

/// Addresses of kernel text: the value of `RANGES`, in order.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub start: u64,
    /// The first address behind it.
    pub end: u64,
}
