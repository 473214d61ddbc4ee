//! User page faults. No tracepoint marks a fault's end, so what it did is gathered and sent when the
//! thread does the next thing.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{Task, count, kind, task};

use crate::emit::{count, recording, send};
use crate::gather::{extra, faults_since, flush_sums, known_from_here, start_fault};
use crate::inner;
use crate::kread::{load, probe};
use crate::maps::{config, off, reg};
use crate::probes::cache::flush_dirty;
use crate::tasks::{clear_extra, current, traced};
use crate::top::{self, everyone};

// Allocation flags (include/linux/gfp_types.h; the same from 5.x to 7.2).
const GFP_HIGHMEM: u32 = 1 << 1;
const GFP_MOVABLE: u32 = 1 << 3;
const GFP_ZERO: u32 = 1 << 8;

#[btf_tracepoint]
pub fn page_fault_user(ctx: BtfTracePointContext) -> i32 {
    let addr: u64 = ctx.arg(0);
    let regs: *const u8 = ctx.arg(1);
    let error_code: u64 = ctx.arg(2);
    if everyone() {
        top::count(count::FAULT, error_code as u16 & 3, 1, 0);
        return 0;
    }
    let Some(t) = traced() else { return 0 };
    // SAFETY: `t` is a map value.
    unsafe {
        if !recording() {
            count(count::FAULT, error_code as u16 & 3, 0, 1, 0);
            return 0;
        }
        if (*t).flags & task::FAULT_OPEN != 0 {
            flush(t);
        }
        known_from_here(t);
        // Of a call whose end was not told.
        if (*t).flags & task::FAULT_INNER != 0 {
            inner::end(t);
        }
        (*t).seq += 1;
        start_fault(t, addr, load(regs, reg!(ip)), error_code as u32);
        (*t).flags |= task::FAULT_OPEN;
    }
    0
}

/// A fault that the kernel takes on the program's memory: in a call it is a part of that. Outside (to write a
/// signal's frame, a restartable sequence's CPU) the program's own fault before it is over, and gets nothing
/// of this one.
#[btf_tracepoint]
pub fn page_fault_kernel(ctx: BtfTracePointContext) -> i32 {
    let addr: u64 = ctx.arg(0);
    let Some(t) = traced() else { return 0 };
    // A probe that looks at memory which is not there is no fault that would be handled.
    let looks_only = || load::<u32>(current(), off!(task_pagefault_disabled)) != 0;
    // SAFETY: a map value.
    let (open, in_call) = unsafe { ((*t).flags & task::FAULT_OPEN != 0, inner::in_call(t)) };
    if (open || in_call) && addr >> 63 == 0 && !looks_only() {
        if open {
            flush(t);
        } else {
            inner::begin(t, addr, ctx.arg::<u64>(2) as u32);
        }
    }
    0
}

/// Sends the open fault of the current thread.
#[inline(never)]
pub fn flush(t: *mut Task) -> i32 {
    // SAFETY: a map value.
    unsafe {
        flush_dirty(t);
        flush_sums(t);
        let (min, maj) = faults_since(t);
        let ts = (*t).fault.head.ts;
        (*t).fault.head = crate::tasks::head(t, kind::FAULT, ts);
        (*t).fault.min_flt = min as u16;
        (*t).fault.maj_flt = maj as u16;
        (*t).fault.cache_pages = (*t).cache_pages;
        (*t).fault.irqs = (*t).irqs;
        (*t).fault.irqs_user = (*t).irqs_user;
        // Work that io_uring left for the way back to user mode is done there, in no call and maybe beside a
        // fault: what it received, and the pages that it made, stand in a record of their own.
        if (*t).skb_copied | (*t).zeroed != 0 {
            (*t).cache_pages = 0;
            (*t).meta_pages = 0;
            (*t).irqs = 0;
            (*t).irqs_user = 0;
            (*t).has_file2 = 0;
            extra(t, 0, 0);
        }
        let head = (*t).fault.head;
        let record = (*t).fault;
        send(&head, &record);
        clear_extra(t);
        (*t).flags &= !task::FAULT_OPEN;
    }
    0
}

#[btf_tracepoint]
pub fn mm_page_alloc(ctx: BtfTracePointContext) -> i32 {
    let order: u32 = ctx.arg(1);
    let gfp: u32 = ctx.arg(2);
    // GFP_HIGHUSER_MOVABLE: pages for user memory or the page cache, not page tables.
    if gfp & (GFP_HIGHMEM | GFP_MOVABLE) != GFP_HIGHMEM | GFP_MOVABLE || order > 20 {
        return 0;
    }
    let bytes = 1u64 << (order + config!(page_shift));
    if everyone() {
        match gfp & GFP_ZERO {
            0 => top::count(count::FRESH, (order > 0) as u16, 1, bytes),
            _ => top::count(count::ZEROED, 0, 1, bytes),
        }
        return 0;
    }
    let Some(t) = traced() else { return 0 };
    // SAFETY: a map value.
    unsafe {
        if !recording() {
            if gfp & GFP_ZERO != 0 {
                count(count::ZEROED, 0, 0, 1, bytes);
            }
        } else if (*t).flags & task::FAULT_OPEN != 0 {
            if gfp & GFP_ZERO != 0 {
                (*t).fault.zeroed += bytes;
            } else {
                (*t).fault.unzeroed += bytes;
            }
        } else if gfp & GFP_ZERO != 0 {
            (*t).zeroed += bytes;
            (*t).has_extra = 1;
        } else if inner::in_call(t) {
            (*inner::fault(t)).unzeroed += bytes;
        }
    }
    0
}

#[btf_tracepoint]
pub fn rss_stat(ctx: BtfTracePointContext) -> i32 {
    let member: u32 = ctx.arg(1);
    let Some(t) = traced() else { return 0 };
    // SAFETY: a map value.
    unsafe {
        if (*t).flags & task::FAULT_OPEN != 0 {
            (*t).fault.rss |= 1 << (member & 7);
        } else if let Some(f) = inner::under_way(t) {
            (*f).rss |= 1 << (member & 7);
        }
    }
    0
}

#[btf_tracepoint]
pub fn mm_filemap_fault(ctx: BtfTracePointContext) -> i32 {
    file(ctx.arg(0), ctx.arg(1), 0)
}

#[btf_tracepoint]
pub fn mm_filemap_map_pages(ctx: BtfTracePointContext) -> i32 {
    let first: u64 = ctx.arg(1);
    let last: u64 = ctx.arg(2);
    file(ctx.arg(0), first, (last.wrapping_sub(first) + 1) as u32)
}

/// A file-backed fault: `pages` is the range of fault-around, 0 for a single page.
#[inline(always)]
fn file(mapping: u64, index: u64, pages: u32) -> i32 {
    let Some(t) = traced() else { return 0 };
    // SAFETY: a map value.
    unsafe {
        if (*t).flags & task::FAULT_OPEN == 0 {
            if !inner::in_call(t) {
                return 0;
            }
            inner::fault(t);
        }
        if pages != 0 {
            (*t).fault.around_pages += pages;
        } else {
            (*t).fault.filemap = 1;
        }
        if let Some(host) = probe::<u64>(mapping, off!(mapping_host)) {
            (*t).fault.ino = probe(host, off!(inode_ino)).unwrap_or(0);
            if let Some(sb) = probe::<u64>(host, off!(inode_sb)) {
                (*t).fault.dev = probe(sb, off!(sb_dev)).unwrap_or(0);
            }
            (*t).fault.pgoff = index as u32;
        }
    }
    0
}
