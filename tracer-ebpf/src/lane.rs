//! The two programs at the end of a call.

use tracer_ebpf::CELLS;

/// Which of the two programs at the end of a call this is. Where threads in the middle of one are preempted
/// ([`tracer_ebpf::Config::preemptible`]), the kernel keeps a second from the same program on that processor, not
/// from the other: what lies there once for each processor, each has for itself.
#[derive(Clone, Copy)]
pub enum Lane {
    First = 0,
    Again = 1,
}

impl Lane {
    pub const COUNT: u32 = 2;

    /// `stat`: where this program counts for a cell.
    #[inline(always)]
    pub fn cell(self, id: u32) -> u32 {
        id + self as u32 * CELLS as u32
    }
}
