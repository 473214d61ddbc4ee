//! Requests of io_uring and of Linux AIO: counted like the calls that they replace.

use tracer_ebpf::{CELLS, CountKey, FileRef, Proc, StatKey, Task, TopKey, Uring, count, kind};

use crate::cells::cell_id;
use crate::classify::class;
use crate::emit::{self, lost, lost_many};
use crate::lane::Lane;
use crate::maps::STAT;
use crate::top::{self, everyone};

// A cell's number is the low 16 bits of `Task::operation`.
const _: () = assert!(CELLS <= 1 << 16);

/// Which counter a request that failed goes to.
#[inline(always)]
fn refused(operation: u16, res: i32) -> CountKey {
    CountKey {
        what: count::REFUSED,
        // The kernel's error numbers end at 4095.
        flags: res.wrapping_neg() as u16,
        id: operation as u32,
    }
}

/// `stat` and `top`: counts a request that is done; `operation` as in [`TopKey::nr`].
#[inline(always)]
pub fn count(u: &Uring, operation: u16, lane: Lane) {
    let classes = [class_of(&u.file, u.res), class_of(&u.file2, u.res)];
    if everyone() {
        let proc = Proc {
            tgid: u.head.tgid,
            start: u.head.seq,
        };
        let key = TopKey {
            proc,
            nr: operation,
            class: classes[0],
            class2: classes[1],
            ..TopKey::NONE
        };
        top::call(&key, u.res < 0, u.res.max(0) as u64);
        if u.res < 0 {
            top::count_for(proc, refused(operation, u.res), 1, 0);
        }
        return;
    }
    match cell_id(key(operation, classes)) {
        // No cell is left: the number is none of a call, either.
        id if id == operation as u32 => lost(&u.head),
        id => {
            tell_refused(operation, u.res);
            add(lane.cell(id), u.res);
        }
    }
}

/// `stat`: the same of io_uring, with the cell of the thread's last request at hand.
#[inline(always)]
pub unsafe fn count_for(t: *mut Task, operation: u16, classes: [u16; 2], res: i32) {
    let [class, class2] = classes.map(u64::from);
    let wanted = class2 << 48 | (operation as u64) << 32 | class << 16;
    // SAFETY: a map value.
    let known = unsafe { core::ptr::read_volatile(&raw const (*t).operation) };
    let id = if known & !0xffff == wanted {
        known as u32 & 0xffff
    } else {
        let id = cell_id(key(operation, classes));
        if id == operation as u32 {
            lost_many(kind::URING, 1);
            return;
        }
        // SAFETY: a map value.
        unsafe { core::ptr::write_volatile(&raw mut (*t).operation, wanted | id as u64) };
        id
    };
    tell_refused(operation, res);
    add(Lane::First.cell(id), res);
}

/// `stat`: counts a failure by its error.
#[inline(always)]
fn tell_refused(operation: u16, res: i32) {
    if res < 0 {
        emit::add(refused(operation, res), 1, 0);
    }
}

fn key(operation: u16, [class, class2]: [u16; 2]) -> StatKey {
    StatKey {
        nr: operation as u32,
        class,
        class2,
    }
}

#[inline(always)]
fn add(cell: u32, res: i32) {
    if let Some(c) = STAT.get_ptr_mut(cell) {
        // SAFETY: a value of a per-CPU map.
        unsafe {
            (*c).calls += 1;
            (*c).errors += (res < 0) as u64;
            (*c).bytes += res.max(0) as u64;
        }
    }
}

/// The class of a request's file, 0 where it moved nothing.
#[inline(always)]
pub fn class_of(file: &FileRef, res: i32) -> u16 {
    match res > 0 && file.mode != 0 {
        true => class(file) as u16,
        false => 0,
    }
}
