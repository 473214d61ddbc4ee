//! Requests of io_uring and of Linux AIO: counted like the calls that they replace.

use tracer_ebpf::{CountKey, Proc, StatKey, TopKey, Uring, count};

use crate::cells::cell_id;
use crate::classify::class;
use crate::emit::{self, lost};
use crate::lane::Lane;
use crate::maps::STAT;
use crate::top::{self, everyone};

/// Which counter a request that failed goes to.
#[inline(always)]
fn refused(u: &Uring, operation: u16) -> CountKey {
    CountKey {
        what: count::REFUSED,
        // The kernel's error numbers end at 4095.
        flags: u.res.wrapping_neg() as u16,
        id: operation as u32,
    }
}

/// `stat` and `top`: counts a request that is done; `operation` as in [`TopKey::nr`].
#[inline(always)]
pub fn count(u: &Uring, operation: u16, lane: Lane) {
    let moved = u.res > 0 && u.file.mode != 0;
    let class1 = if moved { class(&u.file) as u16 } else { 0 };
    let class2 = match moved && u.file2.mode != 0 {
        true => class(&u.file2) as u16,
        false => 0,
    };
    let bytes = if u.res > 0 { u.res as u64 } else { 0 };
    if everyone() {
        let proc = Proc {
            tgid: u.head.tgid,
            start: u.head.seq,
        };
        let key = TopKey {
            proc,
            nr: operation,
            class: class1,
            class2,
            ..TopKey::NONE
        };
        top::call(&key, u.res < 0, bytes);
        if u.res < 0 {
            top::count_for(proc, refused(u, operation), 1, 0);
        }
        return;
    }
    let key = StatKey {
        nr: operation as u32,
        class: class1,
        class2,
    };
    let id = cell_id(key);
    // No cell is left: the number is none of a call, either.
    if id == key.nr {
        lost(&u.head);
        return;
    }
    if u.res < 0 {
        emit::add(refused(u, operation), 1, 0);
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
