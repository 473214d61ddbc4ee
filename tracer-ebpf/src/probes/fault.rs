//! User page faults. No tracepoint marks a fault's end, so what it did is gathered and sent when the
//! thread does the next thing.

use aya_ebpf::EbpfContext;
use aya_ebpf::macros::{btf_tracepoint, perf_event};
use aya_ebpf::programs::{BtfTracePointContext, PerfEventContext};
use tracer_ebpf::{NETWORK, NO_ERROR_CODE, Task, count, esr, kind, task};

use crate::emit::{count, recording, send};
use crate::gather::{extra, faults_since, flush_sums, known_from_here, start_fault};
use crate::inner;
use crate::kread::{load, probe, user_word};
use crate::maps::{config, off, reg};
use crate::probes::cache::flush_dirty;
use crate::probes::primitive::registers;
use crate::tasks::{clear_extra, current, find, followed, traced};
use crate::top::{self, everyone};

// Allocation flags (include/linux/gfp_types.h; the same from 5.x to 7.2).
const GFP_HIGHMEM: u32 = 1 << 1;
const GFP_MOVABLE: u32 = 1 << 3;
const GFP_ZERO: u32 = 1 << 8;
const GFP_HARDWALL: u32 = 1 << 20;
const GFP_ACCOUNT: u32 = 1 << 22;

#[btf_tracepoint]
pub fn page_fault_user(ctx: BtfTracePointContext) -> i32 {
    let regs: *const u8 = ctx.arg(1);
    taken_in_user(ctx.arg(0), load(regs, reg!(ip)), ctx.arg::<u64>(2) as u32)
}

/// A fault of either mode where there is no tracepoint (arm64): the software event of page faults, which the
/// kernel counts before it looks for the page. The context is that of [`crate::probes::primitive::registers`].
#[perf_event]
pub fn page_fault(ctx: PerfEventContext) -> i32 {
    at_event(&ctx)
}

#[inline(always)]
pub fn at_event(ctx: &PerfEventContext) -> i32 {
    let regs = registers(ctx);
    let ip: u64 = probe(regs, reg!(ip)).unwrap_or(0);
    let in_user = ip >> 63 == 0;
    if everyone() {
        if in_user {
            top::count(count::FAULT, 0, 1, 0);
        }
        return 0;
    }
    if traced().is_none() {
        return 0;
    }
    let data = probe::<u64>(ctx.as_ptr() as u64, off!(perf_data));
    let addr = data.and_then(|data| probe(data, off!(sample_addr)));
    let addr: u64 = addr.unwrap_or(0);
    // The processor told the kernel whether it was a write; the kernel tells nobody.
    let instruction = match in_user {
        true => user_word(ip),
        false => probe(ip, 0),
    };
    let code = match instruction {
        // The instruction itself was not there.
        _ if addr == ip => 0,
        Some(instruction) => esr::of(instruction),
        None => NO_ERROR_CODE,
    };
    match in_user {
        true => taken_in_user(addr, ip, code),
        false => taken_in_kernel(addr, code),
    }
}

#[inline(always)]
fn taken_in_user(addr: u64, ip: u64, error_code: u32) -> i32 {
    if everyone() {
        top::count(count::FAULT, error_code as u16 & 3, 1, 0);
        return 0;
    }
    let task = current();
    let Some(t) = followed(task) else { return 0 };
    // SAFETY: `t` is a map value.
    unsafe {
        if !recording() {
            count(count::FAULT, error_code as u16 & 3, 0, 1, 0);
            return 0;
        }
        if (*t).flags & task::FAULT_OPEN != 0 {
            flush(t);
        }
        known_from_here(t, task);
        // Of a call whose end was not told.
        if (*t).flags & task::FAULT_INNER != 0 {
            inner::end(t);
        }
        (*t).seq += 1;
        start_fault(t, addr, ip, error_code);
        (*t).flags |= task::FAULT_OPEN;
    }
    0
}

