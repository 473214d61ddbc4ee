//! Mappings for DMA, tied to the block request that they are made for; and bounce buffers.
//!
//! A driver maps a request's pages in the task that issues it, just before (NVMe) or just after (SCSI,
//! ATA) it says so.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use tracer_ebpf::{bio, moved};

use crate::emit::recording;
use crate::kread::probe;
use crate::maps::{BIOS, MAPPINGS, Mapping, off};
use crate::sums::add;
use crate::tasks::{current_tid, traced_or_worker};

/// Of a mapping whose size does not matter: it is of a whole request.
const WHOLE: u64 = u64::MAX;
/// Bios of a request that are marked.
const BIOS_PER_REQUEST: u32 = 64;

/// `(dev, phys_addr, dma_addr, size, dir, attrs)`; `dma_map_page` before Linux 6.18.
#[btf_tracepoint]
pub fn dma_map_phys(ctx: BtfTracePointContext) -> i32 {
    mapped(ctx.arg(0), ctx.arg(3));
    0
}

/// `(dev, sgl, nents, ents, dir, attrs)`
#[btf_tracepoint]
pub fn dma_map_sg(ctx: BtfTracePointContext) -> i32 {
    mapped(ctx.arg(0), WHOLE);
    0
}

/// What this task has in hand on this processor.
#[inline(always)]
fn in_hand() -> Option<*mut Mapping> {
    let m = MAPPINGS.get_ptr_mut(0)?;
    let tid = current_tid();
    // SAFETY: this CPU's value of a map.
    unsafe {
        if (*m).tid != tid {
            (*m).tid = tid;
            (*m).bytes = 0;
            (*m).bio = 0;
        }
    }
    Some(m)
}

#[inline(always)]
fn mapped(dev: u64, bytes: u64) {
    let Some(m) = in_hand() else { return };
    // SAFETY: this CPU's value of a map.
    unsafe {
        if (*m).dev != dev {
            (*m).dev = dev;
            (*m).bytes = 0;
        }
        (*m).bytes = (*m).bytes.saturating_add(bytes);
        if (*m).bio != 0 && ((*m).bytes == (*m).wanted || bytes == WHOLE) {
            mark((*m).bio);
            (*m).bio = 0;
            (*m).bytes = 0;
        }
    }
}

/// A request is given to its driver.
#[inline(always)]
pub fn issued(rq: u64, first: u64) {
    let Some(m) = in_hand() else { return };
    let wanted = probe::<u32>(rq, off!(rq_len)).unwrap_or(0) as u64;
    // SAFETY: this CPU's value of a map.
    unsafe {
        if (*m).bytes != 0 && ((*m).bytes == wanted || (*m).bytes == WHOLE) {
            mark(first);
            (*m).bio = 0;
        } else {
            (*m).bio = first;
            (*m).wanted = wanted;
        }
        (*m).bytes = 0;
    }
}

/// Marks the bios of a request, from its first on.
#[inline(always)]
fn mark(first: u64) {
    let mut b = first;
    for _ in 0..BIOS_PER_REQUEST {
        if b == 0 {
            break;
        }
        b = mark_bio(b);
    }
}

/// Global, so that the verifier checks it once.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn mark_bio(b: u64) -> u64 {
    if let Some(entry) = BIOS.get_ptr_mut(b) {
        // SAFETY: a map value.
        unsafe { (*entry).bio |= bio::MAPPED };
    }
    probe(b, off!(bio_next)).unwrap_or(0)
}

/// `(dev, dev_addr, size)`: the device cannot reach the memory, or must not: the CPU copies to or from
/// a buffer that it can.
#[btf_tracepoint]
pub fn swiotlb_bounced(ctx: BtfTracePointContext) -> i32 {
    if let Some(t) = traced_or_worker()
        && recording()
    {
        add(t, moved::BOUNCE as u32, ctx.arg(2), 1);
    }
    0
}
