//! `stat`: counter cells, one for each call, or operation of io_uring or Linux AIO, on each kind of file.

use tracer_ebpf::{CELL_FIRST, CELLS, StatKey};

use crate::maps::{CELL_IDS, NEXT};

/// The cell of a key, made if it is new; the call's own where there is no room.
#[inline(always)]
pub fn cell_id(key: StatKey) -> u32 {
    cell_of(key.nr, key.class as u32, key.class2 as u32) as u32
}

/// Global, so that the verifier checks it once and not on every path through its callers.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn cell_of(nr: u32, class: u32, class2: u32) -> u64 {
    cell(StatKey {
        nr,
        class: class as u16,
        class2: class2 as u16,
    })
    .into()
}

#[inline(always)]
fn cell(key: StatKey) -> u32 {
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