/// A fault that the kernel takes on the program's memory: in a call it is a part of that. Outside (to write a
/// signal's frame, a restartable sequence's CPU) the program's own fault before it is over, and gets nothing
/// of this one.
#[btf_tracepoint]
pub fn page_fault_kernel(ctx: BtfTracePointContext) -> i32 {
    taken_in_kernel(ctx.arg(0), ctx.arg::<u64>(2) as u32)
}

#[inline(always)]
fn taken_in_kernel(addr: u64, error_code: u32) -> i32 {
    let Some(t) = traced() else { return 0 };
    // A probe that looks at memory which is not there is no fault that would be handled.
    let looks_only = || load::<u32>(current(), off!(task_pagefault_disabled)) != 0;
    // SAFETY: a map value.
    let (open, in_call) = unsafe { ((*t).flags & task::FAULT_OPEN != 0, inner::in_call(t)) };
    if (open || in_call) && addr >> 63 == 0 && !looks_only() {
        if open {
            // SAFETY: a map value.
            unsafe { flush(t) };
        } else {
            inner::begin(t, addr, error_code);
        }
    }
    0
}

/// Sends the open fault of the current thread.
#[inline(always)]
pub unsafe fn flush(t: *mut Task) {
    // SAFETY: a map value.
    unsafe { flush_fault((*t).tid) };
}

/// Global, so that the verifier checks it once and not on every path through its callers.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn flush_fault(tid: u32) -> u64 {
    let Some(t) = find(tid) else { return 0 };
    // SAFETY: a map value.
    unsafe {
        flush_dirty(t);
        flush_sums(t);
        let (min, maj) = faults_since(t, current());
        let ts = (*t).fault.head.ts;
        (*t).fault.head = crate::tasks::head(t, kind::FAULT, ts);
        (*t).fault.min_flt = min as u16;
        (*t).fault.maj_flt = maj as u16;
        (*t).fault.cache_pages = (*t).cache_pages;
        if (*t).network_pages != 0 {
            (*t).fault.filemap |= NETWORK;
        }
        (*t).fault.irqs = (*t).irqs;
        (*t).fault.irqs_user = (*t).irqs_user;
        // Work that io_uring left for the way back to user mode is done there, in no call and maybe beside a
        // fault: what it received, and the pages that it made, stand in a record of their own.
        if (*t).skb_copied | (*t).zeroed != 0 {
            (*t).cache_pages = 0;
            (*t).network_pages = 0;
            (*t).meta_pages = 0;
            (*t).irqs = 0;
            (*t).irqs_user = 0;
            (*t).has_file2 = 0;
            extra(t, 0, 0);
        }
        let head = (*t).fault.head;
        // From where it lies: the stack of Linux 6.1 is short.
        send(&head, &raw const (*t).fault);
        clear_extra(t);
        (*t).flags &= !task::FAULT_OPEN;
    }
    0
}

/// Whether a page is for user memory or the page cache (`GFP_HIGHUSER_MOVABLE`), not for page tables. Memory that is
/// pinned for long must not be movable (`memalloc_pin_save`, include/linux/sched/mm.h): it is told by what the
/// kernel's own and a pipe's pages have not.
#[inline(always)]
fn for_user_or_cache(gfp: u32) -> bool {
    const MOVABLE: u32 = GFP_HIGHMEM | GFP_MOVABLE;
    const PINNED: u32 = GFP_HIGHMEM | GFP_HARDWALL;
    gfp & MOVABLE == MOVABLE || gfp & (PINNED | GFP_ACCOUNT) == PINNED
}

#[btf_tracepoint]
pub fn mm_page_alloc(ctx: BtfTracePointContext) -> i32 {
    let order: u32 = ctx.arg(1);
    let gfp: u32 = ctx.arg(2);
    if !for_user_or_cache(gfp) || order > 20 {
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
