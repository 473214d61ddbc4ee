//! `stat`: counter cells, one for each call, or operation of io_uring or Linux AIO, on each kind of file.

use tracer_ebpf::{CELL_FIRST, CELLS, StatKey};

use crate::maps::{CELL_IDS, NEXT};

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
