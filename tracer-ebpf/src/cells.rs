//! `stat`: counter cells, one for each call, or operation of io_uring or Linux AIO, on each kind of file.

use tracer_ebpf::{CELL_FIRST, CELLS, StatKey};

use crate::maps::{CELL_IDS, NEXT};

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

/// The cell of a key, made if it is new; the call's own where there is no room.
#[inline(never)]
pub fn cell_id(key: StatKey) -> u32 {
    if let Some(id) = CELL_IDS.get_ptr(key) {
        // SAFETY: a map value.
        return unsafe { *id };
    }
    let Some(next) = NEXT.get_ptr_mut(0) else {
        return key.call();
    };
    // SAFETY: a map value.
    let id = unsafe {
        let id = CELL_FIRST + *next;
        *next += 1;
        id
    };
    if id as usize >= CELLS {
        return key.call();
    }
    match CELL_IDS.insert(key, id, 1 /* BPF_NOEXIST */) {
        Ok(()) => id,
        // SAFETY: a map value.
        Err(_) => CELL_IDS
            .get_ptr(key)
            .map_or(key.call(), |id| unsafe { *id }),
    }
}
