//! Requests of io_uring and of Linux AIO: counted like the calls that they replace.

use tracer_ebpf::{Proc, StatKey, TopKey, Uring};

use crate::cells::cell_id;
use crate::classify::class;
use crate::emit::lost;
use crate::lane::Lane;
use crate::maps::STAT;
use crate::top::{self, everyone};

/// `stat` and `top`: counts a request that is done; `operation` as in [`TopKey::nr`].
#[inline(always)]
pub fn count(u: &Uring, operation: u16, lane: Lane) {
    let moved = u.res > 0 && u.file.mode != 0;
    let class = if moved { class(&u.file) as u16 } else { 0 };
    let bytes = if u.res > 0 { u.res as u64 } else { 0 };
    if everyone() {
        let proc = Proc {
            tgid: u.head.tgid,
            start: u.head.seq,
        };
        let key = TopKey {
            proc,
            nr: operation,
            class,
            ..TopKey::NONE
        };
        top::call(&key, u.res < 0, bytes);
        return;
    }
    let key = StatKey {
        nr: operation as u32,
        class,
        class2: 0,
    };
    let id = cell_id(key);
    // No cell is left: the number is none of a call, either.
    if id == key.nr {
        lost(&u.head);
        return;
    }
    if let Some(c) = STAT.get_ptr_mut(lane.cell(id)) {
        // SAFETY: a value of a per-CPU map.
        unsafe {
            (*c).calls += 1;
            (*c).errors += (u.res < 0) as u64;
            (*c).bytes += bytes;
        }
    }
}
